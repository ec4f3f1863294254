"""What a project promises, over every store and both schemas."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.s3.server import S3Server

Frame = Callable[[int], pd.DataFrame]


# Every kind of store, both schemas, with and without a prefix; all pairs of them in `make test-long`. What a schema
# changes are bytes of documents, which no store looks into, and a prefix is put before keys alike by all.
STORES = ("local", "local with prefix", "memory", "s3 with prefix")
PAIRS = [("local", 1), ("memory", 2), ("s3 with prefix", 2)]
ALL_PAIRS = [(store, schema) for store in STORES for schema in (1, 2)]


@pytest.fixture(
    params=ALL_PAIRS if os.environ.get("DATOM_LONG") else PAIRS, ids=lambda pair: f"{pair[0]}-schema{pair[1]}"
)
def pair(request: pytest.FixtureRequest) -> tuple[str, int]:
    store, schema = request.param
    return store, schema


@pytest.fixture
def store(pair: tuple[str, int], request: pytest.FixtureRequest, tmp_path: Path) -> dc.ObjectStore:
    kind = pair[0]
    if kind == "memory":
        return dc.MemoryStore()
    if kind.startswith("s3"):
        server: S3Server = request.getfixturevalue("s3_server")
        return server.store(server.bucket(), "teams/onc")
    return dc.LocalStore(tmp_path / "store", "teams/onc" if "prefix" in kind else "")


@pytest.fixture
def schema(pair: tuple[str, int]) -> int:
    return pair[1]


@pytest.fixture
def project(store: dc.ObjectStore, remote: Path, schema: int, clock: Clock) -> dc.Project:
    return dc.Project.init("STUDY_001", store, remote=remote, schema=schema, clock=clock)


def git(remote: Path, *args: str) -> str:
    return subprocess.run(["git", "-C", remote, *args], check=True, capture_output=True, text=True).stdout


def commits(remote: Path) -> int:
    return int(git(remote, "rev-list", "--count", "HEAD"))


def objects(store: dc.ObjectStore) -> dict[str, bytes]:
    """Everything in a store; white space at the end of a document is the store's own affair."""
    found = {o.key: bytes(store.get(o.key).data) for o in store.list()}
    return {key: data.rstrip() if key.endswith(".json") else data for key, data in found.items()}


class TestFounding:
    def test_a_new_project(self, project: dc.Project, store: dc.ObjectStore, remote: Path, schema: int) -> None:
        assert (project.name, project.schema, project.remote) == ("STUDY_001", schema, str(remote))
        assert [o.key for o in store.list()] == [".metadata/manifest.json"]
        files = git(remote, "ls-tree", "-r", "--name-only", "HEAD").split()
        assert files == [".datom/manifest.json", ".datom/project.yaml", ".gitignore", "README.md"]
        assert git(remote, "log", "--format=%s|%an <%ae>").strip() == (
            "Initialize datom repository|Test Author <test@example.org>"
        )
        assert git(remote, "symbolic-ref", "HEAD").strip() == "refs/heads/main"
        assert len(project.reader.list()) == 0
        assert project.status().level

    def test_repr_shows_what_the_r_connection_shows(self, project: dc.Project, store: dc.ObjectStore) -> None:
        text = repr(project)
        for part in ("STUDY_001", store.location.backend, store.location.root, store.location.prefix, "governance"):
            assert part in text

    def test_open_needs_the_remote_alone(self, project: dc.Project, store: dc.ObjectStore, remote: Path) -> None:
        again = dc.Project.open(store, remote=remote)
        assert (again.name, again.schema, again.branch) == (project.name, project.schema, "main")

    def test_init_twice(self, project: dc.Project, store: dc.ObjectStore, remote: Path) -> None:
        with pytest.raises(dc.AlreadyExistsError, match="holds the project 'STUDY_001'"):
            dc.Project.init("STUDY_001", store, remote=remote)
        assert commits(remote) == 1

    def test_init_in_a_taken_namespace(self, project: dc.Project, store: dc.ObjectStore, tmp_path: Path) -> None:
        with pytest.raises(dc.AlreadyExistsError, match="holds the project 'STUDY_001'"):
            dc.Project.init("STUDY_002", store, remote=tmp_path / "other.git")

    def test_a_new_remote_may_be_there_and_empty(self, store: dc.ObjectStore, tmp_path: Path) -> None:
        subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=trunk", tmp_path / "e.git"], check=True)
        project = dc.Project.init("S", store, remote=f"file://{tmp_path}/e.git")
        # R clones what HEAD names, so that is where the project must be.
        assert project.branch == "trunk"
        assert project.write("dm", pd.DataFrame({"x": [1]})).action == "created"


