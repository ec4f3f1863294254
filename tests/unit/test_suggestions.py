from __future__ import annotations

import pytest

from datom_core.suggestions import did_you_mean


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
