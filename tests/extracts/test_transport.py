"""SAS transport files (xpt): where rows end, what is a header, and what text may hold."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest

import datom_core as dc
from tests.extracts.transport_files import data_set, filled, header, number, transport

BOTH = [("AGE", 0, ""), ("S", 2, "")]
NUMBERS = [("A", 0, ""), ("B", 0, ""), ("C", 0, "")]
ONE = [("X", 0, "")]
TEXT = [("S", 8, "")]
ROW = number(5) + b"ab"


def read(data: bytes) -> dict[str, list[Any]]:
    return dc.read_extract(data, format="xpt").to_pydict()


@pytest.mark.parametrize("by", [b" ", b"\0"])
@pytest.mark.parametrize("rows", [1, 2, 7, 8, 9, 16, 40])
@pytest.mark.parametrize("version", [5, 8])
def test_blanks_and_nuls_behind_the_last_row_are_no_rows(by: bytes, rows: int, version: int) -> None:
    made = transport(data_set(BOTH, ROW * rows, by=by, version=version), version=version)
    assert read(made) == {"AGE": [5.0] * rows, "S": ["ab"] * rows}


@pytest.mark.parametrize("wide", [1, 3, 8, 39, 79, 80, 81, 200])
@pytest.mark.parametrize("by", [b" ", b"\0"])
def test_rows_of_every_width_end_where_text_ends(wide: int, by: bytes) -> None:
    texts = [f"{i}".ljust(wide, "x")[:wide] for i in range(1, 8)]
    assert read(transport(data_set([("S", wide, "")], "".join(texts).encode(), by=by))) == {"S": texts}
    numbered = b"".join(number(i) + t.encode() for i, t in enumerate(texts))
    made = read(transport(data_set([("N", 0, ""), ("S", wide, "")], numbered, by=by)))
    assert made == {"N": [float(i) for i in range(7)], "S": texts}


def test_zeros_are_rows_where_it_can_be_told() -> None:
    zeros = [5.0, 0.0, 0.0]
    assert read(transport(data_set(ONE, b"".join(map(number, zeros))))) == {"X": zeros}
    ten = [5.0] + [0.0] * 9
    assert read(transport(data_set(ONE, b"".join(map(number, ten)), version=8, count=10), version=8)) == {"X": ten}
    more = [5.0] + [0.0] * 13
    assert read(transport(data_set(ONE, b"".join(map(number, more))))) == {"X": more}


def test_numbers_alone_with_nuls_behind_them() -> None:
    # What is less than a row, or follows the descriptions of the columns, shows that the file was filled with NULs.
    assert read(transport(data_set(NUMBERS, number(5) * 3, by=b"\0"))) == {"A": [5.0], "B": [5.0], "C": [5.0]}
    assert read(transport(data_set(ONE, number(5), by=b"\0", described_by=b"\0"))) == {"X": [5.0]}
    with pytest.raises(dc.InvalidInputError, match=r"whether these are rows, or NUL bytes .* cannot be told"):
        read(transport(data_set(ONE, number(5), by=b"\0")))


def test_rows_of_blank_text_before_the_last_record_are_kept() -> None:
    assert read(transport(data_set(TEXT, b"abcdefgh" + b" " * 200))) == {"S": ["abcdefgh", *[""] * 20]}
    assert read(transport(data_set([("S", 200, "")], b"a".ljust(400)))) == {"S": ["a", ""]}
    assert read(transport(data_set(TEXT, b"a".ljust(24), version=8, count=3), version=8)) == {"S": ["a", "", ""]}


def test_blank_rows_come_in_chunks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datom_core.extracts.formats.readstat._CHUNK", 3)
    texts = ["a", "", "", "", "b", "", "", "", "", "", "", ""]
    assert read(transport(data_set([("S", 100, "")], "".join(t.ljust(100) for t in texts).encode()))) == {"S": texts}


@pytest.mark.parametrize("by", [b" ", b"\0"])
def test_a_whole_record_of_filling_is_no_rows(by: bytes) -> None:
    assert read(transport(data_set(BOTH, ROW * 8) + by * 80))["AGE"] == [5.0] * 8
    with pytest.raises(dc.InvalidInputError, match="than fill a record: it was broken off and filled"):
        read(transport(data_set(BOTH, ROW * 8) + by * 160))


@pytest.mark.parametrize("count", [1, 3, 8, 9, 200])
def test_another_count_than_there_are_rows_is_refused(count: int) -> None:
    with pytest.raises(dc.InvalidInputError, match=rf"says that it has {count} rows, and has others"):
        read(transport(data_set(BOTH, ROW * 2, version=8, count=count), version=8))


@pytest.mark.parametrize("wide", [80, 160, 400])
@pytest.mark.parametrize("name", ["MEMBER", "MEMBV8", "DSCRPTR", "NAMESTR", "OBS", "LIBRARY"])
def test_text_that_looks_like_a_header_is_text(name: str, wide: int) -> None:
    texts = ["a", header(name).decode().rstrip(), "c" * wide, header(name).decode().rstrip()]
    assert read(transport(data_set([("S", wide, "")], "".join(t.ljust(wide) for t in texts).encode()))) == {"S": texts}


def test_text_that_looks_like_two_headers_is_text() -> None:
    text = (header("MEMBER") + header("DSCRPTR")).decode().rstrip()
    rows = (text.ljust(160) + "c".ljust(160) * 4).encode()
    assert read(transport(data_set([("S", 160, "")], rows))) == {"S": [text, *"cccc"]}


@pytest.mark.parametrize("by", [b" ", b"\0"])
def test_several_data_sets_are_refused_also_when_the_last_is_broken_off(by: bytes) -> None:
    one = data_set(BOTH, ROW, by=by)
    for others, count in (((one,), 2), ((one[:160],), 2), ((one[:400],), 2), ((data_set(ONE, number(1)), one), 3)):
        with pytest.raises(dc.InvalidInputError, match=f"holds {count} data sets"):
            read(transport(one, *others))


@pytest.mark.parametrize(("text", "found"), [(b"ab\0\0", "ab"), (b"a\0  ", "a"), (b"\0\0\0\0", ""), (b" a\0\0", " a")])
def test_nuls_at_the_end_of_text_only_fill_it(text: bytes, found: str) -> None:
    assert read(transport(data_set([("N", 0, ""), ("S", 4, "")], number(1) + text)))["S"] == [found]


@pytest.mark.parametrize("text", [b"a\0b ", b"\0abc", b"a \0b", b"\0\0\0b"])
def test_text_with_a_nul_inside_is_refused_not_cut(text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datom_core.extracts.formats.transport_cells._BLOCK", 30)  # two rows
    rows = number(1) + b"good" + number(2) + b"good" + number(3) + text
    with pytest.raises(dc.InvalidInputError, match=r"text of 'S' in row 3 holds NUL bytes, at which it would be cut"):
        read(transport(data_set([("N", 0, ""), ("S", 4, "")], rows)))


def test_bytes_that_are_no_number_are_refused() -> None:
    for wrong in (b"\x80", b"a", b"#"):
        with pytest.raises(dc.InvalidInputError, match="bytes of 'AGE' in row 1 are no number"):
            read(transport(data_set(BOTH, wrong + bytes(7) + b"ab")))


@pytest.mark.parametrize("version", [5, 8])
def test_columns_of_one_name_or_none_are_refused(version: int) -> None:
    columns = [("X", 0, ""), ("X", 2, ""), ("Y", 2, ""), ("", 2, ""), ("X", 0, "")]
    made = transport(data_set(columns, ROW + b"cdef" + number(1), version=version), version=version)
    with pytest.raises(dc.InvalidInputError, match=r"'X' occurs 3 times; column 4 has no name"):
        read(made)


def test_columns_of_one_name_in_the_labels_of_version_8_are_refused() -> None:
    labels = header("LABELV8", "2") + filled(
        struct.pack(">3H", 1, 5, 1) + b"TWICE" + b"a" + struct.pack(">3H", 2, 5, 1) + b"TWICE" + b"b"
    )
    with pytest.raises(dc.InvalidInputError, match="'TWICE' occurs 2 times"):
        read(transport(data_set(BOTH, ROW, version=8, labels=labels), version=8))


def test_long_labels_of_version_8(tmp_path: Path) -> None:
    path = tmp_path / "t.xpt"
    label = "A label of more than forty characters, which version 5 would cut"
    pyreadstat.write_xport(
        pd.DataFrame({"A_NAME_OF_MORE_THAN_8": [1.0], "B": ["x"]}), str(path), column_labels=[label, "b"]
    )
    table = dc.read_extract(path)
    assert table.to_pydict() == {"A_NAME_OF_MORE_THAN_8": [1.0], "B": ["x"]}
    assert table.schema.field(0).metadata[b"label"].decode() == label


def test_short_numbers_are_read_and_others_refused() -> None:
    assert read(transport(data_set([("X", -3, ""), ("S", 2, "")], number(5)[:3] + b"ab"))) == {"X": [5.0], "S": ["ab"]}
    with pytest.raises(dc.InvalidInputError, match="'X' of 2 bytes"):
        read(transport(data_set([("X", -2, ""), ("S", 2, "")], number(5)[:2] + b"ab")))


def test_descriptions_as_vax_wrote_them_are_refused() -> None:
    with pytest.raises(dc.InvalidInputError, match="in 136 bytes, as VAX did"):
        read(transport(data_set(BOTH, ROW, size=136)))


def test_a_file_that_ends_in_its_headers_is_refused() -> None:
    whole = transport(data_set(BOTH, ROW))
    for end in range(240, len(whole) - 160, 80):
        with pytest.raises(dc.InvalidInputError, match="broken off before its rows begin"):
            read(whole[:end])


def test_columns_of_one_name_are_refused_in_every_format(tmp_path: Path) -> None:
    table = pd.DataFrame({"AAA": [1.0], "BBB": [2.0]})
    for name, write in {"t.sav": pyreadstat.write_sav, "t.dta": pyreadstat.write_dta, "t.por": pyreadstat.write_por,
                        "t.xpt": pyreadstat.write_xport}.items():  # fmt: skip
        path = tmp_path / name
        write(table, str(path))
        path.write_bytes(path.read_bytes().replace(b"BBB", b"AAA"))
        with pytest.raises(dc.InvalidInputError, match=r"'AAA' occurs 2 times\. Name every column, once"):
            dc.read_extract(path)


TEXT_AND_NUMBER = [("S", 4, ""), ("N", 0, "")]


@pytest.mark.parametrize("padding", [b" " * 30 + b"\0" * 38, b"\0" * 30 + b" " * 38])
def test_filling_of_two_kinds_is_refused(padding: bytes) -> None:
    with pytest.raises(dc.InvalidInputError, match="blanks and NUL bytes mixed"):
        dc.read_extract(transport(data_set(TEXT_AND_NUMBER, b"ab  " + number(1) + padding)), format="xpt")
    whole = transport(data_set(TEXT_AND_NUMBER, b"ab  " + number(1)))
    with pytest.raises(dc.InvalidInputError, match="blanks and NUL bytes mixed"):
        dc.read_extract(whole + bytes(80), format="xpt")


def test_blank_text_beside_zero_is_a_row() -> None:
    table = dc.read_extract(
        transport(data_set(TEXT_AND_NUMBER, b"ab  " + number(1) + b"    " + number(0))), format="xpt"
    )
    assert table.to_pydict() == {"S": ["ab", ""], "N": [1.0, 0.0]}


@pytest.mark.parametrize("cell", [b" " * 8, b"\x42\x01" + bytes(6), b"\x44\0\x10" + bytes(5), b"\x7f" + b"\xff" * 7])
def test_numbers_that_would_be_read_as_others_are_refused(cell: bytes) -> None:
    rows = b"ab  " + cell + b"cd  " + number(2)
    with pytest.raises(dc.InvalidInputError, match="bytes of 'N' in row 1 are no number"):
        dc.read_extract(transport(data_set(TEXT_AND_NUMBER, rows)), format="xpt")
