"""What a form cannot hold is refused before anything is written, with all columns and what to do."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import datom_core as dc

EARLY = dt.datetime(1899, 12, 31)
INSTANT = dt.datetime(2026, 1, 31, 10, 0, 0, 123456)

#: Form, values of the columns, and what is said of each.
REFUSED: list[tuple[str, dict[str, Any], list[str]]] = [
    ("csv", {"A": pa.array([None, ""], pa.string())}, ["single column is missing in some rows and empty in others"]),
    ("csv", {"A": pa.array([10**15], pa.duration("us"))}, ["100,000 hours"]),
    ("tsv", {" ": [1], "B": [2]}, ["' ': a column needs a name"]),
    ("csv", {"A": pa.array([-800_000], pa.int32()).cast(pa.date32())}, ["'A': dates outside of the years 1 to 9999"]),
    ("xpt", {"USUBJID_LONG": ["x"], "2ND": [1]}, ["at most 8 characters; form 'xpt8' takes 32", "begin with no digit"]),
    ("xpt8", {"A" * 33: ["x"]}, ["at most 32 characters; rename it"]),
    ("xpt", {"a": [1], "A": [2]}, ["'A': SAS takes it for 'a'"]),
    ("xpt", {"A": ["ok", "x" * 201]}, ["text of more than 200 bytes; form 'xpt8' takes 32,767 (row 2)"]),
    ("xpt8", {"A": ["ä" * 16_384]}, ["text of more than 32,767 bytes; shorten it (row 1)"]),
    ("xpt", {"A": ["Müller"], "B": ["b"]}, ["'A': text is not ASCII; form 'xpt8' takes UTF-8 (row 1)"]),
    ("xpt", {"A": ["x "], "B": [1]}, ["'A': text that ends in a blank"]),
    ("xpt", {"A": [2**53, 2**53 + 1, -(2**53) - 1]}, ["beyond 2**53, which SAS rounds; write them as text (row 2, 3)"]),
    ("xpt", {"A": [float("nan")], "B": [float("-inf")]}, ["'A': SAS has neither NaN", "'B': SAS has neither NaN"]),
    ("xpt", {"A": [1e76], "B": [1e-80], "C": [-7.3e75]}, ["'A': numbers beyond", "'B': numbers", "'C': numbers"]),
    ("xpt", {"A": ["x", ""]}, ["the last row is blank in all columns", "form 'xpt8' does"]),
    ("xpt", {f"C{i}": [1] * 19 + [0] for i in range(4)}, ["the last row is zero in all columns"]),
    ("xlsx", {"A": ["x" * 32_768], "B": ["😀" * 16_384]}, ["'A': text of more than 32,767", "'B': text of more"]),
    ("xlsx", {"A": [EARLY.date()], "B": [EARLY]}, ["'A': dates before 1900", "'B': dates before 1900"]),
    ("xlsx", {"A": [INSTANT], "B": [INSTANT.time()]}, ["'A': times with microseconds", "'B': times with"]),
    ("xlsx", {"A": [2**53 + 1], "B": [float("inf")], "C": [1e308]}, ["which Excel rounds", "infinite", "beyond those"]),
    ("xlsx", {"A": ["x", None], "B": ["y", ""]}, ["the last row holds nothing"]),
    ("xlsx", {"A": ["<r>x</r>"]}, ["is taken for markup"]),
    ("json", {"A": [float("nan")], "B": [2**53 + 1]}, ["JSON has neither NaN", "'B': whole numbers beyond 2**53"]),
    ("ndjson", {"A": [dt.timedelta(days=1)], "B": [dt.timedelta(-1)]}, ["'A': Dataset-JSON has times", "'B': Dataset"]),
]  # fmt: skip


@pytest.mark.parametrize(("form", "columns", "said"), REFUSED)
def test_all_of_it_is_named_and_nothing_is_written(
    form: Any, columns: dict[str, Any], said: list[str], folder: Path
) -> None:
    with pytest.raises(dc.InvalidInputError) as caught:
        dc.write_table(pa.table(columns), folder / "t", form=form, name="ae")
    message = str(caught.value)
    assert message.startswith(f"ae cannot be written as {form}:\n  - ")
    for part in said:
        assert part in message
    assert list(folder.iterdir()) == []


def test_columns_of_one_name_are_refused_in_every_form(folder: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1])] * 2, names=["A", "A"])
    for form in ("csv", "parquet", "xlsx", "xpt", "json"):
        with pytest.raises(dc.InvalidInputError, match="'A': 2 columns have this name"):
            dc.write_table(table, folder / "t", form=form)  # type: ignore[arg-type]


def test_what_cannot_be_stored_cannot_be_written_either(folder: Path) -> None:
    with pytest.raises(dc.UnsupportedColumnsError, match="binary columns"):
        dc.write_table(pa.table({"A": [b"x"]}), folder / "t.csv")
    with pytest.raises(dc.InvalidInputError, match="at least one row"):
        dc.write_table(pa.table({"A": pa.array([], pa.int64())}), folder / "t.csv")


@pytest.mark.parametrize("form", ["xpt", "xpt8"])
def test_labels_and_formats_that_do_not_fit(form: Any, folder: Path) -> None:
    about = {"label": "x" * (41 if form == "xpt" else 257), "format": "VERYLONGNAME8."}
    named = pa.field("B", pa.int64(), metadata={"label": "Größe"})
    schema = pa.schema([pa.field("A", pa.int64(), metadata=about), named], metadata={"label": "y" * 41})
    with pytest.raises(dc.InvalidInputError) as caught:
        dc.write_table(pa.table([[1], [2]], schema=schema), folder / "t.xpt", form=form)
    message = str(caught.value)
    assert "the table's label has more than 40 bytes" in message
    assert f"'A': its label has more than {40 if form == 'xpt' else 256} bytes" in message
    assert "'A': its format VERYLONGNAME has a name of more than 8 characters" in message
    assert ("'B': its label is not ASCII" in message) == (form == "xpt")


def test_a_sheet_has_so_many_rows_and_columns(folder: Path) -> None:
    wide = pa.table({f"C{i}": pa.nulls(1, pa.int64()) for i in range(16_385)})
    with pytest.raises(dc.InvalidInputError, match="16,385 columns; a sheet has 16,384"):
        dc.write_table(wide, folder / "t.xlsx")
    long = pa.table({"A": pa.repeat(pa.scalar(True), 1_048_576)})
    with pytest.raises(dc.InvalidInputError, match="1,048,576 rows; below its first row a sheet has 1,048,575"):
        dc.write_table(long, folder / "t.xlsx")


@pytest.mark.parametrize(
    ("target", "said"), [("t.txt", "must be one of .csv"), ("t", "must be one of"), ("", "folder")]
)
def test_a_path_that_does_not_say_the_form(target: str, said: str, folder: Path) -> None:
    form: Any = None if target else "csv"
    with pytest.raises(dc.InvalidInputError, match=said):
        dc.write_table(pa.table({"A": [1]}), folder / target, form=form)


def test_forms_that_there_are_not(folder: Path) -> None:
    with pytest.raises(dc.InvalidInputError, match=r"no form 'parket'.*Did you mean 'parquet'"):
        dc.write_table(pa.table({"A": [1]}), folder / "t", form="parket")  # type: ignore[arg-type]
    with pytest.raises(dc.InvalidInputError, match="give form="):
        dc.write_table(pa.table({"A": [1]}), io.BytesIO())
    for odd in (None, 7, "", "a\0b"):
        with pytest.raises(dc.InvalidInputError, match="path of a file"):
            dc.write_table(pa.table({"A": [1]}), odd)  # type: ignore[arg-type]
