"""Verbs for an organization's register, for moves, and for a project's end."""

from __future__ import annotations

from pathlib import Path

import pytest

import datom_core as dc
from tests.command.conftest import Datom, Study


def test_from_the_registers_beginning_to_a_studys_end(
    datom: Datom, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    (study.folder / "org").mkdir()
    monkeypatch.chdir(study.folder / "org")
    begun = datom("register", "init", "--storage", "mirror", "--remote", "governance.git", "--json").json()
    assert (begun["projects"], begun["file"]) == (0, str(study.folder / "org" / "datom.toml"))
    assert datom("register", "init", "--storage", "mirror", "--remote", "governance.git").code == 0
    assert datom("projects", "--json").json()["projects"] == []
    assert "names a register and no project" in datom("list").err

    # The study's own file is told of the register, and keeps what it said.
    monkeypatch.chdir(study.folder)
    before = Path("datom.toml").read_text()
    assert (datom("attach").code, datom("projects").code) == (3, 3)
    attached = datom("attach", "--register", "org", "--json").json()
    assert attached["file"] == str(study.folder / "datom.toml")
    assert Path("datom.toml").read_text().startswith(before.rstrip())
    assert datom("attach").code == 0
    (one,) = datom("projects", "--json").json()["projects"]
    assert (one["name"], one["tables"], one["registered_by"]) == ("STUDY_001", 2, "Test Author <test@example.org>")
    (bare,) = datom("projects", "--no-details", "--json").json()["projects"]
    assert bare == {**one, "tables": None, "versions": None, "last_write": None}
    assert datom("register", "repair", "STUDY_001", "--json").json()["left"] == []

    # Found by its name, from anywhere.
    monkeypatch.chdir(study.folder / "org")
    assert datom("list", "-p", "STUDY_001", "--json").json()["project"] == "STUDY_001"
    assert datom("list", "-p", "STUDY_002").code == 3
    assert datom("use", "STUDY_001", "--remote", "../history.git", "--file", "one.toml").code == 0
    assert datom("write", "dm", "nowhere.csv", "-p", "one.toml").code == 3

    # Moved: whoever finds it by name notices nothing.
    monkeypatch.chdir(study.folder)
    (study.folder / "below").mkdir()
    monkeypatch.chdir(study.folder / "below")
    dry = datom("migrate", "../new", "--dry-run", "--json").json()
    assert (dry["dry_run"], dry["commit"], (study.folder / "new").exists()) == (True, None, False)
    moved = datom("migrate", "../new", "-m", "The disk is retired", "--sunset-at", "2030-01-01", "--json").json()
    assert (moved["objects"], moved["file"]) == (dry["objects"], str(study.folder / "datom.toml"))
    assert dc.ProjectSettings.from_file("../datom.toml").storage == dc.StorageSettings(path="new")
    shown = datom("register", "show", "STUDY_001", "--json").json()
    assert (shown["events"][0]["reason"], shown["previous"][0]["sunset_at"]) == ("The disk is retired", "2030-01-01")
    assert "The disk is retired" in datom("register", "show", "STUDY_001").out
    assert datom("list", "--json").code == 0

    # The end, after its name was typed out.
    listed = datom("decommission", "--dry-run", "--json").json()
    assert listed["dry_run"]
    assert "dm/.metadata/metadata.json" in listed["keys"]
    for wrong in ([], ["--confirm", "STUDY_01"]):
        refused = datom("decommission", *wrong)
        assert (refused.code, "STUDY_001" in refused.err) == (2, True)
        assert datom("list").code == 0
    assert datom("decommission", "--confirm", "STUDY_001", "--json").json()["dry_run"] is False
    assert datom("projects", "--json").json()["projects"] == []
    assert not (study.folder / "history.git").exists()


def test_a_move_that_broke_off_after_its_commit_is_completed_by_the_same_call(datom: Datom, study: Study) -> None:
    before = Path("datom.toml").read_text()
    dc.migrate(dc.Project.open(study.store, remote="history.git"), dc.LocalStore(study.folder / "new"))
    assert Path("datom.toml").read_text() == before
    assert datom("write", "dm", "x.csv").code == 2
    assert datom("migrate", "new").code == 0
    assert dc.ProjectSettings.from_file("datom.toml").storage == dc.StorageSettings(path="new")
    assert datom("list").code == 0
    again = datom("migrate", "new")
    assert (again.code, "Traceback" in again.err) == (2, False)


def test_the_old_place_is_emptied_only_after_the_name_was_typed(datom: Datom, study: Study) -> None:
    assert datom("migrate", "new", "--delete-source", "--dry-run").code == 0
    for wrong in ([], ["--confirm", "no"]):
        refused = datom("migrate", "new", "--delete-source", *wrong)
        assert (refused.code, "STUDY_001" in refused.err) == (2, True)
        assert not Path("new").exists()
    answer = datom("migrate", "new", "--delete-source", "--confirm", "STUDY_001", "--json").json()
    assert answer["deleted"] > 0
    assert not list(Path("data").rglob("*.parquet"))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["register"], 2, ""),
        (["register", "shwo", "S"], 2, "Did you mean 'show'?"),
        (["register", "init", "--storage", "x"], 2, "--remote"),
        (["register", "init", "--storage", "data", "--remote", "g.git"], 2, "holds"),
        (["register", "show", "S"], 3, "Nothing says where the register is"),
        (["projects", "--register", "nowhere"], 3, "nowhere"),
        (["projects", "--register", "."], 2, "names no register"),
        (["attach", "--register", "https://h/x"], 2, "s3://bucket/prefix"),
        (["migrate", "data"], 2, "lies in"),
        (["migrate", "s3://b"], 2, "none are named"),
        (["migrate", "new", "--sunset-at", "soon"], 2, "soon"),
        (["preflight"], 2, "is no bucket"),
        (["preflight", "--profile", "p"], 2, "Say which bucket"),
        (["policy", "--reader", "--writer"], 2, "exclude each other"),
        (["policy", "s3://Bad_Bucket"], 2, "cannot be the name of a bucket"),
        (["decommission", "-p", "data"], 2, "can only be read"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    datom: Datom, in_shared_study: Study, arguments: list[str], code: int, said: str
) -> None:
    before = sorted(p.name for p in in_shared_study.folder.iterdir())
    ran = datom(*arguments)
    assert (ran.code, said in ran.err) == (code, True), ran
    assert "Traceback" not in ran.err
    assert sorted(p.name for p in in_shared_study.folder.iterdir()) == before
