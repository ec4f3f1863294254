"""Dagster's web server over a fresh project of the example, with two cuts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.long import LONG
from tests.servers import free_port, running

ROOT = Path(__file__).resolve().parents[3]
CUTS = ("2012-12", "2013-03")

# Runs start at once, without the daemon that `make ui` has to take them from a queue.
DAGSTER = """
telemetry: {enabled: false}
nux: {enabled: false}
run_coordinator: {module: dagster._core.run_coordinator, class: DefaultRunCoordinator}
"""

# Two jobs, two cuts (the last one alone in the short run), and the second one of dm once more, which changes nothing.
RECORD = f"""
if not {LONG}:
    from tests.dagster.fewer import fewer_subjects
    fewer_subjects()
import dagster as dg
from example_project.settings import Settings, ensure_product, ensure_project
settings = Settings.from_environment()
ensure_project(settings)
ensure_product(settings)
from example_project.definitions import defs
from example_project.demo import record, release
with dg.DagsterInstance.get() as instance:
    for job in ("init_governance", "attach_governance"):
        run = defs.resolve_job_def(job).execute_in_process(instance=instance)
    (__import__("pathlib").Path(settings.dagster_home) / "attached").write_text(run.run_id)
    for cut in {CUTS if LONG else CUTS[-1:]!r}:
        record(1, cut, instance)
    defs.resolve_job_def("record_cut").execute_in_process(
        partition_key={CUTS[-1]!r}, instance=instance, asset_selection=[dg.AssetKey("dm")]
    )
    release({CUTS[-1]!r}, instance)
"""


@contextmanager
def web_server(folder: Path) -> Iterator[str]:
    """The address of the server; it is ended with all that it started."""
    environment = _environment(folder)
    recorded = subprocess.run([sys.executable, "-c", RECORD], env=environment, cwd=ROOT, capture_output=True, text=True)
    assert recorded.returncode == 0, recorded.stderr
    port = free_port()
    command = [sys.executable, "-m", "dagster_webserver", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    url = f"http://127.0.0.1:{port}"
    with running(command, f"{url}/server_info", folder / "server.log", env=environment, cwd=ROOT):
        yield url


def _environment(folder: Path) -> dict[str, str]:
    """Everything below the folder, also what a run that is launched from the page has."""
    home = folder / "dagster"
    home.mkdir(exist_ok=True)
    (home / "dagster.yaml").write_text(DAGSTER)
    (folder / "gitconfig").write_text("[user]\n\tname = Data Management\n\temail = data.management@example.org\n")
    return {
        **os.environ,
        "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
        "DATOM_EXAMPLE_STORE": str(folder / "store"),
        "DATOM_EXAMPLE_REMOTE": str(folder / "study_001.git"),
        "DATOM_EXAMPLE_GOVERNANCE_STORE": str(folder / "governance"),
        "DATOM_EXAMPLE_GOVERNANCE_REMOTE": str(folder / "governance.git"),
        "DATOM_EXAMPLE_DROPS": str(folder / "drops"),
        "DATOM_EXAMPLE_DAGSTER_HOME": str(home),
        "DAGSTER_HOME": str(home),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
