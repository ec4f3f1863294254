"""Make a report of what changed, in the form that is asked for."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Literal, get_args

from datom_core.common import did_you_mean, not_written, whole_file
from datom_core.comparing import StudyChanges, TableChanges
from datom_core.errors import InvalidInputError, NotFoundError
from datom_core.reports.html import write_html
from datom_core.reports.json_document import write_json
from datom_core.reports.markdown import write_markdown
from datom_core.reports.report import Report, report_of
from datom_core.reports.workbook import write_xlsx

#: The forms of a report.
ReportForm = Literal["html", "xlsx", "markdown", "json"]

_ENDINGS: dict[str, ReportForm] = {".html": "html", ".xlsx": "xlsx", ".md": "markdown", ".json": "json"}
# Lines of each kind that a person reads at once.
_PREVIEW: dict[ReportForm, int] = {"html": 200, "markdown": 20, "xlsx": 0, "json": 0}


def render_report(
    changes: StudyChanges | TableChanges,
    form: ReportForm,
    *,
    project: str = "",
    masked: Iterable[str] = (),
    preview_rows: int | None = None,
    max_bytes: int | None = None,
) -> bytes:
    """What changed, as a report. The same arguments give the same bytes, and every form has the same counts.

    Args:
        changes: of a study, or of one table.
        form: ``"html"`` (a page without scripts), ``"xlsx"`` (a workbook), ``"markdown"``, or ``"json"`` (see
            `report_schema`).
        project: the project's name, where ``changes`` is of one table, and does not know it.
        masked: columns whose values are shown nowhere, beside those that the comparison was told to mask; also under
            another name that they had or got.
        preview_rows: how many rows, values and subjects of each kind the page (200) and the markdown (20) list; the
            other forms hold all. 0 shows no value at all, in any form.
        max_bytes: how long the markdown may be; what does not fit is left out by whole rows and tables, and said.

    Raises:
        InvalidInputError: an unknown form; a masked column that no table has; a number out of range; a limit for a
            form that holds everything.
    """
    report = _checked(changes, form, project=project, masked=masked, preview_rows=preview_rows, max_bytes=max_bytes)
    sink = io.BytesIO()
    _write(report, form, sink, max_bytes)
    return sink.getvalue()


def write_report(
    changes: StudyChanges | TableChanges,
    path: str | os.PathLike[str],
    *,
    project: str = "",
    masked: Iterable[str] = (),
    preview_rows: int | None = None,
    max_bytes: int | None = None,
) -> Path:
    """Write a report into a file, in the form that its ending names: ``.html``, ``.xlsx``, ``.md``, ``.json``.

    The file is whole or not there: what was there before stays until the new one is finished. The arguments are those
    of `render_report`.

    Returns:
        The path.

    Raises:
        InvalidInputError: as `render_report` does; another ending.
        NotFoundError: the folder does not exist.
        AccessDeniedError, StorageError: the file cannot be written.
    """
    form, target = report_form(path), Path(path)
    report = _checked(changes, form, project=project, masked=masked, preview_rows=preview_rows, max_bytes=max_bytes)
    if not target.parent.is_dir():
        raise NotFoundError(f"The folder {target.parent} does not exist. Make it, or choose another.", path=str(target))
    try:
        with whole_file(target) as sink:
            _write(report, form, sink, max_bytes)
    except OSError as error:
        raise not_written(target, error) from error
    return target


def report_form(path: str | os.PathLike[str]) -> ReportForm:
    """The form of report that the ending of a file's name says.

    Raises:
        InvalidInputError: it says none.
    """
    given: object = path
    if not isinstance(given, str | os.PathLike) or "\0" in str(given):
        raise InvalidInputError(f"path must be that of a file; got {given!r}.")
    name = Path(path).name
    form = _ENDINGS.get(Path(name).suffix.lower())
    if form is None:
        known = ", ".join(_ENDINGS)
        raise InvalidInputError(
            f"{name!r} does not say which form the report should have; its ending must be one of {known}.",
            path=str(path),
        )
    return form


def _checked(
    changes: StudyChanges | TableChanges,
    form: ReportForm,
    *,
    project: str,
    masked: Iterable[str],
    preview_rows: int | None,
    max_bytes: int | None,
) -> Report:
    if form not in get_args(ReportForm):
        known = ", ".join(map(repr, get_args(ReportForm)))
        raise InvalidInputError(
            f"There is no form {form!r}; it must be one of {known}.{did_you_mean(form, get_args(ReportForm))}",
            form=form,
        )
    if max_bytes is not None and form != "markdown":
        raise InvalidInputError(f"max_bytes is for markdown; the {form} form is as long as it must be.", form=form)
    return report_of(changes, project=project, masked=masked, preview_rows=preview_rows, default=_PREVIEW[form])


def _write(report: Report, form: ReportForm, sink: BinaryIO, max_bytes: int | None) -> None:
    if form == "html":
        write_html(report, sink)
    elif form == "xlsx":
        write_xlsx(report, sink)
    elif form == "markdown":
        write_markdown(report, sink, max_bytes)
    else:
        write_json(report, sink)
