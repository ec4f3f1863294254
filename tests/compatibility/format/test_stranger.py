"""What the stranger reads is what our reader reads, every version of it; and what R hashed, it hashes."""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.compatibility.format import study
from tests.compatibility.format.comparing import assert_read_alike
from tests.compatibility.format.conftest import Made
from tests.compatibility.format.page import PAGE
from tests.compatibility.format.stranger import (
    PROGRAM,
    Stranger,
    content_hash,
    number,
    payload,
    set_hash,
    version_id,
)
from tests.conftest import GOLDEN

SOLO = GOLDEN / "solo"
VECTORS = json.loads((GOLDEN / "hash" / "vectors.json").read_text())
NUMBERS = [
    n for n in json.loads((GOLDEN / "json_numbers.json").read_text()) if "N" not in n["hex"] and "I" not in n["hex"]
]
IDS = [d for d in json.loads((GOLDEN / "metadata_sha.json").read_text()) if "error" not in d]
SETS = json.loads((GOLDEN / "sets.json").read_text())

#: Columns of every type that is stored, with what is easily lost on the way.
KINDS = pa.table(
    {
        "text": ["naïve", None, "", "日本 \U0001f600"],
        "factor": pa.array(["x", None, "y", "x"]).dictionary_encode(),
        "ordered": pa.DictionaryArray.from_arrays(pa.array([1, 0, None, 1], pa.int8()), ["low", "high"], ordered=True),
        "double": [1.5, None, float("nan"), -0.0],
        "large": [float("inf"), -float("inf"), 1.7976931348623157e308, 5e-324],
        "single": pa.array([0.1, None, float("nan"), -0.0], pa.float32()),
        "truth": [True, False, None, True],
        "small": pa.array([-128, 127, None, 0], pa.int8()),
        "unsigned": pa.array([2**53, None, 0, 1], pa.uint64()),
        "int32": pa.array([-(2**31) + 1, 2**31 - 1, None, 0], pa.int32()),
        "as_int32": pa.array([-(2**31) + 1, 2**31 - 1, None, 0], pa.int64()),
        "int64": pa.array([2**53 + 1, None, -(2**63) + 1, 0], pa.int64()),
        "date": pa.array([20454, None, -1, 2932896], pa.date32()),
        "second": pa.array([1767323045, None, -1, 0], pa.timestamp("s")),
        "milli": pa.array([1767323045123, None, -1, 0], pa.timestamp("ms", "Europe/Berlin")),
        "micro": pa.array([1767323045123456, None, -1, 0], pa.timestamp("us", "UTC")),
        "day_s": pa.array([3723, None, 0, 86399], pa.time32("s")),
        "day_ms": pa.array([3723004, None, 0, 86399999], pa.time32("ms")),
        "day_us": pa.array([3723004005, None, 0, 86399999999], pa.time64("us")),
        "stay_s": pa.array([90, None, -1, 0], pa.duration("s")),
        "stay_us": pa.array([90000001, None, -1, 0], pa.duration("us")),
        "nothing": pa.nulls(4),
        "no_text": pa.nulls(4, pa.string()),
        "été": [1, 2, 3, 4],
    }
)


