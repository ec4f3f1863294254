"""From which state to which one a report of changes goes."""

from __future__ import annotations

import json

import pytest

import datom_core as dc
from datom_dagster.assets.change_report import states_to_compare

MARKED = dc.Cuts.from_json(
    json.dumps(
        {
            "cuts": {
                name: {"tables": {"dm": [{"version": "1" * 64, "recorded_at": "2026-01-01T00:00:00Z"}]}}
                for name in ("a", "c", "b")
            },
            "reviews": {
                "mine": [{"cut": "b", "versions": {"dm": "1" * 64}, "recorded_at": "2026-01-01T00:00:00Z"}],
                "free": [{"versions": {"dm": "1" * 64}, "recorded_at": "2026-01-01T00:00:00Z"}],
            },
        }
    ).encode(),
    "cuts.json",
)


@pytest.mark.parametrize(
    ("cut", "order", "since", "expected"),
    [
        ("b", ["a", "b", "c"], None, ("a", "b", "")),
        ("c", ["a", "b", "c"], None, ("b", "c", "")),
        ("c", ["a", "x", "c", "b"], None, ("a", "c", "")),
        ("a", ["a", "b", "c"], None, (None, "a", "first cut")),
        ("b", None, None, ("c", "b", "")),  # several dimensions have no order: that of the recordings counts
        (None, None, None, ("c", "b", "")),
        ("c", ["a", "b", "c"], "mine", ("mine", "c", "")),
        ("b", ["a", "b", "c"], "mine", ("mine", "b", "")),
        ("a", ["a", "b", "c"], "mine", (None, "a", "later cut 'b'")),
        ("a", ["a", "b", "c"], "free", ("free", "a", "")),
        (None, None, "mine", ("mine", None, "")),
        (None, None, "min", (None, None, "Did you mean 'mine'")),
    ],
)
def test_which_states_are_compared(
    cut: str | None, order: list[str] | None, since: str | None, expected: tuple[str | None, str | None, str]
) -> None:
    found = states_to_compare(MARKED, cut, order, since, partitioned=cut is not None)
    assert (found.before, found.after) == expected[:2]
    assert expected[2] in found.why
    assert bool(found.why) == (found.before is None)


def test_without_any_cut() -> None:
    assert states_to_compare(dc.Cuts(), None, None, None, partitioned=False).why == "No cut was recorded yet."
