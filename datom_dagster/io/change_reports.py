"""The whole report of each change, as a page in a place of its own."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from urllib.parse import quote

import dagster as dg

import datom_core as dc
from datom_dagster.resources import DatomStorage

_ID = 12  # digits of a version, or of a page's own hash, in a name


@dataclass(frozen=True)
class ChangeReports:
    """A place for pages that say what changed.

    Attributes:
        storage: the place.
        url: the address under which others serve it; by default the storage's own.
    """

    storage: DatomStorage
    url: str | None = None

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

    def write(self, changes: dc.TableChanges, project: str, *, values: bool) -> dg.MetadataValue:
        """Write the page about a change, under a name that no other page has; the same page again is no error.

        Args:
            changes: what changed, between two versions.
            project: the project's name.
            values: whether any value may be shown.

        Returns:
            A link to it: a URL, or a path.

        Raises:
            StorageError, AccessDeniedError: it cannot be written.
        """
        page = dc.render_report(changes, "html", project=project, preview_rows=None if values else 0)
        versions = (_name(side.version) for side in (changes.before, changes.after) if side is not None)
        # What is masked, or the release that made it, may make another page of the same versions.
        name = "-".join([*versions, hashlib.sha256(page).hexdigest()[:_ID]])
        path = f"{project}/{changes.table}/{name}.html"
        address = self.storage.publish(path, page)
        if self.url is not None:
            address = f"{self.url.rstrip('/')}/{quote(path)}"
        return dg.MetadataValue.url(address) if "://" in address else dg.MetadataValue.path(address)


def _name(version: dc.Version | None) -> str:
    return "frame" if version is None else version.version[:_ID]


def _folder(location: dc.Location) -> str:
    """The place as text that can be compared: links in a path are followed."""
    whole = "/".join(filter(None, (location.root.rstrip("/"), location.prefix)))
    return os.path.realpath(whole) if location.backend == "local" else whole
