"""`make demo-s3`: promote the demo's project to S3, read it with a reader's keys, go on writing there.

The server is the one of the tests: it checks signatures and policies, and forgets everything when it stops. The demo
promotes a copy of its project, and leaves the original as it is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import datom_core as dc
from example_project.settings import PROJECT, Settings
from tests.s3.server import Moto, moto

_PREFIX = "studies/001"
_RECORD = """
import dagster as dg
from example_project.settings import Settings, ensure_dagster_home, ensure_project
settings = Settings.from_environment()
ensure_dagster_home(settings)
ensure_project(settings)
from example_project.demo import record
with dg.DagsterInstance.get() as instance:
    record(5, "2014-06", instance)
"""


def main() -> None:
    settings = Settings.from_environment()
    copy = Path(settings.remote).with_name("s3")
    project = _copy_of_the_demo(settings, copy)
    with moto(copy) as server:
        bucket = server.bucket()
        server.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        store = server.store(bucket, _PREFIX)
        _title("Is the bucket fit for a project?")
        print(store.preflight())
        _promote(project, store)
        _read_as_a_reader(server, store)
        _title("The same job on S3: two variables more, and the keys in AWS's own")
        _record_a_cut(server, store, copy)
        print(dc.ProjectReader.open(store, PROJECT).list())


def _copy_of_the_demo(settings: Settings, copy: Path) -> dc.Project:
    if not Path(settings.remote).exists():
        subprocess.run([sys.executable, "-m", "example_project.demo"], check=True)
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(settings.store, copy / "store")
    shutil.copytree(settings.remote, copy / "study_001.git")
    # The copy is not where its project says it is: one commit records the new place.
    return dc.Project.open(dc.LocalStore(copy / "store"), remote=copy / "study_001.git", relocate=True)


def _promote(project: dc.Project, store: dc.S3Store) -> None:
    _title("Promotion: what would be done, then done")
    print(dc.migrate(project, store, dry_run=True))

    def tell(progress: dc.Progress) -> None:
        if progress.objects == progress.total_objects:
            print(f"  {progress.what}: {progress.objects} of {progress.total_objects} objects", flush=True)

    print()
    report = dc.migrate(project, store, on_progress=tell)
    print(f"\n{report}")
    try:
        project.write("dm", project.reader.read_arrow("dm").slice(0, 1))
    except dc.ConflictError as error:
        print(f"\nA writer who still holds the old place is told: {error}")


def _read_as_a_reader(server: Moto, store: dc.S3Store) -> None:
    _title("A reader: keys that may list and get, and no git")
    policy = dc.iam_policy(store, "reader")
    theirs = server.store(store.bucket, _PREFIX, credentials=server.user(policy))
    reader = dc.ProjectReader.open(theirs, PROJECT)
    print(reader.history("lb"))
    print(f'\nlb as of the cut "2012-12": {len(reader.read("lb", cut="2012-12"))} rows')
    try:
        theirs.create("lb/x.parquet", b"x")
    except dc.AccessDeniedError as error:
        print(f"An attempt to write: {error}")
    _title("Their policy, and a writer's")
    print(json.dumps(policy, indent=2))
    print(json.dumps(dc.iam_policy(store, "writer"), indent=2))


def _record_a_cut(server: Moto, store: dc.S3Store, copy: Path) -> None:
    environment = {
        **os.environ,
        "DATOM_EXAMPLE_STORE": f"s3://{store.bucket}/{_PREFIX}",
        "DATOM_EXAMPLE_S3_ENDPOINT": server.endpoint,
        "DATOM_EXAMPLE_REMOTE": str(copy / "study_001.git"),
        "DATOM_EXAMPLE_DAGSTER_HOME": str(copy / "dagster"),
        "AWS_ACCESS_KEY_ID": server.owner.access_key,
        "AWS_SECRET_ACCESS_KEY": server.owner.secret_key.reveal(),
    }
    root = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-c", _RECORD]
    subprocess.run(command, check=True, env=environment, cwd=root)  # noqa: S603 - a fixed program


def _title(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}\n", flush=True)


if __name__ == "__main__":
    main()
