"""Whom a run's tags name, and which commit of the pipeline's code a file belongs to."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import datom_core as dc
from datom_dagster.events import asked_by, check_run_tags
from datom_dagster.events.pipeline_commit import commit_of

ADA = "Ada Lovelace <ada@example.org>"


@pytest.mark.parametrize(
    ("tags", "asked"),
    [
        ({"user": "ada@example.org"}, dc.Author("ada@example.org", "ada@example.org")),
        ({"dagster/user": ADA}, dc.Author("Ada Lovelace", "ada@example.org")),
        ({"user": "team <a", "dagster/user": "ada"}, dc.Author("ada", "")),
        ({"user": "ada@example.org", "datom/author": "Grace <g@example.org>"}, dc.Author("Grace", "g@example.org")),
        ({"user": " "}, None),
    ],
)
def test_the_user_whom_dagster_names(tags: dict[str, str], asked: dc.Author | None) -> None:
    assert asked_by(tags) == asked


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("Ada", "must look like"),
        ("Ada <a> <b>", "must look like"),
        ("<a@b>", "must look like"),
        ("A\nda <a@b>", "no angle brackets or line breaks"),
        ("A\ud800 <a@b>", "cannot be part of an author"),
        ("x" * 10_000_000 + " <a@b>", "10,000,000 characters"),
    ],
    ids="name twice nameless lines surrogate long".split(),
)
def test_a_malformed_author_is_refused_with_advice(tag: str, said: str) -> None:
    with pytest.raises(dc.InvalidInputError, match=said) as refused:
        check_run_tags({"datom/author": tag})
    assert "datom/author" in str(refused.value)
    assert len(str(refused.value)) < 300


class TestTheCommitOfAFile:
    def test_is_that_of_the_work_tree_if_it_has_the_file(self, tmp_path: Path) -> None:
        code = tmp_path / "defs.py"
        code.write_text("pass")
        (tmp_path / "stray.py").write_text("pass")
        git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x"]
        for command in (["init", "-q"], ["add", "defs.py"], ["commit", "-qm", "x"]):
            subprocess.run([*git, *command], check=True)
        head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
        assert commit_of(str(code)) == head
        assert commit_of(str(tmp_path / "stray.py")) is None
        assert commit_of(str(tmp_path / "none.py")) is None
        code.write_text("pass  # changed")
        commit_of.cache_clear()
        assert commit_of(str(code)) == f"{head}-dirty"

    def test_is_nothing_without_git(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "a.py").write_text("pass")
        monkeypatch.setenv("PATH", str(tmp_path))
        assert commit_of(str(tmp_path / "a.py")) is None
