"""How a project gets into the register, and what a writer asks it before each write."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.governance.looking import Frame, document, edit_mirror, git, subjects
from tests.s3.server import S3Server


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
