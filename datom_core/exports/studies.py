"""Write all tables of a study's state into a folder, a file for each."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from datom_core.common import Progress, fitting, moment_of, not_written, watcher
from datom_core.documents import Version
from datom_core.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from datom_core.exports.forms import ExportForm, Form, form_called
from datom_core.exports.writing import MADE, WrittenFile, measured, placed, prepare
from datom_core.tables import Verification

_SHOWN = 10
# What Windows keeps for devices, whatever the ending.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10))})


class StudyTables(Protocol):
    """All tables of a study at one moment, such as a `StudyState`."""

    @property
    def versions(self) -> Mapping[str, Version]: ...

    def read_arrow(self, table: str, *, verify: Verification | None = "bytes") -> pa.Table: ...


@fitting
def write_study(
    study: StudyTables,
    folder: str | os.PathLike[str],
    form: ExportForm,
    *,
    overwrite: bool = False,
    verify: Verification | None = "bytes",
    dry_run: bool = False,
) -> tuple[WrittenFile, ...]:
    """Write every table of a study's state into a folder: a file for each, called as the table.

    All are written beside their places before the first takes its own: a table that the form cannot hold, or that
    cannot be read, leaves the folder as it was. The files say that they were made when their version was recorded, so
    that the same state gives the same bytes.

    Args:
        study: what `ProjectReader.study` gives.
        folder: made when it is not there; its parent must be.
        form: as `write_table` takes it.
        overwrite: replace files that are there; others stay in any case.
        verify: as `ProjectReader.read` takes it.
        dry_run: only say what would be written, or refused.

    Raises:
        InvalidInputError: the form cannot hold some tables; names every table and column, with what to do.
        AlreadyExistsError: files of such names are there; names them.
        NotFoundError: the folder's parent does not exist, or there is no table.
        AccessDeniedError, StorageError: files cannot be written.
        ImportError: a package that the form needs is not installed.
    """
    chosen = form_called(form)
    place = Path(folder)
    targets = _targets(study, place, chosen)
    if not overwrite:
        _check_free(targets)
    if dry_run:
        return tuple(_each(study, targets, chosen, verify, lasting=False))
    with _workshop(place) as parts:
        beside = {table: parts / target.name for table, target in targets.items()}
        found = list(_each(study, beside, chosen, verify, lasting=True))
        try:
            for written in found:
                os.replace(written.path, targets[written.table])
        except OSError as error:
            raise not_written(place, error) from error
    return tuple(replace(written, path=targets[written.table]) for written in found)


def _targets(study: StudyTables, folder: Path, form: Form) -> dict[str, Path]:
    """Where each table goes.

    Raises:
        InvalidInputError: two tables would go into one file, on a disk that does not tell cases apart; the folder is a
            file.
        NotFoundError: its parent does not exist, or there is no table.
    """
    if folder.exists() and not folder.is_dir():
        raise InvalidInputError(f"{folder} is a file; name a folder for a file per table.", path=str(folder))
    if not folder.parent.is_dir():
        raise NotFoundError(f"The folder {folder.parent} does not exist. Make it, or choose another.", path=str(folder))
    if not study.versions:
        raise NotFoundError("There is no table to write.")
    targets = {table: folder / f"{_safe(table)}{form.ending}" for table in study.versions}
    folded: dict[str, str] = {}
    for table, target in targets.items():
        other = folded.setdefault(target.name.casefold(), table)
        if other != table:
            raise InvalidInputError(
                f"{other!r} and {table!r} would be one file where names differ only in case. Write them one by one.",
                table=table,
            )
    return targets


def _safe(table: str) -> str:
    """The table's name, as every disk takes it."""
    name = table.strip()
    return f"{name}_" if name.lower() in _DEVICES else name


def _check_free(targets: Mapping[str, Path]) -> None:
    taken = [target for target in targets.values() if os.path.lexists(target)]
    if taken:
        shown = ", ".join(t.name for t in taken[:_SHOWN])
        more = f" and {len(taken) - _SHOWN} more" if len(taken) > _SHOWN else ""
        raise AlreadyExistsError(
            f"In {taken[0].parent} there are already {shown}{more}. Choose another folder, or ask to overwrite.",
            path=str(taken[0].parent),
        )


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """A hidden folder inside, which is gone afterwards; and the folder too, when it was made for nothing."""
    made = not folder.exists()
    parts = folder / f".{uuid.uuid4().hex}.part"
    try:
        folder.mkdir(exist_ok=True)
        parts.mkdir()
    except OSError as error:
        raise not_written(folder, error) from error
    try:
        yield parts
    finally:
        shutil.rmtree(parts, ignore_errors=True)
        if made and not any(folder.iterdir()):
            folder.rmdir()


def _each(
    study: StudyTables, places: Mapping[str, Path], form: Form, verify: Verification | None, *, lasting: bool
) -> Iterator[WrittenFile]:
    """Write each table, until one is refused; then only look at the others.

    Raises:
        InvalidInputError: what the form cannot hold, of all tables.
    """
    tell = watcher()
    refused: list[InvalidInputError] = []
    for done, (table, place) in enumerate(places.items(), 1):
        version = study.versions[table]
        made = MADE if version.timestamp is None else moment_of(version.timestamp)
        whole = study.read_arrow(table, verify=verify)
        try:
            out = prepare(whole, table, made, form)
        except InvalidInputError as error:
            refused.append(error)
        else:
            if not refused:
                yield (placed if lasting else measured)(place, form, out, version.version)
        tell(Progress("write", done, len(places), 0, 0, table))
    if refused:
        tables = tuple(str(error.details.get("table", "")) for error in refused)
        raise InvalidInputError("\n".join(map(str, refused)), form=form.name, tables=tables)
