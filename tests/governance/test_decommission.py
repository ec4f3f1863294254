"""A project is taken away for good: nothing more than it, and nothing less."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import datom_core as dc
from tests.s3.server import S3Server

Frame = Callable[[int], pd.DataFrame]


@pytest.fixture
def attached(governance: dc.Governance, project: dc.Project) -> dc.Project:
    return governance.attach(project)


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


class TestWhatGoes:
    def test_a_dry_run_lists_it(self, attached: dc.Project, remote: Path, tmp_path: Path) -> None:
        before = everything(tmp_path)
        report = attached.decommission(confirm="STUDY_001", dry_run=True)
        stored = list(attached.store.list())
        assert set(report.keys) == {o.key for o in stored}
        assert (report.objects, report.bytes) == (len(stored), sum(o.size for o in stored))
        assert report.repository == f"{remote} (deleted)"
        assert "gov-store" in report.registration
        assert everything(tmp_path) == before

    def test_all_of_it(self, attached: dc.Project, governance: dc.Governance, remote: Path, gov_remote: Path) -> None:
        attached.decommission(confirm="STUDY_001")
        assert list(attached.store.list()) == []
        assert not remote.exists()
        assert list(governance.store.list()) == []
        assert len(governance.projects()) == 0
        log = subprocess.run(["git", "-C", gov_remote, "log", "--format=%s"], capture_output=True, text=True).stdout
        # Who took it away, and when, stays in the register's own history.
        assert log.splitlines() == [
            "Unregister project STUDY_001",
            "Decommission project STUDY_001",
            "Register project STUDY_001",
            "Initialize governance repository",
        ]
        with pytest.raises(dc.NotFoundError):
            dc.ProjectReader.find("STUDY_001", governance=governance.store)

    def test_a_project_without_register(self, project: dc.Project, remote: Path) -> None:
        report = project.decommission(confirm="STUDY_001")
        assert report.registration == "none"
        assert not remote.exists()
        assert list(project.store.list()) == []

    def test_the_name_is_free_again(self, attached: dc.Project, governance: dc.Governance, remote: Path) -> None:
        attached.decommission(confirm="STUDY_001")
        again = dc.Project.init("STUDY_001", attached.store, remote=remote)
        assert governance.attach(again).governed
        with pytest.raises(dc.InvalidInputError, match="not begun"):
            governance.decommission("STUDY_001", confirm="STUDY_001")
        governance.decommission("STUDY_001", confirm="STUDY_001", remote=remote)
        assert len(governance.projects()) == 0


class TestTheRepository:
    def test_by_way_of_a_link(self, project: dc.Project, remote: Path, tmp_path: Path) -> None:
        link = tmp_path / "link.git"
        link.symlink_to(remote)
        dc.Project.open(project.store, remote=link).decommission(confirm="STUDY_001")
        assert not remote.exists()
        assert not link.is_symlink()

    def test_where_a_removal_broke_off_before(self, project: dc.Project, remote: Path) -> None:
        left = remote.with_name(f".{remote.name}.deleted")
        (left / "objects").mkdir(parents=True)
        project.decommission(confirm="STUDY_001")
        assert not remote.exists()
        assert not left.exists()

    def test_its_other_branches_are_named(self, project: dc.Project, remote: Path) -> None:
        subprocess.run(["git", "-C", remote, "branch", "paper"], check=True)
        report = project.decommission(confirm="STUDY_001", dry_run=True)
        assert report.repository == f"{remote} (deleted, with its branches paper)"

    def test_a_work_tree_stays(self, project: dc.Project, remote: Path, tmp_path: Path) -> None:
        work = tmp_path / "work"
        subprocess.run(["git", "clone", "-q", remote, work], check=True)
        subprocess.run(["git", "-C", work, "checkout", "-q", "--detach"], check=True)
        report = dc.Project.open(project.store, remote=work, branch="main").decommission(confirm="STUDY_001")
        assert "stays: delete it by hand" in report.repository
        assert (work / "README.md").exists()


class TestWhatStays:
    def test_former_places_are_named(self, attached: dc.Project, remote: Path, tmp_path: Path) -> None:
        dc.migrate(attached, dc.LocalStore(tmp_path / "new"))
        moved = dc.Project.open(dc.LocalStore(tmp_path / "new"), remote=remote)
        report = moved.decommission(confirm="STUDY_001")
        assert str(attached.store.location) in report.note
        assert list(attached.store.list()) != []

    def test_neighbours(
        self, governance: dc.Governance, tmp_path: Path, remote: Path, gov_remote: Path, dm: Frame
    ) -> None:
        root = tmp_path / "shared"
        neighbours = ["", "team", "team/a/b", "team/a2"]
        for n, prefix in enumerate(neighbours):
            made = dc.Project.init(f"N{n}", dc.LocalStore(root, prefix), remote=tmp_path / f"n{n}.git")
            governance.attach(made).write("dm", dm(2))
        project = governance.attach(dc.Project.init("STUDY_001", dc.LocalStore(root, "team/a"), remote=remote))
        project.write("dm", dm(3))
        strange = ["notes.txt", "dm/report.pdf", "dm/.metadata/extra.json", ".access/policy.json", "dm/abc.parquet"]
        for key in strange:
            path = root / "team/a/datom" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(key)
        before = everything(root)
        report = project.decommission(confirm="STUDY_001")
        assert report.kept == tuple(sorted(strange))
        gone = {f"team/a/datom/{key}" for key in report.keys}
        assert everything(root) == {k: v for k, v in before.items() if k not in gone}
        for n in range(len(neighbours)):
            assert len(dc.ProjectReader.find(f"N{n}", governance=governance.store).read("dm")) == 2
        assert [p.name for p in governance.projects()] == ["N0", "N1", "N2", "N3"]
        assert gov_remote.exists()

    def test_a_place_that_was_left_is_named(self, attached: dc.Project, tmp_path: Path, remote: Path) -> None:
        home, new = attached.store, dc.LocalStore(tmp_path / "new")
        assert attached.decommission(confirm="STUDY_001", dry_run=True).note == ""
        dc.migrate(attached, new, sunset_at="2027-01-31")
        report = dc.Project.open(new, remote=remote).decommission(confirm="STUDY_001")
        assert f"if it is still there, stays: {home.location} (left " in report.note
        assert report.note in repr(report), "in full"
        assert home.head(".metadata/manifest.json") is not None

    @pytest.mark.parametrize("typo", ["STUDY_01", "study_001", "", None, "STUDY_001 "])
    def test_a_typo_does_nothing(self, attached: dc.Project, typo: Any, tmp_path: Path) -> None:
        before = everything(tmp_path)
        with pytest.raises(dc.InvalidInputError, match="Nothing was done"):
            attached.decommission(confirm=typo)
        assert everything(tmp_path) == before

    def test_a_typo_in_the_register_does_nothing(
        self, attached: dc.Project, governance: dc.Governance, tmp_path: Path
    ) -> None:
        before = everything(tmp_path)
        with pytest.raises(dc.NotFoundError, match="there are: STUDY_001"):
            governance.decommission("STUDY_01", confirm="STUDY_01")
        assert everything(tmp_path) == before

    def test_a_store_that_the_project_has_left(self, attached: dc.Project, tmp_path: Path, remote: Path) -> None:
        dc.migrate(attached, dc.LocalStore(tmp_path / "new"))
        before = everything(tmp_path)
        with pytest.raises(dc.ConflictError, match="has moved to"):
            attached.decommission(confirm="STUDY_001")
        assert everything(tmp_path) == before

    def test_another_projects_data(self, attached: dc.Project, tmp_path: Path, remote: Path, dm: Frame) -> None:
        """Somebody emptied the place and founded another project there."""
        for o in list(attached.store.list()):
            attached.store.delete(o.key)
        other = dc.Project.init("OTHER", attached.store, remote=tmp_path / "o.git")
        other.write("dm", dm(4))
        with pytest.raises(dc.InvalidInputError, match="holds the project 'OTHER'"):
            attached.decommission(confirm="STUDY_001")
        assert len(other.reader.read("dm")) == 4


class TestFromTheFirstStepOn:
    @pytest.fixture
    def begun(self, attached: dc.Project, monkeypatch: pytest.MonkeyPatch) -> dc.Project:
        """Marked, and broken off there."""
        with monkeypatch.context() as patched:

            def fail(*_: object) -> None:
                raise dc.StorageError("The disk is away.")

            patched.setattr(dc.LocalStore, "delete", fail)
            with pytest.raises(dc.StorageError, match="stopped at storage: The disk is away") as caught:
                attached.decommission(confirm="STUDY_001")
        assert "Done: mark. Left: storage, registration, repository, cache. Run it again" in str(caught.value)
        assert caught.value.done == ("mark",)
        return attached

    def test_nobody_writes(
        self, begun: dc.Project, dm: Frame, remote: Path, governance: dc.Governance, tmp_path: Path
    ) -> None:
        for project in (begun, dc.Project.open(begun.store, remote=remote)):
            for write in (
                lambda p=project: p.write("dm", dm(9)),
                lambda p=project: p.mirror(),
                lambda p=project: dc.migrate(p, dc.LocalStore(tmp_path / "new")),
                lambda p=project: governance.attach(p),
            ):
                with pytest.raises(dc.ConflictError, match="is being decommissioned"):
                    write()

    def test_nobody_finds_it(self, begun: dc.Project, governance: dc.Governance) -> None:
        with pytest.raises(dc.ConflictError, match="is being decommissioned"):
            dc.ProjectReader.find("STUDY_001", governance=governance.store)
        assert "being decommissioned" in governance.projects(details=False)[0].note
        assert governance.project("STUDY_001").decommissioned_at is not None
        assert governance.project("STUDY_001").events[0].kind == "decommission"

    def test_the_name_is_not_free(self, begun: dc.Project, governance: dc.Governance, tmp_path: Path) -> None:
        again = dc.Project.init("STUDY_001", dc.LocalStore(tmp_path / "x"), remote=tmp_path / "x.git")
        with pytest.raises(dc.ConflictError, match="is being decommissioned"):
            governance.attach(again)

    def test_another_machine_goes_on_with_the_name_alone(
        self,
        begun: dc.Project,
        governance: dc.Governance,
        remote: Path,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another-cache"))
        register = dc.Governance.open(governance.store)
        dry = register.decommission("STUDY_001", confirm="STUDY_001", dry_run=True)
        assert dry.objects == len(list(begun.store.list()))
        register.decommission("STUDY_001", confirm="STUDY_001")
        assert not remote.exists()
        assert list(begun.store.list()) == []
        assert list(governance.store.list()) == []
        with pytest.raises(dc.NotFoundError, match="none yet"):
            register.decommission("STUDY_001", confirm="STUDY_001")


def test_a_repository_that_is_gone_before(
    attached: dc.Project, governance: dc.Governance, remote: Path, tmp_path: Path
) -> None:
    """Nothing says what it was: not begun by anybody, so it is not trusted."""
    import shutil

    shutil.rmtree(remote)
    before = everything(tmp_path / "store")
    with pytest.raises(dc.NotFoundError, match="no repository"):
        governance.decommission("STUDY_001", confirm="STUDY_001", remote=remote)
    assert everything(tmp_path / "store") == before


def test_what_it_says_of_a_versioned_bucket(s3_server: S3Server, tmp_path: Path, dm: Frame) -> None:
    bucket = s3_server.bucket()
    store = s3_server.store(bucket, "p")
    governance = dc.Governance.init(s3_server.store(bucket, "gov"), remote=tmp_path / "g.git")
    project = dc.Project.init("S", store, remote=tmp_path / "s.git")
    project.write("dm", dm(2))
    assert governance.attach(project).decommission(confirm="S", dry_run=True).note == ""
    s3_server.s3.put_object(Bucket=bucket, Key="p/other.txt", Body=b"x")
    s3_server.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    report = governance.attach(project).decommission(confirm="S")
    assert "delete markers" in report.note
    left = [o["Key"] for o in s3_server.s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert [key for key in left if not key.startswith("gov/")] == ["p/other.txt"]


def test_keys_that_may_not_delete(s3_server: S3Server, tmp_path: Path, dm: Frame) -> None:
    bucket = s3_server.bucket()
    owner = s3_server.store(bucket, "p")
    governance = dc.Governance.init(dc.LocalStore(tmp_path / "gov"), remote=tmp_path / "g.git")
    project = dc.Project.init("S", owner, remote=tmp_path / "s.git")
    project.write("dm", dm(2))
    governance.attach(project)
    writer = s3_server.store(bucket, "p", credentials=s3_server.user(dc.iam_policy(owner, "writer")))
    theirs = dc.Project.open(writer, remote=tmp_path / "s.git")
    with pytest.raises(dc.AccessDeniedError, match=r"stopped at storage.*s3:DeleteObject"):
        theirs.decommission(confirm="S")
    governance.decommission("S", confirm="S", credentials=s3_server.owner, endpoint_url=s3_server.endpoint)
    assert list(owner.list()) == []


class TestTheNameIsGivenAgainBeforeTheEnd:
    """It broke off at its very last step; the place, and the repository's too, were free by then."""

    @pytest.fixture
    def almost_done(self, attached: dc.Project) -> dc.Project:
        with pytest.MonkeyPatch.context() as patched:

            def fail(*_: object) -> None:
                raise dc.StorageError("The disk is away.")

            patched.setattr("datom_core.governance.register.Register.forget", fail)
            with pytest.raises(dc.StorageError, match="stopped at repository"):
                attached.decommission(confirm="STUDY_001")
        return attached

    @pytest.mark.parametrize(("name", "url"), [("STUDY_001", "remote.git"), ("OTHER", "other.git")])
    def test_what_came_since_stays(
        self, almost_done: dc.Project, governance: dc.Governance, tmp_path: Path, dm: Frame, name: str, url: str
    ) -> None:
        again = dc.Project.init(name, almost_done.store, remote=tmp_path / url)
        again.write("dm", dm(2))
        report = governance.decommission("STUDY_001", confirm="STUDY_001")
        assert report.objects == 0
        assert ("stays: another project's" in report.repository) == (name == "STUDY_001")
        assert len(governance.attach(again).reader.read("dm")) == 2


