"""Text with separators: what Arrow infers, what stays text, what is refused."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import csv

import datom_core as dc
from tests.long import examples

Read = Any


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def reading(text: str | bytes, name: str = "t.csv", **options: Any) -> pa.Table:
        (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return dc.read_extract(tmp_path / name, **options)

    return reading


def test_types(read: Read) -> None:
    table = read(
        "n,x,b,d,t,dt,s,none\n"
        "1,1.5,true,2026-01-02,03:04:05,2026-01-02T03:04:05.25,a,\n"
        ",NA,,NA,,,,\n"
        "-3,1000.25,false,0001-01-01,23:59:59,1900-01-01T00:00:00,NA,\n"
    )
    assert table.to_pydict() == {
        "n": [1, None, -3],
        "x": [1.5, None, 1000.25],
        "b": [True, None, False],
        "d": [date(2026, 1, 2), None, date(1, 1, 1)],
        "t": [time(3, 4, 5), None, time(23, 59, 59)],
        "dt": [datetime(2026, 1, 2, 3, 4, 5, 250000), None, datetime(1900, 1, 1)],
        "s": ["a", "", "NA"],
        "none": [None, None, None],
    }


def test_one_value_that_does_not_fit_makes_the_whole_column_text(read: Read) -> None:
    rows = "\n".join(str(i) for i in range(200_000))  # far beyond the first block that Arrow looks at
    assert read(f"x\n{rows}\nn/d\n")["x"].type == pa.string()
    assert read("d\n2026-01-02\n2026-02-30\n")["d"].to_pylist() == ["2026-01-02", "2026-02-30"]


@pytest.mark.parametrize("value", ["007", "-01", "00", "9007199254740993.0"])
def test_identifiers_stay_text(read: Read, value: str) -> None:
    assert read(f"x,y\n{value},1\n12,2\n")["x"].to_pylist() == [value, "12"]


@pytest.mark.parametrize(
    "values",
    [
        *(["0x1A", "0x2B"], ["1", "0X1a"], ["1E5"], ["1e5"], ["INF"], ["inf", "1.5"], ["nan", "1.5"], ["-nan"]),
        *(["1.10", "1.1"], ["1", "2.0"], ["1", "2.50"], ["+5"], ["+5.5"], [".5"], ["5."], ["1_000"], ["-0"]),
        *(["-0.0"], ["-0.00", "1.25"], [" 5"], ["5 "], ["\t5"], [" 5.5"], ["00.5"], ["9223372036854775808"]),
        *(["1.23456789012345678"], ["0.10000000000000000"], ["1e400"], ["1e-400"], ["1e+05", "100000.0"]),
        *(["true", "1"], ["TRUE", "true"], ["True", "FALSE"], [" true"], ["10:00", "10:00:00"], ["24:00:00"]),
        *(["0000-01-01", "2020-01-01"], ["10000-01-01"], [" 2026-01-01"], ["0000-01-01T00:00:00"]),
        *(["2026-01-31", "2026-01-31T10:00"], ["2026-01-31 10:00", "2026-01-31T10:00"]),
        *(["2026-01-31T10:00", "2026-01-31T11:00:00"], ["2026-01-31T10:00:00+02:00"], ["2026-01-31T10+02"]),
        *(["2026-01-31T10:00:00-00:00"], ["2026-01-31T10:00:00.50", "2026-01-31T10:00:00.5"]),
        *(["2026-01-31T10:00:00.000000", "2026-01-31T10:00:00"], ["2026-01-31T10:00Z", "2026-01-31T10:00+00:00"]),
    ],
)
def test_what_would_not_come_back_as_it_was_written_stays_text(read: Read, values: list[str]) -> None:
    column = read("x,y\n" + "".join(f'"{v}",1\n' for v in values))["x"]
    assert (column.type, column.to_pylist()) == (pa.string(), values)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("int64", ["0", "-5", "9223372036854775807"]),
        *(("double", v) for v in (["1", "2.5"], ["1.0", "2.5"], ["1.10", "2.25"], ["-1.50", "0.25"], ["1.10"])),
        *(("double", v) for v in (["1e+05", "1.5"], ["1e-04", "1.5"], ["1e-05", "2.5"], ["1e-7", "0.5"])),
        *(("double", v) for v in (["1e+20", "1.5"], ["0.00001", "1.5"], ["100000.0", "2.5"], ["5e-324", "0.5"])),
        *(("double", v) for v in (["0.30000000000000004", "1.5"], ["12345.678901234567"], ["12.50", "NA", ""])),
        *(("bool", v) for v in (["TRUE", "FALSE"], ["true"], ["True", "False", ""])),
        *(("date32[day]", v) for v in (["0001-01-01", "9999-12-31"], ["2024-02-29"])),
        *(("time32[s]", v) for v in (["10:00", "11:30"], ["10:00:00", "11:00:01"])),
        *(("timestamp[s]", v) for v in (["2026-01-31T10:00"], ["2026-01-31 10:00:00"], ["2026-01-31T10"])),
        *(("timestamp[s, tz=UTC]", v) for v in (["2026-01-31 10:00:00Z"], ["2026-01-31T10:00:00+00:00"])),
        *(
            ("timestamp[us]", [f"2026-01-31T10:00:{a}", f"2026-01-31T10:00:{b}"])
            for a, b in (("00.5", "00.25"), ("00.50", "00.25"), ("00.250000", "00"), ("00", "00.5"))
        ),
    ],
)
def test_what_one_way_of_writing_gives_back_has_a_type(read: Read, kind: str, values: list[str]) -> None:
    assert str(read("x,y\n" + "".join(f"{v},1\n" for v in values))["x"].type) == kind


@settings(max_examples=examples(150), suppress_health_check=list(HealthCheck))
@given(
    texts=st.lists(st.from_regex(r"[+-]?0?[0-9x]{0,3}[.eE]?[+-]?[0-9]{0,3}", fullmatch=True), min_size=1, max_size=4)
)
def test_no_two_texts_of_a_column_become_one_value(texts: list[str], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{t},1\n" for t in texts))
    given_back = dc.read_extract(tmp_path / "t.csv")["x"].to_pylist()
    assert len(set(given_back) - {None, ""}) == len(set(texts) - {""})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('A,B\n1,"abc\n2,z\n3,y\n', "line 2 opens a quote that never closes"),
        ('A,B\r\n1,"a\r\nb"\r\n3,"cut', "line 4 opens a quote that never closes"),
        ('A,B\r1,2\r3,"cut', "line 3 opens a quote that never closes"),
        ('A,B\n"a\\"b",1\n', "line 2 has text after the closing quote"),
        ('A,B\n1,"a" \n', "line 2 has text after the closing quote"),
        ('A,B\n1,""x\n', "line 2 has text after the closing quote"),
        ('A,"B"x\n1,2\n', "line 1 has text after the closing quote"),
        ('A,B\n1,"abc\n2,"z"\n', "line 3 has text after the closing quote of the field that line 2 opens"),
        ('A,B\n"x"y,1\nok,2\n"z"y,3\n', "line 2 has text after the closing quote, line 4 has text"),
        ('A,B\n5" pipe,1\n2,"a""\n', "line 3 opens a quote that never closes"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "shift_jis"])
def test_quotes_that_do_not_say_where_a_field_ends(read: Read, text: str, said: str, encoding: str) -> None:
    with pytest.raises(dc.InvalidInputError, match=said):
        read(text.encode(encoding), encoding=encoding)


def test_quotes_in_a_field_without_quotes_are_characters(read: Read) -> None:
    assert read('A;B\n5" pipe;1\nx"y"z;ab""c\n "q";""""\n', separator=";").to_pydict() == {
        "A": ['5" pipe', 'x"y"z', ' "q"'],
        "B": ["1", 'ab""c', '"'],
    }


