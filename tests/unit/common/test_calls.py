"""Calls whose arguments do not fit are answered with what to write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import datom_core as dc

STORE: Any = dc.MemoryStore()
MISTAKES: dict[str, tuple[Callable[[], object], str]] = {
    "a name too many": (
        lambda: dc.Project.open("STUDY_001", STORE),
        r"Write Project\.open\(store, remote=",
    ),
    "no remote": (lambda: dc.Project.open(STORE), "The git remote is missing"),
    "a register": (lambda: dc.Governance.open("register", STORE), r"Write Governance\.open\(store, remote=\.\.\.\)"),
    "a swapped reader": (lambda: dc.ProjectReader.open("S", STORE), r"swapped\?.*ProjectReader\.open\(store, name\)"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_to_write_is_said(mistake: str) -> None:
    call, said = MISTAKES[mistake]
    with pytest.raises(dc.InvalidInputError, match=said):
        call()