class TestWriting:
    def test_first_version(self, project: dc.Project, dm: Frame, remote: Path) -> None:
        result = project.write("dm", dm(3), message="DM extract through 2026-02-28")
        assert (result.table, result.action, result.rows) == ("dm", "created", 3)
        assert result.data_sha == dc.hash_table(dm(3)).data_sha
        assert result.commit_sha == git(remote, "rev-parse", "HEAD").strip()
        entry = project.reader.history("dm")[0]
        assert (entry.version, entry.message, entry.commit_sha) == (
            result.version,
            "DM extract through 2026-02-28",
            result.commit_sha,
        )
        pd.testing.assert_frame_equal(project.reader.read("dm"), dm(3), check_dtype=False)

    def test_the_same_again_changes_nothing(
        self, project: dc.Project, dm: Frame, remote: Path, store: dc.ObjectStore
    ) -> None:
        first = project.write("dm", dm(3))
        before = objects(store)
        again = project.write("dm", dm(3), message="another message")
        assert (again.action, again.commit_sha, again.version) == ("unchanged", None, first.version)
        assert again.bytes == first.bytes
        assert commits(remote) == 2
        assert objects(store) == before

    def test_who_made_a_version_current_again_and_why(self, project: dc.Project, dm: Frame) -> None:
        a = project.write("dm", dm(3), message="first", author="Ann <ann@example.org>")
        project.write("dm", dm(4), message="second", author="Bob <bob@example.org>")
        again = project.write("dm", dm(3), message="second was wrong", author="Cem <cem@example.org>")
        who = ("Cem <cem@example.org>", "second was wrong")
        assert (str(again.recording.author), again.recording.message) == who
        current = project.reader.resolve("dm")
        assert (current.version, str(current.author), current.message) == (a.version, "Ann <ann@example.org>", "first")
        assert current.latest == again.recording
        assert current.latest.recorded_at == current.reinstated_at[0]
        unchanged = project.write("dm", dm(3))
        assert unchanged.recording == again.recording
        assert project.reader.resolve("dm", unchanged.version).commit_sha == a.commit_sha

    def test_versions_are_compared_by_shape(self, project: dc.Project, dm: Frame) -> None:
        first = project.write("dm", dm(3))
        project.write("dm", dm(5).assign(NEW=1).drop(columns="AGE"))
        change = project.reader.compare("dm", first.version)
        assert change == dc.Change(first.version, 2, ("NEW",), ("AGE",))
        assert project.reader.compare("dm", project.reader.resolve("dm"), first.version[:9]).rows == -2

    def test_versions_are_compared_row_by_row(self, project: dc.Project, dm: Frame) -> None:
        first = project.write("dm", dm(4))
        project.write("dm", dm(5).iloc[1:].reset_index(drop=True).replace({"AGE": {42: 24}}))
        found = project.reader.diff("dm", first.version[:9], key="USUBJID")
        assert str(found) == "1 row added, 1 removed, 1 changed by USUBJID"
        assert found.changed_rows == (dc.ChangedRow(("01-003",), (dc.CellChange("AGE", "42", "24"),)),)
        back = project.reader.diff("dm", project.reader.resolve("dm"), first.version)
        assert (back.added, back.removed, back.changed) == (2, 2, None)

    def test_libraries_and_types_of_one_family_are_one_content(self, project: dc.Project, dm: Frame) -> None:
        project.write("dm", dm(3))
        assert project.write("dm", pa.Table.from_pandas(dm(3))).action == "unchanged"
        assert project.write("dm", pl.from_pandas(dm(3))).action == "unchanged"
        assert project.write("dm", dm(3).astype({"AGE": "float64", "SEX": "category"})).action == "unchanged"

    def test_a_changed_frame_is_a_new_version_and_the_old_one_stays(self, project: dc.Project, dm: Frame) -> None:
        old = project.write("dm", dm(3))
        new = project.write("dm", dm(4))
        assert [v.version for v in project.reader.history("dm")] == [new.version, old.version]
        assert len(project.reader.read("dm", version=old.version)) == 3
        assert len(project.reader.read("dm")) == 4
        assert (new.change.previous, new.change.rows, str(new.change)) == (old.version, 1, "+1 row")

    def test_metadata_alone(self, project: dc.Project, dm: Frame, store: dc.ObjectStore) -> None:
        first = project.write("dm", dm(3))
        payloads = {k: v for k, v in objects(store).items() if k.endswith(".parquet")}
        second = project.write("dm", dm(3), custom={"source": "EDC"})
        assert (second.action, second.data_sha) == ("metadata_only", first.data_sha)
        assert second.version != first.version
        assert {k: v for k, v in objects(store).items() if k.endswith(".parquet")} == payloads
        assert project.write("dm", dm(3), custom={"source": "EDC"}).action == "unchanged"
        assert dict(project.reader.metadata("dm").custom) == {"source": "EDC"}
        assert dict(project.reader.metadata("dm", first.version).custom) == {}

    def test_a_revert_makes_the_old_version_current_again(self, project: dc.Project, dm: Frame) -> None:
        a, b, again = project.write("dm", dm(3)), project.write("dm", dm(4)), project.write("dm", dm(3))
        assert (again.action, again.version, again.commit_sha is not None) == ("created", a.version, True)
        history = project.reader.history("dm")
        assert [v.version for v in history] == [b.version, a.version]
        assert len(history[1].reinstated_at) == 1
        assert history[0].reinstated_at == ()
        assert len(project.reader.read("dm")) == 3
        assert project.write("dm", dm(3)).action == "unchanged"
        assert project.write("dm", dm(4)).version == b.version

    def test_a_revert_between_versions_that_share_their_data(self, project: dc.Project, dm: Frame) -> None:
        plain = project.write("dm", dm(3))
        tagged = project.write("dm", dm(3), custom={"a": 1})
        project.write("dm", dm(4))
        back = project.write("dm", dm(3), custom={"a": 1})
        assert back.version == tagged.version
        assert project.reader.resolve("dm").version == tagged.version
        assert project.write("dm", dm(3)).version == plain.version
        assert project.reader.resolve("dm").version == plain.version

    def test_two_tables_of_equal_content(self, project: dc.Project, dm: Frame) -> None:
        one, other = project.write("dm", dm(3)), project.write("suppdm", dm(3))
        assert one.version == other.version
        assert project.reader.history("dm")[0].commit_sha == one.commit_sha
        assert project.reader.history("suppdm")[0].commit_sha == other.commit_sha

    def test_labels_stay_with_the_columns(self, project: dc.Project) -> None:
        field = pa.field("AGE", pa.int64(), metadata={"label": "Age"})
        project.write("dm", pa.table([pa.array([1])], schema=pa.schema([field])))
        assert project.reader.read_arrow("dm").schema.field("AGE").metadata[b"label"] == b"Age"

    def test_snapshots_are_the_metadata_of_their_version(self, project: dc.Project, dm: Frame) -> None:
        results = [project.write("dm", dm(n)) for n in (2, 3, 4)]
        for n, result in zip((2, 3, 4), results, strict=True):
            metadata = project.reader.metadata("dm", result.version)
            assert (metadata.rows, metadata.data_sha, metadata.version()) == (n, result.data_sha, result.version)


