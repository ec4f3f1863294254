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
        "-3,1e3,false,0001-01-01,23:59:59,1900-01-01T00:00:00,NA,\n"
    )
    assert table.to_pydict() == {
        "n": [1, None, -3],
        "x": [1.5, None, 1000.0],
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
    column = read(f"x,y\n{value},1\n12,2\n")["x"]
    assert column.to_pylist() == ([value, "12"] if "." not in value else [9007199254740992.0, 12.0])


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


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
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
