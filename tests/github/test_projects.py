"""A project whose repository is made with it, broken off at every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import datom_core as dc
from datom_core.testing import FailingStore
from tests.github.conftest import Connect, posts
from tests.github.server import GitHubServer


def test_the_repository_is_made_with_the_project(
    github: GitHubServer, alice: dc.GitHub, store: dc.LocalStore, dm: Callable[[int], Any]
) -> None:
    name = "STUDY 001 (a)"
    remote = alice.repository(f"acme/{alice.repository_name(name)}")
    project = dc.Project.init(name, store, remote=remote, create_repo=True)
    project.write("dm", dm(2))
    made = github.repositories["acme/STUDY-001-a"]
    assert (made.private, made.description) == (True, "datom project: STUDY 001 (a)")
    assert project.remote == f"{github.url}/acme/STUDY-001-a.git"
    assert dc.Project.open(store, remote=remote).reader.list()[0].name == "dm"


def test_an_empty_one_is_used(github: GitHubServer, alice: dc.GitHub, store: dc.LocalStore) -> None:
    github.add("acme/study")
    dc.Project.init("S", store, remote=alice.repository("acme/study"), create_repo=True)
    assert posts(github) == []


@pytest.mark.parametrize(
    "match",
    ["GET /api/v3/repos", "GET /api/v3/user", "POST /api/v3/user/repos", "git-upload-pack", "git-receive-pack"],
)
@pytest.mark.parametrize("answered", [True, False])
def test_broken_off_anywhere_the_same_call_completes_it(
    github: GitHubServer, alice: dc.GitHub, store: dc.LocalStore, match: str, answered: bool
) -> None:
    if answered:
        github.fail(500, match, times=9)
    else:
        github.drop(match, times=9)

    def init() -> dc.Project:
        return dc.Project.init("S", store, remote=alice.repository("alice/study"), create_repo=True)

    with pytest.raises(dc.StorageError):
        init()
    github._faults.clear()
    assert init().status().level
    assert list(github.repositories) == ["alice/study"]


def test_broken_off_after_the_commit_the_same_call_completes_it(
    github: GitHubServer, alice: dc.GitHub, store: dc.LocalStore
) -> None:
    broken = FailingStore(store)
    broken.fail("create", "*manifest.json", error=dc.StorageError("The disk is full. Try again."))
    remote = alice.repository("alice/study")
    with pytest.raises(dc.StorageError, match="disk is full"):
        dc.Project.init("S", broken, remote=remote, create_repo=True)
    assert github.git("alice/study", "rev-list", "--count", "main").strip() == "1"
    assert dc.Project.init("S", store, remote=remote, create_repo=True).status().level
    assert github.git("alice/study", "rev-list", "--count", "main").strip() == "1"
    with pytest.raises(dc.AlreadyExistsError, match="holds the project 'S'"):
        dc.Project.init("S", store, remote=remote, create_repo=True)


def test_nothing_is_made_when_the_storage_is_taken(github: GitHubServer, alice: dc.GitHub, project: dc.Project) -> None:
    with pytest.raises(dc.AlreadyExistsError, match="holds the project"):
        dc.Project.init("T", project.store, remote=alice.repository("alice/study"), create_repo=True)
    assert github.repositories == {}


def test_the_storage_is_free_again_when_the_repository_is_refused(
    github: GitHubServer, connect: Connect, store: dc.LocalStore
) -> None:
    remote = connect(github.user("alice", ["gist"])).repository("alice/study")
    with pytest.raises(dc.AccessDeniedError, match="`repo`"):
        dc.Project.init("S", store, remote=remote, create_repo=True)
    assert list(store.list()) == []


def test_a_host_without_an_api(github: GitHubServer, store: dc.LocalStore) -> None:
    github.add("alice/study")
    url = f"{github.url}/alice/study.git"
    for remote in (url, dc.Remote(url, github.user("alice")), "git@example.org:x.git"):
        with pytest.raises(dc.InvalidInputError, match=r"empty repository on its host by hand.*create_repo out"):
            dc.Project.init("S", store, remote=remote, create_repo=True)
    assert list(store.list()) == []
    assert github.requests == []


def test_a_path_is_made_as_ever(store: dc.LocalStore, remote: Any) -> None:
    assert dc.Project.init("S", store, remote=remote, create_repo=True).status().level


def test_one_that_is_not_there_and_is_not_to_be_made(
    github: GitHubServer, alice: dc.GitHub, store: dc.LocalStore
) -> None:
    with pytest.raises(dc.NotFoundError, match=r"no git repository at .*create_repo=True"):
        dc.Project.init("S", store, remote=alice.repository("alice/study"))
    assert github.repositories == {}
    assert list(store.list()) == []


def test_a_repository_that_was_renamed_is_not_said_to_be_deleted(
    github: GitHubServer, alice: dc.GitHub, store: dc.LocalStore
) -> None:
    """git follows it from its old name; what deletes does not."""
    project = dc.Project.init("S", store, remote=alice.repository("alice/old"), create_repo=True)
    github.rename("alice/old", "alice/new")
    for dry_run in (True, False):
        with pytest.raises(dc.InvalidInputError, match=r"renamed or transferred.*Nothing was done"):
            project.decommission(confirm="S", dry_run=dry_run)
    assert project.status().level
    renamed = dc.Project.open(store, remote=alice.repository("alice/new"))
    assert renamed.decommission(confirm="S").repository == f"{github.url}/alice/new.git (deleted)"
    assert github.repositories == {}
