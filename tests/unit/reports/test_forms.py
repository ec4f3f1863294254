"""The four forms of a report say the same, show nothing that is masked, and are the same bytes each time."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import get_args

import jsonschema
import pyarrow as pa
import pytest

from datom_core import InvalidInputError, NotFoundError, StorageError
from datom_core.comparing import ColumnChange, ComparisonSettings, RejectedKey, Side, StudyChanges
from datom_core.reports import ReportForm, render_report, report_schema, workbook, write_report
from datom_core.version import __version__
from tests.unit.reports.parsing import FIGURES, READERS, everything
from tests.unit.reports.studies import COLUMNS, KEY, changes, every_kind, mixed, rows, study, version

FORMS: tuple[ReportForm, ...] = get_args(ReportForm)
SECRET = "VerumArmOfTheStudy"


def test_every_form_has_the_same_counts() -> None:
    found = {form: READERS[form](render_report(mixed(), form)) for form in FORMS}
    assert found["html"] == found["json"] == found["markdown"] == found["xlsx"]
    assert found["json"]["ae"] == dict(zip(FIGURES, (100, 101, 3, 1, 2, 1, 1, 3, 0), strict=True))
    assert list(found["json"]) == ["ae", "lb", "qs", "vs"]


@pytest.mark.parametrize("form", FORMS)
def test_nothing_but_counts_is_left_out_of_a_preview(form: ReportForm) -> None:
    many = [((f"S{i}", i), "AETERM", f"old {i}", f"new {i}") for i in range(313)]
    data = render_report(study(changes("ae", many)), form, preview_rows=20)
    assert READERS[form](data)["ae"]["cells"] == 313
    text = everything(form, data)
    assert ("new 19" in text, "new 20" in text) == (True, form in ("xlsx", "json"))
    if form in ("html", "markdown"):
        assert "20 of 313 values" in text


@pytest.mark.parametrize("form", FORMS)
def test_facts(form: ReportForm) -> None:
    settings = ComparisonSettings(absolute={"AESTDY": 0.5}, fold_case=("AETERM",), ignore=("AESEV",), masked=("ARM",))
    told = everything(form, render_report(study(every_kind(settings=settings)), form))
    for fact in ("STUDY_001", "cut-1", "cut-2", __version__, "a" * 64, "b" * 64, "a" * 40, "b" * 40, "Ana Ruiz"):
        assert fact in told
    for fact in ("AE extract, queries answered", "The natural key of AE", "is not unique in after", "0.5", "ARM"):
        assert fact in told
    assert "18:00:00" in told


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("where", ["argument", "settings"])
def test_masked_values_are_in_no_form(form: ReportForm, where: str) -> None:
    shown = everything(form, render_report(mixed(SECRET), form))
    assert SECRET in shown
    if where == "argument":
        told = everything(form, render_report(mixed(SECRET), form, masked="ARM"))
    else:
        kept = mixed(SECRET)
        told = everything(
            form,
            render_report(
                StudyChanges(
                    "S",
                    "a",
                    "b",
                    {n: replace(t, settings=ComparisonSettings(masked=("ARM",))) for n, t in kept.items()},
                ),
                form,
            ),
        )
    assert SECRET not in told
    assert "HEADACHE" in told
    assert "ARM" in told


@pytest.mark.parametrize("form", FORMS)
def test_masked_keys_subjects_and_reasons(form: ReportForm) -> None:
    rejected = RejectedKey(("USUBJID", "AETERM"), "data", "is not unique in after: 3 rows share 01-701-1015")
    given = every_kind(key=replace(KEY, rejected=(rejected,)))
    data = render_report(study(given), form, masked=("USUBJID",))
    told = everything(form, data)
    assert "01-70" not in told
    assert "HEADACHE" in told
    assert READERS[form](data)["ae"]["rekeyed"] == 1


@pytest.mark.parametrize("form", FORMS)
def test_a_masked_column_is_masked_under_its_other_name(form: ReportForm) -> None:
    before = Side(1, (*COLUMNS,), version("a"))
    after = Side(1, (*(c for c in COLUMNS if c != "ARM"), "ACTARM"), version("b"))
    added = rows(pa.schema([("USUBJID", pa.string()), ("ACTARM", pa.string())]), [("S1", SECRET)])
    given = changes(before=before, after=after, columns_renamed={"ARM": "ACTARM"}, added=added)
    assert SECRET in everything(form, render_report(given, form))
    assert SECRET not in everything(form, render_report(given, form, masked="ARM"))
    back = replace(given, columns_renamed={"ACTARM": "ARM"})
    assert SECRET not in everything(form, render_report(back, form, masked="ARM"))


@pytest.mark.parametrize("form", FORMS)
def test_a_masked_column_tells_no_levels(form: ReportForm) -> None:
    told = (ColumnChange("ARM", "levels", "Placebo", SECRET), ColumnChange("ARM", "label", "Arm", "Planned Arm"))
    text = everything(form, render_report(changes(columns_changed=told), form, masked="ARM"))
    assert SECRET not in text
    assert "Planned Arm" in text


@pytest.mark.parametrize("form", FORMS)
def test_no_values_at_all(form: ReportForm) -> None:
    data = render_report(mixed(SECRET), form, preview_rows=0)
    text = everything(form, data)
    for value in (SECRET, "HEADACHE", "01-701", "NAUSEA", "COUGH", "RASH"):
        assert value not in text
    assert "AETERM" in text
    if form != "json":
        assert "shows no values" in text
    if form not in ("json", "xlsx"):
        assert READERS[form](data)["ae"]["cells"] == 3


@pytest.mark.parametrize("long", [0, 20_000])
@pytest.mark.parametrize("form", FORMS)
def test_the_same_bytes_each_time(form: ReportForm, long: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "_LONG", long)
    first = render_report(mixed(), form)
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    kept = os.umask(0o077)
    try:
        assert render_report(mixed(), form) == first
    finally:
        os.umask(kept)
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("form", FORMS)
def test_nothing_changed(form: ReportForm) -> None:
    same = changes("vs", fate="unchanged")
    text = everything(form, render_report(study(same), form))
    assert "Nothing changed" in text or '"fate": "unchanged"' in text
    none = render_report(study(), form)
    assert READERS[form](none) == {}
    assert "no tables" in everything(form, none) or form == "json"
    render_report(study(), form, masked="ARM")


@pytest.mark.parametrize("form", FORMS)
def test_tables_that_came_or_went(form: ReportForm) -> None:
    text = everything(form, render_report(mixed(), form))
    assert ("new table" in text and "table is gone" in text) or ('"came"' in text and '"went"' in text)


@pytest.mark.parametrize("form", FORMS)
def test_one_table(form: ReportForm) -> None:
    given = replace(every_kind(), before=Side(2, COLUMNS), after=Side(3, COLUMNS, version("b")))
    text = everything(form, render_report(given, form, project="STUDY_9"))
    assert "STUDY_9" in text
    assert "a data frame" in text
    assert "bbbbbbbb" in text


@pytest.mark.parametrize("form", FORMS)
def test_where_a_version_comes_from(form: ReportForm) -> None:
    asked = {"asked_by": {"name": "Ada", "email": "ada@example.org"}, "run": {"id": "r-17"}, "reason": "Query 4"}
    known = replace(version("b"), raw_provenance={**asked, "written_by": {"name": "Pipeline", "host": "etl-01"}})
    data = render_report(study(replace(every_kind(), after=Side(3, COLUMNS, known))), form)
    text = everything(form, data)
    for said in ("Ada", "r-17", "Query 4", "Pipeline", "etl-01"):
        assert said in text
    if form == "json":
        jsonschema.validate(json.loads(data), report_schema())


def test_a_workbook_tells_no_time_of_its_making() -> None:
    assert everything("xlsx", render_report(mixed(), "xlsx")).count(">2000-01-01T00:00:00Z</dcterms:") == 2


def test_bad_input_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"'AETERMS', 'NO'.*Did you mean 'AETERM'") as refused:
        render_report(mixed(), "html", masked=("AETERMS", "ARM", "NO"))
    assert refused.value.columns == ("AETERMS", "NO")
    for form, given in (
        ("pdf", {}),
        ("html", {"preview_rows": -1}),
        ("html", {"preview_rows": True}),
        ("html", {"max_bytes": 5_000}),
        ("markdown", {"max_bytes": 999}),
    ):
        with pytest.raises(InvalidInputError):
            render_report(mixed(), form, **given)  # type: ignore[arg-type]


def test_files(tmp_path: Path) -> None:
    for ending, form in ((".html", "html"), (".xlsx", "xlsx"), (".md", "markdown"), (".JSON", "json")):
        path = write_report(mixed(), tmp_path / f"report{ending}")
        assert path.read_bytes() == render_report(mixed(), form)  # type: ignore[arg-type]
    kept = sorted(p.name for p in tmp_path.iterdir())
    for name in ("report.pdf", "report"):
        with pytest.raises(InvalidInputError, match=r"\.html, \.xlsx"):
            write_report(mixed(), tmp_path / name)
    with pytest.raises(NotFoundError):
        write_report(mixed(), tmp_path / "no" / "report.md")
    (tmp_path / "folder.md").mkdir()
    with pytest.raises(StorageError):
        write_report(mixed(), tmp_path / "folder.md")
    (tmp_path / "folder.md").rmdir()
    assert sorted(p.name for p in tmp_path.iterdir()) == kept


@pytest.mark.parametrize("ending", [".html", ".xlsx", ".md", ".json"])
def test_a_file_is_whole_or_what_it_was(tmp_path: Path, ending: str) -> None:
    (tmp_path / "reports").mkdir()
    path = write_report(mixed(), tmp_path / "reports" / f"report{ending}")
    before = path.read_bytes()
    broken = replace(every_kind(), cells=None)
    with pytest.raises(AttributeError):
        write_report(broken, path)
    lines = replace(every_kind(), added=pa.table({"X": pa.array([b"\xff"])}))  # no text of this can be made
    with pytest.raises(pa.ArrowInvalid):
        write_report(lines, path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
