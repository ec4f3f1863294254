"""Which formats say that a number is a date or a time: by their whole names, as their makers document them."""

from __future__ import annotations

import pytest

from datom_core.extracts.formats.clocks import clock_of

DATES = """
B8601DA DATE DAY DDMMYY DDMMYYB DDMMYYC DDMMYYD DDMMYYN DDMMYYP DDMMYYS DOWNAME E8601DA EURDFDD EURDFDE EURDFDN EURDFDWN
EURDFMN EURDFMY EURDFWDX EURDFWKX DEUDFDD FRADFWKX HDATE HEBDATE IS8601DA JULDAY JULIAN MINGUO MMDDYY MMDDYYB MMDDYYC
MMDDYYD MMDDYYN MMDDYYP MMDDYYS MMYY MMYYC MMYYD MMYYN MMYYP MMYYS MONNAME MONTH MONYY NENGO NLDATE NLDATEL NLDATEM
NLDATEMD NLDATEMDL NLDATEMDM NLDATEMDS NLDATEMN NLDATES NLDATEW NLDATEWN NLDATEYM NLDATEYML NLDATEYMM NLDATEYMS NLDATEYQ
NLDATEYQL NLDATEYQM NLDATEYQS NLDATEYR NLDATEYW PDJULG PDJULI QTR QTRR WEEKDATE WEEKDATX WEEKDAY WEEKU WEEKV WEEKW
WORDDATE WORDDATX YEAR YYMM YYMMC YYMMD YYMMN YYMMP YYMMS YYMMDD YYMMDDB YYMMDDC YYMMDDD YYMMDDN YYMMDDP YYMMDDS YYMON
YYQ YYQC YYQD YYQN YYQP YYQS YYQR YYQRC YYQRD YYQRN YYQRP YYQRS YYQZ YYWEEKU YYWEEKV YYWEEKW
"""
DATETIMES = """
B8601DN B8601DT B8601DX B8601DZ B8601LX DATEAMPM DATETIME DTDATE DTMONYY DTWKDATX DTYEAR DTYYQC E8601DN E8601DT E8601DX
E8601DZ E8601LX EURDFDT DEUDFDT IS8601DN IS8601DT IS8601DZ MDYAMPM NLDATM NLDATMAP NLDATMDT NLDATML NLDATMM NLDATMMD
NLDATMMDL NLDATMMDM NLDATMMDS NLDATMMN NLDATMS NLDATMTM NLDATMTZ NLDATMW NLDATMWN NLDATMWZ NLDATMYM NLDATMYML NLDATMYMM
NLDATMYMS NLDATMYQ NLDATMYQL NLDATMYQM NLDATMYQS NLDATMYR NLDATMYW NLDATMZ
"""
TIMES = """
B8601LZ B8601TM B8601TX B8601TZ E8601LZ E8601TM E8601TX E8601TZ HHMM HOUR IS8601LZ IS8601TM IS8601TZ MMSS NLTIMAP NLTIME
TIME TIMEAMPM TOD
"""
NUMBERS = """
BEST F COMMA DOLLAR Z HEX IB PD E NUMX PERCENT ROMAN SSN WORDS WORDF FRACT IEEE RB S370FF N8601B
DATESTAT DATEF DATES TIMEPT TIMEF DATETIMEX MYDATE VISITDATE HHMMX YYMMDDX YEARS QTRS MONTHS DTTYPE DAYF WEEKDATES
DATE9X TIME_F $DATE $TIME $N8601B $CHAR
"""


@pytest.mark.parametrize(
    ("names", "kind"), [(DATES, "date"), (DATETIMES, "datetime"), (TIMES, "time"), (NUMBERS, None)]
)
@pytest.mark.parametrize("written", ["{}", "{}.", "{}9", "{}9.", "{}26.6", " {} "])
def test_every_format_of_sas(names: str, kind: str | None, written: str) -> None:
    wrong = []
    for name in names.split():
        for case in (name, name.lower()):
            clock = clock_of("sas7bdat", written.format(case))
            found = None if clock is None else clock.kind
            wrong += [(case, found)] if found != kind else []
    assert not wrong


@pytest.mark.parametrize("file_format", ["sav", "zsav", "por"])
@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ("DATE ADATE EDATE JDATE SDATE QYR MOYR WKYR", "date"),
        ("DATETIME YMDHMS", "datetime"),
        ("TIME DTIME MTIME", "time"),
        ("WKDAY MONTH F COMMA DOLLAR PCT A AHEX E N DOT DATES ATIME MDATE BDATETIME CCA", None),
    ],
)
def test_every_format_of_spss(names: str, kind: str | None, file_format: str) -> None:
    for name in names.split():
        for written in (name, f"{name}11", f"{name}23.2"):
            clock = clock_of(file_format, written)
            assert (None if clock is None else clock.kind) == kind, written


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        *((f, "date") for f in ("%td", "%d", "%-td", "%-d", "%tdD_m_Y", "%-tdCCYY.NN.DD", "%dD_m_Y", "%tdnn/dd/YY")),
        *((f, "datetime") for f in ("%tc", "%-tc", "%tcHH:MM:SS", "%tcDDmonCCYY_HH:MM:SS.sss", "%tC", "%-tC")),
        *((f, None) for f in ("%tw", "%tm", "%tq", "%th", "%ty", "%tbcal", "%tg", "%-tm", "%9.0g", "%10.2fc", "%-9s")),
        *((f, None) for f in ("%8.0g", "%21x", "td", "", "%", "%t")),
    ],
)
def test_every_format_of_stata(written: str, kind: str | None) -> None:
    clock = clock_of("dta", written)
    assert (None if clock is None else clock.kind) == kind
    assert clock is None or clock.leap_seconds == ("tC" in written)