def test_a_move_that_is_not_complete_comes_first(
    attached: dc.Project, governance: dc.Governance, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:

        def fail(*_: object) -> None:
            raise dc.StorageError("The disk is away.")

        patched.setattr("datom_core.project.migration._Migration.switch", fail)
        with pytest.raises(dc.StorageError):
            dc.migrate(attached, dc.LocalStore(tmp_path / "new"))
    before = everything(tmp_path / "store")
    with pytest.raises(dc.ConflictError, match=r"A move of STUDY_001.*Complete it first"):
        governance.decommission("STUDY_001", confirm="STUDY_001", remote=remote)
    assert everything(tmp_path / "store") == before


def test_files_with_names_that_are_no_keys(project: dc.Project) -> None:
    base = Path(project.store.location.root) / "datom"
    for name in ("a\\b.txt", "datom/notes.txt"):
        (base / name).parent.mkdir(exist_ok=True)
        (base / name).write_text("theirs")
    assert project.decommission(confirm="STUDY_001").kept == ("a\\b.txt", "datom/notes.txt")
    assert sorted(everything(base)) == ["a\\b.txt", "datom/notes.txt"]


def test_an_entry_whose_project_is_gone(
    governance: dc.Governance, project: dc.Project, monkeypatch: pytest.MonkeyPatch, remote: Path
) -> None:
    """Registered, broken off there, and then taken away as the project without register that it still was."""
    from datom_core.writing.document_edits import DocumentEditor

    def stop(*_: object, **__: object) -> None:
        raise dc.StorageError("The remote is away.")

    with monkeypatch.context() as patched:
        patched.setattr(DocumentEditor, "run", stop)
        with pytest.raises(dc.StorageError, match="The remote is away"):
            governance.attach(project)
    project.decommission(confirm="STUDY_001")
    assert [p.name for p in governance.projects()] == ["STUDY_001"]
    governance.decommission("STUDY_001", confirm="STUDY_001", remote=remote)
    assert len(governance.projects()) == 0


def test_what_a_writer_puts_in_the_last_moment(attached: dc.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from datom_core.governance.register import Register

    late = f"dm/{'a' * 64}.parquet"
    real = Register.remove

    def remove(self: Register, *args: Any) -> Any:
        attached.store.create(late, b"uploaded while the project went")
        return real(self, *args)

    monkeypatch.setattr(Register, "remove", remove)
    attached.decommission(confirm="STUDY_001")
    assert list(attached.store.list()) == []
