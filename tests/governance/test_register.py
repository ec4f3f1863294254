"""A register: how it begins, what it lists, how projects are found by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import datom_core as dc
from tests.governance.looking import Frame, edit_mirror, git, subjects
from tests.governance.test_attach import _created
from tests.s3.server import S3Server


class TestInit:
    def test_what_it_holds(self, governance: dc.Governance, gov_remote: Path, mirror: dc.LocalStore) -> None:
        assert git(gov_remote, "ls-tree", "-r", "--name-only", "HEAD").split() == ["README.md", "projects/.gitkeep"]
        assert git(gov_remote, "show", "HEAD:projects/.gitkeep") == "\n"
        assert subjects(gov_remote) == ["Initialize governance repository"]
        assert list(mirror.list()) == []
        assert len(governance.projects()) == 0

    def test_it_can_be_opened_before_anybody_is_in_it(self, governance: dc.Governance, gov_remote: Path) -> None:
        assert len(dc.Governance.open(governance.store, remote=gov_remote).projects()) == 0
        assert len(dc.Governance.open(governance.store).projects()) == 0

    def test_again_changes_nothing(self, governance: dc.Governance, gov_remote: Path, mirror: dc.LocalStore) -> None:
        dc.Governance.init(mirror, remote=gov_remote)
        assert len(subjects(gov_remote)) == 1

    def test_it_can_be_opened_before_anything_is_registered(
        self, governance: dc.Governance, gov_remote: Path, mirror: dc.LocalStore
    ) -> None:
        assert len(dc.Governance.open(mirror, remote=gov_remote).projects()) == 0
        assert len(dc.Governance.open(mirror).projects()) == 0

    def test_a_half_seeded_remote_is_completed(self, mirror: dc.LocalStore, gov_remote: Path, tmp_path: Path) -> None:
        work = tmp_path / "work"
        git(tmp_path, "init", "-q", "--bare", "--initial-branch=main", str(gov_remote))
        git(tmp_path, "clone", "-q", str(gov_remote), str(work))
        (work / "README.md").write_text("ours\n")
        git(work, "add", ".")
        git(work, "commit", "-qm", "begun on the host")
        git(work, "push", "-q", "origin", "HEAD:main")
        dc.Governance.init(mirror, remote=gov_remote)
        assert git(gov_remote, "ls-tree", "-r", "--name-only", "main").split() == ["README.md", "projects/.gitkeep"]
        assert git(gov_remote, "show", "main:README.md") == "ours\n"

    def test_an_empty_remote_may_be_there(self, mirror: dc.LocalStore, gov_remote: Path, tmp_path: Path) -> None:
        git(tmp_path, "init", "-q", "--bare", "--initial-branch=trunk", str(gov_remote))
        dc.Governance.init(mirror, remote=gov_remote)
        assert git(gov_remote, "log", "--format=%s", "trunk").strip() == "Initialize governance repository"

    def test_not_into_a_projects_repository(self, project: dc.Project, mirror: dc.LocalStore, remote: Path) -> None:
        with pytest.raises(dc.AlreadyExistsError, match="holds no register"):
            dc.Governance.init(mirror, remote=remote)
        assert "Initialize governance repository" not in subjects(remote)

    def test_not_into_that_of_a_project_with_a_table_of_that_name(
        self, project: dc.Project, mirror: dc.LocalStore, remote: Path, dm: Frame
    ) -> None:
        project.write("projects", dm(2))
        with pytest.raises(dc.AlreadyExistsError, match="holds no register"):
            dc.Governance.init(mirror, remote=remote)
        mirror.prepare()
        with pytest.raises(dc.NotFoundError, match="holds no register"):
            dc.Governance.open(mirror, remote=remote)

    def test_not_into_a_projects_storage(self, project: dc.Project, gov_remote: Path) -> None:
        with pytest.raises(dc.AlreadyExistsError, match="a place of its own"):
            dc.Governance.init(project.store, remote=gov_remote)
        assert not gov_remote.exists()

    def test_not_over_another_registers_mirror(
        self, governance: dc.Governance, project: dc.Project, mirror: dc.LocalStore, tmp_path: Path
    ) -> None:
        governance.attach(project)
        with pytest.raises(dc.AlreadyExistsError, match="mirrors another register, with the projects STUDY_001"):
            dc.Governance.init(mirror, remote=tmp_path / "other-gov.git")

    def test_not_in_memory(self, gov_remote: Path) -> None:
        with pytest.raises(dc.InvalidInputError, match="a folder or a bucket"):
            dc.Governance.init(dc.MemoryStore(), remote=gov_remote)

    def test_open_what_is_none(self, governance: dc.Governance, project: dc.Project, remote: Path) -> None:
        governance.attach(project)
        with pytest.raises(dc.NotFoundError, match="holds no register of projects"):
            dc.Governance.open(governance.store, remote=remote)


class TestTheList:
    def test_at_a_glance(self, governance: dc.Governance, project: dc.Project, dm: Frame, tmp_path: Path) -> None:
        attached = governance.attach(project)
        second = dc.Project.init("STUDY_002", dc.LocalStore(tmp_path / "b", "teams/onc"), remote=tmp_path / "b.git")
        governance.attach(second)
        attached.write("ex", dm(1))
        one, two = governance.projects()
        assert (one.name, one.backend, one.prefix, one.tables, one.versions) == ("STUDY_001", "local", "", 2, 3)
        assert one.last_write == attached.reader.summary().last_updated
        assert (two.name, two.prefix, two.tables, two.note) == ("STUDY_002", "teams/onc", 0, "")
        assert "STUDY_002" in repr(governance.projects())

    def test_registered_at_is_the_commit(
        self, governance: dc.Governance, project: dc.Project, gov_remote: Path, tmp_path: Path
    ) -> None:
        attached = governance.attach(project)
        commit = git(gov_remote, "log", "-1", "--format=%H").strip()
        dc.migrate(attached, dc.LocalStore(tmp_path / "new"))  # touches the documents afterwards
        at = git(gov_remote, "show", "-s", "--format=%at|%an <%ae>", commit).strip()
        found = governance.projects(details=False)[0]
        seconds = pd.Timestamp(str(found.registered_at)).timestamp()
        assert f"{seconds:.0f}|{found.registered_by}" == at
        assert dc.Governance.open(governance.store).projects(details=False)[0].registered_at is None

    def test_what_cannot_be_read_says_why(self, governance: dc.Governance, project: dc.Project) -> None:
        governance.attach(project)
        project.store.delete(".metadata/manifest.json")
        row = governance.projects()[0]
        assert row.tables is None
        assert "holds no datom project" in row.note

    def test_a_damaged_registration_hides_no_other(
        self, governance: dc.Governance, project: dc.Project, tmp_path: Path, gov_remote: Path
    ) -> None:
        governance.attach(project)
        governance.attach(dc.Project.init("B", dc.LocalStore(tmp_path / "b"), remote=tmp_path / "b.git"))
        git(tmp_path, "clone", "-q", str(gov_remote), str(tmp_path / "work"))
        (tmp_path / "work/projects/B/ref.json").write_text('{"current": {"type": "gcs", "root": "x"}}')
        git(tmp_path / "work", "commit", "-qam", "by hand")
        git(tmp_path / "work", "push", "-q")
        with pytest.raises(dc.FormatError, match="'gcs'"):
            governance.repair("B")
        governance.register.bring_level("B")
        for register in (governance, dc.Governance.open(governance.store)):
            for details in (True, False):
                damaged, whole = register.projects(details=details)
                assert "'gcs'" in damaged.note
                assert (whole.name, whole.note) == ("STUDY_001", "")

    @pytest.mark.parametrize("details", [True, False])
    def test_many_projects_take_no_more_git_commands_than_few(
        self, governance: dc.Governance, project: dc.Project, monkeypatch: pytest.MonkeyPatch, details: bool
    ) -> None:
        from datom_core.git import cache
        from datom_core.governance.register import Registration

        commands: list[object] = []
        real = cache._run

        def counted(*args: Any, **kwargs: Any) -> bytes:
            commands.append(args)
            return real(*args, **kwargs)

        monkeypatch.setattr(cache, "_run", counted)
        governance.attach(project)
        taken = []
        for n in range(12):
            commands.clear()
            assert len(governance.projects(details=details)) == n + 1
            taken.append(len(commands))
            one_more = Registration.new(f"S{n}", project.store.location)
            governance.register.change(one_more.project, lambda *_, new=one_more: new, "one more")
        assert max(taken[1:]) == taken[1] <= taken[0] + 2  # the first time, the tip and its listing are at hand
        assert governance.projects(details=False)[0].registered_by == "Test Author <test@example.org>"

    def test_one_project(self, governance: dc.Governance, project: dc.Project) -> None:
        governance.attach(project)
        record = governance.project("STUDY_001")
        assert (record.name, record.location, record.previous, record.events) == (
            "STUDY_001",
            project.store.location,
            (),
            (),
        )
        with pytest.raises(dc.NotFoundError, match="there are: STUDY_001"):
            governance.project("STUDY_02")


class TestFinding:
    def test_by_name(self, governance: dc.Governance, project: dc.Project) -> None:
        reader = dc.ProjectReader.find("STUDY_001", governance=_created(governance, project))
        assert len(reader.read("dm")) == 3
        assert len(reader.history("dm")) == 2

    def test_after_a_move(self, governance: dc.Governance, project: dc.Project, tmp_path: Path) -> None:
        dc.migrate(governance.attach(project), dc.LocalStore(tmp_path / "new"), delete_source=True)
        assert len(dc.ProjectReader.find("STUDY_001", governance=governance.store).read("dm")) == 3

    def test_whoever_came_from_a_folder_opens_the_bucket_with_the_registers_keys(
        self, s3_server: S3Server, project: dc.Project, gov_remote: Path
    ) -> None:
        bucket, home = s3_server.bucket(), project.store
        governance = dc.Governance.init(s3_server.store(bucket, "register"), remote=gov_remote)
        dc.migrate(governance.attach(project), s3_server.store(bucket, "data"), delete_source=True)
        found = dc.locate("STUDY_001", governance=governance.store, near=home)
        assert len(dc.ProjectReader.find("STUDY_001", governance=governance.store, near=found).read("dm")) == 3
        assert governance.projects(near=home)[0].note == ""
        assert governance.repair("STUDY_001", near=home).left == ()

    @pytest.mark.parametrize("name", ["STUDY_01", "../x", ""])
    def test_no_such_name(self, governance: dc.Governance, project: dc.Project, name: str) -> None:
        with pytest.raises((dc.NotFoundError, dc.InvalidInputError)):
            dc.ProjectReader.find(name, governance=_created(governance, project))

    def test_a_place_that_holds_another_project(
        self, governance: dc.Governance, project: dc.Project, tmp_path: Path
    ) -> None:
        store = _created(governance, project)
        other = dc.Project.init("OTHER", dc.LocalStore(tmp_path / "o"), remote=tmp_path / "o.git")
        at = {"type": "local", "root": other.store.location.root}
        edit_mirror(store, "projects/STUDY_001/ref.json", current=at)
        with pytest.raises(dc.NotFoundError, match="holds the project 'OTHER'"):
            dc.ProjectReader.find("STUDY_001", governance=store)

    def test_whoever_comes_without_the_register_is_warned(self, governance: dc.Governance, project: dc.Project) -> None:
        governance.attach(project)
        with pytest.warns(dc.GovernanceWarning, match="Find it by name"):
            reader = dc.ProjectReader.open(project.store, "STUDY_001")
        assert len(reader.read("dm")) == 3

    def test_a_damaged_note_warns_of_nothing(self, governance: dc.Governance, project: dc.Project) -> None:
        governance.attach(project)
        note = project.store.get(".metadata/governance.json")
        project.store.replace(".metadata/governance.json", b"<html>", note.etag)
        assert dc.ProjectReader.open(project.store).project == "STUDY_001"


class TestRepair:
    def test_documents_that_are_missing(
        self, governance: dc.Governance, project: dc.Project, gov_remote: Path, mirror: dc.LocalStore, tmp_path: Path
    ) -> None:
        governance.attach(project)
        git(tmp_path, "clone", "-q", str(gov_remote), str(tmp_path / "work"))
        git(tmp_path / "work", "rm", "-q", "projects/STUDY_001/dispatch.json")
        git(tmp_path / "work", "commit", "-qm", "oops")
        git(tmp_path / "work", "push", "-q")
        assert "repair" in governance.projects()[0].note
        mirror.delete("projects/STUDY_001/migration_history.json")
        mirror.delete("projects/STUDY_001/dispatch.json")
        report = governance.repair("STUDY_001")
        assert report.commit_sha == git(gov_remote, "rev-parse", "HEAD").strip()
        assert report.mirrored == ("projects/STUDY_001/dispatch.json", "projects/STUDY_001/migration_history.json")
        assert report.left == ()
        assert governance.repair("STUDY_001") == dc.RepairReport("STUDY_001", None, ())

    def test_what_only_the_project_can_complete_is_named(self, governance: dc.Governance, project: dc.Project) -> None:
        governance.attach(project)
        project.store.delete(".metadata/governance.json")
        (left,) = governance.repair("STUDY_001").left
        assert "attach(project)" in left
        governance.attach(project)
        assert governance.repair("STUDY_001").left == ()

    def test_nothing_to_repair(self, governance: dc.Governance) -> None:
        with pytest.raises(dc.NotFoundError, match="none yet"):
            governance.repair("STUDY_001")
