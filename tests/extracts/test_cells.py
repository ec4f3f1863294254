"""Cells of workbooks: their types tell what they hold, not how it looks."""

from __future__ import annotations

import struct
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

import datom_core as dc
from tests.extracts.workbooks import cell, real, text, wide, xlsb, xlsx

DATA = Path(__file__).parent / "data"
FORMATS = ("yyyy-mm-dd", "h:mm", "[h]:mm")


def named(*names: str) -> str:
    return "".join(f'<c t="inlineStr"><is><t>{n}</t></is></c>' for n in names)


def cells_of(tmp_path: Path, *cells: str, **how: Any) -> list[Any]:
    """What comes of one column."""
    found: list[Any] = dc.read_extract(xlsx(tmp_path / "t.xlsx", named("A"), *cells, **how))["A"].to_pylist()
    return found


def refused(tmp_path: Path, *cells: str, **how: Any) -> str:
    with pytest.raises(dc.InvalidInputError) as caught:
        cells_of(tmp_path, *cells, **how)
    return str(caught.value)


ERRORS = (
    "#DIV/0! #VALUE! #REF! #NAME? #NUM! #NULL! #GETTING_DATA #SPILL! #CALC! #FIELD! #BLOCKED! #CONNECT! #UNKNOWN! "
    "#PYTHON!"
)


@pytest.mark.parametrize("error", ERRORS.split())
def test_an_error_is_refused_and_its_name_as_text_is_text(error: str, tmp_path: Path) -> None:
    assert f"'A' holds errors (row 2: {error})" in refused(tmp_path, f'<c t="e"><v>{error}</v></c>', named("y"))
    assert "holds errors (row 2: error)" in refused(tmp_path, '<c t="e"/>')
    assert f"the first row, which names the columns, holds errors (B1: {error})" in refused_header(error, tmp_path)
    assert cells_of(tmp_path, named(error), named("#N/A")) == [error, "#N/A"]


def refused_header(error: str, tmp_path: Path) -> str:
    path = xlsx(tmp_path / "h.xlsx", named("A") + f'<c t="e"><v>{error}</v></c>', named("x"))
    with pytest.raises(dc.InvalidInputError) as caught:
        dc.read_extract(path)
    return str(caught.value)


def test_the_error_of_missing_values_is_missing(tmp_path: Path) -> None:
    assert cells_of(tmp_path, '<c t="e"><v>#N/A</v></c>', "<c><v>1</v></c>") == [None, 1.0]
    assert cells_of(tmp_path, '<c t="e"><f>NA()</f><v>#N/A</v></c>', named("#N/A")) == [None, "#N/A"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a_x000D_\nb", "a\r\nb"),
        ("_x0041__x0042_", "AB"),
        ("_x005F_x000D_", "_x000D_"),
        ("_x005F_x005F_", "_x005F_"),
        ("x005F_b", "x005F_b"),
        ("a_x00_ _xGGGG_", "a_x00_ _xGGGG_"),
        ("_xD83D__xDE00_", "😀"),
        ("  kept  ", "  kept  "),
    ],
)
def test_escapes_of_xml_are_decoded(written: str, meant: str, tmp_path: Path) -> None:
    inline, result = named(written), f'<c t="str"><f>A1</f><v>{written}</v></c>'
    shared = f'<si><t>no</t></si><si><t xml:space="preserve">{written}</t></si>'
    assert cells_of(tmp_path, inline, '<c t="s"><v>1</v></c>', result, shared=shared) == [meant] * 3
    binary = xlsb(tmp_path / "t.xlsb", {"D": [text(0, "A"), text(0, written)]})
    assert dc.read_extract(binary)["A"].to_pylist() == [written]  # is no XML


def test_text_in_pieces_and_how_it_is_spoken(tmp_path: Path) -> None:
    rich = "<r><t>a</t></r><r><rPr><b/></rPr><t> b</t></r><rPh sb='0' eb='1'><t>spoken</t></rPh><phoneticPr/>"
    assert cells_of(
        tmp_path, '<c t="s"><v>0</v></c>', f'<c t="inlineStr"><is>{rich}</is></c>', shared=f"<si>{rich}</si>"
    ) == (["a b", "a b"])


def test_half_a_character_is_refused(tmp_path: Path) -> None:
    assert "text that is no Unicode (row 2:" in refused(tmp_path, named("_xD83D_"))


