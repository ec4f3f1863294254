"""Which formats of SAS, SPSS and Stata make a number a date, a time or both, and what it then counts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

_UNIX = date(1970, 1, 1)
_SAS = (_UNIX - date(1960, 1, 1)).days
_SPSS = (_UNIX - date(1582, 10, 14)).days

Kind = Literal["date", "datetime", "time"]


@dataclass(frozen=True)
class Clock:
    """What a number counts: ``per_second`` units, from ``epoch`` days before 1970; a date counts days or seconds."""

    kind: Kind
    epoch: int
    per_second: int = 1
    in_days: bool = False
    leap_seconds: bool = False


def _each(stems: str, endings: str) -> set[str]:
    return {stem + ending for stem in stems.split() for ending in ("", *endings.split())}


# SAS documents these in "Formats by Category" in its Base and NLS references. Even if a format shows only part of a
# value (a year, a weekday), the value is still a whole date or instant.
_SEPARATORS = "C D N P S"
_LANGUAGES = "AFR CAT CRO CSY DAN DES DEU ENG ESP EUR FIN FRA FRS HUN ITA MAC NLD NOR POL PTG RUS SLO SVE"
_NATIONAL = "L M S"
_SAS_DATES = frozenset(
    _each("DDMMYY MMDDYY YYMMDD", f"B {_SEPARATORS}")
    | _each("MMYY YYMM YYQ YYQR", _SEPARATORS)
    | _each("DATE DAY DOWNAME JULDAY JULIAN MONNAME MONTH MONYY PDJULG PDJULI QTR QTRR WEEKDATE WEEKDATX WEEKDAY", "")
    | _each("WEEKU WEEKV WEEKW WORDDATE WORDDATX YEAR YYMON YYQZ YYWEEKU YYWEEKV YYWEEKW", "")
    | _each("B8601DA E8601DA IS8601DA HDATE HEBDATE MINGUO NENGO", "")
    | _each("NLDATE NLDATEMD NLDATEYM NLDATEYQ", _NATIONAL)
    | _each("NLDATECP NLDATEMN NLDATEW NLDATEWN NLDATEYMW NLDATEYR NLDATEYW", "")
    | _each(" ".join(f"{language}DF" for language in _LANGUAGES.split()), "DD DE DN DWN MN MY WDX WKX")
)
_SAS_DATETIMES = frozenset(
    _each("DATETIME DATEAMPM MDYAMPM DTDATE DTMONYY DTWKDATX DTYEAR DTYYQC", "")
    | _each("B8601DN B8601DT B8601DX B8601DZ B8601LX E8601DN E8601DT E8601DX E8601DZ E8601LX", "")
    | _each("IS8601DN IS8601DT IS8601DZ", "")
    | _each("NLDATM NLDATMMD NLDATMYM NLDATMYQ", _NATIONAL)
    | _each("NLDATMAP NLDATMCP NLDATMDT NLDATMMN NLDATMTM NLDATMTZ NLDATMW NLDATMWN NLDATMWZ NLDATMYR NLDATMYW", "")
    | _each("NLDATMZ", "")
    | {f"{language}DFDT" for language in _LANGUAGES.split()}
)
_SAS_TIMES = frozenset(
    _each("TIME TIMEAMPM HHMM HOUR TOD NLTIME NLTIMAP NLTIMMAP", "")
    | _each("MMSS", _SEPARATORS)
    | _each("B8601LZ B8601TM B8601TX B8601TZ E8601LZ E8601TM E8601TX E8601TZ IS8601LZ IS8601TM IS8601TZ", "")
)
# MONTH and WKDAY of SPSS hold the number of a month or weekday, not a date.
_SPSS_DATES = frozenset("DATE ADATE EDATE JDATE SDATE QYR MOYR WKYR".split())
_SPSS_DATETIMES = frozenset(("DATETIME", "YMDHMS"))
_SPSS_TIMES = frozenset(("TIME", "DTIME", "MTIME"))
_KINDS: dict[str, tuple[tuple[Kind, frozenset[str]], ...]] = {
    "sas": (("date", _SAS_DATES), ("datetime", _SAS_DATETIMES), ("time", _SAS_TIMES)),
    "spss": (("date", _SPSS_DATES), ("datetime", _SPSS_DATETIMES), ("time", _SPSS_TIMES)),
}
# A format's name never ends in a digit, so digits at the end are the width; decimals follow a full stop.
_NAMED = re.compile(r"(?P<name>.*?)\d*(?:\.\d*)?", re.DOTALL)
# Weeks, months, quarters, half-years, years and business days of Stata (%tw, %tm, %tq, %th, %ty, %tb) stay numbers.
_STATA = re.compile(r"%-?(?:t(?P<unit>[cCd])|d)")


def clock_of(file_format: str, column_format: str) -> Clock | None:
    """What the numbers of a column count, or ``None`` if they are just numbers.

    Only a format's whole name counts, with or without width and decimals; a user-defined format is never a date format,
    whatever its name begins with.
    """
    if file_format == "dta":
        found = _STATA.match(column_format)
        if found is None:
            return None
        if found["unit"] in ("c", "C"):
            return Clock("datetime", _SAS, per_second=1000, leap_seconds=found["unit"] == "C")
        return Clock("date", _SAS, in_days=True)
    spss = file_format in ("sav", "zsav", "por")
    named = _NAMED.fullmatch(column_format.strip().upper())
    name = named["name"] if named else ""
    kind = next((kind for kind, names in _KINDS["spss" if spss else "sas"] if name in names), None)
    if kind is None:
        return None
    return Clock(kind, _SPSS) if spss else Clock(kind, _SAS, in_days=True)


def sas_clock(column_format: str) -> Kind | None:
    """What numbers with a format of SAS are: ``"date"``, ``"datetime"``, ``"time"``; ``None`` for just numbers."""
    found = clock_of("xpt", column_format)
    return None if found is None else found.kind
