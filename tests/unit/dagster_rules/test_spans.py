"""SDTM's dates, partial ones and intervals: within a range when they may be."""

from __future__ import annotations

import itertools
from datetime import datetime

import pytest

from datom_dagster.rules.spans import may_be_within


def within(text: str, low: str | None, high: str | None) -> bool:
    first, last = (None if end is None else datetime.fromisoformat(end) for end in (low, high))
    return may_be_within(text, first, last)


DATES = [
    *("2003", "2003-12", "2003-12-15", "2003-12-15T13", "2003-12-15T13:14", "2003-12-15T13:14:17", "--12-15"),
    *("2003-12-15T13:14:17.123", "2003-12-15T13:-:17", "2003---15", "-----T07:15", "2003-12-15T-:15", "--12"),
    *("2003-12-15T-:-:17", "2003-12--T10:00", "2003----T10", "----15", "2003-12-15T13:14Z", "2003-12-15T13:14+0530"),
    *("2003-12-15T13:14:17.1234567-05", "2003-12-15T24:00", "2003-12-15T24:00:00", "2012-02-29", "--02-29"),
    *("2003-12-01/2003-12-10", "2003-12/2004", "2003-12-15T10:00/2003-12-15T10:30", "2003-12-01/P10D"),
    *("P1M/2003-12-10", "2003-12-15T10:00/PT30M", "2003-12-01/P1Y2M3W4DT5H6M7.5S", "2003---15/2003-12", "2003/2003"),
]
NONE = [
    *("2012-02-30", "2013-02-29", "2003-02--T99", "2003-13", "2003-00-01", "2003-12-32", "2003-04-31", "--02-30"),
    *("2003-12-15T25:00", "2003-12-15T24:01", "2003-12-15T10:60", "2003-12-15T10:10:60", "2003-12-15T10:00+15:00"),
    *("0000-01-01", "03-12-15", "20031215", "2003-1-5", "2003/12/15", "15DEC2003", "UNK", "2003-12-15 10:00", "-"),
    *("2003-", "2003-12-", "2003-12--", "--", "-----", "2003T10:00", "2003-12T10", "2003-12-15T", "2003-12-15T-"),
    *("2003-12-15T10:-", "2003-12-15T10:00:-", "2003-W50", "2003-349", "P1D", "P1D/P2D", "2003-12-01/", "/2003"),
    *("2003-12-10/2003-12-01", "2003-12-01/P", "2003-12-01/PT", "2003-12-01/P1", "2003-12-01/2003-02-30", "a/b"),
    *(" 2003", "2003 ", "2003\n", "\u0662\u0660\u0660\u0663", "2003-12-15T10:00z", "2003/2004/2005"),
]


@pytest.mark.parametrize("text", DATES)
def test_dates(text: str) -> None:
    assert within(text, None, None)


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_date(text: str) -> None:
    assert not within(text, None, None)


@pytest.mark.parametrize(
    ("text", "low", "high", "expected"),
    [
        ("2003", "2003-12-31", None, True),
        ("2003", "2004-01-01", None, False),
        ("2003-12-15T13:-:17", "2003-12-15T13:30:00", "2003-12-15T13:31:00", True),
        ("2003-12-15T13:-:17", "2003-12-15T13:30:18", "2003-12-15T13:31:16", False),
        ("2003-12-15T13:-:17", "2003-12-15T13:59:17.5", None, True),
        ("2003---15", "2003-02-01", "2003-02-28", True),
        ("2003---15", "2003-02-16", "2003-03-14", False),
        ("2003---31", "2003-02-01", "2003-02-28", False),
        ("--12-15", "2003-01-01", "2003-12-31", True),
        ("--12-15", "2003-01-01", "2003-12-14", False),
        ("--02-29", "2013-01-01", "2015-12-31", False),
        ("--02-29", "2013-01-01", "2016-12-31", True),
        ("-----T07:15", "2003-01-01T07:16:00", "2003-01-02T07:14:59", False),
        ("-----T07:15", "2003-01-01T07:16:00", "2003-01-02T07:15:00", True),
        ("2003-12-15T-:15", "2003-12-15T23:16:00", None, False),
        ("2003-12-15T-:15", "2003-12-15T23:15:00", None, True),
        ("2003-12-15T23:30-05:00", "2003-12-16", None, True),
        ("2003-12-16T01:00+02:00", "2003-12-16", None, False),
        ("2003-12-15T24:00", "2003-12-16", None, False),
        ("2003-12-01/2003-12-10", "2003-12-10", "2003-12-31", True),
        ("2003-12-01/2003-12-10", "2003-12-05", "2003-12-06", True),
        ("2003-12-01/2003-12-10", "2003-12-11", None, False),
        ("2003-12-01/2003-12-10", None, "2003-11-30", False),
        ("2003-12-01/2003-12", "2003-12-31", None, True),
        ("2003-01-31/P1M", "2003-02-28T12:00", "2003-02-28T13:00", True),
        ("2003-01-31/P1M", "2003-03-01", None, False),
        ("P1D/2003-12-10", None, "2003-12-08", False),
        ("P1D/2003-12-10", None, "2003-12-09", True),
        ("2003-12-15T10:00/PT30M", "2003-12-15T10:31", None, False),
        ("9999-12-31/P1Y", "9999-12-31", None, True),
        ("0001-01-01T00:00+14:00", None, "0001-01-01", True),
        ("9999-12-31T23:00-14:00", "9999-12-31", None, True),
    ],
)
def test_ranges(text: str, low: str | None, high: str | None, expected: bool) -> None:
    assert within(text, low, high) is expected


def test_partial_dates_are_within_exactly_when_some_day_of_theirs_is() -> None:
    """Every form of a date against every day that it may be, tried one by one."""
    days = [f"{y}-{m:02}-{d:02}" for y in (2011, 2012) for m in (1, 2, 3) for d in (1, 28, 29, 30, 31)]
    every = [d for d in days if within(d, None, None)]
    for year, month, day in itertools.product(("2011", "2012", "-"), ("01", "02", "-"), ("01", "29", "31")):
        for low, high in itertools.combinations(every, 2):
            fits = [
                d
                for d in every
                if low <= d <= high
                and all(g in ("-", k) for g, k in zip((year, month, day), d.split("-"), strict=True))
            ]
            if (
                low[:4] == "2012" or high[:4] == "2011"
            ):  # no other day of the calendar between them has the day's number
                found = within(f"{year}-{month}-{day}", low, f"{high}T23:59:59")
                assert found == bool(fits), (year, month, day, low, high)


@pytest.mark.parametrize("text", ["-----T25:00", "-----T10:60", "--12-15T-:-:60", "-----T-:-:60", "--13-15"])
def test_what_no_clock_shows_is_not_searched_for(text: str) -> None:
    assert not within(text, "2003-12-01", "2003-12-31")
