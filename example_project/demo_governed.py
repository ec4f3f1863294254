"""`make demo-governed`: the studies of an organization, from the creation of its register to the end of one study.

GitHub and S3 are the servers of the tests: they check tokens, signatures and policies, and stop when the demo ends.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import datom_core as dc
from example_project.extract import extract
from example_project.settings import Settings
from tests.github.server import GitHubServer, github_server
from tests.s3.server import Moto, moto

KEEPER, ENGINEER = "Kim Keeper <kim@acme.example>", "Eli Engineer <eli@acme.example>"


@dataclass(frozen=True)
class Acme:
    """An organization: its bucket, its repositories as seen with two tokens, and keys that may only read."""

    server: Moto
    bucket: str
    github: GitHubServer
    keeper: dc.GitHub
    engineer: dc.GitHub
    readers_keys: dc.Credentials
    folder: Path

    def store(self, prefix: str, credentials: dc.Credentials | None = None) -> dc.S3Store:
        return self.server.store(self.bucket, prefix, credentials=credentials or self.server.owner)


def main() -> None:
    folder = Path(Settings.from_environment().remote).with_name("governed")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")  # its repositories are gone when the demo ends
    with moto(folder) as server, github_server(folder / "github") as github:
        acme = _acme(server, github, folder)
        _title("A register of all studies: a private repository on GitHub, and its mirror in a bucket")
        governance = dc.Governance.init(
            acme.store("register"), remote=acme.keeper.repository("governance"), create_repo=True, author=KEEPER
        )
        print(governance)
        one, two = _a_study_on_a_disk(acme, governance), _a_study_in_the_bucket(acme, governance)
        _read_by_name(acme)
        _move(acme, governance, one)
        _audit(acme, governance)
        _title("A manager: all studies in one list")
        print(governance.projects())
        _end(acme, governance, two)


def _acme(server: Moto, github: GitHubServer, folder: Path) -> Acme:
    github.org("acme", {"kim": "admin", "eli": "write"})
    keeper = dc.GitHub(github.user("kim", ["repo", "delete_repo"]), github.api_url, "acme")
    engineer = dc.GitHub(github.user("eli", ["repo"]), github.api_url, "acme")
    bucket = server.bucket()
    register, studies = server.store(bucket, "register"), server.store(bucket, "studies")
    readers = server.user(dc.iam_policy(register, "reader"), dc.iam_policy(studies, "reader", scope="prefix"))
    return Acme(server, bucket, github, keeper, engineer, readers, folder)


def _a_study_on_a_disk(acme: Acme, governance: dc.Governance) -> dc.Project:
    _title("STUDY_001 on a disk: its repository is created; a first extract, one commit; registered")
    store, name = dc.LocalStore(acme.folder / "disk", "studies/001"), "study-001"
    founded = dc.Project.init("STUDY_001", store, remote=acme.keeper.repository(name), create_repo=True, author=KEEPER)
    project = dc.Project.open(store, remote=acme.engineer.repository(name), author=ENGINEER)
    tables = {table: extract(table, date(2012, 12, 31)) for table in ("dm", "ex", "lb", "ae")}
    print(project.cut("2012-12", tables, message="EDC extract through the end of 2012", table_type="imported"))
    dm = tables["dm"]
    dm = dm.assign(AGE=dm["AGE"].where(dm.index > 0, dm["AGE"] + 1))
    project.write("dm", dm, message="Age of the first subject corrected", table_type="imported")
    print(f"\n{governance.attach(founded)}")
    return dc.Project.open(store, remote=acme.engineer.repository(name), governance=governance.store, author=ENGINEER)


def _a_study_in_the_bucket(acme: Acme, governance: dc.Governance) -> dc.Project:
    store, remote = acme.store("studies/002"), acme.keeper.repository("study-002")
    project = governance.attach(dc.Project.init("STUDY_002", store, remote=remote, create_repo=True, author=KEEPER))
    project.write("dm", extract("dm", date(2012, 9, 30)), message="First extract")
    return project


def _read_by_name(acme: Acme) -> None:
    _title("A statistician: the study's name, and keys that may list and get")
    register = acme.store("register", acme.readers_keys)
    reader = dc.ProjectReader.find("STUDY_001", governance=register)
    print(f'dc.ProjectReader.find("STUDY_001", governance=register)\n  {reader}\n\n{reader.list()}\n')
    first = reader.history("dm")[-1]
    ways: list[dict[str, Any]] = [{"version": first.version[:8]}, {"cut": "2012-12"}, {}]
    for how in ways:
        frame = reader.read("dm", **how)
        print(f"dm {how or 'as it is now'}: {len(frame)} rows, the first subject is {frame['AGE'][0]:g}")
    try:
        register.create("x.json", b"x")
    except dc.AccessDeniedError as error:
        print(f"An attempt to write: {error}")


def _move(acme: Acme, governance: dc.Governance, held: dc.Project) -> None:
    _title("The disk is retired: STUDY_001 moves to the bucket")
    remote, target = acme.keeper.repository("study-001"), acme.store("studies/001")
    project = dc.Project.open(held.store, remote=remote, governance=governance, author=KEEPER)
    print(dc.migrate(project, target, message="The disk is retired", sunset_at="2030-06-30"))
    try:
        held.write("ae", held.reader.read_arrow("ae").slice(0, 1))
    except dc.ConflictError as error:
        print(f"\nA writer who still holds the disk is told: {error}")
    print("\nWhoever reads by name notices nothing:")
    print(f"  {dc.ProjectReader.find('STUDY_001', governance=acme.store('register', acme.readers_keys))}")


def _audit(acme: Acme, governance: dc.Governance) -> None:
    _title("An auditor: who registered it, what moved, who recorded what and why, and is every byte there?")
    print(f"{governance.project('STUDY_001')}\n")
    project = dc.Project.open(acme.store("studies/001"), remote=acme.engineer.repository("study-001"))
    print(f"{project.reader.history('dm')}\n\n{project.validate('full')}")


def _end(acme: Acme, governance: dc.Governance, project: dc.Project) -> None:
    _title("STUDY_002 ends: a typo, a dry run, and for real")
    try:
        project.decommission(confirm="STUDY_02")
    except dc.InvalidInputError as error:
        print(f"{error}\n")
    print(project.decommission(confirm="STUDY_002", dry_run=True))
    project.decommission(confirm="STUDY_002")
    print(f"\nOn GitHub now: {', '.join(sorted(acme.github.repositories))}")
    try:
        dc.ProjectReader.find("STUDY_002", governance=governance.store)
    except dc.NotFoundError as error:
        print(f"Find it? {error}")
    log = acme.github.git("acme/governance", "log", "--format=  %as %an: %s")
    print(f"\nWhat the register's own history keeps:\n\n{log}")


def _title(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}\n", flush=True)


if __name__ == "__main__":
    main()
