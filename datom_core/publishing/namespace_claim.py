"""Who owns a storage namespace: a claim says so while it is being filled, the manifest afterwards."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datom_core.common import names
from datom_core.documents import Manifest, canonical, parse, same_place
from datom_core.errors import AlreadyExistsError, FormatError, InvalidInputError
from datom_core.planning import ProjectState
from datom_core.storage import ObjectStore, find


@dataclass(frozen=True)
class NamespaceClaim:
    """A project that is being moved into a store.

    Attributes:
        store: the new place.
        project: its name.
        root: the first commit of its repository, which no other project has.
        origin: the place it comes from.
    """

    store: ObjectStore
    project: str
    root: str
    origin: str

    def check(self, state: ProjectState) -> None:
        """Refuse a store that holds anything but a copy of this project.

        Raises:
            AlreadyExistsError: says what it holds.
        """
        claimed = self._claimed()
        if claimed is False:
            raise self._taken()
        manifest = _manifest(self.store)
        if manifest is None:
            # Without a manifest or a claim, the place must be empty: nothing would tell what lies there.
            if claimed is None and next(iter(self.store.list()), None) is not None:
                raise AlreadyExistsError(
                    f"{self.store.location} holds objects, but no datom project. Choose an empty place.",
                    location=str(self.store.location),
                )
            return
        arrived = claimed or same_place(state.file.location, self.store.location)
        strange = strange_tables(manifest, state)
        # A project of the same name without tables is not a copy of ours.
        if manifest.project != state.file.name or strange or not (arrived or manifest.entries):
            other = f" with other versions of {', '.join(strange)}" if strange else ""
            raise AlreadyExistsError(
                f"{self.store.location} holds the project {manifest.project!r}{other}. Choose another place.",
                location=str(self.store.location),
                project=manifest.project,
            )

    def claim(self, origin: ObjectStore) -> None:
        """Mark the store as this project's, so that nobody else starts a project there meanwhile.

        Raises:
            AlreadyExistsError: another claim stands.
            InvalidInputError: the claim shows up in ``origin``: both names lead to one place.
        """
        mark = {"project": self.project, "root": self.root, "moving_from": self.origin, "id": secrets.token_hex(16)}
        if not self.store.create(names.CLAIM_KEY, canonical.dump(mark)) and not self._claimed():
            raise self._taken()
        here, there = find(self.store, names.CLAIM_KEY), find(origin, names.CLAIM_KEY)
        if here is not None and there is not None and here.data == there.data:
            self.release()
            raise InvalidInputError(f"{origin.location} and {self.store.location} are one place. Nothing was moved.")

    def release(self) -> None:
        """Remove the claim."""
        self.store.delete(names.CLAIM_KEY)

    def _claimed(self) -> bool | None:
        """Whether the claim there is this project's; ``None`` if there is none."""
        held = find(self.store, names.CLAIM_KEY)
        if held is None:
            return None
        try:
            mark: Any = parse(held.data, names.CLAIM_KEY)
        except FormatError:
            return False
        ours = {"project": self.project, "root": self.root, "moving_from": self.origin}
        return isinstance(mark, Mapping) and all(mark.get(key) == value for key, value in ours.items())

    def _taken(self) -> AlreadyExistsError:
        return AlreadyExistsError(
            f"{self.store.location} is being filled by another project or migration. Choose another place; if "
            f"that was given up, remove {names.CLAIM_KEY} there.",
            location=str(self.store.location),
        )


def check_origin(store: ObjectStore, state: ProjectState) -> None:
    """Refuse to move from a place that holds another project. One that has been emptied holds none.

    Raises:
        InvalidInputError: says which one.
    """
    manifest = _manifest(store)
    if manifest is None:
        return
    strange = strange_tables(manifest, state)
    if manifest.project != state.file.name or strange:
        other = f" with other versions of {', '.join(strange)}" if strange else ""
        raise InvalidInputError(
            f"{store.location} holds the project {manifest.project!r}{other}, not {state.file.name!r}. Give the place "
            "that this project comes from.",
            location=str(store.location),
        )


def strange_tables(manifest: Manifest, state: ProjectState) -> list[str]:
    """Tables in a manifest whose current version the project never had."""
    return [e.name for e in manifest if e.version and not state.table(e.name).history.find(e.version)]


def _manifest(store: ObjectStore) -> Manifest | None:
    found = find(store, names.MANIFEST_KEY)
    if found is None:
        return None
    try:
        return Manifest.from_json(found.data, f"{names.MANIFEST_KEY} in {store.location}")
    except FormatError as error:
        raise AlreadyExistsError(f"{store.location} holds a project whose manifest cannot be read: {error}") from error
