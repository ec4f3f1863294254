"""How a prefix is spelled: one place for us in all spellings, and recorded as it was given, because R compares them."""

from __future__ import annotations

import json
import pickle
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml

import datom_core as dc
from datom_core.testing import Clock
from tests.long import paired
from tests.s3.server import S3Server

SPELLINGS = ("a/b", "a/b/", "/a/b", "/a/b//")


def recorded(remote: Path) -> object:
    text = subprocess.run(["git", "-C", remote, "show", "HEAD:.datom/project.yaml"], capture_output=True, check=True)
    return yaml.safe_load(text.stdout)["storage"]["data"]["prefix"]


@pytest.fixture
def place(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> object:
    if kind == "local":
        return lambda prefix: dc.LocalStore(tmp_path / "store", prefix)
    server: S3Server = request.getfixturevalue("s3_server")
    bucket = server.bucket()
    return lambda prefix: server.store(bucket, prefix)


@pytest.mark.parametrize(("given", "kind"), paired(SPELLINGS, ["local", "s3"]))
def test_recorded_as_given_and_one_place(given: str, place, remote: Path, clock: Clock) -> None:  # type: ignore[no-untyped-def]
    project = dc.Project.init("STUDY_001", place(given), remote=remote, clock=clock)
    assert recorded(remote) == given
    assert project.store.location.prefix == "a/b"
    project.write("dm", pd.DataFrame({"x": [1]}))
    for spelling in SPELLINGS:
        store = place(spelling)
        if isinstance(store, dc.LocalStore):
            store = pickle.loads(pickle.dumps(store))
        assert store.location == project.store.location
        assert store.location.spelled_prefix == spelling
        again = dc.Project.open(store, remote=remote, clock=clock)
        assert again.write("dm", pd.DataFrame({"x": [1]})).action == "unchanged"
    # What others edit in the file keeps the spelling, too.
    project.upgrade()
    assert recorded(remote) == given


@pytest.mark.parametrize("given", ["", "/", "//"])
def test_none_at_all(given: str, tmp_path: Path, remote: Path, clock: Clock) -> None:
    dc.Project.init("STUDY_001", dc.LocalStore(tmp_path / "store", given), remote=remote, clock=clock)
    assert recorded(remote) is None


def test_a_move_records_the_new_one_as_given(tmp_path: Path, remote: Path, clock: Clock) -> None:
    project = dc.Project.init("STUDY_001", dc.LocalStore(tmp_path / "store", "a/"), remote=remote, clock=clock)
    project.write("dm", pd.DataFrame({"x": [1]}))
    dc.migrate(project, dc.LocalStore(tmp_path / "store", "b/"))
    assert recorded(remote) == "b/"


def test_the_register_spells_it_as_git_does(tmp_path: Path, remote: Path, clock: Clock) -> None:
    dc.Project.init("STUDY_001", dc.LocalStore(tmp_path / "store", "a/b/"), remote=remote, clock=clock)
    register = dc.LocalStore(tmp_path / "register")
    governance = dc.Governance.init(register, remote=tmp_path / "register.git", clock=clock)
    project = dc.Project.open(dc.LocalStore(tmp_path / "store", "a/b"), remote=remote, clock=clock)
    governance.attach(project)
    ref = json.loads(bytes(register.get("projects/STUDY_001/ref.json").data))
    assert ref["current"]["prefix"] == "a/b/"
    assert dc.locate("STUDY_001", governance=register).location.prefix == "a/b"
    assert len(governance.projects()) == 1
