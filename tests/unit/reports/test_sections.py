"""The report as sections of text says what its other forms say, and shows as little of what is masked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from datom_core.errors import InvalidInputError
from datom_core.reports import ReportSection, render_report, report_sections
from tests.unit.reports.parsing import READERS
from tests.unit.reports.studies import changes, every_kind, mixed, study

SECRET = "VerumArmOfTheStudy"


def everything(sections: list[ReportSection]) -> str:
    parts = [[s.title, *s.sentences, *map(" ".join, s.facts), *s.head, *map(" ".join, s.rows)] for s in sections]
    return "\n".join(line for part in parts for line in part)


def test_the_overview_has_the_counts_of_every_other_form() -> None:
    overview, *_ = report_sections(mixed())
    found = {row[0]: [int(n.replace(",", "")) for n in row[2:]] for row in overview.rows[:-1]}
    told = READERS["json"](render_report(mixed(), "json"))
    assert list(found) == list(told)
    figures = (
        "rows_before",
        "rows_after",
        "cells",
        "added",
        "removed",
        "renumbered",
        "rekeyed",
        "duplicates",
        "columns",
    )
    assert found["ae"][:7] == [told["ae"][f] for f in figures[:7]]


def test_each_kind_of_rows_has_a_section_after_its_table() -> None:
    kinds = [(s.kind, s.table) for s in report_sections(study(every_kind()))]
    assert kinds[:2] == [("overview", None), ("table", "ae")]
    assert [k for k, _ in kinds[2:] if k not in ("columns", "subjects")] == [
        "changed", "added", "removed", "renumbered", "rekeyed", "duplicate"
    ]  # fmt: skip
    assert all(len(row) == len(s.head) for s in report_sections(mixed()) for row in s.rows)
    assert [s.kind for s in report_sections(mixed(), overview_only=True)] == ["overview"]
    assert {s.table for s in report_sections(study(every_kind(), changes("vs", fate="unchanged")))} == {None, "ae"}, (
        "vs is unchanged"
    )


def test_as_many_lines_as_asked_for_and_it_says_of_how_many() -> None:
    many = [((f"S{i}", i), "AETERM", f"old {i}", f"new {i}") for i in range(313)]
    found = {s.kind: s for s in report_sections(study(changes("ae", many)))}
    assert found["changed"].title == "~ Changed values: 20 of 313 values"
    assert len(found["changed"].rows) == 20
    found = {s.kind: s for s in report_sections(study(changes("ae", many)), preview_rows=400)}
    assert len(found["changed"].rows) == 313


@pytest.mark.parametrize(("masked", "preview"), [((), 20), (("ARM",), 20), ((), 0)])
def test_masked_values_are_in_no_section(masked: tuple[str, ...], preview: int) -> None:
    told = everything(list(report_sections(mixed(SECRET), masked=masked, preview_rows=preview)))
    assert (SECRET in told) == (not masked and preview > 0)
    assert ("are not shown" in told) == bool(masked)
    assert ("shows no values" in told) == (preview == 0)


def test_what_cannot_be_seen_is_made_visible() -> None:
    hostile = [(("S\x1b[2J", 1), "AETERM", "a\nb", "a\u202eb")]
    found = changes("ae", hostile)
    cells = found.cells.rename_columns([f"\x1b[3J{found.cells.column_names[0]}", *found.cells.column_names[1:]])
    told = everything(list(report_sections(study(replace(found, cells=cells)))))
    assert r"\x1b[3J" in told
    assert not {"\x1b", "\u202e"} & set(told)
    assert r"\x1b[2J" in told


def test_a_masked_column_that_no_table_has_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="which should be masked"):
        list(report_sections(mixed(), masked=["ARMM"]))
