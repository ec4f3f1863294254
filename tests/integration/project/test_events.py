"""What is done to a project is told, to subscribers and to the log, and says what is true."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pandas as pd
import pytest

import datom_core as dc


def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"01-{i}" for i in range(n)]})


@pytest.fixture
def heard(project: dc.Project) -> list[dc.ProjectEvent]:
    events: list[dc.ProjectEvent] = []
    project.events.subscribe(events.append)
    return events


def test_a_write_tells_each_of_its_effects(project: dc.Project, heard: list[dc.ProjectEvent]) -> None:
    result = project.write("dm", frame(3))
    assert [e.name for e in heard] == ["payload", "commit", "projection", "write"]
    payload, commit, _, write = heard
    assert (payload.table, payload.bytes) == ("dm", result.bytes)
    assert commit.commit == result.commit_sha == write.commit
    assert (write.version, write.action, write.attempt) == (result.version, "created", 1)
    assert all(e.project == "STUDY_001" and e.seconds is not None and e.seconds >= 0 for e in heard)
    heard.clear()
    project.write("dm", frame(3))
    assert [(e.name, e.action) for e in heard] == [("write", "unchanged")]


def test_a_lost_race_is_told_with_its_cause(
    project: dc.Project,
    store: dc.LocalStore,
    remote: Path,
    heard: list[dc.ProjectEvent],
    caplog: pytest.LogCaptureFixture,
) -> None:
    other = dc.Project.open(store, remote=remote)

    def meanwhile(event: dc.ProjectEvent) -> None:
        if event.name == "payload":
            end()
            # In a thread, which does not know of this one's turn; and the turn is not waited for.
            thread = threading.Thread(target=lambda: other.write("ex", frame(1)))
            thread.start()
            thread.join()

    end = project.events.subscribe(meanwhile)
    with pytest.MonkeyPatch.context() as patch, caplog.at_level(logging.WARNING, "datom_core"):
        patch.setattr("datom_core.git.turns._PATIENCE", 0.05)
        project.write("dm", frame(3))
    retries = [e for e in heard if e.name == "retry"]
    assert [e.attempt for e in retries] == [1]
    assert "moved past" in str(retries[0].cause)
    assert heard[-1].attempt == 2
    (record,) = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert record.getMessage().startswith("retry project=STUDY_001 attempt=1: ")


def test_a_subscriber_that_fails_does_not_disturb_a_write(
    project: dc.Project, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(event: dc.ProjectEvent) -> None:
        raise RuntimeError("the metrics server is away")

    end = project.events.subscribe(fail)
    assert project.write("dm", frame(3)).changed
    assert "A subscriber of STUDY_001's events failed." in caplog.text
    caplog.clear()
    end()
    project.write("dm", frame(4))
    assert "failed" not in caplog.text


def test_every_effect_is_a_line_of_log(project: dc.Project, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "datom_core"):
        result = project.write("dm", frame(3))
    effects = [r.datom for r in caplog.records if "effect" in getattr(r, "datom", {})]  # type: ignore[attr-defined]
    done = [(e["effect"], e.get("key", "")) for e in effects]
    assert done[0] == ("create", f"dm/{result.data_sha}.parquet")
    assert done[1] == ("push", "")
    assert {key for effect, key in done[2:]} >= {"dm/.metadata/metadata.json", ".metadata/manifest.json"}
    assert all(e["bytes"] > 0 and e["seconds"] >= 0 for e in effects if e["effect"] in ("create", "replace", "push"))
    told = [r.getMessage() for r in caplog.records if r.levelno == logging.INFO]
    assert [text.split()[0] for text in told] == ["commit", "write"]
    assert f"table=dm version={result.version[:8]} commit={(result.commit_sha or '')[:8]} action=created" in told[1]
