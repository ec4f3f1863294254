"""What holds for all verbs: where the project is, exit codes, both outputs, mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command.conftest import Datom, Study


def test_the_project_is_the_nearest_file_what_an_option_names_or_a_variable(
    datom: Datom, in_shared_study: Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = datom("list")
    below = in_shared_study.folder / "history.git" / "refs"
    monkeypatch.chdir(below)
    assert datom("list") == here
    monkeypatch.chdir(tmp_path)
    assert datom("list").code == 3
    for where in (in_shared_study.folder, in_shared_study.folder / "datom.toml", in_shared_study.folder / "data"):
        assert datom("list", "-p", where) == here
        monkeypatch.setenv("DATOM_PROJECT", str(where))
        assert datom("list") == here
        monkeypatch.delenv("DATOM_PROJECT")


def test_answers_go_to_standard_output_and_everything_else_to_standard_error(
    datom: Datom, in_shared_study: Study
) -> None:
    ran = datom("list", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert [t["name"] for t in ran.json()["tables"]] == ["dm", "lb results (v2)"]
    ran = datom("list", "-p", "nowhere")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("datom: There is no ")


def test_a_verb_that_does_not_exist_is_answered_with_the_one_that_was_meant(datom: Datom) -> None:
    ran = datom("lits")
    assert ran.code == 2
    assert "Did you mean 'list'?" in ran.err