def test_results_of_formulas(tmp_path: Path) -> None:
    empty = '<c t="str"><f>IF(1,"","x")</f><v></v></c>'
    assert cells_of(tmp_path, empty, named("y")) == [None, "y"]
    assert cells_of(tmp_path, '<c t="str"><f>A1</f></c>', "<c><v>1</v></c>") == [None, 1.0]
    assert cells_of(tmp_path, "<c><f>1+1</f><v>2</v></c>", "<c><v>3</v></c>") == [2, 3]
    for never in ("<c><f>1+1</f></c>", "<c><f>1+1</f><v></v></c>", '<c t="b"><f>1=1</f></c>'):
        assert "formulas without a result: Data!A3" in refused(tmp_path, named("x"), never)


@pytest.mark.parametrize(
    ("serial", "style", "meant"),
    [
        (1, 1, datetime(1900, 1, 1)),
        (59, 1, datetime(1900, 2, 28)),
        (61, 1, datetime(1900, 3, 1)),
        (45000.5, 1, datetime(2023, 3, 15, 12)),
        (45000.5242592593, 1, datetime(2023, 3, 15, 12, 34, 56)),
        (2958465, 1, datetime(9999, 12, 31)),
        (0, 2, time(0, 0)),
        (0.524259259259259, 2, time(12, 34, 56)),
        (1.5, 2, datetime(1900, 1, 1, 12)),
        (1.5, 3, timedelta(hours=36)),
        (0.25, 3, timedelta(hours=6)),
        (-0.25, 3, timedelta(hours=-6)),
    ],
)
def test_moments(serial: float, style: int, meant: Any, tmp_path: Path) -> None:
    assert cells_of(tmp_path, f'<c s="{style}"><v>{serial}</v></c>', formats=FORMATS) == [meant]
    binary = xlsb(tmp_path / "t.xlsb", {"D": [text(0, "A"), real(0, serial, style)]}, formats=FORMATS)
    assert dc.read_extract(binary)["A"].to_pylist() == [meant]


@pytest.mark.parametrize(
    ("serial", "style", "reason"),
    [
        (60, 1, "60 is 1900-02-29, a day that Excel has and that never was"),
        (60.75, 2, "60.75 is 1900-02-29"),
        (0, 1, "0 is before the first day, 1900-01-01"),
        (0.5, 1, "0.5 is before"),
        (-1, 1, "-1 is before"),
        (-0.5, 2, "-0.5 is before"),
        (2958466, 1, "is after 9999-12-31"),
        (1e300, 1, "is after 9999-12-31"),
        (1e300, 3, "are too many"),
    ],
)
def test_moments_that_never_were(serial: float, style: int, reason: str, tmp_path: Path) -> None:
    row = f'<c s="{style}"><v>{serial}</v></c>'
    said = refused(tmp_path, row, formats=FORMATS)
    assert "'A' holds dates that are none (row 2:" in said
    assert reason in said
    assert "the type 'float64' keeps the numbers" in said
    kept = dc.read_extract(xlsx(tmp_path / "t.xlsx", named("A"), row, formats=FORMATS), schema={"A": "float64"})
    assert kept["A"].to_pylist() == [serial]


def test_dates_since_1904(tmp_path: Path) -> None:
    rows = [f'<c s="1"><v>{n}</v></c>' for n in (0, 60, 2957003)]
    meant = [datetime(1904, 1, 1), datetime(1904, 3, 1), datetime(9999, 12, 31)]
    assert cells_of(tmp_path, *rows, formats=FORMATS, since_1904=True) == meant
    path = xlsb(tmp_path / "t.xlsb", {"D": [text(0, "A"), real(0, 60, 1)]}, formats=FORMATS, since_1904=True)
    assert dc.read_extract(path)["A"].to_pylist() == meant[1:2]
    assert "after 9999" in refused(tmp_path, '<c s="1"><v>2957004</v></c>', formats=FORMATS, since_1904=True)
    assert dc.read_extract(DATA / "mac.xls")["D"].to_pylist() == meant[:2]


