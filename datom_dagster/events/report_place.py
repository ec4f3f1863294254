"""Where reports are kept: a folder or a bucket. None is ever overwritten, and none lies among a project's data."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

import datom_core as dc
from datom_dagster.resources import DatomStorage, LocalStorage, resolved

#: A place as a user gives it: a resource, or the path of a folder.
ReportPlaceLike = DatomStorage | str | os.PathLike[str]

_MANIFEST = ".metadata/manifest.json"
_LONGEST = 60  # characters of one part of a name
_DIGITS = 12


@dataclass(frozen=True)
class ReportPlace:
    """A place for reports.

    Attributes:
        place: as it was given.
    """

    place: ReportPlaceLike

    @classmethod
    def of(cls, place: object) -> ReportPlace:
        """The place that a user gave.

        Raises:
            InvalidInputError: it is neither a storage nor a path.
        """
        known = isinstance(place, DatomStorage | os.PathLike) or (isinstance(place, str) and place.strip())
        if not known:
            raise dc.InvalidInputError(
                "reports is the path of a folder, or LocalStorage(path=...) or S3Storage(bucket=..., ...), not "
                f"{place!r}."
            )
        return cls(place)  # type: ignore[arg-type]

    def keep(self, parts: tuple[str, ...], ending: str, data: bytes) -> dg.MetadataValue[str]:
        """Write a report, and return its address. The same report again is there already.

        Its name ends with the first digits of its SHA-256, so that another report has another name.

        Args:
            parts: what its name says; all but the last are folders. Any text.
            ending: of the file, as in ``html``.
            data: its bytes.

        Raises:
            InvalidInputError: a project's data lies in that place.
            IntegrityError: something else lies under its name.
            AccessDeniedError, StorageError: it cannot be written.
        """
        sha = hashlib.sha256(data).hexdigest()
        name = "/".join(map(_plain, parts)) + f"-{sha[:_DIGITS]}.{ending}"
        folder = self._folder()
        if folder is not None:
            return _keep_in_folder(folder, name, data, sha)
        assert isinstance(self.place, DatomStorage)
        return _keep_in_store(self.place.store(), name, data, sha)

    def _folder(self) -> Path | None:
        """The folder, if it is one: given by its path, or as a storage, beside whose ``datom/`` reports then lie."""
        if isinstance(self.place, LocalStorage):
            return Path(os.path.abspath(Path(resolved(self.place.path), resolved(self.place.prefix).strip("/"))))
        if isinstance(self.place, DatomStorage):
            return None
        path = resolved(self.place) if isinstance(self.place, str) else self.place
        return Path(os.path.abspath(os.path.expanduser(path)))


def _plain(part: str) -> str:
    """The text as a part of a file's name, on every disk and in every bucket."""
    text = re.sub(r"[^\w.()-]+", "_", part)[:_LONGEST].strip(".")
    return f"_{text}" if text.lower() in ("", "datom") else text


def _keep_in_store(store: dc.ObjectStore, name: str, data: bytes, sha: str) -> dg.MetadataValue[str]:
    at = store.location
    if store.head(_MANIFEST) is not None:
        raise dc.InvalidInputError(
            f"A project's data lies in {at}, and reports may not lie among it: give reports a prefix of their own.",
            location=str(at),
        )
    address = at.uri("/".join(filter(None, (at.prefix, "datom", name))))
    if not store.create(name, data) and store.get(name).sha256 != sha:
        raise _other(address)
    return dg.MetadataValue.path(address)


def _keep_in_folder(folder: Path, name: str, data: bytes, sha: str) -> dg.MetadataValue[str]:
    target = folder / name
    among = next((p for p in target.parents if p.name == "datom" and (p / _MANIFEST).exists()), None)
    if among is not None:
        raise dc.InvalidInputError(
            f"A project's data lies in {among}, and reports may not lie among it: give another folder.",
            location=str(among),
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not there: the name appears once the bytes are on disk, and only if nobody has it.
        with tempfile.TemporaryDirectory(prefix=".part-", dir=target.parent) as part:
            whole = Path(part, "report")
            with open(whole, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            _put(whole, target)
    except FileExistsError:
        if not target.is_file() or hashlib.sha256(target.read_bytes()).hexdigest() != sha:
            raise _other(str(target)) from None
    except PermissionError as error:
        raise dc.AccessDeniedError(f"Not allowed to write {target}: {error}.", resource=str(target)) from error
    except OSError as error:
        raise dc.StorageError(f"The report could not be written to {target}: {error}.", path=str(target)) from error
    return dg.MetadataValue.path(str(target))


def _put(whole: Path, target: Path) -> None:
    """Give the file its name, unless that is taken."""
    try:
        os.link(whole, target)
    except FileExistsError:
        raise
    except OSError:  # a disk without hard links; whoever comes in between writes the same bytes under this name
        if target.exists():
            raise FileExistsError(str(target)) from None
        os.rename(whole, target)


def _other(address: str) -> dc.IntegrityError:
    return dc.IntegrityError(
        f"{address} holds something else than the report of this name. Nothing was overwritten; look at it, and remove "
        "it.",
        path=address,
    )
