"""A drop into a project: what is new, one commit, and what happens to bad files; on a disk and in a bucket."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyreadstat
import pytest

import datom_core as dc
from tests.long import long, paired, sampled
from tests.s3.server import S3Server

Put = Callable[..., None]
DM, LB, AE = "USUBJID,AGE\n01-1,41\n01-2,52\n", "USUBJID,LBSTRESN\n01-1,1.5\n", "USUBJID,AETERM\n01-1,Headache\n"


@pytest.fixture(params=["local", pytest.param("s3", marks=long)])
def drop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[dc.ExtractSource, Put]]:
    """A place for extracts, and how files get there."""
    if request.param == "local":
        folder = tmp_path / "drop"
        folder.mkdir()

        def put(**files: str | bytes) -> None:
            for name, content in files.items():
                path = folder / name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content.encode() if isinstance(content, str) else content)

        yield dc.LocalFolder(folder), put
        return
    server: S3Server = request.getfixturevalue("s3_server")
    bucket = server.bucket()

    def upload(**files: str | bytes) -> None:
        for name, content in files.items():
            body = content.encode() if isinstance(content, str) else content
            server.s3.put_object(Bucket=bucket, Key=f"study/in/{name}", Body=body)

    yield dc.S3Folder(bucket, "/study/in", credentials=server.owner, endpoint_url=server.endpoint), upload


def commits(remote: Path) -> list[str]:
    log = subprocess.run(["git", "-C", remote, "log", "--format=%s"], capture_output=True, text=True, check=True)
    return log.stdout.splitlines()


def statuses(report: dc.SyncReport) -> dict[str, str]:
    return {i.file: i.status for i in report.items}


class TestDrops:
    def test_new_changed_and_unchanged_in_one_commit_each(
        self, drop: tuple[dc.ExtractSource, Put], project: dc.Project, remote: Path
    ) -> None:
        source, put = drop
        put(**{"dm.csv": DM, "lb.CSV": LB, "sub/ae.csv": AE, "notes.docx": "x"})
        report = project.sync(source)
        assert statuses(report) == {
            "dm.csv": "new", "lb.CSV": "new", "notes.docx": "unsupported", "sub/": "ignored",
        }  # fmt: skip
        assert report.ok
        assert report.check() is report
        assert commits(remote)[0] == "Sync 2 tables: dm (new), lb (new)"
        assert len(commits(remote)) == 2
        assert report.commits == (project.status().commit,)
        assert project.status().level
        assert project.validate("full").ok

        metadata = project.reader.metadata("lb")
        sha = hashlib.sha256(LB.encode()).hexdigest()
        assert metadata.table_type == "imported"
        assert (metadata.raw["original_file_sha"], metadata.raw["original_format"]) == (sha, "CSV")
        assert metadata.lineage == (dc.Source("STUDY_001", "lb", metadata.data_sha),)
        manifest = json.loads(project.store.get(".metadata/manifest.json").data)
        row = manifest["artifacts"]["lb"]
        assert (row["original_file_sha"], row["original_format"]) == (sha, "CSV")
        assert project.reader.history("lb")[0].original_file_sha == sha

        assert set(statuses(project.sync(source, "*.[cC]*")).values()) == {"unchanged", "ignored"}
        put(**{"dm.csv": DM + "01-3,60\n"})
        report = project.sync(source, "*.csv")
        assert [(i.status, i.action, i.rows) for i in report.of("changed")] == [("changed", "created", 3)]
        assert commits(remote)[0] == "Sync dm (changed)"
        assert project.reader.history("dm")[0].message == "Sync dm (changed)"

    def test_a_file_is_compared_with_every_version(
        self, drop: tuple[dc.ExtractSource, Put], project: dc.Project, remote: Path
    ) -> None:
        source, put = drop
        for content in (DM, DM + "01-3,60\n"):
            put(**{"dm.csv": content})
            project.sync(source)
        before = commits(remote)
        put(**{"dm.csv": DM})
        item = project.sync(source).items[0]
        assert (item.status, item.reason) == ("unchanged", "taken before; a later version is current")
        assert item.version == project.reader.history("dm")[1].version
        assert commits(remote) == before

    def test_other_bytes_of_the_same_content_are_a_version_of_metadata_alone(
        self, drop: tuple[dc.ExtractSource, Put], project: dc.Project
    ) -> None:
        source, put = drop
        put(**{"dm.csv": DM})
        project.sync(source)
        put(**{"dm.csv": DM.replace("\n", "\r\n")})
        item = project.sync(source).items[0]
        assert (item.status, item.action) == ("changed", "metadata_only")
        assert len({v.data_sha for v in project.reader.history("dm")}) == 1

    def test_a_bad_file_does_not_stop_the_others(self, drop: tuple[dc.ExtractSource, Put], project: dc.Project) -> None:
        source, put = drop
        put(
            **{
                "dm.csv": DM,
                "lb.csv": "a,b\n1\n",
                "ae.xpt": AE,
                "src.csv": DM,
                "1x.csv": DM,
                "ex.csv": "",
                "vs.csv": "a\n",
            }
        )
        report = project.sync(source)
        reasons = {i.file: str(i.reason) for i in report.failed}
        assert sorted(reasons) == ["1x.csv", "ae.xpt", "ex.csv", "lb.csv", "src.csv", "vs.csv"]
        for file, part in {
            "lb.csv": "row 2 has 1 fields", "ae.xpt": "does not begin like one", "src.csv": "R's datom skips",
            "1x.csv": "not allowed", "ex.csv": "0 bytes", "vs.csv": "no row",
        }.items():  # fmt: skip
            assert part in reasons[file]
        assert [t.name for t in project.reader.list()] == ["dm"]
        assert not report.ok
        with pytest.raises(dc.InvalidInputError, match=r"(?s)not taken whole.*lb.csv: the header has 2"):
            report.check()
        # It does so again, until the file is another one.
        assert sorted(i.file for i in project.sync(source).failed) == sorted(reasons)

    def test_stop_on_error_writes_nothing(self, drop: tuple[dc.ExtractSource, Put], project: dc.Project) -> None:
        source, put = drop
        put(**{"ae.csv": AE, "dm.csv": "a,b\n1\n", "lb.csv": LB})
        with pytest.raises(dc.InvalidInputError, match=r"dm\.csv: the header has 2 fields"):
            project.sync(source, stop_on_error=True)
        assert len(project.reader.list()) == 0

    def test_a_dry_run_says_the_same_and_writes_nothing(
        self, drop: tuple[dc.ExtractSource, Put], project: dc.Project, remote: Path
    ) -> None:
        source, put = drop
        put(**{"dm.csv": DM, "lb.csv": "a,b\n1\n"})
        report = project.sync(source, dry_run=True)
        assert statuses(report) == {"dm.csv": "new", "lb.csv": "failed"}
        assert (report.commits, len(commits(remote))) == ((), 1)
        assert statuses(project.sync(source)) == statuses(report)

    def test_a_commit_per_table(self, drop: tuple[dc.ExtractSource, Put], project: dc.Project, remote: Path) -> None:
        source, put = drop
        put(**{"dm.csv": DM, "lb.csv": LB})
        report = project.sync(source, batch=False, message=None)
        assert commits(remote)[:2] == ["Sync lb (new)", "Sync dm (new)"]
        assert len(report.commits) == 2

    def test_an_incomplete_drop_is_not_read(self, drop: tuple[dc.ExtractSource, Put], project: dc.Project) -> None:
        source, put = drop
        put(**{"dm.csv": DM, "stray.csv": AE})
        waiting = project.sync(source, manifest="manifest.json")
        assert (waiting.waiting, waiting.ok, len(waiting.items)) == (("manifest.json is not there yet",), False, 0)
        listed = [
            {"name": "dm.csv", "size": len(DM), "sha256": hashlib.sha256(DM.encode()).hexdigest()},
            {"name": "lb.csv", "size": len(LB)},
        ]
        put(**{"manifest.json": json.dumps({"files": listed})[:-5]})
        assert "manifest.json is not {" in project.sync(source, manifest="manifest.json").waiting[0]
        put(**{"manifest.json": json.dumps({"files": listed})})
        assert project.sync(source, manifest="manifest.json").waiting == ("lb.csv is not there yet",)
        put(**{"lb.csv": LB[:-3]})
        short = f"lb.csv has {len(LB) - 3} of {len(LB)} bytes"
        assert project.sync(source, manifest="manifest.json").waiting == (short,)
        put(**{"lb.csv": LB, "dm.csv": DM.replace("41", "14")})
        assert "dm.csv has another SHA-256" in project.sync(source, manifest="manifest.json").waiting[0]
        put(**{"dm.csv": DM})
        report = project.sync(source, manifest="manifest.json")
        assert statuses(report) == {"dm.csv": "new", "lb.csv": "new", "stray.csv": "ignored"}

    def test_a_drop_that_is_not_quiet_is_not_read(
        self, drop: tuple[dc.ExtractSource, Put], project: dc.Project
    ) -> None:
        source, put = drop
        put(**{"dm.csv": DM})
        assert "dm.csv changed" in project.sync(source, quiet=3600).waiting[0]
        time.sleep(1.2)
        assert project.sync(source, quiet=0.1).ok
        with pytest.raises(dc.InvalidInputError, match="positive number"):
            project.sync(source, quiet=-1)

    def test_schemas_are_per_table(self, drop: tuple[dc.ExtractSource, Put], project: dc.Project) -> None:
        source, put = drop
        put(**{"dm.csv": DM, "lb.csv": LB})
        report = project.sync(source, schema={"dm": {"AGE": "string"}, "lb": {"nope": "string"}, "ae": {"X": "date"}})
        assert statuses(report) == {"dm.csv": "new", "lb.csv": "failed"}
        assert project.reader.read_arrow("dm")["AGE"].to_pylist() == ["41", "52"]
        with pytest.raises(dc.InvalidInputError, match="'integr' is no type"):
            project.sync(source, schema={"dm": {"AGE": "integr"}})


LOOKS_LIKE_DATA = [
    *("config.json", "ae.ndjson", "dm.sas7bcat", "dm.rds", "dm.xml", "dm.ods", "dm.csv.gz", "dm.XPT.gz", "all.zip"),
    *("dm.csv.filepart", "lb.csv ", "dm.feather", "dm.jsonl", "DM.XPT"),
]


@pytest.mark.parametrize("name", sampled(LOOKS_LIKE_DATA, 2))
def test_what_looks_like_an_extract_and_is_not_taken_makes_the_report_not_ok(
    name: str, project: dc.Project, tmp_path: Path
) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / name).write_text('{"a": 1}')
    (drop / "vs.csv").write_text(DM)
    for other in ("readme.pdf", "letter.docx", "LICENSE"):
        (drop / other).write_text("x")
    report = project.sync(drop)
    assert statuses(report) == {
        name: "failed", "vs.csv": "new", "readme.pdf": "unsupported", "letter.docx": "unsupported",
        "LICENSE": "unsupported",
    }  # fmt: skip
    assert not report.ok
    with pytest.raises(dc.InvalidInputError, match=rf"not taken whole:\n  - {name}: "):
        report.check()
    assert project.sync(drop, "vs.*").ok
    (drop / name).unlink()
    assert project.sync(drop).ok


class OddError(Exception):
    """What a library may raise."""


ERRORS = [
    OddError("broken"),
    KeyError("rows"),
    MemoryError(),
    RecursionError("deep"),
    OverflowError("big"),
    OSError(5, "EIO"),
    pa.ArrowInvalid("bad"),
    pa.ArrowKeyError("x"),
    UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"),
    StopIteration(),
    AssertionError("x"),
    dc.StorageError("away"),
    dc.AccessDeniedError("no"),
    dc.IntegrityError("changed"),
]


@pytest.mark.parametrize(("error", "batch"), paired(ERRORS, [True, False]), ids=lambda v: str(v) and type(v).__name__)
def test_no_error_of_one_file_keeps_the_others_from_being_written(
    error: Exception, batch: bool, project: dc.Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    for table in ("ae", "dm", "vs"):
        (drop / f"{table}.csv").write_text(DM.replace("41", str(ord(table[0]))))

    def read(path: Path, **options: Any) -> Any:
        if path.name == "dm.csv":
            raise error
        return dc.read_extract(path, **options)

    monkeypatch.setattr("datom_core.extracts.drop_reader.read_extract", read)
    report = project.sync(drop, batch=batch)
    assert statuses(report) == {"ae.csv": "new", "dm.csv": "failed", "vs.csv": "new"}
    reason = str(report.failed[0].reason)
    assert str(error) in reason
    assert isinstance(error, dc.DatomError) or type(error).__name__ in reason
    assert [t.name for t in project.reader.list()] == ["ae", "vs"]


@pytest.mark.parametrize("batch", [True, False])
def test_nor_does_a_table_that_cannot_be_stored(
    batch: bool, project: dc.Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    for table in ("ae", "dm", "vs"):
        (drop / f"{table}.csv").write_text(DM.replace("41", str(ord(table[0]))))
    # Of ae, there is another object where its payload belongs; dm cannot be encoded.
    sha = dc.hash_table(dc.read_extract(drop / "ae.csv")).data_sha
    assert isinstance(project.store, dc.LocalStore)
    project.store.create(f"ae/{sha}.parquet", b"no parquet", {})
    encode = sys.modules["datom_core.tables.background_encode"].encode_parquet

    def encoding(data: pa.Table, compression: Any) -> memoryview:
        if 100 in data["AGE"].to_pylist():
            raise pa.ArrowNotImplementedError("no such encoding")
        return encode(data, compression)

    monkeypatch.setattr("datom_core.tables.background_encode.encode_parquet", encoding)
    report = project.sync(drop, batch=batch)
    assert statuses(report) == {"ae.csv": "failed", "dm.csv": "failed", "vs.csv": "new"}
    assert "is no readable table" in str(report.failed[0].reason)
    assert report.failed[1].reason == "ArrowNotImplementedError: no such encoding"
    assert [t.name for t in project.reader.list()] == ["vs"]
    with pytest.raises(dc.InvalidInputError, match="Nothing further was written"):
        project.sync(drop, batch=batch, stop_on_error=True)


def test_what_ails_the_project_is_raised(project: dc.Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "dm.csv").write_text(DM)
    (drop / "vs.csv").write_text(LB)

    def away(*_: object) -> Any:
        raise dc.StorageError("the store is away")

    monkeypatch.setattr(type(project.store), "create", away)
    with pytest.raises(dc.StorageError, match="is away"):
        project.sync(drop)


def test_two_files_for_one_table_are_both_refused(project: dc.Project, tmp_path: Path) -> None:
    pyreadstat.write_xport(pd.DataFrame({"A": [1.0]}), str(tmp_path / "DM.xpt"))
    (tmp_path / "dm.csv").write_text(DM)
    (tmp_path / "dm.docx").write_text("x")
    report = project.sync(tmp_path, "[dD]*")
    assert [(i.file, i.status) for i in report.items if i.table] == [
        ("DM.xpt", "failed"), ("dm.csv", "failed"), ("dm.docx", "unsupported"),
    ]  # fmt: skip


def test_a_name_that_differs_in_case_from_a_table_fails_alone(project: dc.Project, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    project.write("dm", pd.DataFrame({"A": [1]}))
    (drop / "DM.csv").write_text(DM)
    (drop / "lb.csv").write_text(LB)
    report = project.sync(drop)
    assert statuses(report) == {"DM.csv": "failed", "lb.csv": "new"}


def test_a_file_that_changes_while_it_is_read_is_not_taken(
    project: dc.Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "dm.csv").write_text(DM)

    def read_and_grow(path: Path, **options: Any) -> Any:
        with (drop / "dm.csv").open("a") as file:
            file.write("01-9,99\n")
        return dc.read_extract(path, **options)

    monkeypatch.setattr("datom_core.extracts.drop_reader.read_extract", read_and_grow)
    item = project.sync(drop).items[0]
    assert (item.status, item.reason) == (
        "failed",
        "the file changed while it was read. Try again when it is complete.",
    )


def test_what_cannot_be(project: dc.Project, tmp_path: Path) -> None:
    with pytest.raises(dc.NotFoundError, match="There is no folder"):
        project.sync(tmp_path / "nowhere")
    bad: Any = 7
    with pytest.raises(dc.InvalidInputError, match="A drop is a folder"):
        project.sync(bad)
    with pytest.raises(dc.InvalidInputError, match="message is empty"):
        project.sync(tmp_path, message=" ")
    with pytest.raises(dc.InvalidInputError, match="separator is one character"):
        project.sync(tmp_path, separator="||")


def test_a_report_prints_as_a_table(project: dc.Project, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "dm.csv").write_text(DM)
    (drop / ".hidden").write_text("x")
    text = repr(project.sync(drop))
    assert "1 new, 1 ignored" in text
    assert "dm.csv" in text
    assert "hidden, or a lock" in text


def test_schema_1_has_the_format_in_the_manifest_alone(store: dc.LocalStore, remote: Path, tmp_path: Path) -> None:
    project = dc.Project.init("STUDY_001", store, remote=remote, schema=1)
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "dm.csv").write_text(DM)
    project.sync(drop)
    assert "original_format" not in project.reader.metadata("dm").raw
    manifest = json.loads(store.get(".metadata/manifest.json").data)
    assert manifest["tables"]["dm"]["original_format"] == "csv"


def test_an_unreadable_bucket_is_told(project: dc.Project, s3_server: S3Server) -> None:
    keys = s3_server.user(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    )
    bucket = s3_server.bucket()
    source = dc.S3Folder(bucket, "in", credentials=keys, endpoint_url=s3_server.endpoint)
    with pytest.raises(dc.AccessDeniedError, match="s3:ListBucket"):
        project.sync(source)
    assert "in/" in repr(source)


def test_columns_keep_their_types_and_the_report_names_those_that_change(project: dc.Project, tmp_path: Path) -> None:
    drop = tmp_path / "typed"
    drop.mkdir()
    (drop / "lb.csv").write_text("KIT,NOTE,N,T,AGE\n0x1A,NA,1,10:00,41\n0x2B,x,2,11:00,42\n")
    first = project.sync(drop).check()
    assert first.items[0].retyped == ()
    (drop / "lb.csv").write_text("KIT,NOTE,N,T,AGE\n12,NA,,12:00:30,41\n13,,NA,13:00:00,unknown\n")
    report = project.sync(drop).check()
    assert report.items[0].retyped == ("KIT: string -> int64", "AGE: int64 -> string")
    assert "KIT: string -> int64, AGE: int64 -> string" in repr(report)
    now = project.reader.read_arrow("lb")
    assert [str(t) for t in now.schema.types[:3]] == ["int64", "string", "int64"]
    assert now["NOTE"].to_pylist() == ["NA", ""]


def test_a_version_before_that_is_gone_keeps_nothing_from_being_taken(project: dc.Project, tmp_path: Path) -> None:
    drop = tmp_path / "gone"
    drop.mkdir()
    (drop / "lb.csv").write_text("A\nx\n")
    project.sync(drop).check()
    for payload in tmp_path.rglob("lb/*.parquet"):
        payload.unlink()
    (drop / "lb.csv").write_text("A\n1\n")
    assert project.sync(drop).check().items[0].retyped == ()


@pytest.mark.parametrize(
    "name", ["dm.csv.tmp", "dm.csv.1", "dm.csv~", "dm.xpt.bak", "a.tmp", "dm.v8xpt", "dm.csv.incomplete", "dm.fst"]
)
def test_what_is_on_its_way_or_put_aside_is_not_passed_by(project: dc.Project, tmp_path: Path, name: str) -> None:
    drop = tmp_path / "a drop"
    drop.mkdir()
    (drop / name).write_text("A,B\n1,2\n")
    report = project.sync(drop)
    assert not report.ok
    assert [(i.file, i.status) for i in report.items] == [(name, "failed")]