def test_the_line_of_a_quote_beyond_the_first_block(read: Read) -> None:
    rows = '"a ""b""\nc",1\r\n' * 150_000
    assert read("x,y\n" + rows)["x"].unique().to_pylist() == ['a "b"\nc']
    with pytest.raises(dc.InvalidInputError, match="line 300002 opens a quote that never closes"):
        read("x,y\n" + rows + '"z,1\n')


def test_a_column_without_values_stays_what_it_was(read: Read) -> None:
    before = {"s": pa.string(), "n": pa.int64(), "d": pa.date32(), "x": pa.string()}
    table = read("s,n,d,x,new\nNA,NA,,1,\n,,NA,2,\n", before=before)
    assert [str(t) for t in table.schema.types] == ["string", "int64", "date32[day]", "int64", "null"]
    assert table["s"].to_pylist() == ["NA", ""]
    declared = read("s,n\nNA,NA\n", before=before, schema={"s": "float64"})
    assert declared["s"].type == pa.float64()


def test_whole_numbers_beyond_a_double_stay_text(read: Read) -> None:
    assert read("x\n12345678901234567890\n1\n")["x"].to_pylist() == ["12345678901234567890", "1"]
    assert read("x\n9007199254740993\n1\n")["x"].to_pylist() == [9007199254740993, 1]


def test_separators(read: Read) -> None:
    expected = {"a": [1], "b": ["x,y"]}
    assert read('a,b\n1,"x,y"\n').to_pydict() == expected
    assert read("a\tb\n1\tx,y\n", "t.tsv").to_pydict() == expected
    assert read("a|b\n1|x,y\n", "t.PSV").to_pydict() == expected
    assert read("a;b\n1;x,y\n", "t.txt").to_pydict() == expected
    assert read("a~b\n1~x,y\n", separator="~").to_pydict() == expected
    with pytest.raises(dc.InvalidInputError, match=r"no ',' and 1 times ';'. Give separator=';'"):
        read("a;b\n1;x\n")


def test_quotes_and_line_breaks(read: Read) -> None:
    assert read('a,b\r\n"say ""hi""\nthere",1\r\n')["a"].to_pylist() == ['say "hi"\nthere']


