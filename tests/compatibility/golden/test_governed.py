"""Two projects in one register that R wrote: listed, resolved, and gone on with."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

import datom_core as dc
from tests.conftest import GOLDEN

GOVERNED = GOLDEN / "governed"
WRITTEN_AT = "/srv/datom-golden/governed"
STEPS = {step["label"]: step["result"] for step in json.loads((GOVERNED / "steps.json").read_text())}
TWO_PROJECTS = "1a628e2613865913fca09c70dd89be375e659d93"


def git(folder: Path, *args: str) -> str:
    return subprocess.run(["git", "-C", folder, *args], check=True, capture_output=True, text=True).stdout


def restored(bundle: str, folder: Path, *, at: str = "HEAD", moved_to: Path | None = None) -> Path:
    """A bare repository out of a bundle. Its data lies elsewhere by now: a commit says so."""
    work, bare = folder / f"{bundle}-work", folder / f"{bundle}.git"
    git(folder, "clone", "-q", str(GOVERNED / f"{bundle}.bundle"), str(work))
    git(work, "reset", "-q", "--hard", at)
    if moved_to is not None:
        for path in (p for p in work.rglob("*") if p.is_file() and ".git" not in p.parts):
            path.write_text(path.read_text().replace(WRITTEN_AT, str(moved_to)))
        git(work, "commit", "-qam", "Everything lies elsewhere now")
    git(folder, "clone", "-q", "--bare", str(work), str(bare))
    return bare


@pytest.fixture
def mirror(tmp_path: Path) -> dc.LocalStore:
    """The register's storage, as R left it when there were two projects."""
    shutil.copytree(GOVERNED / "snapshots/3_two_projects/gov-storage", tmp_path / "gov-storage")
    return dc.LocalStore(tmp_path / "gov-storage")


@pytest.fixture
def governance(mirror: dc.LocalStore, tmp_path: Path) -> dc.Governance:
    return dc.Governance.open(mirror, remote=restored("acme-gov", tmp_path, at=TWO_PROJECTS))


def test_listed(governance: dc.Governance, mirror: dc.LocalStore) -> None:
    listed = governance.projects()
    expected = [
        (r["name"], r["data_backend"], r["data_root"], r["data_prefix"] or "") for r in STEPS["projects via conn"]
    ]
    assert [(p.name, p.backend, p.root, p.prefix) for p in listed] == expected
    # R gave the time of the file in its clone, which is the commit's only by chance.
    assert [p.registered_by for p in listed] == ["R Golden <r-golden@example.org>"] * 2
    assert [p.registered_at for p in listed] == [
        "2026-11-22T08:21:24Z",
        "2026-11-22T08:21:25Z",
    ]
    assert all("not there" in p.note for p in listed)  # nothing is left at those places
    from_storage = dc.Governance.open(mirror).projects(details=False)
    assert [(p.name, p.registered_at) for p in from_storage] == [("GOV_ONE", None), ("GOV_TWO", None)]


def test_resolved(governance: dc.Governance) -> None:
    assert governance.project("GOV_ONE").location == dc.Location("local", f"{WRITTEN_AT}/storage")
    assert governance.project("GOV_TWO").location == dc.Location("local", f"{WRITTEN_AT}/storage2", "p2")


def test_history_of_moves(tmp_path: Path) -> None:
    shutil.copytree(GOVERNED / "snapshots/4_after_migration_record/gov-storage", tmp_path / "s")
    (event,) = dc.Governance.open(dc.LocalStore(tmp_path / "s")).project("GOV_ONE").events
    assert (event.kind, event.at) == ("migration", "2026-11-22T08:21:25Z")


def test_what_r_took_away_is_gone(tmp_path: Path) -> None:
    shutil.copytree(GOVERNED / "gov-storage", tmp_path / "s")
    governance = dc.Governance.open(dc.LocalStore(tmp_path / "s"), remote=restored("acme-gov", tmp_path))
    assert [p.name for p in governance.projects(details=False)] == ["GOV_TWO"]
    with pytest.raises(dc.NotFoundError, match="GOV_TWO"):
        governance.project("GOV_ONE")


def test_gone_on_with(tmp_path: Path) -> None:
    """GOV_TWO as R left it, found by name, written to, moved, and its register still as R would have written it."""
    shutil.copytree(GOVERNED / "storage2", tmp_path / "storage2")
    shutil.copytree(GOVERNED / "gov-storage", tmp_path / "gov-storage")
    ref = tmp_path / "gov-storage/datom/projects/GOV_TWO/ref.json"
    ref.write_text(ref.read_text().replace(WRITTEN_AT, str(tmp_path)))
    gov_remote = restored("acme-gov", tmp_path, moved_to=tmp_path)
    remote = restored("data2-remote", tmp_path, moved_to=tmp_path)
    mirror = dc.LocalStore(tmp_path / "gov-storage")

    found = dc.ProjectReader.find("GOV_TWO", governance=mirror)
    assert (found.project, len(found.list())) == ("GOV_TWO", 0)
    governance = dc.Governance.open(mirror, remote=gov_remote)
    project = dc.Project.open(dc.LocalStore(tmp_path / "storage2", "p2"), remote=remote, governance=governance)
    assert project.write("dm", pd.DataFrame({"USUBJID": ["1"]})).action == "created"
    assert governance.attach(project).governed  # again: nothing to do
    assert git(gov_remote, "log", "-1", "--format=%s").strip() == "Everything lies elsewhere now"
    dc.migrate(project, dc.LocalStore(tmp_path / "elsewhere"))
    assert governance.projects()[0].root == str(tmp_path / "elsewhere")


@pytest.mark.parametrize("snapshot", ["2_after_attach", "3_two_projects"])
def test_our_documents_have_the_same_files_and_fields(snapshot: str, tmp_path: Path) -> None:
    governance = dc.Governance.init(dc.LocalStore(tmp_path / "gov"), remote=tmp_path / "gov.git")
    root = dc.LocalStore(tmp_path / "storage")
    ours = governance.attach(dc.Project.init("GOV_ONE", root, remote=tmp_path / "one.git"))
    if snapshot == "3_two_projects":
        second = dc.LocalStore(tmp_path / "storage2", "p2")
        governance.attach(dc.Project.init("GOV_TWO", second, remote=tmp_path / "two.git"))
    theirs = GOVERNED / "snapshots" / snapshot
    for tree, bare in ((theirs / "gov-clone", tmp_path / "gov.git"), (theirs / "gov-storage/datom", None)):
        files = {str(p.relative_to(tree)): p for p in tree.rglob("*") if p.is_file()}
        listed = (
            git(bare, "ls-tree", "-r", "--name-only", "HEAD").splitlines()
            if bare is not None
            else [o.key for o in governance.store.list()]
        )
        assert sorted(listed) == sorted(files)
        for name in (n for n in listed if n.endswith(".json")):
            text = git(bare, "show", f"HEAD:{name}") if bare else bytes(governance.store.get(name).data).decode()
            assert text.replace(str(tmp_path), WRITTEN_AT) == files[name].read_text()
    note = json.loads((theirs / "repo_dot_datom/governance.json").read_text())
    our_note = json.loads(git(tmp_path / "one.git", "show", "HEAD:.datom/governance.json"))
    assert list(our_note) == list(note)
    assert list(our_note["gov_storage"]) == list(note["gov_storage"])
    assert ours.governed
