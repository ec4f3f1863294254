"""The register: begun once, projects attached, listed, found by name, asked before each write."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.s3.server import S3Server

Frame = Callable[[int], pd.DataFrame]


def git(remote: Path, *args: str) -> str:
    return subprocess.run(["git", "-C", remote, *args], check=True, capture_output=True, text=True).stdout


def subjects(remote: Path) -> list[str]:
    """Messages of all commits, newest first."""
    return git(remote, "log", "--format=%s").splitlines()


def document(store: dc.ObjectStore, key: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(bytes(store.get(key).data))
    return found


def edit_mirror(store: dc.ObjectStore, key: str, **fields: object) -> None:
    found = store.get(key)
    store.replace(key, json.dumps({**json.loads(bytes(found.data)), **fields}).encode(), found.etag)


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


class TestAttach:
    def test_every_document(
        self, governance: dc.Governance, project: dc.Project, gov_remote: Path, mirror: dc.LocalStore, remote: Path
    ) -> None:
        attached = governance.attach(project)
        assert attached.governed
        assert attached.governance is governance
        expected = {
            "dispatch": {"methods": {"r": {"default": "datom::datom_read"}, "python": {"default": "datom.read"}}},
            "migration_history": [],
            "ref": {"current": {"type": "local", "root": project.store.location.root}, "previous": []},
        }
        for name, content in expected.items():
            key = f"projects/STUDY_001/{name}.json"
            assert document(mirror, key) == content
            assert json.loads(git(gov_remote, "show", f"HEAD:{key}")) == content
        note = json.loads(git(remote, "show", "HEAD:.datom/governance.json"))
        assert note == document(project.store, ".metadata/governance.json")
        assert note["gov_repo_url"] == str(gov_remote)
        assert note["gov_storage"] == {"type": "local", "root": mirror.location.root}
        assert subjects(gov_remote)[0] == "Register project STUDY_001"
        assert subjects(remote)[0] == "Attach governance: STUDY_001"

    def test_again_changes_nothing(
        self, governance: dc.Governance, project: dc.Project, gov_remote: Path, remote: Path
    ) -> None:
        again = governance.attach(governance.attach(project))
        assert again.governed
        assert (len(subjects(gov_remote)), subjects(remote).count("Attach governance: STUDY_001")) == (2, 1)

    def test_a_project_goes_on(self, governance: dc.Governance, project: dc.Project, dm: Frame, remote: Path) -> None:
        attached = governance.attach(project)
        assert attached.write("dm", dm(3)).action == "unchanged"
        assert attached.write("dm", dm(4)).action == "created"
        assert attached.status().level
        # Whoever opened it before it was registered asks the register from now on, too.
        assert project.write("dm", dm(5)).action == "created"
        again = dc.Project.open(project.store, remote=remote)
        assert again.governance is not None
        assert again.governance.remote == governance.remote
        assert again.write("dm", dm(6), cut="lock").changed
        assert again.mirror().written == ()

    def test_one_register_only(
        self, governance: dc.Governance, project: dc.Project, tmp_path: Path, gov_remote: Path
    ) -> None:
        attached = governance.attach(project)
        other = dc.Governance.init(dc.LocalStore(tmp_path / "other"), remote=tmp_path / "other.git")
        with pytest.raises(dc.AlreadyExistsError) as caught:
            other.attach(attached)
        assert str(gov_remote) in str(caught.value)
        assert str(tmp_path / "other.git") in str(caught.value)
        assert len(other.projects()) == 0

    def test_one_project_of_a_name(
        self, governance: dc.Governance, project: dc.Project, tmp_path: Path, gov_remote: Path
    ) -> None:
        governance.attach(project)
        namesake = dc.Project.init("STUDY_001", dc.LocalStore(tmp_path / "t"), remote=tmp_path / "t.git")
        with pytest.raises(dc.AlreadyExistsError) as caught:
            governance.attach(namesake)
        assert str(project.store.location) in str(caught.value)
        assert str(namesake.store.location) in str(caught.value)
        alike = dc.Project.init("Study_001", dc.LocalStore(tmp_path / "u"), remote=tmp_path / "u.git")
        with pytest.raises(dc.AlreadyExistsError, match="differ only in case"):
            governance.attach(alike)
        assert not namesake.governed
        assert len(subjects(gov_remote)) == 2

    def test_data_and_register_need_different_places(self, gov_remote: Path, tmp_path: Path, clock: Clock) -> None:
        governance = dc.Governance.init(dc.LocalStore(tmp_path / "shared"), remote=gov_remote)
        project = dc.Project.init("S", dc.LocalStore(tmp_path / "shared"), remote=tmp_path / "s.git")
        with pytest.raises(dc.InvalidInputError, match="a place of its own"):
            governance.attach(project)
        with pytest.raises(dc.InvalidInputError, match="nobody else could read"):
            governance.attach(dc.Project.init("M", dc.MemoryStore(), remote=tmp_path / "m.git"))
        with pytest.raises(dc.InvalidInputError, match=r"Project\.open"):
            governance.attach(project.reader)  # type: ignore[type-var]
        assert len(governance.projects()) == 0

    def test_a_folder_in_a_register_that_is_a_bucket(
        self, s3_server: S3Server, project: dc.Project, gov_remote: Path, remote: Path, dm: Frame
    ) -> None:
        """The keys that open the register are not the project's to know."""
        governance = dc.Governance.init(s3_server.store(s3_server.bucket(), "register"), remote=gov_remote)
        attached = governance.attach(project)
        assert attached.write("dm", dm(9)).action == "created"
        with pytest.raises(dc.InvalidInputError, match="Give governance="):
            dc.Project.open(project.store, remote=remote)
        again = dc.Project.open(project.store, remote=remote, governance=governance.store)
        assert governance.attach(again).governed

    def test_a_registration_that_was_lost_is_made_again(
        self, governance: dc.Governance, project: dc.Project, dm: Frame
    ) -> None:
        attached = governance.attach(project)
        governance.register.remove("STUDY_001", "gone")
        governance.register.forget("STUDY_001")
        with pytest.raises(dc.NotFoundError):
            attached.write("dm", dm(9))
        assert governance.attach(attached).write("dm", dm(9)).action == "created"

    def test_without_its_repository_a_register_is_only_read(
        self, governance: dc.Governance, project: dc.Project
    ) -> None:
        with pytest.raises(dc.NotFoundError, match="Open it with remote="):
            dc.Governance.open(_created(governance, project)).attach(project)

    def test_many_at_once(self, governance: dc.Governance, tmp_path: Path, gov_remote: Path) -> None:
        projects = [
            dc.Project.init(f"S{n}", dc.LocalStore(tmp_path / f"s{n}"), remote=tmp_path / f"s{n}.git") for n in range(6)
        ]
        failures: list[BaseException] = []

        def attach(project: dc.Project) -> None:
            try:
                dc.Governance.open(governance.store, remote=gov_remote).attach(project)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=attach, args=(p,)) for p in projects]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        assert [p.name for p in governance.projects()] == [f"S{n}" for n in range(6)]
        assert dc.Governance.open(governance.store).projects(details=False).to_pandas()["name"].tolist() == [
            f"S{n}" for n in range(6)
        ]

    def test_detaching_is_refused(self, governance: dc.Governance, project: dc.Project) -> None:
        governance.attach(project)
        with pytest.raises(dc.InvalidInputError, match="stays registered"):
            governance.detach("STUDY_001")