def test_encodings(read: Read) -> None:
    assert read("é,b\nü,1\n".encode("utf-8-sig")).to_pydict() == {"é": ["ü"], "b": [1]}
    assert read("é,b\nü,1\n".encode("cp1252"), encoding="cp1252").to_pydict() == {"é": ["ü"], "b": [1]}
    assert read("é,b\nü,1\n".encode("utf-16"), encoding="utf-16").to_pydict() == {"é": ["ü"], "b": [1]}
    with pytest.raises(dc.InvalidInputError, match="the header is not utf-8"):
        read("é,b\nu,1\n".encode("cp1252"))
    with pytest.raises(dc.InvalidInputError, match=r"column 'a', 'c' is not utf-8. Give the right encoding="):
        read("a,b,c\nü,1,ß\n".encode("cp1252"))
    with pytest.raises(dc.InvalidInputError, match='Give encoding="utf-16"'):
        read("a,b\nx,1\n".encode("utf-16"))
    with pytest.raises(dc.InvalidInputError, match="is no encoding"):
        read("a\n1\n", encoding="klingon")


def test_ragged_rows_are_named_all_at_once(read: Read) -> None:
    with pytest.raises(dc.InvalidInputError, match="row 3 has 1 fields, row 5 has 3 fields"):
        read("a,b\n1,2\n3\n4,5\n6,7,8\n")


def test_duplicate_and_empty_names(read: Read) -> None:
    with pytest.raises(dc.InvalidInputError, match="'a' occurs 2 times; column 3 has no name"):
        read("a,a,,b\n1,2,3,4\n")


class TestSchema:
    def test_it_wins(self, read: Read) -> None:
        schema = {"SITE": "string", "AGE": pa.float64(), "D": "date", "C": "category", "T": "timestamp[us, UTC]"}
        table = read("SITE,AGE,D,C,T,X\n12,3,2026-01-02,a,2026-01-02T00:00:00Z,1\n13,,,b,,2\n", schema=schema)
        assert [str(t) for t in table.schema.types[:3]] == ["string", "double", "date32[day]"]
        assert table["X"].type == pa.int64()
        assert table["AGE"].to_pylist() == [3.0, None]
        assert table["D"].to_pylist() == [date(2026, 1, 2), None]
        assert dc.hash_table(table).rows == 2

    def test_metadata_of_a_schema_goes_along(self, read: Read) -> None:
        schema = pa.schema([pa.field("a", pa.int32(), metadata={"label": "Age", "units": "years"})])
        assert read("a\n1\n", schema=schema).schema.field("a").metadata == {b"label": b"Age", b"units": b"years"}

    def test_unknown_columns_are_refused_all_at_once(self, read: Read) -> None:
        with pytest.raises(dc.InvalidInputError, match=r"not there: 'x', 'y'\. The file has 'a', 'b'"):
            read("a,b\n1,2\n", schema={"x": "string", "a": "string", "y": "string"})

    def test_values_that_do_not_fit_are_told_by_column(self, read: Read) -> None:
        with pytest.raises(dc.InvalidInputError, match=r"(?s)'a' is not int64: .*'b' is not date32"):
            read("a,b,c\nx,2026-13-01,1\n", schema={"a": "int64", "b": "date", "c": "int64"})

    def test_types_that_do_not_exist_or_are_never_stored(self, read: Read) -> None:
        with pytest.raises(dc.InvalidInputError, match=r"(?s)'a': 'integr' is no type.*'b' \(binary\)"):
            read("a,b\n1,2\n", schema={"a": "integr", "b": pa.binary()})


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=("Cs",)), max_size=8)


@settings(max_examples=examples(60), suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(
        st.tuples(
            st.integers(-(2**31) + 1, 2**31 - 1),
            st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not x.is_integer()),
            st.dates(),
            st.booleans(),
            TEXT.map(lambda s: f"<{s}>"),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_what_is_written_as_csv_has_the_hash_of_the_frame(rows: list[tuple[Any, ...]], tmp_path: Path) -> None:
    names = ["n", "x", "d", "b", "s"]
    frame = pa.table([pa.array(column) for column in zip(*rows, strict=True)], names=names)
    csv.write_csv(frame, tmp_path / "t.csv")
    assert dc.hash_table(dc.read_extract(tmp_path / "t.csv")).data_sha == dc.hash_table(frame).data_sha


def test_bytes_and_open_files(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    assert dc.read_extract(b"a\n1\n", format="csv").to_pydict() == {"a": [1]}
    with (tmp_path / "t.csv").open("rb") as file:
        assert dc.read_extract(file, format="csv").to_pydict() == {"a": [1]}
    with pytest.raises(dc.InvalidInputError, match="give format="):
        dc.read_extract(b"a\n1\n")


@pytest.mark.parametrize("encoding", ["rot13", "base64", "hex"])
def test_a_codec_that_is_no_encoding_of_text_is_refused(encoding: str) -> None:
    with pytest.raises(dc.InvalidInputError, match="is no encoding"):
        dc.read_extract(b"A\n1\n", format="csv", encoding=encoding)
