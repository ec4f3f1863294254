"""Figures in the README and on the pages are those of one recorded run; the model behind the others is tried."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.page import in_readme, page
from benchmarks.scaling import Line, Phases, figures, study, writers

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads((DOCS / "benchmarks.json").read_text())
    return recorded


def test_the_pages_say_what_was_measured(found: dict[str, Any]) -> None:
    assert (DOCS / "benchmarks.md").read_text() == page(found)
    readme = (DOCS.parent / "README.md").read_text()
    assert in_readme(readme, found) == readme


def test_a_row_that_misses_its_target_says_so(found: dict[str, Any]) -> None:
    rows = [row for row in found["rows"] if row["target"] is not None]
    missed = [row for row in rows if row["ratio"] > row["target"]]
    assert page(found).count(", missed**") == len(missed)
    assert len(rows) > len(missed) > 0


def test_a_line_goes_through_what_lies_on_it() -> None:
    line = Line.through([(0, 5.0), (10, 25.0), (1000, 2005.0)])
    assert (line.fixed, line.slope, line.off) == pytest.approx((5.0, 2.0, 0.0), abs=1e-9)
    assert Line.through([(0, 5.0), (10, 30.0), (1000, 2005.0)]).off > 0.05


def test_one_machine_alone_never_loses_a_push() -> None:
    phases = Phases(10, 20, 5)
    rate, slow, again = writers(phases, 1, 0.0)
    assert (rate, slow, again) == pytest.approx((1000 / 35, 0.035, 0), rel=0.05)
    assert writers(phases, 1, 10.0)[0] == pytest.approx(1000 / (35 + 110), rel=0.05)


def test_more_machines_wait_and_lose_more() -> None:
    phases = Phases(10, 20, 5)
    found = [writers(phases, machines, 2.0) for machines in (2, 8, 32)]
    assert found[0][1] < found[1][1] < found[2][1]
    assert found[0][2] < found[1][2] < found[2][2]
    # No more get through than pushes can follow each other.
    assert all(rate < 1000 / (20 + 4 * 2) for rate, _, _ in found)


def test_a_study_grows_night_by_night(found: dict[str, Any]) -> None:
    lines = {title: Line.through(points) for title, points in found["curves"].items()}
    nights = study(lines, 1, 1e6, 12.0, 400)
    assert len(nights) == 365
    assert all(a.stored <= b.stored for a, b in itertools.pairwise(nights))
    assert nights[-1].versions > 80
    assert "A portfolio of 1,000 studies" in figures(found)
