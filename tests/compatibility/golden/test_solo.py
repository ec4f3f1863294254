"""A project that R wrote: read in full, and continued without losing anything."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import datom_core as dc
from tests.conftest import GOLDEN

SOLO = GOLDEN / "solo"
DUMP = json.loads((SOLO / "dump_reader.json").read_text())
TABLES = DUMP["tables"]
IMPORTED = {"pq_in", "raw_dm", "raw_lb", "tabbed"}  # carry the hash of a source file
# Tables whose rewrite from Python cannot be recognised: the parquet lacks what R hashed (difftime units),
# and custom metadata with NA, which does not even hash alike twice in R.
NOT_REPRODUCIBLE = {"kinds", "na_meta"}
LEFT_OPEN = {"kinds"}  # what is stored cannot be hashed to its content hash


@pytest.fixture
def solo(tmp_path: Path) -> dc.LocalStore:
    shutil.copytree(SOLO / "storage", tmp_path / "moved")
    return dc.LocalStore(tmp_path / "moved")


@pytest.fixture
def solo_remote(tmp_path: Path) -> Path:
    bare = tmp_path / "solo.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(SOLO / "data-repo.bundle"), str(bare)], check=True)
    return bare


@pytest.fixture
def reader(solo: dc.LocalStore) -> dc.ProjectReader:
    return dc.ProjectReader.open(solo, "GOLDEN_STUDY")


@pytest.fixture
def project(solo: dc.LocalStore, solo_remote: Path) -> dc.Project:
    return dc.Project.open(solo, remote=solo_remote, relocate=True)


def declared(project: dc.Project, table: str) -> list[dc.Parent] | None:
    parents = project.reader.parents(table)
    return None if parents is None else [project.parent(p.table, p.version) for p in parents]


def test_list(reader: dc.ProjectReader) -> None:
    expected = [
        (r["name"], r["current_version"], r["current_data_sha"], r["last_updated"], r["version_count"])
        for r in DUMP["list"]
    ]
    assert [(r.name, r.version, r.data_sha, r.last_updated, r.versions) for r in reader.list()] == expected
    assert {r.kind for r in reader.list()} == {"table"}


def test_summary(reader: dc.ProjectReader) -> None:
    found, expected = reader.summary(), DUMP["summary"]
    assert (found.project, found.tables, found.versions, found.last_updated) == (
        expected["project_name"],
        expected["table_count"],
        expected["total_versions"],
        expected["last_updated"],
    )


@pytest.mark.parametrize("table", TABLES)
def test_history_and_lineage(reader: dc.ProjectReader, table: str) -> None:
    expected = TABLES[table]
    found = [
        {
            "version": v.version,
            "data_sha": v.data_sha,
            "timestamp": v.timestamp,
            "author": str(v.author),
            "commit_message": v.message,
        }
        for v in reader.history(table)
    ]
    assert found == expected["history"]
    lineage = reader.lineage(table)
    as_json = (
        None
        if lineage is None
        else [{"project": s.project, "table": s.table, "version_sha": s.data_sha} for s in lineage]
    )
    assert as_json == expected.get("lineage_source")
    parents = reader.parents(table)
    found_parents = (
        None
        if parents is None
        else [{"source": p.source, "table": p.table, "version": p.version, "data_sha": p.data_sha} for p in parents]
    )
    assert found_parents == expected.get("parents")


def assert_as_r_read_it(found: pa.Table, expected: dict[str, Any]) -> None:
    assert (found.num_rows, found.column_names) == (expected["nrow"], as_list(expected["colnames"]))
    hashed = dc.hash_table(found)
    if hashed.data_sha != expected["data_sha_of_read"]:
        # R restores labels' classes from its own attributes; all other columns must agree.
        ours = {h.name: h.sha for h in hashed.column_hashes}
        differing = [h["name"] for h in expected["column_hashes_of_read"] if ours[h["name"]] != h["sha"]]
        assert differing == [], "columns that read differently"


def as_list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


@pytest.mark.parametrize("table", TABLES)
def test_every_version_reads_as_in_r(reader: dc.ProjectReader, table: str) -> None:
    assert_as_r_read_it(reader.read_arrow(table), TABLES[table]["read_current"])
    for version, expected in TABLES[table]["versions"].items():
        # What R left open is read, and said; all else is proven to be the version.
        told = pytest.warns(dc.UnprovenWarning) if table in LEFT_OPEN else contextlib.nullcontext()
        with told:
            assert_as_r_read_it(reader.read_arrow(table, version), expected["read"])
        assert_as_r_read_it(reader.read_arrow(table, version=version[:10]), expected["read"])
        assert_as_r_read_it(reader.read_arrow(table, version, verify="bytes"), expected["read"])
        if table in LEFT_OPEN:
            with pytest.raises(dc.IntegrityError, match=f"{table}@{version[:8]} .* cannot be proven .* R "):
                reader.read_arrow(table, version, verify="content")
        else:
            assert_as_r_read_it(reader.read_arrow(table, version, verify="content"), expected["read"])


def test_as_of_follows_r_through_a_revert(reader: dc.ProjectReader) -> None:
    steps = {s["label"]: s["result"] for s in json.loads((SOLO / "steps.json").read_text())}
    month_3 = steps["write dm month_3"]["metadata_sha"]
    assert reader.resolve("dm", as_of="2026-11-22T08:21:14Z").version == month_3
    # R reverted and came back; its history does not say so, the pointer's own time does.
    assert reader.resolve("dm", as_of="2026-11-23").version == steps["dm back to month_6 no metadata"]["metadata_sha"]
    with pytest.raises(dc.NotFoundError, match="the first is of 2026-11-22"):
        reader.resolve("dm", as_of="2026-11-21")


def test_the_moved_store_is_refused_with_both_places_unless_relocated(solo: dc.LocalStore, solo_remote: Path) -> None:
    with pytest.raises(dc.InvalidInputError, match="/srv/datom-golden/solo/storage") as caught:
        dc.Project.open(solo, remote=solo_remote)
    assert solo.location.root in str(caught.value)
    dc.Project.open(solo, remote=solo_remote, relocate=True)
    head = subprocess.run(["git", "-C", solo_remote, "log", "-1", "--format=%s"], capture_output=True, text=True)
    assert head.stdout.strip() == "Update data store: GOLDEN_STUDY"
    assert dc.Project.open(solo, remote=solo_remote).name == "GOLDEN_STUDY"


@pytest.mark.parametrize("table", sorted(set(TABLES) - IMPORTED - NOT_REPRODUCIBLE))
def test_writing_the_same_frame_again_changes_nothing(project: dc.Project, table: str) -> None:
    before = project.status().commit
    result = project.write(table, project.reader.read_arrow(table), parents=declared(project, table))
    assert (result.action, result.commit_sha) == ("unchanged", None)
    assert result.version == next(r["current_version"] for r in DUMP["list"] if r["name"] == table)
    assert project.status().commit == before


def test_pandas_frames_are_recognised_too(project: dc.Project) -> None:
    for table in ("dm", "ex", "lb", "ae"):
        assert project.write(table, project.reader.read(table)).action == "unchanged"


def objects(store: dc.LocalStore) -> dict[str, bytes]:
    return {o.key: store.get(o.key).data for o in store.list()}


def test_continuing_loses_nothing_that_r_wrote(project: dc.Project, solo: dc.LocalStore, solo_remote: Path) -> None:
    before = objects(solo)
    head = subprocess.run(["git", "-C", solo_remote, "rev-parse", "HEAD"], capture_output=True, text=True).stdout
    dm = project.reader.read_arrow("dm")
    older = dm.filter(pc.less(dm["AGE"], 60))
    written = project.write("dm", older, message="Subjects under 60")
    assert (written.action, written.rows) == ("created", older.num_rows)

    after = objects(solo)
    lost = [key for key in before if key not in after]
    payloads_and_snapshots = [k for k in before if k.endswith(".parquet") or len(Path(k).stem) == 64]
    assert lost == []
    assert all(after[key] == before[key] for key in payloads_and_snapshots)
    changed = {key for key in before if after[key] != before[key]}
    documents = {"dm/.metadata/metadata.json", "dm/.metadata/version_history.json", ".metadata/manifest.json"}
    assert changed == {*documents, ".metadata/line.json"}
    old_entries = json.loads(before["dm/.metadata/version_history.json"])
    new_entries = json.loads(after["dm/.metadata/version_history.json"])[1:]
    ours = {"commit_sha", "reinstated_at"}
    assert [{k: v for k, v in e.items() if k not in ours} for e in new_entries] == old_entries
    # R reverted and came back, and wrote the time into metadata.json alone, which our write replaces.
    assert [e["reinstated_at"] for e in new_entries if "reinstated_at" in e] == [
        [json.loads(before["dm/.metadata/metadata.json"])["created_at"]]
    ]
    ancestor = ["git", "-C", str(solo_remote), "merge-base", "--is-ancestor", head.strip(), "HEAD"]
    assert subprocess.run(ancestor).returncode == 0
    for version in TABLES["dm"]["versions"]:
        assert_as_r_read_it(project.reader.read_arrow("dm", version), TABLES["dm"]["versions"][version]["read"])


def test_commits_of_versions_that_r_wrote_are_found_in_git(project: dc.Project) -> None:
    steps = json.loads((SOLO / "steps.json").read_text())
    made = {
        s["result"]["metadata_sha"]: s["result"]["commit_sha"]
        for s in reversed(steps)
        if s["label"].startswith("write dm") or s["label"] == "metadata-only dm"
    }
    project.write("dm", project.reader.read_arrow("dm").slice(1))
    found = {v.version: v.commit_sha for v in project.reader.history("dm")[1:]}
    assert found == made


def test_the_schema_stays_until_an_upgrade_is_asked_for(project: dc.Project) -> None:
    assert project.schema == 1
    dm = project.reader.read_arrow("dm")
    project.write("dm", dm.slice(0, 5))
    assert "kind" not in project.reader.metadata("dm").raw
    before = {t.name: t.version for t in project.reader.list()}

    assert project.upgrade() is not None
    assert project.schema == 2
    assert project.upgrade() is None
    assert {t.name: t.version for t in project.reader.list()} == before
    assert project.write("dm", dm.slice(0, 5)).action == "unchanged"
    new = project.write("dm", dm.slice(0, 6))
    assert project.reader.metadata("dm", new.version).raw["kind"] == "table"
    # Back to a version of schema 1: it keeps its id.
    back = project.write("dm", dm.slice(0, 5))
    assert (back.action, back.version) == ("created", before["dm"])


def test_the_mirror_of_a_project_that_r_wrote_is_level(project: dc.Project) -> None:
    assert project.status().level
    assert project.mirror().written == ()
