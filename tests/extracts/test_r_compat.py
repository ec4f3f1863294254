"""Types as R infers them: texts that R read, and files that R synced."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import datom_core as dc
from tests.conftest import GOLDEN

DATA = Path(__file__).parent / "data"
FREAD = json.loads((DATA / "fread.json").read_text())
SOLO = GOLDEN / "solo"
CLASSES = {
    "logical": pa.bool_(), "integer": pa.int32(), "integer64": pa.int64(), "numeric": pa.float64(),
    "IDate": pa.date32(), "POSIXct": pa.timestamp("us", "UTC"), "character": pa.string(),
}  # fmt: skip


def from_r(kind: str, value: str | None) -> Any:
    if value is None or kind == "character":
        return value
    if kind in ("numeric", "POSIXct"):
        return {"NaN": math.nan, "Inf": math.inf, "-Inf": -math.inf}.get(value) or float.fromhex(value)
    return value == "TRUE" if kind == "logical" else int(value)


def as_r_has(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        return [None if v is None else v / 1e6 for v in column.cast(pa.int64()).to_pylist()]
    return column.cast(pa.int32()).to_pylist() if pa.types.is_date(column.type) else column.to_pylist()


# R warns there, and guesses what the quotes mean: they are refused.
GUESSED = {"qtail.csv": 2, "unbal.csv": 2}


@pytest.mark.parametrize("file", sorted(FREAD.keys() - GUESSED))
def test_what_r_made_of_a_text(file: str, tmp_path: Path) -> None:
    (tmp_path / file).write_bytes(FREAD[file]["text"].encode())
    table = dc.read_extract(tmp_path / file, r_compat=True)
    expected = FREAD[file]["columns"]
    assert table.column_names == [c["name"] for c in expected]
    for column, told in zip(table.columns, expected, strict=True):
        assert column.type == CLASSES[told["class"]], told["name"]
        theirs = [from_r(told["class"], v) for v in told["values"]]
        assert repr(as_r_has(column)) == repr(theirs), told["name"]


@pytest.mark.parametrize(("file", "line"), GUESSED.items())
def test_quotes_that_r_guesses_about(file: str, line: int, tmp_path: Path) -> None:
    (tmp_path / file).write_bytes(FREAD[file]["text"].encode())
    with pytest.raises(dc.InvalidInputError, match=f"line {line} has a field that only begins like a quoted one"):
        dc.read_extract(tmp_path / file, r_compat=True)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('a,b\n1,"x\ny"\n2,"cut', "line 4 has a field"),
        ('a,b\n1,"x\\"y"\n', "line 2 has a field"),
        ("a,b\n1,2\n\n3,4\n", "row 3 has 1 fields. R would stop there"),
        ("a,b,c\n1,2,3\n4,5\n", "row 3 has 2 fields"),
        ("1,2\n3,4\n", "R takes the first row for data, because of '1', '2'"),
        ("a,a\n1,2\n", "'a' occurs 2 times"),
        ("t\n2026-01-02T03:04:05.1234567Z\n", "digits below a microsecond"),
        ("a,b\nx\0,1\n", "NUL"),
    ],
)
def test_where_r_would_lose_something_the_file_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(dc.InvalidInputError, match=problem):
        dc.read_extract(tmp_path / "t.csv", r_compat=True)


def test_a_schema_wins_over_r(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("SITE,N\n001,1\n002,NA\n")
    table = dc.read_extract(tmp_path / "t.csv", r_compat=True, schema={"SITE": "string"})
    assert table.to_pydict() == {"SITE": ["001", "002"], "N": [1, None]}


def payload(table: str, data_sha: str) -> pa.Table:
    return pq.read_table(SOLO / "storage" / "datom" / table / f"{data_sha}.parquet")


def recorded(table: str) -> list[dict[str, Any]]:
    path = next((SOLO / "storage").rglob(f"{table}/.metadata/version_history.json"))
    found: list[dict[str, Any]] = json.loads(path.read_text())
    return found


@pytest.mark.parametrize(
    ("file", "table"), [("raw_dm.csv", "raw_dm"), ("raw_dm_crlf.csv", "raw_dm"), ("tabbed.tsv", "tabbed")]
)
def test_a_file_that_r_synced_has_the_hash_that_r_recorded(file: str, table: str) -> None:
    sha = hashlib.sha256((DATA / file).read_bytes()).hexdigest()
    entry = next(e for e in recorded(table) if e["original_file_sha"] == sha)
    assert dc.hash_table(dc.read_extract(DATA / file, r_compat=True)).data_sha == entry["data_sha"]


def quoted(value: Any) -> str:
    if value is None:
        return "NA"
    return f"{value:.15g}" if isinstance(value, float) else str(value) if isinstance(value, int) else f'"{value}"'


@pytest.mark.parametrize("entry", recorded("raw_lb"), ids=lambda e: e["version"][:8])
def test_a_table_of_numbers_that_r_synced_reads_back_with_its_hash(entry: dict[str, Any], tmp_path: Path) -> None:
    path = next((SOLO / "storage").rglob(f"raw_lb/{entry['data_sha']}.parquet"))
    table = pq.read_table(path)
    lines = [",".join(table.column_names), *(",".join(map(quoted, row.values())) for row in table.to_pylist())]
    (tmp_path / "raw_lb.csv").write_text("\n".join(lines) + "\n")
    assert dc.hash_table(dc.read_extract(tmp_path / "raw_lb.csv", r_compat=True)).data_sha == entry["data_sha"]


@pytest.fixture
def r_project(tmp_path: Path) -> dc.Project:
    """The project that R wrote, moved to where this test may write."""
    shutil.copytree(SOLO / "storage", tmp_path / "moved")
    bare = tmp_path / "solo.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(SOLO / "data-repo.bundle"), str(bare)], check=True)
    return dc.Project.open(dc.LocalStore(tmp_path / "moved"), remote=bare, relocate=True)


def test_what_r_synced_yesterday_is_unchanged_today(r_project: dc.Project, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    shutil.copy(DATA / "raw_dm_crlf.csv", drop / "raw_dm.csv")
    shutil.copy(DATA / "tabbed.tsv", drop / "tabbed.tsv")
    before = r_project.status().commit
    report = r_project.sync(drop, r_compat=True)
    assert [(i.file, i.status, i.reason) for i in report.items] == [
        ("raw_dm.csv", "unchanged", None),
        ("tabbed.tsv", "unchanged", None),
    ]
    # The file before: R would write it again, and for ever when the two take turns.
    shutil.copy(DATA / "raw_dm.csv", drop / "raw_dm.csv")
    again = r_project.sync(drop, "raw_dm.*", r_compat=True).items[0]
    assert (again.status, again.reason) == ("unchanged", "taken before; a later version is current")
    assert again.version == next(e["version"] for e in recorded("raw_dm") if e["commit_message"].endswith("(new)"))
    assert r_project.status().commit == before


def test_a_re_export_of_what_r_synced_is_r_s_content_and_version(r_project: dc.Project, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "raw_dm.csv").write_bytes((DATA / "raw_dm.csv").read_bytes() + b"\n")
    before = r_project.reader.resolve("raw_dm").data_sha
    item = r_project.sync(drop, r_compat=True).items[0]
    assert (item.status, item.action) == ("changed", "metadata_only")
    assert r_project.reader.resolve("raw_dm").data_sha == before
    raw = r_project.reader.metadata("raw_dm").raw
    assert raw["original_file_sha"] == item.original_file_sha
    assert raw["source_lineage"] == [{"project": "GOLDEN_STUDY", "table": "raw_dm", "version_sha": before}]


def test_parquet_as_r_reads_it(tmp_path: Path) -> None:
    table = pa.table(
        {
            "dec": pa.array(["1.10", None]).cast(pa.decimal128(10, 2)),
            "big": pa.array([2**60, 1], pa.uint64()),
            "low": pa.array([-(2**31), 1], pa.int32()),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(dc.UnsupportedColumnsError):
        dc.hash_table(dc.read_extract(tmp_path / "t.parquet"))
    found = dc.read_extract(tmp_path / "t.parquet", r_compat=True)
    assert found["dec"].to_pylist() == [1.1, None]
    assert found["low"].to_pylist() == [None, 1]
    assert found["big"].type == pa.float64()
