"""A partition whose cut is locked: said before its code runs, and refused when it would move."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

import datom_core as dc
from datom_dagster import DatomIOManager, DatomResource, LocalStorage
from datom_dagster.testing import metadata_of as shown
from tests.dagster.conftest import failure

Run = Callable[..., dg.ExecuteInProcessResult]
CUTS = dg.StaticPartitionsDefinition(["2026-01", "2026-02"])
ROWS = {"rows": 2, "ran": 0}


@dg.asset(partitions_def=CUTS)
def dm() -> pd.DataFrame:
    ROWS["ran"] += 1
    return pd.DataFrame({"USUBJID": [f"s{i}" for i in range(ROWS["rows"])]})


def test_a_locked_partition_is_told_before_its_code_runs_and_moves_only_once_unlocked(
    run: Run,
    instance: dg.DagsterInstance,
    resources: dict[str, Any],
    project: dc.Project,
    store: dc.LocalStore,
    remote: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(ROWS, "rows", 2)
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    # In Dagster, the key goes by the name of a variable.
    monkeypatch.setenv("STUDY_KEY", str(key))
    signing = DatomResource(
        project="STUDY_001", storage=LocalStorage(path=str(tmp_path / "store")), remote=str(remote),
        signing_key_env="STUDY_KEY",
    )  # fmt: skip
    signed = signing.open_project()
    signed.allow_signer("test@example.org", f"{key}.pub")
    run([dm], partition_key="2026-01")
    signed.approve("2026-01", meaning="locked", reason="Database lock")
    capsys.readouterr()
    again = run([dm], partition_key="2026-01")
    assert "The cut '2026-01' is locked by Test Author" in capsys.readouterr().err
    assert shown(again, "dm")["datom/approvals"].startswith("locked by Test Author, ")
    monkeypatch.setitem(ROWS, "rows", 3)
    refused = failure(run([dm], partition_key="2026-01", raise_on_error=False))
    assert "Locked, and not to be moved: '2026-01'" in refused
    ran = ROWS["ran"]
    strict = {**resources, "io_manager": DatomIOManager(datom=signing, refuse_locked=True)}
    early = dg.materialize([dm], partition_key="2026-01", resources=strict, instance=instance, raise_on_error=False)
    assert "is locked by" in failure(early)
    assert ROWS["ran"] == ran, "no code of the asset ran"
    assert dg.materialize([dm], partition_key="2026-02", resources=strict, instance=instance).success
    signed.withdraw("2026-01", meaning="locked", reason="A late query")
    assert run([dm], partition_key="2026-01").success