class TestMessagesAndAuthors:
    def test_default_message(self, project: dc.Project, dm: Frame, remote: Path) -> None:
        project.write("dm", dm(3))
        assert git(remote, "log", "-1", "--format=%s").strip() == "Update dm"

    def test_lines_and_scripts_survive(self, project: dc.Project, dm: Frame, remote: Path) -> None:
        message = "Zweite Lieferung — 第二\n\n  indented\n# not a comment\n"
        project.write("dm", dm(3), message=message)
        assert project.reader.history("dm")[0].message == message
        assert git(remote, "log", "-1", "--format=%B").rstrip("\n") == message.rstrip("\n")

    def test_trailers_are_for_the_commit_alone(self, project: dc.Project, dm: Frame, remote: Path) -> None:
        project.write("dm", dm(3), message="why", trailers={"Dagster-Run": "abc", "Dagster-Job": "cut"})
        assert project.reader.history("dm")[0].message == "why"
        trailers = git(remote, "log", "-1", "--format=%(trailers:unfold)").strip().splitlines()
        assert trailers == ["Dagster-Run: abc", "Dagster-Job: cut"]

    def test_author_by_argument_then_configuration(
        self, project: dc.Project, dm: Frame, store: dc.ObjectStore, remote: Path
    ) -> None:
        project.write("dm", dm(3))
        project.write("dm", dm(4), author="Ada Lovelace <ada@example.org>")
        other = dc.Project.open(store, remote=remote, author=dc.Author("Grace", "grace@example.org"))
        other.write("dm", dm(5))
        names = [str(v.author) for v in project.reader.history("dm")]
        assert names == [
            "Grace <grace@example.org>",
            "Ada Lovelace <ada@example.org>",
            "Test Author <test@example.org>",
        ]
        assert git(remote, "log", "-1", "--format=%an <%ae>").strip() == "Grace <grace@example.org>"

    def test_author_without_any_configuration(
        self, store: dc.ObjectStore, tmp_path: Path, dm: Frame, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
        project = dc.Project.init("S", store, remote=tmp_path / "s.git")
        project.write("dm", dm(3))
        assert str(project.reader.history("dm")[0].author) == "datom <datom@noreply>"


class TestCuts:
    def test_one_commit_and_a_version_per_table(self, project: dc.Project, dm: Frame, remote: Path) -> None:
        project.write("dm", dm(3))
        before = commits(remote)
        result = project.cut("2026-02-28", {"dm": dm(3), "ex": dm(4), "lb": dm(5)}, message="February")
        assert commits(remote) == before + 1
        assert {t: r.action for t, r in result.items()} == {"dm": "unchanged", "ex": "created", "lb": "created"}
        assert {r.commit_sha for r in result.values()} == {result.commit_sha} != {None}
        cut = project.reader.cuts()["2026-02-28"]
        assert dict(cut) == {t: r.version for t, r in result.items()}
        assert cut.recordings["dm"][0].message == "February"

    def test_repeating_a_cut_is_nothing(self, project: dc.Project, dm: Frame, remote: Path) -> None:
        project.cut("c", {"dm": dm(3), "ex": dm(4)})
        before = commits(remote)
        again = project.cut("c", {"dm": dm(3), "ex": dm(4)})
        assert (again.commit_sha, commits(remote)) == (None, before)

    def test_a_cut_of_unchanged_data_is_a_commit_without_payload(
        self, project: dc.Project, dm: Frame, store: dc.ObjectStore
    ) -> None:
        project.write("dm", dm(3))
        before = objects(store)
        result = project.write("dm", dm(3), cut="lock")
        assert (result.action, result.cut, result.commit_sha is not None) == ("unchanged", "lock", True)
        after = objects(store)
        assert {k for k in after if after[k] != before.get(k)} == {
            ".metadata/cuts.json",
            ".metadata/line.json",
            ".metadata/manifest.json",
        }

    def test_delivering_an_old_cut_once_more_does_not_go_back_to_it(
        self, project: dc.Project, dm: Frame, remote: Path
    ) -> None:
        old = project.write("dm", dm(3), cut="february")
        project.write("dm", dm(5), cut="march")
        before = commits(remote)
        again = project.write("dm", dm(3), cut="february")
        assert (again.action, again.version, again.commit_sha) == ("unchanged", old.version, None)
        assert commits(remote) == before
        assert len(project.reader.read("dm")) == 5

    def test_a_cut_may_be_recorded_of_versions_that_exist(self, project: dc.Project, dm: Frame, remote: Path) -> None:
        old = project.write("dm", dm(3))
        new = project.write("dm", dm(5), custom={"kept": True})
        ex = project.write("ex", dm(2))
        assert project.record_cut("lock", ["dm", "ex"]) is not None
        assert dict(project.reader.cuts()["lock"]) == {"dm": new.version, "ex": ex.version}
        commit = project.record_cut("dry-run", {"dm": old.version[:8], "ex": None}, message="for the board")
        assert commit == git(remote, "rev-parse", "HEAD").strip()
        assert dict(project.reader.cuts()["dry-run"]) == {"dm": old.version, "ex": ex.version}
        assert project.reader.resolve("dm").version == new.version
        assert project.record_cut("dry-run", {"dm": old.version}) is None
        with pytest.raises(dc.NotFoundError, match="no table 'lb'"):
            project.record_cut("dry-run", {"lb": None, "dm": new.version})
        assert project.status().level

    def test_table_by_table_is_the_same_cut(self, project: dc.Project, dm: Frame) -> None:
        one = project.write("dm", dm(3), cut="c")
        two = project.write("ex", dm(4), cut="c")
        assert dict(project.reader.cuts()["c"]) == {"dm": one.version, "ex": two.version}

    def test_a_later_cut_leaves_the_earlier_one(self, project: dc.Project, dm: Frame) -> None:
        for n in (3, 4, 5):
            project.write("dm", dm(n), cut=f"cut-{n}")
        assert list(project.reader.cuts()) == ["cut-3", "cut-4", "cut-5"]
        assert [len(project.reader.read("dm", cut=f"cut-{n}")) for n in (3, 4, 5)] == [3, 4, 5]

    def test_a_cut_delivered_again_moves_and_keeps_the_old_version(self, project: dc.Project, dm: Frame) -> None:
        old = project.write("dm", dm(3), cut="c", message="first")
        new = project.write("dm", dm(4), cut="c", message="corrected")
        recordings = project.reader.cuts()["c"].recordings["dm"]
        assert [(r.version, r.message) for r in recordings] == [(new.version, "corrected"), (old.version, "first")]
        assert len(project.reader.read("dm", cut="c")) == 4
        assert len(project.reader.read("dm", old.version)) == 3

    def test_what_a_cut_stood_for_on_a_day(self, project: dc.Project, dm: Frame) -> None:
        project.write("dm", dm(2))
        project.write("dm", dm(3), cut="c")
        project.write("dm", dm(4), cut="c")
        now, then = (r.recorded_at for r in project.reader.cuts()["c"].recordings["dm"])
        assert len(project.reader.read("dm", cut="c", as_of=then)) == 3
        assert len(project.reader.read("dm", cut="c", as_of=now)) == 4
        with pytest.raises(dc.NotFoundError, match=rf"held no dm as of 2020-01-01.*first recorded at {then}"):
            project.reader.read("dm", cut="c", as_of="2020-01-01")

    def test_an_old_cut_written_late_does_not_lose_the_new_one(self, project: dc.Project, dm: Frame) -> None:
        project.write("dm", dm(5), cut="march")
        project.write("dm", dm(3), cut="february")
        assert len(project.reader.read("dm", cut="march")) == 5
        assert len(project.reader.read("dm", cut="february")) == 3

    def test_one_bad_table_refuses_the_whole_cut(self, project: dc.Project, dm: Frame, remote: Path) -> None:
        with pytest.raises(dc.UnsupportedColumnsError, match="ex"):
            project.cut("c", {"dm": dm(3), "ex": pd.DataFrame({"x": [[1]]})})
        assert commits(remote) == 1
        assert len(project.reader.list()) == 0


class TestWritingSeveral:
    def test_one_commit_without_a_cut(self, project: dc.Project, dm: Frame, remote: Path) -> None:
        project.write("dm", dm(3))
        before = commits(remote)
        results = project.write_all({"dm": dm(3), "ex": dm(4), "lb": dm(5)}, custom={"ex": {"from": "EDC"}})
        assert commits(remote) == before + 1
        assert {t: r.action for t, r in results.items()} == {"dm": "unchanged", "ex": "created", "lb": "created"}
        assert git(remote, "log", "-1", "--format=%s").strip() == "Update dm, ex, lb"
        assert not project.reader.cuts()
        assert project.write_all({"dm": dm(3)})["dm"].commit_sha is None

    def test_all_or_none(self, project: dc.Project, dm: Frame, remote: Path) -> None:
        with pytest.raises(dc.UnsupportedColumnsError, match="ex"):
            project.write_all({"dm": dm(3), "ex": pd.DataFrame({"x": [[1]]})})
        with pytest.raises(dc.InvalidInputError, match=r"not to be written: \['lb'\]"):
            project.write_all({"dm": dm(3)}, custom={"lb": {}})
        with pytest.raises(dc.InvalidInputError, match="at least one table"):
            project.write_all({})
        assert commits(remote) == 1


class TestReading:
    def test_prefix_of_a_version(self, project: dc.Project, dm: Frame) -> None:
        version = project.write("dm", dm(3)).version
        assert len(project.reader.read("dm", version=version[:6])) == 3
        assert len(project.reader.read("dm", version=version[:1])) == 3

    def test_as_of_across_reverts(self, project: dc.Project, dm: Frame, clock: Clock) -> None:
        moments = []
        for n in (3, 4, 3, 5):
            project.write("dm", dm(n))
            moments.append((clock.now, n))
        for moment, n in moments:
            assert len(project.reader.read("dm", as_of=moment)) == n, moment
            assert len(project.reader.read("dm", as_of=moment.isoformat())) == n

    def test_as_of_a_date_is_its_end(self, project: dc.Project, dm: Frame, clock: Clock) -> None:
        clock.now = datetime(2026, 2, 27, 23, 50, tzinfo=UTC)
        project.write("dm", dm(3))
        clock.now = datetime(2026, 2, 28, 23, 50, tzinfo=UTC)
        project.write("dm", dm(4))
        reader = project.reader
        assert [len(reader.read("dm", as_of=d)) for d in ("2026-02-27", "2026-02-28", date(2026, 3, 1))] == [3, 4, 4]
        assert len(reader.read("dm", as_of=datetime(2026, 2, 28, 12, 0))) == 3  # noqa: DTZ001 - naive means UTC
        assert len(reader.read("dm", as_of="2026-02-28T03:00:00+02:00")) == 3
        with pytest.raises(dc.NotFoundError, match="2026-02-26"):
            reader.read("dm", as_of="2026-02-26")

    def test_as_of_does_not_trust_clocks(self, project: dc.Project, dm: Frame, clock: Clock) -> None:
        project.write("dm", dm(3))
        clock.now = datetime(2025, 1, 1, tzinfo=UTC)  # the next writer's clock is a year behind
        project.write("dm", dm(4))
        assert len(project.reader.read("dm", as_of="2026-12-31")) == 4

    def test_selected_columns_in_the_order_asked_for(self, project: dc.Project, dm: Frame) -> None:
        project.write("dm", dm(3))
        assert list(project.reader.read("dm", columns=["SEX", "USUBJID"])) == ["SEX", "USUBJID"]
        assert project.reader.read_arrow("dm", columns=["AGE"]).column_names == ["AGE"]

    def test_text_as_categories_is_the_same_content(self, project: dc.Project, dm: Frame) -> None:
        written = project.write("dm", dm(3).assign(SEX=["F", None, "F"]))
        frame = project.reader.read("dm", categories=True)
        assert (frame["SEX"].dtype, frame["AGE"].dtype) == ("category", pd.Int64Dtype())
        table = project.reader.read_arrow("dm", columns=["SEX"], dictionaries=True)
        assert pa.types.is_dictionary(table["SEX"].type)
        assert table["SEX"].to_pylist() == ["F", None, "F"]
        for again in (frame, project.reader.read_arrow("dm", dictionaries=True)):
            assert project.write("dm", again).action == "unchanged"
        assert dc.hash_table(frame).data_sha == written.data_sha

    def test_missing_values_stay_apart_in_arrow(self, project: dc.Project) -> None:
        table = pa.table({"x": pa.array([1.0, None, float("nan")])})
        project.write("t", table)
        found = project.reader.read_arrow("t")["x"]
        assert (found.null_count, str(found[2].as_py())) == (1, "nan")

    def test_integers_with_missing_values_stay_integers(self, project: dc.Project) -> None:
        project.write("t", pa.table({"x": pa.array([2**53 + 1, None])}))
        frame = project.reader.read("t")
        assert frame["x"].dtype == pd.Int64Dtype()
        assert frame["x"][0] == 2**53 + 1

    def test_list_by_pattern(self, project: dc.Project, dm: Frame) -> None:
        for name in ("dm", "adsl", "adlb"):
            project.write(name, dm(2))
        assert [t.name for t in project.reader.list("ad*")] == ["adsl", "adlb"]

    def test_records_print_as_tables_and_convert(self, project: dc.Project, dm: Frame) -> None:
        project.write("dm", dm(3), message="first\nsecond line")
        text = repr(project.reader.history("dm"))
        assert "first" in text
        assert "second line" not in text
        frame = project.reader.history("dm").to_pandas()
        assert frame["message"][0] == "first\nsecond line"
        assert "dm" in project.reader.list()._repr_html_()
        assert repr(project.reader.list("nope*")) == "(no rows)"
        for thing in (project.reader, project.reader.summary(), project.status(), project.reader.cuts()):
            assert repr(thing)


class TestLineage:
    def test_parents_and_sources(self, project: dc.Project, dm: Frame) -> None:
        project.write("dm", dm(3))
        version = project.write("dm", dm(4)).version
        project.write("lb", dm(2))
        parents = [project.parent("dm", version[:8]), project.parent("lb")]
        project.write("adsl", dm(4), parents=parents)
        assert project.reader.parents("adsl") == tuple(parents)
        assert project.reader.lineage("adsl") == ()
        assert project.reader.parents("dm") is None
        assert project.reader.lineage("dm") is None
        assert project.write("adsl", dm(4), parents=parents).action == "unchanged"

    def test_new_parents_are_a_new_version(self, project: dc.Project, dm: Frame) -> None:
        project.write("dm", dm(3))
        first = project.write("adsl", dm(1), parents=[project.parent("dm")])
        project.write("dm", dm(4))
        second = project.write("adsl", dm(1), parents=[project.parent("dm")])
        assert second.action == "metadata_only"
        assert project.reader.parents("adsl", first.version) != project.reader.parents("adsl")

    def test_sources_behind_parents_are_handed_on(self, project: dc.Project, dm: Frame) -> None:
        source = {"project": "EDC_1", "table": "dm", "version_sha": "a" * 64}
        outside = {"source": "EDC_1", "table": "dm", "version": "b" * 64, "data_sha": "a" * 64}
        project.write("dm", dm(3), parents=[{**outside, "source_lineage": [source]}])
        project.write("adsl", dm(3), parents=[project.parent("dm")])
        assert [s.project for s in project.reader.lineage("adsl") or ()] == ["EDC_1"]

    def test_an_imported_table_is_the_source_of_lineage(self, project: dc.Project, dm: Frame) -> None:
        imported = project.write("dm", dm(3), table_type="imported")
        source = dc.Source("STUDY_001", "dm", imported.data_sha)
        assert project.reader.lineage("dm") == (source,)
        project.write("adsl", dm(3), parents=[project.parent("dm")])
        project.write("adlb", dm(2), parents=[project.parent("adsl")])
        assert project.reader.lineage("adlb") == (source,)
        assert project.write("dm", dm(3), table_type="imported").action == "unchanged"
        with pytest.raises(dc.InvalidInputError, match="source of lineage"):
            project.write("dm", dm(3), table_type="imported", parents=[project.parent("adsl")])


class TestRepair:
    """Nothing changed, but something is missing: it is put back, and the result says so."""

    @pytest.mark.parametrize(
        "key",
        [
            "dm/{data_sha}.parquet",
            "dm/.metadata/{version}.json",
            "dm/.metadata/version_history.json",
            "dm/.metadata/metadata.json",
            ".metadata/manifest.json",
            ".metadata/cuts.json",
        ],
    )
    def test_a_missing_object(
        self, project: dc.Project, dm: Frame, store: dc.ObjectStore, remote: Path, key: str
    ) -> None:
        project.write("ex", dm(2))
        result = project.write("dm", dm(3), cut="c")
        before, head = objects(store), commits(remote)
        store.delete(key.format(version=result.version, data_sha=result.data_sha))
        again = project.write("dm", dm(3), cut="c")
        assert (again.action, again.version) == ("repaired", result.version)
        assert objects(store) == before
        assert commits(remote) == head
        assert project.write("dm", dm(3), cut="c").action == "unchanged"

    @pytest.mark.parametrize("key", ["dm/.metadata/metadata.json", ".metadata/manifest.json"])
    def test_a_damaged_document(self, project: dc.Project, dm: Frame, store: dc.ObjectStore, key: str) -> None:
        project.write("dm", dm(3))
        before = objects(store)
        stored = store.get(key)
        store.replace(key, stored.data[: len(stored.data) // 2], stored.etag)
        assert project.write("dm", dm(3)).action == "repaired"
        assert objects(store) == before

    def test_a_payload_of_an_old_version_comes_back_with_a_revert(
        self, project: dc.Project, dm: Frame, store: dc.ObjectStore
    ) -> None:
        old = project.write("dm", dm(3))
        project.write("dm", dm(4))
        store.delete(f"dm/{old.data_sha}.parquet")
        with pytest.raises(dc.NotFoundError, match="Writing the same data again puts it back"):
            project.reader.read("dm", old.version)
        assert project.write("dm", dm(3)).action == "created"
        assert len(project.reader.read("dm", old.version)) == 3

    def test_a_payload_that_comes_back_with_other_bytes_is_recorded_anew(
        self, project: dc.Project, dm: Frame, store: dc.ObjectStore, remote: Path
    ) -> None:
        first = project.write("dm", dm(3))
        tagged = project.write("dm", dm(3), custom={"a": 1})
        store.delete(f"dm/{first.data_sha}.parquet")
        # Equal content, other bytes: a category is stored as a dictionary.
        again = project.write("dm", dm(3).astype({"SEX": "category"}), custom={"a": 1})
        assert (again.action, again.version, again.commit_sha is not None) == ("repaired", tagged.version, True)
        assert "written anew" in git(remote, "log", "-1", "--format=%s")
        for version in (first.version, tagged.version, None):
            assert len(project.reader.read("dm", version)) == 3
        pins = {project.reader.metadata("dm", v).payload_sha for v in (first.version, tagged.version)}
        assert pins == {project.reader.metadata("dm").payload_sha}
        assert project.mirror().written == ()

    def test_a_payload_that_is_there_already_is_used_as_it_is(
        self, project: dc.Project, dm: Frame, store: dc.ObjectStore
    ) -> None:
        data_sha = dc.hash_table(dm(3)).data_sha
        other = dc.Project.init("OTHER", dc.MemoryStore(), remote=Path(project.remote).with_name("o.git"))
        other.write("dm", dm(3).astype({"SEX": "category"}))
        bytes_there = other.store.get(f"dm/{data_sha}.parquet").data
        store.create(f"dm/{data_sha}.parquet", bytes_there)
        assert project.write("dm", dm(3)).action == "created"
        assert store.get(f"dm/{data_sha}.parquet").data == bytes_there
        assert len(project.reader.read("dm")) == 3

    def test_a_stranger_under_a_payloads_key_is_refused(
        self, project: dc.Project, dm: Frame, store: dc.ObjectStore, remote: Path
    ) -> None:
        key = f"dm/{dc.hash_table(dm(3)).data_sha}.parquet"
        store.create(key, b"<html>not a table</html>")
        with pytest.raises(dc.IntegrityError, match="remove it"):
            project.write("dm", dm(3))
        assert commits(remote) == 1

    def test_mirror_rebuilds_all_but_payloads(self, project: dc.Project, dm: Frame, store: dc.ObjectStore) -> None:
        for n in (2, 3, 2, 4):
            project.write("dm", dm(n), cut=f"c{n}")
        project.write("ex", dm(2))
        before = objects(store)
        for key in before:
            if not key.endswith(".parquet"):
                store.delete(key)
        report = project.mirror()
        assert set(report.written) == {k for k in before if not k.endswith(".parquet")}
        assert objects(store) == before
        assert project.mirror().written == ()
        assert project.status().level

    def test_a_store_that_holds_nothing_of_the_project(
        self, project: dc.Project, dm: Frame, store: dc.ObjectStore, remote: Path
    ) -> None:
        project.write("dm", dm(3))
        head = git(remote, "rev-parse", "HEAD")
        for found in list(store.list()):
            store.delete(found.key)
        with pytest.raises(dc.NotFoundError, match="holds nothing of STUDY_001, which has 1 tables"):
            project.write("dm", dm(4))
        assert list(store.list()) == []
        assert git(remote, "rev-parse", "HEAD") == head
        project.mirror()
        assert project.write("dm", dm(3)).action == "repaired"

    @pytest.mark.parametrize("left", [b"", b"{}", b"[]", b"[{}]"])
    @pytest.mark.parametrize("document", ["version_history", "snapshot"])
    def test_an_emptied_document_is_no_unchanged_write(
        self, project: dc.Project, dm: Frame, store: dc.ObjectStore, document: str, left: bytes
    ) -> None:
        version = project.write("dm", dm(3)).version
        key = f"dm/.metadata/{version if document == 'snapshot' else document}.json"
        store.delete(key)
        store.create(key, left)
        assert project.write("dm", dm(3)).action == "repaired"
        assert project.reader.history("dm")[0].version == version
        assert project.reader.metadata("dm", version).rows == 3

    def test_status_says_what_lags(self, project: dc.Project, dm: Frame, store: dc.ObjectStore) -> None:
        result = project.write("dm", dm(3))
        project.write("ex", dm(3))
        store.delete("ex/.metadata/metadata.json")
        store.delete(f"dm/{result.data_sha}.parquet")
        status = project.status()
        assert (status.behind, status.waiting, status.level) == (("ex",), ("dm",), False)


class TestValidation:
    """The kinds of damage are in tests/faults/test_validate.py; here, every store tells them alike."""

    def test_what_is_told_and_what_is_put_right(
        self, project: dc.Project, dm: Frame, store: dc.ObjectStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("datom_core.maintenance.validation._PAUSES", (0.0,))
        old, new = project.write("dm", dm(2), cut="first"), project.write("dm", dm(3), cut="first")
        before = objects(store)
        for level in ("quick", "deep", "full"):
            assert project.validate(level).objects == len(before)  # type: ignore[arg-type]
        lost, altered = f"dm/{old.data_sha}.parquet", f"dm/{new.data_sha}.parquet"
        snapshot = f"dm/.metadata/{old.version}.json"
        store.delete(lost)
        store.replace(altered, b"x" * store.head(altered).size, store.get(altered).etag)  # type: ignore[union-attr]
        stored = store.get(snapshot)
        store.replace(snapshot, b"{", stored.etag)
        store.delete(".metadata/cuts.json")
        store.create("dm/notes.txt", b"")
        with pytest.raises(
            dc.IntegrityError, match=r"dm@.*: dm/.*parquet is missing: restore it from a backup"
        ) as told:
            project.validate("full", fix=True)
        report = told.value.report
        assert {(p.kind, p.key) for p in report.problems} == {("lost", lost), ("altered", altered)}
        assert {(p.kind, p.key) for p in report.fixed} == {("damaged", snapshot), ("missing", ".metadata/cuts.json")}
        assert report.strangers == ("dm/notes.txt",)
        after = objects(store)
        assert {k: v for k, v in before.items() if k not in (lost, altered)} == {
            k: v for k, v in after.items() if k not in (altered, "dm/notes.txt")
        }


class TestMoving:
    @pytest.mark.parametrize("pair", [("local", 1), ("local with prefix", 2)], indirect=True)
    def test_relocate_records_the_new_place(self, project: dc.Project, dm: Frame, remote: Path, tmp_path: Path) -> None:
        project.write("dm", dm(3))
        root = Path(project.store.location.root)
        root.rename(tmp_path / "moved")
        new = dc.LocalStore(tmp_path / "moved", project.store.location.prefix)
        with pytest.raises(dc.InvalidInputError) as caught:
            dc.Project.open(new, remote=remote)
        assert str(root) in str(caught.value)
        assert str(tmp_path / "moved") in str(caught.value)
        moved = dc.Project.open(new, remote=remote, relocate=True)
        assert moved.write("dm", dm(3)).action == "unchanged"
        assert len(dc.Project.open(new, remote=remote).reader.read("dm")) == 3
        root.mkdir()
        with pytest.raises(dc.ConflictError, match=str(tmp_path / "moved")):
            project.write("dm", dm(4))

    def test_relocate_to_a_place_without_the_project(self, project: dc.Project, remote: Path, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        with pytest.raises(dc.NotFoundError, match="no datom project"):
            dc.Project.open(dc.LocalStore(tmp_path / "empty"), remote=remote, relocate=True)
        assert commits(remote) == 1


def test_unknown_fields_survive_where_the_format_leaves_room(
    project: dc.Project, dm: Frame, remote: Path, tmp_path: Path, store: dc.ObjectStore
) -> None:
    project.write("dm", dm(3), cut="c")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", remote, clone], check=True)
    history = json.loads((clone / "dm/version_history.json").read_text())
    history[0]["reviewed_by"] = {"name": "R colleague", "weight": 0.123456789}
    (clone / "dm/version_history.json").write_text(json.dumps(history))
    with (clone / ".datom/project.yaml").open("a") as file:
        file.write("site_codes: [1, 2]\n")
    cuts = json.loads((clone / ".datom/cuts.json").read_text())
    cuts["cuts"]["c"]["locked"] = True
    (clone / ".datom/cuts.json").write_text(json.dumps(cuts))
    subprocess.run(["git", "-C", clone, "commit", "-qam", "by hand"], check=True)
    subprocess.run(["git", "-C", clone, "push", "-q"], check=True)

    project.write("dm", dm(4), cut="c")
    project.upgrade()
    at = json.loads(git(remote, "show", "HEAD:dm/version_history.json"))
    assert at[1]["reviewed_by"] == {"name": "R colleague", "weight": 0.123456789}
    assert json.loads(store.get("dm/.metadata/version_history.json").data)[1]["reviewed_by"]["name"] == "R colleague"
    assert "site_codes" in git(remote, "show", "HEAD:.datom/project.yaml")
    assert json.loads(git(remote, "show", "HEAD:.datom/cuts.json"))["cuts"]["c"]["locked"] is True


@pytest.mark.parametrize("pair", [("local with prefix", 1), ("s3 with prefix", 1)], indirect=True)
def test_a_prefix_is_kept_as_it_was_recorded(
    project: dc.Project, dm: Frame, remote: Path, tmp_path: Path, store: dc.ObjectStore
) -> None:
    """R writes it down as it was given, and compares the text."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", remote, clone], check=True)
    file = clone / ".datom/project.yaml"
    file.write_text(file.read_text().replace("prefix: teams/onc\n", "prefix: teams/onc/\n"))
    subprocess.run(["git", "-C", clone, "commit", "-qam", "as R writes it"], check=True)
    subprocess.run(["git", "-C", clone, "push", "-q"], check=True)

    again = dc.Project.open(store, remote=remote)
    again.write("dm", dm(3))
    again.upgrade()
    assert "prefix: teams/onc/\n" in git(remote, "show", "HEAD:.datom/project.yaml")


def test_results_and_errors_cross_process_boundaries(project: dc.Project, dm: Frame) -> None:
    result = project.write("dm", dm(3))
    assert pickle.loads(pickle.dumps(result)) == result
    error = dc.NotFoundError("gone", table="dm")
    copy: Any = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.table, type(copy)) == ("gone", "dm", dc.NotFoundError)
    with pytest.raises(dc.UnsupportedColumnsError) as caught:
        dc.hash_table(pd.DataFrame({"x": [[1]]}))
    assert pickle.loads(pickle.dumps(caught.value)).columns == ("x",)
