"""project.yaml: the project's name and where its data lives (docs/format.md, "project.yaml")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType, ModuleType
from typing import Any

from datom_core.common import needing, normalise_prefix
from datom_core.documents.location import Location
from datom_core.documents.parsing import optional, required, schema_of
from datom_core.errors import FormatError, InvalidInputError

#: The R release whose writer this package behaves like; ``min_writer_version`` is compared with it.
COMPATIBLE_LEVEL = (0, 2, 0)
_SCHEMA = 1


@dataclass(frozen=True)
class ProjectFile:
    """The project's own configuration. Keys of other writers stay in ``raw`` and survive a rewrite.

    Attributes:
        raw: the document as it was read or built.
        name: name of the project.
        location: where its data lives.
        remote: the recorded URL of the data repo, if any.
        decommissioned_at: since when the project is being decommissioned.
    """

    raw: Mapping[str, Any] = field(repr=False)
    name: str
    location: Location
    remote: str | None
    decommissioned_at: str | None = None

    @classmethod
    def from_yaml(cls, data: bytes, source: str) -> ProjectFile:
        """Read a stored document.

        Raises:
            FormatError: as `parse_yaml`; no name, no location, or a newer schema.
        """
        raw: Any = _yaml().parse_yaml(data, source)
        if not isinstance(raw, dict):
            raise FormatError(f"{source} should hold a mapping.", source=source)
        schema_of(raw, source, ceiling=_SCHEMA)
        repos = optional(raw, "repos", dict, source) or {}
        data_repo = optional(repos, "data", dict, source) or {}
        return cls(
            raw=MappingProxyType(raw),
            name=required(raw, "project_name", str, source),
            location=_location(raw, source),
            remote=optional(data_repo, "remote_url", str, source),
            decommissioned_at=optional(raw, "decommissioned_at", str, source),
        )

    @classmethod
    def new(
        cls,
        name: str,
        location: Location,
        remote: str,
        *,
        schema: int,
        date: str,
        writer: str,
        product_set: str | None = None,
    ) -> ProjectFile:
        """The file of a project that is created today (``date`` as ``YYYY-MM-DD``); of a product, with its one set."""
        head: dict[str, Any] = {"schema_version": _SCHEMA} if schema == 2 else {}
        raw = {
            **head,
            "project_name": name,
            "project_description": "",
            "created_at": date,
            "datom_version": writer,
            "storage": {"data": _location_block(location), "max_file_size_gb": 1000.0},
            "repos": {"data": {"remote_url": remote}},
            "sync": {"continue_on_error": True, "parallel_uploads": 4},
            "renv": False,
        }
        if product_set is not None:
            raw |= {"mode": "product", "set": product_set}
        return cls(MappingProxyType(raw), name, location, remote)

    @property
    def product_set(self) -> str | None:
        """The one set of a product; ``None`` for a project of any other kind.

        Raises:
            FormatError: a product that names no set.
        """
        if self.raw.get("mode") != "product":
            return None
        named = self.raw.get("set")
        if not isinstance(named, str) or not named:
            raise FormatError("project.yaml says mode: product, and names no set.", source="project.yaml", field="set")
        return named

    def to_yaml(self) -> bytes:
        data: bytes = _yaml().as_yaml(self.raw)
        return data

    def moved(self, location: Location) -> ProjectFile:
        """The file after the data moved; the old location's block is replaced as a whole."""
        # Files from before the split hold the location directly under storage.
        others = {k: v for k, v in self.raw["storage"].items() if k not in ("type", "root", "prefix", "region")}
        storage = {**others, "data": _location_block(location)}
        return replace(self, raw=MappingProxyType({**self.raw, "storage": storage}), location=location)

    def marked(self, now: str) -> ProjectFile:
        """The file of a project that is being decommissioned: nobody writes to it any more."""
        return replace(self, raw=MappingProxyType({**self.raw, "decommissioned_at": now}), decommissioned_at=now)

    def with_schema(self) -> ProjectFile:
        """The file with the schema number that projects of schema 2 carry."""
        return replace(self, raw=MappingProxyType({**self.raw, "schema_version": _SCHEMA}))

    def check_writable(self, source: str) -> None:
        """Refuse a project that asks for a newer writer than this release.

        Raises:
            FormatError: names both versions.
        """
        floor = self.raw.get("min_writer_version")
        if floor is None:
            return
        parts = str(floor).replace("-", ".").split(".")
        wanted = tuple(int(p) for p in parts) if all(p.isdecimal() for p in parts) else None
        if wanted is None or wanted > COMPATIBLE_LEVEL:
            ours = ".".join(map(str, COMPATIBLE_LEVEL))
            raise FormatError(
                f"{source} asks for a writer of datom {floor} or newer; this release writes like datom {ours}. "
                "Install a newer datom-dagster.",
                source=source,
                min_writer_version=str(floor),
            )


def _location(raw: Mapping[str, Any], source: str) -> Location:
    storage = required(raw, "storage", dict, source)
    # Files from before the split into data and governance hold the location directly.
    block = optional(storage, "data", dict, source) or storage
    given = optional(block, "prefix", str, source)
    try:
        prefix = normalise_prefix(given)
    except InvalidInputError as error:
        raise FormatError(f"{source}: {error}", source=source, field="prefix") from error
    return Location(
        backend=required(block, "type", str, source),
        root=required(block, "root", str, source),
        prefix=prefix,
        region=optional(block, "region", str, source),
        given_prefix=given,
    )


def _location_block(location: Location) -> dict[str, Any]:
    block = {"type": location.backend, "root": location.root, "prefix": location.spelled_prefix or None}
    return {**block, "region": location.region} if location.region else block


def _yaml() -> ModuleType:
    """What reads and writes YAML, which only writers need."""
    with needing("Writing to a project", "write"):
        from datom_core.documents import yaml_text
    return yaml_text
