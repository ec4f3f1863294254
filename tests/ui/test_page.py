"""Dagster's page in a real browser, over two cuts of the example's study."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
CUTS = ("2012-12", "2013-03")

pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None and not os.environ.get("DATOM_CI"),
        reason="needs a chromium browser: run `make system` (as root), or install one",
    ),
    pytest.mark.xdist_group("ui"),
    pytest.mark.timeout(300),
]

RECORD = f"""
import dagster as dg
from example_project.settings import Settings, ensure_dagster_home, ensure_project
settings = Settings.from_environment()
ensure_dagster_home(settings)
ensure_project(settings)
from example_project.demo import record
with dg.DagsterInstance.get() as instance:
    for cut in {CUTS!r}:
        record(1, cut, instance)
    from example_project.definitions import defs
    for job in ("init_governance", "attach_governance"):
        run = defs.resolve_job_def(job).execute_in_process(instance=instance)
    (__import__("pathlib").Path(settings.dagster_home) / "attached").write_text(run.run_id)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Path(os.environ.get("DATOM_SCREENSHOT_DATA") or tmp_path_factory.mktemp("ui"))
    made.mkdir(exist_ok=True)
    return made


@pytest.fixture(scope="module")
def base_url(folder: Path) -> Iterator[str]:
    """A web server over a fresh project with two cuts; ended when the tests are done."""
    (folder / "gitconfig").write_text("[user]\n\tname = Data Management\n\temail = data.management@example.org\n")
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
        "DATOM_EXAMPLE_STORE": str(folder / "store"),
        "DATOM_EXAMPLE_REMOTE": str(folder / "study_001.git"),
        "DATOM_EXAMPLE_GOVERNANCE_STORE": str(folder / "governance"),
        "DATOM_EXAMPLE_GOVERNANCE_REMOTE": str(folder / "governance.git"),
        "DATOM_EXAMPLE_DAGSTER_HOME": str(folder / "dagster"),
        "DAGSTER_HOME": str(folder / "dagster"),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    subprocess.run([sys.executable, "-c", RECORD], check=True, env=environment, cwd=ROOT)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "dagster_webserver", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    with open(folder / "server.log", "wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/server_info", server, folder / "server.log")
            yield url
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=30)


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="module")
def page(base_url: str) -> Iterator[Any]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=60_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_page(base_url=base_url, viewport={"width": 1440, "height": 1000})
        browser.close()


def keep(page: Any, name: str) -> None:
    """Keep a picture for the docs when a folder for them is given."""
    folder = os.environ.get("DATOM_SCREENSHOTS")
    if folder:
        page.wait_for_timeout(1500)
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def test_an_assets_page_shows_its_version(page: Any) -> None:
    from playwright.sync_api import expect

    page.goto("/assets/lb?view=overview")
    for text in ("Row count", "16,993", "STUDY_001.lb", "Laboratory", "data.management@example.org"):
        expect(page.get_by_text(text).first).to_be_visible()
    expect(page.get_by_text("Lab Test or Examination Short Name").first).to_be_visible()
    keep(page, "asset-overview")


def test_the_event_says_why_what_and_which_commit(page: Any) -> None:
    from playwright.sync_api import expect

    page.goto(f"/assets/lb?view=partitions&partition={CUTS[-1]}")
    for text in ("datom/message", f"EDC extract through the end of {CUTS[-1]}", "datom/change", "+9560 rows"):
        expect(page.get_by_text(text).first).to_be_visible()
    keep(page, "asset-partition")


def test_lineage_shows_what_was_derived(page: Any) -> None:
    from playwright.sync_api import expect

    page.goto("/assets/lb_abnormal?view=lineage&lineageScope=upstream&lineageDepth=5")
    for asset in ("dm", "lb", "lb_abnormal"):
        expect(page.get_by_text(asset, exact=True).first).to_be_visible()
    keep(page, "lineage")


def test_the_run_of_a_job_shows_what_it_did(page: Any, folder: Path) -> None:
    from playwright.sync_api import expect

    page.goto(f"/runs/{(folder / 'dagster' / 'attached').read_text()}?logsFilterMode=logs")
    expect(page.get_by_text("attach_governance").first).to_be_visible()
    for text in ("STEP_OUTPUT", "datom/registered_by", "Data Management"):
        expect(page.get_by_text(text).first).to_be_visible()
    keep(page, "job-run")


def test_the_asset_tells_that_its_study_was_registered(page: Any) -> None:
    from playwright.sync_api import expect

    page.goto("/assets/lb?view=events")
    for text in ("Observed in run", "datom/event", "registered"):
        expect(page.get_by_text(text).first).to_be_visible()
    keep(page, "asset-events")
