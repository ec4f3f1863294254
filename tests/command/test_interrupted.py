"""Ctrl-C and requests to end, in the middle of a write: no traceback, and nothing that a retry does not complete."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import datom_core as dc
from tests.command.conftest import ROOT, Datom, Study
from tests.patience import PATIENCE

#: Runs the command, and holds it for ever where a function of the core is called.
PROGRAM = """
import sys, time
from {module} import {kind}

def held(self, *args, **more):
    print("HELD", file=sys.stderr, flush=True)
    while True:
        time.sleep(0.05)

{kind}.{function} = held
from datom_core.command import main
main(sys.argv[1:])
"""


@contextmanager
def held_in(module: str, kind: str, function: str) -> Iterator[subprocess.Popen[str]]:
    """A write of ``dm.csv`` that goes no further than a function of the core."""
    program = PROGRAM.format(module=module, kind=kind, function=function)
    with subprocess.Popen(
        [sys.executable, "-c", program, "write", "dm", "dm.csv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    ) as process:
        try:
            assert process.stderr is not None
            assert process.stderr.readline() == "HELD\n"
            yield process
        finally:
            process.kill()


@pytest.fixture
def project(study: Study) -> dc.Project:
    Path("dm.csv").write_text("USUBJID,AGE\n01-001,41\n")
    return dc.Project.open(study.store, remote="history.git")


def completed(datom: Datom, project: dc.Project, action: str) -> None:
    """Readers see one version or the other, whole; and the next call completes what was begun."""
    assert len(project.reader.read("dm")) in (1, 3)
    ran = datom("write", "dm", "dm.csv", "--json")
    assert (ran.code, ran.json()["tables"][0]["action"]) == (0, action)
    assert project.reader.read("dm")["AGE"].tolist() == [41]
    assert len(project.reader.history("dm")) == 3
    assert project.validate("full").ok


@pytest.mark.parametrize(
    ("module", "kind", "function", "number", "recorded"),
    [
        # Before anything is recorded; and after the push, before storage shows it.
        ("datom_core.git.repo", "GitRepo", "publish", signal.SIGINT, False),
        ("datom_core.publishing.projector", "Projector", "bring_level", signal.SIGTERM, True),
    ],
)
def test_a_write_that_is_interrupted_is_completed_by_the_next(
    datom: Datom, project: dc.Project, module: str, kind: str, function: str, number: signal.Signals, recorded: bool
) -> None:
    before = project.status().commit
    with held_in(module, kind, function) as process:
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err.strip()) == (128 + number, "", "datom: Interrupted.")
    assert (project.status().commit != before) == recorded
    completed(datom, project, "repaired" if recorded else "created")


def test_who_asks_again_does_not_wait_for_an_upload(datom: Datom, project: dc.Project) -> None:
    """The first request waits for the threads that upload."""
    with held_in("datom_core.writing.payloads", "PayloadUploader", "ensure_stored") as process:
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < deadline:
            os.killpg(process.pid, signal.SIGTERM)
            time.sleep(0.1)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode in (-signal.SIGTERM, 128 + signal.SIGTERM)
    assert (out, "Traceback" in err) == ("", False)
    completed(datom, project, "created")
