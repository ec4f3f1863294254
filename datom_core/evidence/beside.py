"""What makes a bag readable: copies of the tables in other forms, and what changed since the cut before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from datom_core import exports, reports
from datom_core.common import Moment, did_you_mean
from datom_core.documents import Cuts, Version
from datom_core.errors import InvalidInputError
from datom_core.evidence.results import HeldVersion
from datom_core.evidence.workshop import Measured, Workshop
from datom_core.tables import Verification

if TYPE_CHECKING:
    import pyarrow as pa

    from datom_core.comparing import StudyChanges
    from datom_core.exports import ExportForm

#: What callers may name a form of copies by, and the form of an export that it is.
COPIES: Mapping[str, ExportForm] = {
    "csv": "csv",
    "tsv": "tsv",
    "xlsx": "xlsx",
    "xpt": "xpt",
    "xpt8": "xpt8",
    "dataset-json": "json",
    "json": "json",
    "ndjson": "ndjson",
}


class Reader(Protocol):
    """Reads the tables of the project."""

    def read_arrow(
        self, table: str, version: str | Version | None = None, *, verify: Verification | None = None
    ) -> pa.Table: ...

    def changes_between(self, before: Moment, after: Moment | None = None) -> StudyChanges: ...


class _Study:
    """The bag's tables, as an export takes them."""

    def __init__(self, reader: Reader, versions: Sequence[HeldVersion]) -> None:
        self._reader = reader
        self.versions = {v.table: v.version for v in versions if not v.version.is_set}

    def read_arrow(self, table: str, *, verify: Verification | None = "bytes") -> pa.Table:
        return self._reader.read_arrow(table, self.versions[table], verify=verify)


def check_copies(copies: object) -> tuple[str, ...]:
    """The forms in which copies are asked for.

    Raises:
        InvalidInputError: one of them is none; names all.
    """
    given = (copies,) if isinstance(copies, str) else copies
    if not isinstance(given, Sequence) or any(form not in COPIES for form in given):
        wrong = given if not isinstance(given, Sequence) else [form for form in given if form not in COPIES]
        hint = "".join(did_you_mean(form, COPIES) for form in wrong) if isinstance(wrong, list) else ""
        raise InvalidInputError(f"copies are of {', '.join(COPIES)}, not {wrong!r}.{hint}")
    return tuple(dict.fromkeys("dataset-json" if form == "json" else form for form in given))


def put_copies(shop: Workshop, reader: Reader, versions: Sequence[HeldVersion], copies: Sequence[str]) -> None:
    """Every table in each form: all of a form, or none.

    Raises:
        InvalidInputError: a form cannot hold some tables; names every table and column.
    """
    study = _Study(reader, versions)
    for form in copies if study.versions else ():
        folder = f"data/copies/{form}"
        left = [path for path in shop.left() if path.startswith(f"{folder}/")]
        if len(left) == len(study.versions) and all(shop.has(path) for path in left):
            continue
        (shop.bag / folder).mkdir(parents=True, exist_ok=True)
        for written in exports.write_study(study, shop.bag / folder, COPIES[form], overwrite=True):
            shop.note(f"{folder}/{written.path.name}", Measured(written.sha256, written.bytes))


def cut_before(cuts: Cuts, cut: str | None) -> str | None:
    """The cut that was first recorded before this one."""
    known = list(cuts)
    return known[known.index(cut) - 1] if cut is not None and known.index(cut) > 0 else None


def put_report(shop: Workshop, reader: Reader, before: str, cut: str) -> None:
    """What changed, as a page and as JSON."""
    changes = reader.changes_between(before, cut)
    for form, ending in (("html", "html"), ("json", "json")):
        shop.put(f"data/changes/report.{ending}", reports.render_report(changes, form))  # type: ignore[arg-type]
