"""A small report, form by form, as it was read by a person and found good.

After a change that is meant, ``python -m tests.unit.reports.test_golden`` writes what is now; read what changed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from datom_core.reports import ReportForm, render_report
from datom_core.version import __version__
from tests.unit.reports.studies import mixed

GOLDEN = Path(__file__).parent / "golden"
FILES: dict[str, ReportForm] = {"report.html": "html", "report.md": "markdown", "report.json": "json"}


def made(form: ReportForm) -> str:
    return render_report(mixed(), form).decode().replace(__version__, "VERSION")


@pytest.mark.parametrize("name", FILES)
def test_as_it_was_read(name: str) -> None:
    assert made(FILES[name]) == (GOLDEN / name).read_text(encoding="utf-8")


if __name__ == "__main__":
    for name, form in FILES.items():
        (GOLDEN / name).write_text(made(form), encoding="utf-8")
