"""deploy/celery as it is: workers of a Celery queue write one project at once, and PostgreSQL holds the log."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

import datom_core as dc
from tests.conftest import GIT_CONFIG
from tests.end_to_end.cluster.servers import MISSING, alive, dumped, postgres, redis, workers
from tests.long import LONG, long
from tests.patience import PATIENCE
from tests.pipes import filled_at_once

DEPLOY = Path(__file__).resolve().parents[3] / "deploy" / "celery"
TABLES = {"ae": 1, "dm": 2, "lb": 3, "vs": 4}
SECRETS = {"PostgreSQL's password": "pg-s3cret-4711", "Redis's password": "redis-s3cret-4712"}

RUNS = 2 if LONG else 1
# To start a worker takes seconds; what it is about is that they are several, with four processes in all.
WORKERS = 4 if LONG else 2

pytestmark = [
    long,  # several processes write in tests/dagster/test_multiprocess.py; deploy/ is loaded in test_deploy.py
    pytest.mark.skipif(
        bool(MISSING) and not os.environ.get("DATOM_CI"),
        reason=f"needs {' and '.join(MISSING)}: run `make system` (as root), or install them",
    ),
    pytest.mark.xdist_group("cluster"),
]


def frame(table: str) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"01-{i:03d}" for i in range(TABLES[table])], "DOMAIN": table.upper()})


@dataclass
class Cluster:
    """What is there of it, and what became of its runs."""

    folder: Path
    environment: dict[str, str]
    project: dc.Project
    printed: str = ""
    commits: list[int] = field(default_factory=list)
    runs: list[dg.DagsterRun] = field(default_factory=list)
    logs: list[list[dg.EventLogEntry]] = field(default_factory=list)
    database: bytes = b""

    def run(self) -> None:
        """The job, by the command that the page on clusters names; then what is known of it."""
        command = ["job", "execute", "-f", str(DEPLOY / "definitions.py"), "-j", "tables"]
        extracts = {f"{table}.csv": frame(table).to_csv(index=False) for table in TABLES}
        with filled_at_once(self.folder / "extracts", extracts):
            done = subprocess.run(
                [sys.executable, "-m", "dagster", *command],
                env=self.environment,
                cwd=self.folder,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
            self.printed += done.stdout + done.stderr
            assert done.returncode == 0, self.printed
        count = ["git", "-C", self.project.remote, "rev-list", "--count", "HEAD"]
        self.commits.append(int(subprocess.run(count, check=True, capture_output=True).stdout))

    def look(self) -> None:
        """Read the log out of PostgreSQL, oldest run first."""
        with dg.DagsterInstance.from_config(self.environment["DAGSTER_HOME"]) as instance:
            assert type(instance.event_log_storage).__name__ == "PostgresEventLogStorage"
            self.runs = list(reversed(instance.get_runs()))
            self.logs = [list(instance.all_logs(run.run_id)) for run in self.runs]
        self.database = dumped(self.environment)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A run, in the long version another of the same extracts; all that was started for them is gone afterwards."""
    folder = tmp_path_factory.mktemp("cluster")
    home = folder / "dagster"
    home.mkdir()
    shutil.copy(DEPLOY / "dagster.yaml", home)
    (folder / "gitconfig").write_text(GIT_CONFIG)
    with pytest.MonkeyPatch.context() as patch, ExitStack() as servers:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setenv("GIT_CONFIG_GLOBAL", str(folder / "gitconfig"))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        project = dc.Project.init("STUDY_001", dc.LocalStore(folder / "store"), remote=folder / "remote.git")
        pg, queue = SECRETS.values()
        settings = {
            **servers.enter_context(postgres(folder / "postgres.log", pg)),
            **servers.enter_context(redis(folder, queue)),
            "DAGSTER_HOME": str(home),
            "STUDY_DATA": str(folder / "store"),
            "STUDY_REPO": str(folder / "remote.git"),
            "STUDY_EXTRACTS": str(folder / "extracts"),
        }
        for name, value in settings.items():
            patch.setenv(name, value)
        made = Cluster(folder, dict(os.environ), project)
        with workers(WORKERS, len(TABLES) // WORKERS, folder, made.environment):
            for _ in range(RUNS):
                made.run()
        made.look()
        assert [line for line in alive(folder) if "celery" in line] == []
        yield made
        servers.close()
        assert alive(folder) == []


def events(log: list[dg.EventLogEntry], kind: str) -> list[Any]:
    return [e.dagster_event for e in log if e.dagster_event and e.dagster_event.event_type_value == kind]


def data_versions(log: list[dg.EventLogEntry]) -> dict[str, str]:
    found = [e.asset_materialization for e in log if e.asset_materialization is not None]
    return {m.asset_key.to_user_string(): (m.tags or {})["dagster/data_version"] for m in found}


def at(log: list[dg.EventLogEntry], kind: str) -> dict[str | None, float]:
    """When such an event was of which step."""
    return {e.step_key: e.timestamp for e in log if e.dagster_event and e.dagster_event.event_type_value == kind}


def workers_of(log: list[dg.EventLogEntry]) -> dict[str | None, Any]:
    """Which worker says that it has taken which step."""
    told = [e for e in events(log, "ENGINE_EVENT") if "Celery worker" in e.engine_event_data.metadata]
    return {e.step_key: e.engine_event_data.metadata["Celery worker"].value for e in told}


def test_four_workers_write_at_once(cluster: Cluster) -> None:
    """The pipes that the tables come from give nothing until all four steps read, so that they write together."""
    for run, log in zip(cluster.runs, cluster.logs, strict=True):
        assert run.is_success
        begun, ended = (at(log, kind) for kind in ("STEP_START", "STEP_SUCCESS"))
        assert begun.keys() == ended.keys() == {*TABLES, "subjects"}
        assert max(begun[table] for table in TABLES) < min(ended[table] for table in TABLES)
        pids = {e.step_key: e.pid for e in events(log, "STEP_START")}
        assert len({pids[table] for table in TABLES}) == 4
        assert len({workers_of(log)[table] for table in TABLES}) == WORKERS


def test_no_write_is_lost(cluster: Cluster) -> None:
    reader = cluster.project.reader
    frames = {table: frame(table) for table in TABLES}
    frames["subjects"] = frames["dm"][["USUBJID"]].assign(ANYAE=[True, False])
    shas = {table: dc.hash_table(made).data_sha for table, made in frames.items()}
    assert {t.name: [v.data_sha for v in reader.history(t.name)] for t in reader.list()} == {
        table: [sha] for table, sha in shas.items()
    }
    assert {p.table: p.version for p in reader.parents("subjects")} == {
        table: reader.history(table)[0].version for table in ("dm", "ae")
    }
    assert cluster.project.status().level
    assert [data_versions(log) for log in cluster.logs] == [shas] * RUNS


def test_writers_wait_for_each_other_by_themselves(cluster: Cluster) -> None:
    """No step had to be run again."""
    assert [event for log in cluster.logs for event in events(log, "STEP_UP_FOR_RETRY")] == []


def test_the_same_extracts_again_make_no_commit(cluster: Cluster) -> None:
    assert cluster.commits == [1 + len(TABLES) + 1] * RUNS


def test_no_secret_shows(cluster: Cluster) -> None:
    """Neither in the database, the queue, the logs and what was printed, nor in any file but Redis's own."""
    places = {"database": cluster.database, "output": cluster.printed.encode()}
    for path in cluster.folder.rglob("*"):
        if path.is_file() and path.name != "redis.conf":
            places[str(path.relative_to(cluster.folder))] = path.read_bytes()
    # The bodies of tasks travel in base 64.
    bodies = re.findall(rb"[A-Za-z0-9+/]{40,}={0,2}", places["redis.txt"])
    places["tasks"] = b"".join(base64.b64decode(body) for body in bodies if len(body) % 4 == 0)
    # What was searched is what it is taken for.
    for place in ("database", "output", "redis.txt", "tasks"):
        assert cluster.runs[0].run_id.encode() in places[place]
    assert b"DAGSTER_PG_PASSWORD" in places["tasks"]
    shown = [
        f"{name} in {place}" for name, secret in SECRETS.items() for place in places if secret.encode() in places[place]
    ]
    assert shown == []
