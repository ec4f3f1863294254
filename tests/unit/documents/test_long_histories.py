"""A history gets a new entry at its head, and what was there keeps its text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from datom_core.documents import Author, History, canonical

AUTHOR = Author("Zoë </b>", "z@example.org")


def entry(n: int, **more: Any) -> dict[str, Any]:
    at = f"2026-01-{n + 1:02d}T00:00:00Z"
    who = {"name": "R writer", "email": "r@example.org"}
    return {"version": f"{n:064x}", "data_sha": f"{n + 1000:064x}", "timestamp": at, "author": who, **more}


def with_one_more(history: History) -> History:
    return history.with_version(
        f"{99:064x}", data_sha="ab" * 32, at="2026-02-01T00:00:00Z", author=AUTHOR, message="why", payload_sha="cd" * 32
    )


@pytest.mark.parametrize("length", [0, 1, 2, 7])
def test_the_text_is_that_of_the_whole_document(length: int) -> None:
    entries = [entry(n, own_field=[1.5, {"a": None}]) for n in reversed(range(length))]
    history = with_one_more(History.from_json(canonical.dump(entries), "here"))
    assert history.to_json() == canonical.dump([dict(e) for e in history.raw])
    assert len(history) == length + 1 == len(json.loads(history.to_json()))
    assert [v.version for v in history] == [e["version"] for e in json.loads(history.to_json())]
    again = with_one_more(history)
    assert again.to_json() == canonical.dump([dict(e) for e in again.raw])


@pytest.mark.parametrize("layout", [{"indent": None}, {"indent": 4}, {"indent": 2}])
def test_a_document_of_another_layout_says_the_same(layout: dict[str, Any]) -> None:
    entries = [entry(1), entry(0)]
    history = with_one_more(History.from_json(json.dumps(entries, **layout).encode(), "here"))
    assert [dict(e) for e in history.raw] == json.loads(history.to_json())


def test_storage_keeps_what_it_has_and_names_the_new_commit() -> None:
    in_git = History.from_json(canonical.dump([entry(1), entry(0)]), "git")
    commits = {f"{n:064x}": f"{n:040x}" for n in (0, 1, 99)}
    stored = in_git.with_commits(commits)
    assert stored.commits() == {k: v for k, v in commits.items() if k != f"{99:064x}"}
    # As R lays it out, with a field that we do not know.
    theirs = [{**e, "of_r": 1} for e in map(dict, stored.raw)]
    text = json.dumps(theirs, indent=2).encode()
    after = with_one_more(History.from_json(canonical.dump([{**e, "of_r": 1} for e in in_git.raw]), "git"))
    kept = after.with_commits(commits, History.from_json(text, "storage"))
    assert kept.to_json().endswith(text.removeprefix(b"[\n"))
    assert [dict(e) for e in kept.raw] == json.loads(kept.to_json())
    assert kept.commits() == commits


@pytest.mark.parametrize(
    "stored",
    [
        [entry(0)],  # lags by two
        [entry(1), entry(0, commit_message="another")],
        [entry(1), entry(0)],  # no commits yet
        [entry(1, commit_sha="f" * 40), entry(0, commit_sha="e" * 40)],  # other commits
    ],
)
def test_storage_that_says_something_else_is_written_whole(stored: list[dict[str, Any]]) -> None:
    commits = {f"{n:064x}": f"{n:040x}" for n in (0, 1, 99)}
    after = with_one_more(History.from_json(canonical.dump([entry(1), entry(0)]), "git"))
    found = after.with_commits(commits, History.from_json(canonical.dump(stored), "storage"))
    assert found.to_json() == after.with_commits(commits).to_json()
    assert found.commits() == commits
