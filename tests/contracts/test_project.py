"""What a project promises: how it begins, what a write makes, over every store and both schemas."""

from __future__ import annotations

import json
import pickle
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import datom_core as dc
from tests.contracts.looking import Frame, commits, git, objects


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
        for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"):
            monkeypatch.delenv(name)
        project = dc.Project.init("S", store, remote=tmp_path / "s.git")
        project.write("dm", dm(3))
        assert str(project.reader.history("dm")[0].author) == "datom <datom@noreply>"


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
