"""Where reports are kept: a folder or a bucket. None is ever overwritten, and none lies among a project's data."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from urllib.parse import quote

import dagster as dg

import datom_core as dc
from datom_dagster.resources import DatomStorage, LocalStorage

#: A place as a user gives it: a resource, or the path of a folder.
ReportPlaceLike = DatomStorage | str | os.PathLike[str]

_LONGEST = 60  # characters of one part of a name
_DIGITS = 12


@dataclass(frozen=True)
class ReportPlace:
    """A place for reports.

    Attributes:
        storage: the place.
        url: the address under which others serve it; by default the storage's own.
    """

    storage: DatomStorage
    url: str | None = None

    @classmethod
    def of(cls, place: object, url: str | None = None) -> ReportPlace:
        """The place that a user gave.

        Raises:
            InvalidInputError: it is neither a storage nor a path.
        """
        if isinstance(place, DatomStorage):
            return cls(place, url)
        if isinstance(place, dg.EnvVar):
            return cls(LocalStorage(path=place), url)
        if isinstance(place, os.PathLike) or (isinstance(place, str) and place.strip()):
            return cls(LocalStorage(path=os.path.abspath(os.path.expanduser(place))), url)
        raise dc.InvalidInputError(
            f"reports is the path of a folder, or LocalStorage(path=...) or S3Storage(bucket=..., ...), not {place!r}."
        )

    def check_beside(self, project: str, location: dc.Location) -> None:
        """Refuse a place among a project's own objects, where its validation would find strangers.

        Raises:
            InvalidInputError: says what to do.
        """
        ours, place = f"{_folder(location)}/datom", self.storage.store().location
        if location.backend == place.backend and f"{_folder(place)}/{project}/".startswith(f"{ours}/"):
            raise dc.InvalidInputError(
                f"The reports would lie in {ours}, among the objects of {project}. Give reports= a folder or a prefix "
                "beside it."
            )

    def keep(self, parts: tuple[str, ...], ending: str, data: bytes) -> dg.MetadataValue[str]:
        """Write a report, and return its address: a URL, or a path. The same report again is there already.

        Its name ends with the first digits of its SHA-256, so that another report has another name.

        Args:
            parts: what its name says; all but the last are folders. Any text.
            ending: of the file, as in ``html``.
            data: its bytes.

        Raises:
            IntegrityError: something else lies under its name.
            InvalidInputError: a project's data lies there.
            AccessDeniedError, StorageError: it cannot be written.
        """
        name = "/".join(map(_plain, parts)) + f"-{hashlib.sha256(data).hexdigest()[:_DIGITS]}.{ending}"
        address = self.storage.publish(name, data)
        if self.url is not None:
            address = f"{self.url.rstrip('/')}/{quote(name)}"
        return dg.MetadataValue.url(address) if "://" in address else dg.MetadataValue.path(address)

    def keep_page(self, changes: dc.TableChanges, project: str, *, values: bool) -> dg.MetadataValue[str]:
        """Write the page about what changed in a table, and return its address.

        Args:
            changes: what changed, between two versions.
            project: the project's name.
            values: whether any value may be shown.

        Raises:
            As `keep`.
        """
        page = dc.render_report(changes, "html", project=project, preview_rows=None if values else 0)
        versions = (side.version for side in (changes.before, changes.after) if side is not None)
        told = "-".join("frame" if version is None else version.version[:_DIGITS] for version in versions)
        return self.keep((project, changes.table, told), "html", page)


def _plain(part: str) -> str:
    """The text as a part of a file's name, on every disk and in every bucket."""
    text = re.sub(r"[^\w.()-]+", "_", part)[:_LONGEST].strip(".")
    return f"_{text}" if text.lower() in ("", "datom") else text


def _folder(location: dc.Location) -> str:
    """The place as text that can be compared: links in a path are followed."""
    whole = "/".join(filter(None, (location.root.rstrip("/"), location.prefix)))
    return os.path.realpath(whole) if location.backend == "local" else whole
