"""Where reports are kept: under names that say what they are, never over another file, never among a project's data."""

from __future__ import annotations

from pathlib import Path

import pytest

import datom_core as dc
from datom_dagster import LocalStorage
from datom_dagster.events import ReportPlace

PARTS = ("STUDY_001", "2013-06", "changes since 2013-03")


@pytest.mark.parametrize("kind", ["text", "path", "storage"])
def test_a_folder(kind: str, tmp_path: Path) -> None:
    place = {"text": str(tmp_path / "r"), "path": tmp_path / "r", "storage": LocalStorage(path=str(tmp_path / "r"))}[
        kind
    ]
    kept = ReportPlace.of(place)
    address = kept.keep(PARTS, "html", b"one")
    assert address.value == str(tmp_path / "r/STUDY_001/2013-06/changes_since_2013-03-7692c3ad3540.html")
    assert Path(address.value or "").read_bytes() == b"one"
    assert kept.keep(PARTS, "html", b"one") == address, "again"
    other = kept.keep(PARTS, "html", b"two")
    assert other != address
    assert sorted(p.name for p in Path(other.value or "").parent.iterdir()) == sorted(
        Path(a.value or "").name for a in (address, other)
    ), "nothing half-written stays"


@pytest.mark.parametrize(
    ("part", "name"),
    [("a/b", "a_b"), ("..", "_"), ("datom", "_datom"), ("", "_"), ("Zürich ж", "Zürich_ж"), ("x" * 99, "x" * 60)],
)
def test_any_text_is_a_name(part: str, name: str, tmp_path: Path) -> None:
    found = ReportPlace.of(tmp_path).keep((part, "x"), "md", b"")
    assert Path(found.value or "").parent == tmp_path / name


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    place = ReportPlace.of(tmp_path)
    file = Path(place.keep(PARTS, "html", b"one").value or "")
    file.write_bytes(b"altered")
    with pytest.raises(dc.IntegrityError, match="Nothing was overwritten"):
        place.keep(PARTS, "html", b"one")
    assert file.read_bytes() == b"altered"


def test_among_a_projects_data(tmp_path: Path) -> None:
    dc.LocalStore(tmp_path, "s").create(".metadata/manifest.json", b"{}")
    for inside in (tmp_path / "s/datom", tmp_path / "s/datom/dm/reports"):
        with pytest.raises(dc.InvalidInputError, match="another folder"):
            ReportPlace.of(inside).keep(PARTS, "html", b"one")
    assert not (tmp_path / "s/datom/dm").exists()
    beside = ReportPlace.of(LocalStorage(path=str(tmp_path), prefix="s")).keep(PARTS, "html", b"one")
    assert beside.value is not None
    assert beside.value.startswith(str(tmp_path / "s/STUDY_001"))


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(dc.StorageError, match="cannot be written"):
        ReportPlace.of(tmp_path / "file").keep(PARTS, "html", b"one")


@pytest.mark.parametrize("bad", [None, "", " ", 5, ["x"], dc.MemoryStore()])
def test_what_is_no_place(bad: object) -> None:
    with pytest.raises(dc.InvalidInputError, match="reports is the path of a folder"):
        ReportPlace.of(bad)