def _created(governance: dc.Governance, project: dc.Project) -> dc.ObjectStore:
    """The register's storage, with a project in it."""
    governance.attach(project)
    return governance.store


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


class TestTheGuard:
    """Fails closed: a place that the register does not confirm is not written."""

    def test_a_place_that_the_register_does_not_know(
        self, governance: dc.Governance, project: dc.Project, dm: Frame, remote: Path
    ) -> None:
        attached = governance.attach(project)
        moved = {"type": "local", "root": "/elsewhere"}
        edit_mirror(governance.store, "projects/STUDY_001/ref.json", current=moved)
        before = subjects(remote)
        for refused in (
            lambda: attached.write("dm", dm(9)),
            lambda: attached.record_cut("lock", ["dm"]),
            lambda: attached.mirror(),
        ):
            with pytest.raises(dc.ConflictError, match="local:/elsewhere"):
                refused()
        assert subjects(remote) == before

    @pytest.mark.parametrize(
        ("block", "names"),
        [
            ({"type": "s3", "root": "{root}", "region": "us-east-1"}, "s3:"),
            ({"type": "local", "root": "{root}", "prefix": "p"}, "/p"),
        ],
        ids=["type", "prefix"],
    )
    def test_type_and_prefix_count(
        self, governance: dc.Governance, project: dc.Project, dm: Frame, block: dict[str, str], names: str
    ) -> None:
        attached = governance.attach(project)
        at = {k: v.format(root=project.store.location.root) for k, v in block.items()}
        edit_mirror(governance.store, "projects/STUDY_001/ref.json", current=at)
        with pytest.raises(dc.ConflictError, match=names):
            attached.write("dm", dm(9))

    def test_a_register_without_the_project(
        self, governance: dc.Governance, project: dc.Project, dm: Frame, remote: Path
    ) -> None:
        attached = governance.attach(project)
        governance.store.delete("projects/STUDY_001/ref.json")
        with pytest.raises(dc.NotFoundError, match="repair"):
            attached.write("dm", dm(9))
        report = governance.repair("STUDY_001")
        assert report.mirrored == ("projects/STUDY_001/ref.json",)
        assert attached.write("dm", dm(9)).action == "created"

    def test_a_register_that_is_damaged(self, governance: dc.Governance, project: dc.Project, dm: Frame) -> None:
        attached = governance.attach(project)
        ref = governance.store.get("projects/STUDY_001/ref.json")
        governance.store.replace("projects/STUDY_001/ref.json", b'{"current": {"type": "local"}}', ref.etag)
        with pytest.raises(dc.FormatError, match="'root' is missing"):
            attached.write("dm", dm(9))

    def test_another_register_than_the_recorded(
        self, governance: dc.Governance, project: dc.Project, tmp_path: Path, remote: Path
    ) -> None:
        governance.attach(project)
        with pytest.raises(dc.InvalidInputError, match="is registered in"):
            dc.Project.open(project.store, remote=remote, governance=dc.LocalStore(tmp_path / "other"))

    def test_a_register_for_a_project_that_has_none(
        self, project: dc.Project, remote: Path, governance: dc.Governance
    ) -> None:
        with pytest.warns(dc.GovernanceWarning, match="is not registered"):
            dc.Project.open(project.store, remote=remote, governance=governance)

    def test_a_note_in_git_that_cannot_be_read(
        self, governance: dc.Governance, project: dc.Project, tmp_path: Path, remote: Path, dm: Frame
    ) -> None:
        attached = governance.attach(project)
        git(tmp_path, "clone", "-q", str(remote), str(tmp_path / "work"))
        (tmp_path / "work/.datom/governance.json").write_text('{"gov_repo_url": ""}')
        git(tmp_path / "work", "commit", "-qam", "damage")
        git(tmp_path / "work", "push", "-q")
        with pytest.raises(dc.FormatError, match="gov_repo_url"):
            attached.write("dm", dm(9))


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
