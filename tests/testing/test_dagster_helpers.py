"""The helpers for tests of assets do what they say."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from datom_dagster import DatomIOManager, datom_asset
from datom_dagster.testing import assert_wrote_version, metadata_of, temporary_study


@datom_asset
def dm() -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": ["01-001", "01-002"]})


@datom_asset
def broken() -> pd.DataFrame:
    raise ValueError("the extract has no rows")


def test_what_an_asset_wrote(tmp_path: Path) -> None:
    with temporary_study() as study:
        resources = {"io_manager": DatomIOManager(datom=study)}
        found = assert_wrote_version(dg.materialize([dm], resources=resources), "dm", action="created", rows=2)
        assert study.open_reader().history("dm")[0].version == found["datom/version"]
        again = dg.materialize([dm], resources=resources)
        with pytest.raises(AssertionError, match=r"action: 'unchanged' instead of 'created'; rows: 2 instead of 3"):
            assert_wrote_version(again, "dm", action="created", rows=3)
        failed = dg.materialize([broken], resources=resources, raise_on_error=False)
        with pytest.raises(AssertionError, match=r"materialized 0 times, not once. broken failed: .*no rows"):
            metadata_of(failed, "broken")
        assert study.storage is not None
        folder = Path(study.storage.store().location.root)
    assert not folder.parent.exists()
    assert list((tmp_path / "cache" / "datom" / "git").glob("*.git")) == []


def test_an_asset_that_datom_does_not_store() -> None:
    @dg.asset
    def other() -> dg.MaterializeResult:  # type: ignore[type-arg]
        return dg.MaterializeResult(metadata={"n": 1})

    with pytest.raises(AssertionError, match="names no version, only n"):
        assert_wrote_version(dg.materialize([other]), "other")
