"""Files: whole or not there, the same bytes for the same table, and one per table of a study."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import datom_core as dc
from datom_core.testing import memory_project

TABLE = pa.table({"USUBJID": ["01", "02"], "AGE": [63, None]})


@pytest.mark.parametrize("form", ["csv", "tsv", "parquet", "xlsx", "xpt", "xpt8", "json", "ndjson"])
def test_the_answer_says_what_was_written_and_a_dry_run_what_would_be(form: Any, folder: Path) -> None:
    target = folder / "dm"
    would = dc.write_table(TABLE, target, form=form, dry_run=True, version="v")
    assert list(folder.iterdir()) == []
    told = dc.write_table(TABLE, target, form=form, version="v")
    data = target.read_bytes()
    assert told == would
    assert told == dc.WrittenFile(target, form, "dm", "v", 2, len(data), hashlib.sha256(data).hexdigest())
    assert [p.name for p in folder.iterdir()] == ["dm"]
    assert os.fspath(told) == str(target)


@pytest.mark.parametrize("form", ["xlsx", "xpt", "xpt8", "json", "ndjson"])
def test_the_time_in_a_file_is_the_one_that_was_given(form: Any, folder: Path) -> None:
    one, same, other = (
        dc.write_table(TABLE, folder / f"{i}", form=form, name="dm", recorded_at=at).sha256
        for i, at in enumerate(("2026-02-28T18:00:00Z", "2026-02-28T19:00:00+01:00", None))
    )
    assert one == same != other


def test_a_file_that_is_there_stays_unless_it_may_be_replaced(folder: Path) -> None:
    target = folder / "dm.csv"
    target.write_text("mine")
    with pytest.raises(dc.AlreadyExistsError, match=r"dm\.csv is there already"):
        dc.write_table(TABLE, target)
    with pytest.raises(dc.InvalidInputError):
        dc.write_table(pa.table({" ": [1]}), target, overwrite=True)
    assert target.read_text() == "mine"
    dc.write_table(TABLE, target, overwrite=True)
    assert target.read_text() == "USUBJID,AGE\n01,63\n02,\n"


def test_a_disk_that_fails_leaves_what_was_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = folder / "dm.csv"
    target.write_text("mine")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(dc.StorageError, match="cannot be written: No space left"):
        dc.write_table(TABLE, target, overwrite=True)
    assert [(p.name, p.read_text()) for p in folder.iterdir()] == [("dm.csv", "mine")]


def test_places_where_no_file_can_be(folder: Path) -> None:
    with pytest.raises(dc.NotFoundError, match="does not exist"):
        dc.write_table(TABLE, folder / "none" / "dm.csv")
    with pytest.raises(dc.InvalidInputError, match="is a folder"):
        dc.write_table(TABLE, folder, form="csv", overwrite=True)


def test_the_package_that_is_missing_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(ImportError, match=r"needs xlsxwriter.*pip install 'datom-dagster\[formats\]'"):
        dc.write_table(TABLE, folder / "dm.xlsx")
    assert list(folder.iterdir()) == []


class TestStudies:
    @pytest.fixture
    def study(self) -> Any:
        with memory_project() as project:
            project.cut("2026-01", {"dm": TABLE, "lb results (v2)": TABLE, "con": TABLE}, message="January")
            yield project.reader.study(cut="2026-01")

    def test_a_file_for_each_table_as_its_version_was_recorded(self, study: dc.StudyState, folder: Path) -> None:
        steps: list[dc.Progress] = []
        with dc.watching(steps.append):
            found = dc.write_study(study, folder / "cut", "xpt")
        assert [p.name for p in sorted((folder / "cut").iterdir())] == ["con_.xpt", "dm.xpt", "lb results (v2).xpt"]
        assert [(f.table, f.version, f.rows) for f in found] == [(t, v.version, 2) for t, v in study.versions.items()]
        assert all(f.path.stat().st_size == f.bytes for f in found)
        assert [(s.objects, s.total_objects) for s in steps if s.what == "write"] == [(1, 3), (2, 3), (3, 3)]
        alone = dc.write_table(TABLE, folder / "dm.xpt", name="dm", recorded_at=study.versions["dm"].timestamp)
        assert alone.sha256 == next(f.sha256 for f in found if f.table == "dm")
        again = dc.write_study(study, folder / "again", "xpt")
        assert [f.sha256 for f in again] == [f.sha256 for f in found]

    def test_one_table_that_cannot_be_written_leaves_the_folder_as_it_was(self, folder: Path) -> None:
        good, bad = TABLE, pa.table({"LONGER_THAN_8": ["ä"]})
        with memory_project() as project:
            project.cut("c", {"dm": good, "ae": bad, "lb": good, "vs": bad}, message="m")
            study = project.reader.study(cut="c")
            for place in (folder / "new", folder):
                with pytest.raises(dc.InvalidInputError) as caught:
                    dc.write_study(study, place, "xpt")
                assert caught.value.tables == ("ae", "vs")
                assert str(caught.value).count("at most 8 characters") == 2
                assert list(folder.iterdir()) == []

    def test_files_that_are_there_are_named_and_stay(self, study: dc.StudyState, folder: Path) -> None:
        (folder / "dm.csv").write_text("mine")
        (folder / "other.txt").write_text("mine, too")
        for dry_run in (False, True):
            with pytest.raises(dc.AlreadyExistsError, match=r"there are already dm\.csv\."):
                dc.write_study(study, folder, "csv", dry_run=dry_run)
        assert len(dc.write_study(study, folder, "csv", overwrite=True, dry_run=True)) == 3
        assert sorted(p.name for p in folder.iterdir()) == ["dm.csv", "other.txt"]
        dc.write_study(study, folder, "csv", overwrite=True)
        assert (folder / "dm.csv").read_text().startswith("USUBJID")
        assert (folder / "other.txt").read_text() == "mine, too"
        assert not [p for p in folder.iterdir() if p.name.startswith(".")]

    @pytest.mark.parametrize(
        ("prepare", "error", "said"),
        [
            (lambda at: at / "a" / "b", dc.NotFoundError, "does not exist"),
            (lambda at: at / "file", dc.InvalidInputError, "is a file; name a folder"),
        ],
    )
    def test_places_where_no_folder_can_be(
        self, study: dc.StudyState, prepare: Callable[[Path], Path], error: type[Exception], said: str, folder: Path
    ) -> None:
        (folder / "file").touch()
        with pytest.raises(error, match=said):
            dc.write_study(study, prepare(folder), "csv")

    def test_names_that_differ_only_in_case_are_no_two_files(self, study: dc.StudyState, folder: Path) -> None:
        held = dict(study.versions)
        twins = dc.StudyState("S", "now", None, {"dm": held["dm"], "DM": held["dm"]}, study._of)
        with pytest.raises(dc.InvalidInputError, match="'dm' and 'DM' would be one file"):
            dc.write_study(twins, folder, "csv")
