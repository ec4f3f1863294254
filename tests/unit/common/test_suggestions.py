from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import datom_core as dc
from datom_core.common.suggestions import did_you_mean
from tests.frames import rendered


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("2026-02", ["2026-01", "2026-03"], " Did you mean '2026-03' or '2026-01'?"),
        ("2026_02", ["2026-02"], " Did you mean '2026-02'?"),
        ("DM", ["dm", "ex"], " Did you mean 'dm'?"),
        ("lokc", ["lock", "dry-run"], " Did you mean 'lock'?"),
        ("lock", [], ""),
        ("quite another", ["dm"], ""),
    ],
)
def test_names_that_are_alike(name: str, known: list[str], said: str) -> None:
    assert did_you_mean(name, known) == said


@pytest.mark.parametrize(
    "make", [lambda: dc.LocalStore(""), lambda: dc.LocalStore("x", "../.."), lambda: dc.S3Store("B")]
)
def test_a_traceback_of_what_was_not_made_can_be_rendered(make: Callable[[], object]) -> None:
    with pytest.raises(dc.InvalidInputError) as caught:
        make()
    assert "Store(...)" in rendered(caught.value)


def test_arguments_that_were_swapped(tmp_path: Path) -> None:
    swapped: Any = dc.ProjectReader.open
    with pytest.raises(dc.InvalidInputError, match=r"arguments swapped.*ProjectReader.open\(store, name\)"):
        swapped("STUDY_001", dc.LocalStore(tmp_path))
    begin: Any = dc.Project.init
    with pytest.raises(dc.InvalidInputError, match="arguments swapped"):
        begin(dc.LocalStore(tmp_path), "STUDY_001", remote="x")
