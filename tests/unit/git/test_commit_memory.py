"""What is known of a commit without asking git."""

from __future__ import annotations

import pytest

from datom_core.git.commit_memory import CommitMemory
from datom_core.git.trees import FoundFiles

ROOT = frozenset({"README.md"})
READ = CommitMemory().and_read("c1", ["a/x", "a/y"], FoundFiles({"a/x": b"1"}, ROOT, []))
FIRST = CommitMemory().published("c1", {"README.md": b"r", "a/x": b"1"}, None)


@pytest.mark.parametrize(
    ("memory", "commit", "paths", "files"),
    [
        (READ, "c1", ["a/x"], {"a/x": b"1"}),
        (READ, "c1", ["a/x", "a/y"], {"a/x": b"1"}),
        (READ, "c1", ["a/z"], None),
        (READ, "c2", ["a/x"], None),
        (FIRST, "c1", ["a/x", "a/z"], {"a/x": b"1"}),
        (CommitMemory(), "c1", ["a/x"], None),
        (CommitMemory(), "c1", [], None),
    ],
    ids=["read", "read and not there", "not read", "of another commit", "whole", "nothing known", "nothing asked"],
)
def test_answers_only_what_is_known(
    memory: CommitMemory, commit: str, paths: list[str], files: dict[str, bytes] | None
) -> None:
    assert memory.answer(commit, paths) == (None if files is None else FoundFiles(files, ROOT, []))


def test_a_commit_on_top_of_a_known_one() -> None:
    later = READ.published("c2", {"a/y": b"2", "LICENSE": b"l", "README.md": None}, "c1")
    top = frozenset({"LICENSE"})
    assert later.answer("c2", ["a/x", "a/y", "README.md"]) == FoundFiles({"a/x": b"1", "a/y": b"2"}, top, [])
    assert later.answer("c1", ["a/x"]) is None, "it holds one commit"
    assert later.answer("c2", ["a/z"]) is None


def test_a_commit_on_top_of_another_one() -> None:
    assert READ.published("c3", {"a/x": b"9"}, "c2").answer("c3", ["a/x"]) is None, "its other files may differ"


def test_more_is_read_of_the_same_commit() -> None:
    both = READ.and_read("c1", ["b/x"], FoundFiles({"b/x": b"3"}, ROOT, []))
    assert both.answer("c1", ["a/x", "b/x"]) == FoundFiles({"a/x": b"1", "b/x": b"3"}, ROOT, [])
    other = READ.and_read("c2", ["b/x"], FoundFiles({"b/x": b"3"}, ROOT, []))
    assert other.answer("c2", ["a/x"]) is None


def test_nothing_large_is_kept() -> None:
    large = bytes(2**24 + 1)
    assert READ.published("c2", {"a/x": large}, "c1").answer("c2", ["a/y"]) is None
    assert CommitMemory().published("c1", {"a/x": large}, None).answer("c1", ["a/x"]) is None
    assert READ.and_read("c1", ["b"], FoundFiles({"b": large}, ROOT, [])).answer("c1", ["a/x"]) is None