@pytest.mark.parametrize(
    ("number_format", "meant"),
    [
        ("General", 61.5),
        ("0.00%", 61.5),
        ("#,##0.00 &quot;days&quot;", 61.5),
        ("[Red]#,##0;[Red]-#,##0", 61.5),
        ("0.00E+00", 61.5),
        ("_-* #,##0.00\\ _D_M_-", 61.5),
        ("0\\d", 61.5),
        ("@", 61.5),
        ("[$-F800]dddd\\,\\ mmmm\\ dd", datetime(1900, 3, 1, 12)),
        ("[=0]&quot;&quot;;dd.mm.yyyy", datetime(1900, 3, 1, 12)),
        ("mmm", datetime(1900, 3, 1, 12)),
        ("[$-411]ggge&quot;年&quot;m&quot;月&quot;d&quot;日&quot;", datetime(1900, 3, 1, 12)),
        ("[hh]:mm:ss", timedelta(days=61.5)),
        ("[mm]:ss", timedelta(days=61.5)),
    ],
)
def test_what_a_format_shows(number_format: str, meant: Any, tmp_path: Path) -> None:
    assert cells_of(tmp_path, '<c s="1"><v>61.5</v></c>', formats=(number_format,)) == [meant]


def test_dates_in_iso(tmp_path: Path) -> None:
    rows = [f'<c t="d"><v>{v}</v></c>' for v in ("2026-01-02", "2026-01-02T03:04:05Z")]
    assert cells_of(tmp_path, *rows, strict=True) == [datetime(2026, 1, 2), datetime(2026, 1, 2, 3, 4, 5)]
    assert cells_of(tmp_path, '<c t="d"><v>12:34:56</v></c>') == [time(12, 34, 56)]
    for bad in ("yesterday", "2026-02-30", "2026-01-02T03:04:05+01:00"):
        assert bad in refused(tmp_path, f'<c t="d"><v>{bad}</v></c>')


def test_numbers(tmp_path: Path) -> None:
    rows = [f"<c><v>{v}</v></c>" for v in ("0.10000000000000001", " 1E-3 ", "-7", "9007199254740992", "1E+300")]
    assert cells_of(tmp_path, *rows) == [0.1, 0.001, -7.0, 9007199254740992.0, 1e300]
    for bad in ("nan", "INF", "1e999", "1_000", "0x1A", "1,5"):
        assert f"holds '{bad}'" in refused(tmp_path, f"<c><v>{bad}</v></c>")


def test_more_digits_than_a_double_has(tmp_path: Path) -> None:
    said = refused(tmp_path, "<c><v>1</v></c>", "<c><v>12345678901234567</v></c>")
    assert "more digits than a double keeps (row 3: 12345678901234567)" in said
    path = tmp_path / "t.xlsx"
    assert dc.read_extract(path, schema={"A": "int64"})["A"].to_pylist() == [1, 12345678901234567]
    assert dc.read_extract(path, schema={"A": "string"})["A"].to_pylist() == ["1", "12345678901234567"]


def test_places_that_are_not_written(tmp_path: Path) -> None:
    path = xlsx(
        tmp_path / "t.xlsx", named("A", "B", "C"), '<c r="C2"><v>3</v></c>', '<c/><c r="B3" s="0"/><c><v>4</v></c>'
    )
    assert dc.read_extract(path).to_pydict() == {"A": [None, None], "B": [None, None], "C": [3.0, 4.0]}


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ('<c r="A2"><v>1</v></c><c r="A2"><v>2</v></c>', "two cells at one place in column A"),
        ('<c r="A1"><v>1</v></c>', "two cells A1"),
        ('<c r="A0"><v>1</v></c>', "a cell lies at row 0"),
        ('<c r="A1048577"><v>1</v></c>', "a cell lies at row 1048577"),
        ('<c r="XFE2"><v>1</v></c>', "column 16385"),
        ('<c r="2A"><v>1</v></c>', "the place '2A'"),
        ('<c t="s"><v>7</v></c>', "the text number 7 of 0"),
        ('<c t="b"><v>2</v></c>', "of the type 'b' holds '2'"),
        ('<c t="new"><v>2</v></c>', "of the type 'new'"),
        ('<c s="9"><v>2</v></c>', "the style number 9 of 1"),
        ("<c><v>2</c>", "mismatched tag"),
    ],
)
def test_damaged_cells(cells: str, reason: str, tmp_path: Path) -> None:
    assert reason in refused(tmp_path, cells)


