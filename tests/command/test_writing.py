"""Verbs that create a project, record versions, and give them names."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import pandas as pd
import pytest

import datom_core as dc
from tests.command.conftest import Datom, Study

DM = "USUBJID,AGE\n01-001,41\n01-002,52\n"
LB = "USUBJID,LBSTRESN\n01-001,1.5\n"


@pytest.fixture
def project(study: Study) -> dc.Project:
    """What the command should see: the same project, opened in Python."""
    return dc.Project.open(study.store, remote=study.folder / "history.git")


def files(**texts: str) -> None:
    for name, text in texts.items():
        Path(f"{name}.csv").write_text(text)


class TestInit:
    def test_a_project_is_created_and_the_working_folder_knows_it(
        self, datom: Datom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        ran = datom("init", "STUDY 2 (a)", "--storage", "data", "--remote", "history.git", "--schema", "1", "--json")
        answer = ran.json()
        assert (ran.code, answer["project"], answer["schema"], answer["tables"]) == (0, "STUDY 2 (a)", 1, 0)
        assert Path("datom.toml").read_text() == (
            'project = "STUDY 2 (a)"\nremote = "history.git"\n\n[storage]\npath = "data"\n'
        )
        assert datom("list").code == 0
        before = Path("datom.toml").stat().st_mtime_ns
        # Again: what an interruption between the project and its file would need.
        assert datom("init", "STUDY 2 (a)", "--storage", "data", "--remote", "history.git", "--schema", "1").code == 0
        assert Path("datom.toml").stat().st_mtime_ns == before
        again = datom("init", "STUDY 2 (a)", "--storage", "data", "--remote", "history.git")
        assert (again.code, "holds the project" in again.err) == (2, True)

    def test_another_projects_file_stays_and_nothing_is_created(self, datom: Datom, study: Study) -> None:
        before = Path("datom.toml").read_text()
        ran = datom("init", "OTHER", "--storage", "other", "--remote", "other.git")
        assert (ran.code, ran.out) == (2, "")
        assert "describes the project STUDY_001, and stays as it is" in ran.err
        assert Path("datom.toml").read_text() == before
        assert not Path("other").exists()
        assert not Path("other.git").exists()

    @pytest.mark.parametrize(
        ("arguments", "code", "said"),
        [
            (["a/b", "--storage", "x", "--remote", "x.git"], 2, "a/b"),
            (["S", "--remote", "x.git"], 2, "--storage"),
            (["S", "--storage", "x"], 2, "--remote"),
            (["S", "--storage", "s3:/b", "--remote", "x.git"], 2, "s3://bucket/prefix"),
            (["S", "--storage", "s3://b", "--remote", "x.git"], 2, "none are named"),
            (["S", "--storage", "s3://b", "--profile", "p", "--ambient", "--remote", "x.git"], 2, "exclude each other"),
            (["S", "--storage", "x", "--region", "eu-west-1", "--remote", "x.git"], 2, "A folder has no region"),
            (["S", "--storage", "x", "--remote", "x.git", "--schema", "3"], 2, "schema is 1 or 2"),
            (["S", "--storage", "x", "--remote", "x.git", "--author", "Ada"], 2, "The author must look like"),
            (["S", "--storage", "x", "--remote", "x.git", "--token-env", "T"], 2, "A token is of no use"),
            (["S", "--storage", "x", "--remote", "x.git", "--file", "no/datom.toml"], 3, "There is no folder"),
            (["S", "--storage", "x", "--remote", "https://h/x", "--create-repo"], 2, "cannot be created from here"),
        ],
    )
    def test_mistakes_are_told_and_nothing_is_left(
        self,
        datom: Datom,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        arguments: list[str],
        code: int,
        said: str,
    ) -> None:
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        ran = datom("init", *arguments)
        assert (ran.code, ran.out) == (code, "")
        assert said in ran.err
        assert "Traceback" not in ran.err
        assert list(Path().iterdir()) == []


class TestUse:
    def test_a_project_that_is_there_is_looked_at_and_written_down(
        self, datom: Datom, in_shared_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        data = in_shared_study.folder / "data"
        answer = datom("use", data, "--remote", in_shared_study.folder / "history.git", "--json").json()
        assert (answer["project"], answer["tables"], answer["file"]) == ("STUDY_001", 2, str(tmp_path / "datom.toml"))
        assert dc.ProjectSettings.from_file("datom.toml").storage == dc.StorageSettings(path=str(data))
        Path("datom.toml").unlink()
        # A folder with a file of its own: all that it says, as seen from here.
        assert datom("use", in_shared_study.folder).code == 0
        found = dc.ProjectSettings.from_file("datom.toml")
        assert found.remote is not None
        assert (tmp_path / found.remote).resolve() == in_shared_study.folder / "history.git"
        assert not Path(found.remote).is_absolute()
        here = datom("use", "--json").json()
        assert (here["project"], here["tables"], here["file"]) == ("STUDY_001", None, str(tmp_path / "datom.toml"))
        assert str(data) in datom("use").out

    def test_what_is_not_there_or_another_projects_file_is_not_written(
        self, datom: Datom, in_shared_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("empty").mkdir()
        assert [datom("use", where).code for where in ("empty", "nowhere", "https://h/x")] == [3, 3, 2]
        assert datom("use", in_shared_study.folder / "data", "--remote", "empty").code != 0
        assert (datom("use").code, datom("use", "--remote", "x").code) == (3, 2)
        assert not Path("datom.toml").exists()
        Path("datom.toml").write_text('project = "OTHER"\n[storage]\npath = "x"\n')
        refused = datom("use", in_shared_study.folder)
        assert (refused.code, "describes the project OTHER" in refused.err) == (2, True)
        assert datom("use", in_shared_study.folder, "--replace").code == 0
        assert dc.ProjectSettings.from_file("datom.toml").project == "STUDY_001"


class TestWrite:
    def test_a_file_is_imported_with_its_hash(self, datom: Datom, project: dc.Project) -> None:
        files(dm=DM)
        ran = datom("write", "dm", "dm.csv", "-m", "Späte Daten", "--author", "Eli <eli@e.org>", "--json")
        (one,) = ran.json()["tables"]
        reader = project.reader
        entry, metadata = reader.history("dm")[0], reader.metadata("dm")
        assert (ran.code, one["action"], one["version"], one["rows"]) == (0, "created", entry.version, 2)
        assert (entry.message, str(entry.author)) == ("Späte Daten", "Eli <eli@e.org>")
        assert metadata.table_type == "imported"
        assert metadata.to_json().count(hashlib.sha256(DM.encode()).hexdigest().encode()) == 1
        again = datom("write", "dm", "dm.csv", "--json").json()
        assert (again["commit"], again["tables"][0]["action"]) == (None, "unchanged")

    def test_it_is_the_version_that_a_sync_makes_and_keeps_types_of_empty_columns(
        self, datom: Datom, project: dc.Project, tmp_path: Path
    ) -> None:
        files(dm=DM)
        assert datom("write", "dm", "dm.csv").code == 0
        files(dm="USUBJID,AGE\n01-001,\n")
        assert datom("write", "dm", "dm.csv").code == 0
        assert project.reader.read_arrow("dm").schema.field("AGE").type == "int64"
        drop = tmp_path / "drop"
        drop.mkdir()
        (drop / "dm.csv").write_bytes(Path("dm.csv").read_bytes())
        assert datom("sync", drop, "--json").json()["files"][0]["status"] == "unchanged"

    def test_several_in_one_commit_and_a_cut(self, datom: Datom, project: dc.Project) -> None:
        files(dm=DM, lb=LB)
        answer = datom(
            "write", "dm=dm.csv", "lb=lb.csv", "--cut", "2026-03", "--trailer", "Ticket=DM-7", "--json"
        ).json()
        assert [(t["table"], t["action"], t["cut"]) for t in answer["tables"]] == [
            ("dm", "created", "2026-03"),
            ("lb", "created", "2026-03"),
        ]
        assert {v.commit_sha for v in (project.reader.history(t)[0] for t in ("dm", "lb"))} == {answer["commit"]}
        assert dict(project.reader.cuts()["2026-03"]) == {t["table"]: t["version"] for t in answer["tables"]}

    def test_csv_from_a_pipe(self, datom: Datom, project: dc.Project, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LB.encode())))
        assert datom("write", "lb", "-").code == 0
        assert project.reader.read("lb")["LBSTRESN"].tolist() == [1.5]
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"A;B\n1;2\n")))
        assert datom("write", "semicolon=-", "--separator", ";").code == 0
        assert list(project.reader.read("semicolon").columns) == ["A", "B"]

    def test_derived_with_parents_and_metadata_of_ones_own(self, datom: Datom, project: dc.Project) -> None:
        files(adsl=DM)
        first = project.reader.history("dm")[-1].version
        ran = datom("write", "adsl", "adsl.csv", "--parent", "dm@2026-01", "--custom", "Program=adsl.sas", "--json")
        assert ran.code == 0
        metadata = project.reader.metadata("adsl")
        assert [(p.table, p.version) for p in metadata.parents or ()] == [("dm", first)]
        assert (metadata.table_type, dict(metadata.custom)) == ("derived", {"Program": "adsl.sas"})
        wrong = datom("write", "adsl", "adsl.csv", "--parent", "dm", "--type", "imported")
        assert (wrong.code, "has no parents" in wrong.err) == (2, True)

    def test_a_dry_run_says_what_would_be_and_changes_nothing(
        self, datom: Datom, project: dc.Project, study: Study
    ) -> None:
        files(dm=DM, lb=LB)
        before = {p: p.read_bytes() for p in study.folder.glob("data/**/*") if p.is_file()}, project.status().commit
        dry = datom("write", "dm=dm.csv", "lb=lb.csv", "--cut", "2026-03", "--dry-run", "--json").json()
        after = {p: p.read_bytes() for p in study.folder.glob("data/**/*") if p.is_file()}, project.status().commit
        assert after == before
        done = datom("write", "dm=dm.csv", "lb=lb.csv", "--cut", "2026-03", "--json").json()
        assert (dry["dry_run"], done["dry_run"], dry["commit"]) == (True, False, None)
        assert dry["tables"] == done["tables"]
        again = datom("write", "dm=dm.csv", "lb=lb.csv", "--cut", "2026-03", "--dry-run", "--json").json()
        assert [(t["action"], t["cut"]) for t in again["tables"]] == [("unchanged", None)] * 2
        refused = datom("write", "DM", "dm.csv", "--dry-run")
        assert (refused.code, "differ only in case" in refused.err) == (2, True)

    @pytest.mark.parametrize(
        ("arguments", "code", "said"),
        [
            (["dm"], 2, "Write TABLE FILE, or TABLE=FILE"),
            (["dm", "dm.csv", "lb"], 2, "Write TABLE FILE, or TABLE=FILE"),
            (["dm=", "lb=lb.csv"], 2, "Write TABLE FILE, or TABLE=FILE"),
            (["dm=dm.csv", "dm=dm.csv"], 2, "dm is named twice"),
            (["dm=-", "lb=-"], 2, "Only one table can come from a pipe"),
            (["dm.csv", "dm"], 2, "'dm.csv'"),
            (["dm", "dmm.csv"], 3, "There is no file dmm.csv. Did you mean 'dm.csv'?"),
            (["dm", "empty.csv"], 2, "the file is empty"),
            (["dm", "dm.csv", "--cut", ""], 2, "What follows --cut is empty"),
            (["dm", "dm.csv", "-m", " "], 2, "The message is empty"),
            (["dm", "dm.csv", "--author", "x"], 2, "The author must look like"),
            (["dm", "dm.csv", "--type", "made"], 2, "--type is imported or derived"),
            (["dm", "dm.csv", "--trailer", "x"], 2, "--trailer is KEY=VALUE"),
            (["dm", "dm.csv", "--trailer", "a b=c"], 2, "Trailers need a key"),
            (["dm", "dm.csv", "--parent", "@2026-01"], 2, "--parent is a table"),
            (["dm", "dm.csv", "--parent", "dn"], 3, "dn"),
            (["dm", "dm.csv", "--parent", "dm@2025-01x"], 3, "is no cut"),
            (["dm", "dm.csv", "--encoding", "utf-9"], 2, "utf-9"),
            (["dm", "dm.csv", "--separator", "ab"], 2, "separator is one character"),
        ],
    )
    def test_mistakes_are_told_in_a_sentence(
        self,
        datom: Datom,
        shared_study: Study,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        arguments: list[str],
        code: int,
        said: str,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("DATOM_PROJECT", str(shared_study.folder))
        files(dm=DM)
        Path("empty.csv").touch()
        before = shared_study.reader.history("dm")
        ran = datom("write", *arguments)
        assert (ran.code, ran.out) == (code, "")
        assert said in ran.err
        assert "Traceback" not in ran.err
        assert shared_study.reader.history("dm") == before

    def test_who_has_no_remote_can_only_read(self, datom: Datom, in_shared_study: Study) -> None:
        ran = datom("write", "dm", "dm.csv", "-p", "data")
        assert (ran.code, "can only be read. datom use WHERE --remote URL" in ran.err) == (2, True)


class TestSync:
    def test_a_report_of_each_file_and_1_for_a_bad_one(self, datom: Datom, project: dc.Project) -> None:
        Path("drop").mkdir()
        for name, text in {"dm.csv": DM, "lb.csv": LB, "ae.csv": "", "notes.docx": "x"}.items():
            (Path("drop") / name).write_text(text)
        dry = datom("sync", "drop", "--dry-run", "--json")
        assert (dry.code, dry.json()["dry_run"], dry.json()["commits"]) == (1, True, [])
        assert len(project.reader.list()) == 2
        ran = datom("sync", "drop", "-m", "Drop of March", "--json")
        answer = ran.json()
        found = {f["file"]: (f["status"], f["action"]) for f in answer["files"]}
        assert found == {
            "dm.csv": ("changed", "created"),
            "lb.csv": ("new", "created"),
            "ae.csv": ("failed", None),
            "notes.docx": ("unsupported", None),
        }
        assert (ran.code, answer["ok"], len(answer["commits"])) == (1, False, 1)
        assert project.reader.history("lb")[0].message == "Drop of March"
        shown = datom("sync", "drop")
        assert (shown.code, "the file is empty" in shown.out) == (1, True)
        assert datom("sync", "drop", "--pattern", "[dl]*.csv").code == 0
        stopped = datom("sync", "drop", "--stop-on-error")
        assert (stopped.code, "ae.csv" in stopped.err) == (2, True)

    def test_a_drop_that_is_not_complete_is_not_read(self, datom: Datom, project: dc.Project) -> None:
        Path("drop").mkdir()
        Path("drop/dm.csv").write_text(DM)
        ran = datom("sync", "drop", "--manifest", "ready.json", "--json")
        assert (ran.code, ran.json()["files"], len(ran.json()["waiting"])) == (1, [], 1)
        assert datom("sync", "nowhere").code == 3


class TestNames:
    def test_a_cut_of_versions_that_exist(self, datom: Datom, project: dc.Project) -> None:
        reader = project.reader
        first, second = (reader.study(cut=c).versions for c in ("2026-01", "2026-02"))
        assert datom("cut", "lock", "--dry-run", "--json").json()["versions"] == {
            t: v.version for t, v in second.items()
        }
        assert "lock" not in reader.cuts()
        answer = datom("cut", "lock", "dm@2026-01", "lb results (v2)", "-m", "Database lock", "--json").json()
        wanted = {"dm": first["dm"].version, "lb results (v2)": second["lb results (v2)"].version}
        assert (answer["versions"], answer["dry_run"]) == (wanted, False)
        assert dict(reader.cuts()["lock"]) == wanted
        assert datom("cut", "lock", "dm@lock", "--json").json()["commit"] is None
        assert datom("cut", "all", "--json").json()["versions"] == {t: v.version for t, v in second.items()}
        assert datom("cut", "old", "@2026-01", "--json").json()["versions"] == {"dm": first["dm"].version}
        for arguments, code in ((["x", "dmm"], 3), (["x", "dm@nope"], 3), (["", "dm"], 2), (["x", "@"], 2)):
            ran = datom("cut", *arguments)
            assert (ran.code, ran.out) == (code, ""), arguments

    def test_a_review_mark(self, datom: Datom, project: dc.Project) -> None:
        dry = datom("review", "2026-01", "--dry-run", "--json").json()
        assert (dry["dry_run"], dict(project.reader.reviews())) == (True, {})
        answer = datom("review", "2026-01", "-m", "Checked", "--json").json()
        assert (
            answer["versions"] == dict(project.reader.cuts()["2026-01"]) == dict(project.reader.reviews()["reviewed"])
        )
        assert datom("review", "--name", "safety", "--json").json()["versions"].keys() == {"dm", "lb results (v2)"}
        assert datom("review", "2026-02").code == 0
        back = datom("review", "2026-01")
        assert (back.code, "backwards" in back.err) == (2, True)
        assert datom("review", "2026-01", "--backwards").code == 0
        missing = datom("review", "2026-9")
        assert missing.code == 3


def test_upgrade_of_a_project_of_schema_1(datom: Datom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert datom("init", "S", "--storage", "data", "--remote", "h.git", "--schema", "1").code == 0
    dry = datom("upgrade", "--dry-run", "--json").json()
    assert (dry["schema"], dry["commit"]) == (1, None)
    assert json.loads(datom("use", ".", "--json").out)["schema"] == 1
    assert datom("upgrade", "--json").json()["commit"] is not None
    assert datom("upgrade", "--json").json() == {**dry, "schema": 2, "dry_run": False}


def test_a_plan_is_what_a_write_then_does(project: dc.Project) -> None:
    frame = pd.DataFrame({"USUBJID": ["01-001"], "AGE": [1]})
    (plan,) = project.plan_write({"dm": frame}, cut="2026-02").values()
    done = project.write("dm", frame, cut="2026-02")
    assert (plan.version, plan.action, plan.rows, plan.cut, plan.change) == (
        done.version,
        done.action,
        done.rows,
        done.cut,
        done.change,
    )
    with pytest.raises(dc.InvalidInputError, match="cut"):
        project.plan_write({"dm": frame}, cut="")
    (same,) = project.plan_write({"dm": frame}, custom={"dm": {"a": 1}}).values()
    assert (same.action, same.cut) == ("metadata_only", None)