def test_the_stranger_is_one() -> None:
    """It is short, and knows the standard library and pyarrow alone."""
    text = PROGRAM.read_text()
    found = [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    modules = {alias.name for node in found if isinstance(node, ast.Import) for alias in node.names}
    modules |= {str(node.module) for node in found if isinstance(node, ast.ImportFrom)}
    assert {m.partition(".")[0] for m in modules} - sys.stdlib_module_names == {"pyarrow"}
    assert len(text.splitlines()) <= 180


def test_the_study_of_the_page(made: Made) -> None:
    stranger = Stranger(made.storage)
    with pytest.warns(dc.GovernanceWarning):
        reader = dc.ProjectReader.open(dc.LocalStore(made.folder / "data", study.PREFIX))
    assert assert_read_alike(stranger, reader) == 4
    assert stranger.open == set()


@pytest.mark.parametrize("schema", [1, 2])
@pytest.mark.parametrize("compression", ["snappy", "zstd"])
def test_every_type_that_is_stored(
    store: dc.LocalStore, tmp_path: Path, clock: Clock, schema: int, compression: dc.Compression
) -> None:
    remote = tmp_path / "remote.git"
    dc.Project.init("STUDY_001", store, remote=remote, schema=schema, clock=clock)
    project = dc.Project.open(store, remote=remote, compression=compression, clock=clock)
    custom = {"text": 'tab\t "quoted" </b> \\ é\x7f\x01', "numbers": [0.3333333, 1e-7, 123456789012.0], "none": {}}
    for rows in (KINDS, KINDS.slice(1, 2), KINDS.slice(0, 1)):
        project.cut(f"{rows.num_rows} rows", {"kinds": rows}, custom={"kinds": custom})
    project.write("kinds", KINDS, custom=custom)  # back to the first
    stranger = Stranger(Path(store.location.root) / "datom")
    assert assert_read_alike(stranger, project.reader) == 3
    assert stranger.open == set()
    assert stranger.current("kinds") == stranger.cuts()["4 rows"]["kinds"] == stranger.histories["kinds"][-1]["version"]
    whole = stranger.read("kinds", stranger.current("kinds"))
    assert whole["double"].null_count == 1
    assert str(whole["double"].to_pylist()) == "[1.5, None, nan, -0.0]"


def test_types_are_stored_as_the_page_says(store: dc.LocalStore, tmp_path: Path) -> None:
    dc.Project.init("STUDY_001", store, remote=tmp_path / "remote.git").write("kinds", KINDS)
    (path,) = (Path(store.location.root) / "datom" / "kinds").glob("*.parquet")
    file, families = pq.ParquetFile(path), type_table()
    for column, name in zip(file.read().columns, KINDS.column_names, strict=True):
        kind = "string" if pa.types.is_dictionary(column.type) else re.split(r"\W", str(column.type))[0]
        stored = file.schema.column(KINDS.column_names.index(name))
        physical, logical = stored.physical_type, stored.logical_type.type
        told = families[payload(column)[0], kind]
        assert physical in told, name
        assert logical == "NONE" or logical.capitalize() in told, name
    # Nothing but Arrow's own schema tells a duration from a number.
    stay = file.schema.column(KINDS.column_names.index("stay_s"))
    assert (stay.physical_type, stay.logical_type.type) == ("INT64", "NONE")
    assert b"ARROW:schema" in file.metadata.metadata


def type_table() -> dict[tuple[str, str], list[str]]:
    """The page's table of types: by family and Arrow type, the words about parquet."""
    table: dict[tuple[str, str], list[str]] = {}
    family = ""
    for line in PAGE.read_text().partition("## Payloads")[2].partition("## Sets")[0].splitlines():
        cells = [re.findall(r"`(\w+)`", cell) for cell in line.split("|")[1:-1]]
        if len(cells) == 4 and cells[1]:
            family = cells[0][0] if cells[0] else family
            table |= {(family, kind): cells[2] for kind in cells[1]}
    assert len(table) >= 18
    return table


def test_what_r_wrote() -> None:
    told = json.loads((SOLO / "dump_reader.json").read_text())
    stranger = Stranger(SOLO / "storage" / "datom")
    reader = dc.ProjectReader.open(dc.LocalStore(SOLO / "storage"))
    assert assert_read_alike(stranger, reader) == sum(len(t["versions"]) for t in told["tables"].values())
    # R hashes in this table what parquet does not keep; the page says what that is.
    kinds = stranger.current("kinds")
    assert stranger.open == {f"content of kinds@{kinds}"}
    for row in told["list"]:
        assert (stranger.current(row["name"]), len(stranger.histories[row["name"]])) == (
            row["current_version"],
            row["version_count"],
        )
    for name, table in told["tables"].items():
        for version, expected in table["versions"].items():
            assert name == "kinds" or content_hash(stranger.read(name, version)) == expected["read"]["data_sha_of_read"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["id"])
def test_content_hashes_of_r(vector: dict[str, Any]) -> None:
    if "parquet" not in vector or vector["id"] == "itime_vs_hms":
        pytest.skip("R wrote no file, or restored a class of its own")
    table = pq.ParquetFile(GOLDEN / "hash" / "parquet" / vector["parquet"]).read()
    assert content_hash(table) == vector["data_sha_roundtrip"]


def test_texts_numbers_ids_and_sets_of_r() -> None:
    assert {n["json"] for n in NUMBERS} == {f'{{"x":{number(float.fromhex(n["hex"]))}}}' for n in NUMBERS}
    assert [version_id(json.loads(d["file_text"])) for d in IDS] == [d["metadata_sha_reread"] for d in IDS]
    assert set_hash(json.loads(SETS["golden_set_json"])) == SETS["golden_payload_data_sha"]