def test_a_prefix_and_absolute_parts(tmp_path: Path) -> None:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rows = '<x:row><x:c t="str"><x:v>A</x:v></x:c></x:row><x:row><x:c><x:v>1</x:v></x:c></x:row>'
    sheet = f'<x:worksheet xmlns:x="{main}"><x:sheetData>{rows}</x:sheetData></x:worksheet>'
    parts = {"XL\\Worksheets\\Sheet1.xml": sheet}
    links = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts["xl/_rels/workbook.xml.rels"] = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="s" '
        f'Type="{links}/worksheet" Target="/xl/worksheets/sheet1.xml"/></Relationships>'
    )
    assert dc.read_extract(xlsx(tmp_path / "t.xlsx", **parts)).to_pydict() == {"A": [1.0]}


def test_xls_by_type() -> None:
    table = dc.read_extract(DATA / "kinds.xls", sheet="Types")
    assert table.to_pydict() == {
        "TEXT": ["#N/A", "a_x000D_b"],
        "NUM": [None, 1.5],
        "FLAG": [True, False],
        "DAY": [datetime(1900, 2, 28), datetime(1900, 3, 1, 12)],
        "TIME": [time(6), time(12)],
        "LONG": [timedelta(hours=36), timedelta(hours=6)],
        "BLANK": [None, "y"],  # a formula whose result is empty text
    }
    with pytest.raises(dc.InvalidInputError, match=r"holds errors \(row 2: #NULL!, row 3: #DIV/0!, .*row 7: #NUM!\)$"):
        dc.read_extract(DATA / "kinds.xls", sheet="Errors")
    with pytest.raises(dc.InvalidInputError, match="60 is 1900-02-29"):
        dc.read_extract(DATA / "kinds.xls", sheet="Leap")
    with pytest.raises(dc.InvalidInputError, match=r"'Leap', 'Codes' \(hidden\), 'Secret' \(very hidden\)"):
        dc.read_extract(DATA / "kinds.xls")
    with pytest.raises(dc.InvalidInputError, match="#DIV/0!"):
        dc.read_extract(DATA / "error.xls")


def test_xlsb_by_type(tmp_path: Path) -> None:
    number = struct.pack("<d", 2.5)
    rows = [
        b"".join(text(i, n) for i, n in enumerate("S N B D R F".split())),
        cell(7, 0, struct.pack("<I", 0)) + real(1, 1.5) + cell(4, 2, b"\1") + real(3, 46024, 1)
        + cell(2, 4, struct.pack("<i", -1234 << 2 | 3)) + cell(8, 5, wide("") + bytes(2)),
        cell(62, 0, b"\0" + wide("rich")) + cell(3, 1, b"\x2a") + cell(10, 2, b"\0" + bytes(2)) + cell(1, 3, b"")
        + cell(2, 4, struct.pack("<i", struct.unpack("<i", number[4:])[0] & ~3)) + cell(8, 5, wide("x") + bytes(2)),
    ]  # fmt: skip
    codes = [text(0, "C"), text(0, "x")]
    sheets = {"Data": rows, "Codes": codes, "Secret": codes, "Empty": []}
    path = xlsb(tmp_path / "t.xlsb", sheets, hidden={"Codes": 1, "Secret": 2}, shared=("#N/A",), formats=FORMATS)
    assert dc.read_extract(path, sheet="Data").to_pydict() == {
        "S": ["#N/A", "rich"],
        "N": [1.5, None],
        "B": [True, False],
        "D": [datetime(2026, 1, 2), None],
        "R": [-12.34, 2.5],
        "F": [None, "x"],
    }
    with pytest.raises(dc.InvalidInputError, match=r"'Data', 'Codes' \(hidden\), 'Secret' \(very hidden\)\. Give"):
        dc.read_extract(path)
    dates = dc.read_extract(path, sheet="Data", schema={"D": "date"})["D"]
    assert dates.to_pylist() == [date(2026, 1, 2), None]


@pytest.mark.parametrize(("code", "error"), [(7, "#DIV/0!"), (0x2C, "#SPILL!"), (0x31, "#CALC!"), (0x77, "error 0x77")])
@pytest.mark.parametrize("kind", [3, 11])
def test_errors_of_xlsb(kind: int, code: int, error: str, tmp_path: Path) -> None:
    path = xlsb(tmp_path / "t.xlsb", {"D": [text(0, "A"), cell(kind, 0, bytes([code, 0, 0]))]})
    with pytest.raises(dc.InvalidInputError, match=rf"'A' holds errors \(row 2: {error}\)"):
        dc.read_extract(path)
