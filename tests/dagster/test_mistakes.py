"""What is said when a resource is made wrongly, and a guard that no configuration switches off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dagster as dg
import pandas as pd
import pytest

import datom_core as dc
from datom_dagster import (
    DatomIOManager,
    DatomResource,
    GovernanceResource,
    LocalStorage,
    datom_asset,
    datom_definitions,
)
from tests.frames import shown_in

Make = Callable[..., Any]


def study(**more: Any) -> DatomResource:
    return DatomResource(project="STUDY_001", storage=LocalStorage(path="data"), **more)


MISTAKES: dict[str, tuple[Make, dict[str, Any], str]] = {
    "project of an IO manager": (DatomIOManager, {"project": "X"}, r"no 'project'.*datom=DatomResource\(project"),
    "storage as text": (DatomResource, {"project": "X", "storage": "d"}, r"write storage=LocalStorage\(path"),
    "a field misspelt": (DatomResource, {"project": "X", "storagee": 1}, r"no 'storagee'.*Did you mean 'storage'"),
    "a name that is none": (DatomResource, {"project": 3, "storage": None}, "project.*not int"),
    "datom as text": (DatomIOManager, {"datom": "x"}, r"write datom=DatomResource\("),
    "no path": (LocalStorage, {}, "path is missing"),
    "the register's storage": (GovernanceResource, {"storage": 3}, r"write storage=LocalStorage\("),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_with_what_to_write(name: str) -> None:
    make, given, said = MISTAKES[name]
    with pytest.raises(dc.InvalidInputError, match=said) as caught:
        make(**given)
    assert "pydantic" not in str(caught.value)
    assert "PartialResource" not in str(caught.value)


def test_arguments_without_names() -> None:
    make: Make = LocalStorage
    with pytest.raises(dc.InvalidInputError, match=r"path=\.\.\., prefix=\.\.\."):
        make("data")


def test_a_password_in_a_remote_is_in_no_variable() -> None:
    with pytest.raises(dc.InvalidInputError, match="carries credentials") as caught:
        study(remote="https://me:plantedPLANTED@host/a.git")
    assert not shown_in(caught.value, ["plantedPLANTED"])


@datom_asset
def dm() -> pd.DataFrame:
    return pd.DataFrame({"x": [1]})


def test_what_a_reader_would_write_is_no_setting() -> None:
    defs = datom_definitions(assets=[dm], resources={"io_manager": DatomIOManager(datom=study())})
    manager: Any = (defs.resources or {})["io_manager"]
    shown = set(manager._config_schema.as_field().config_type.fields)
    assert shown <= set(DatomIOManager.model_fields)
    assert not [name for name in shown if "writ" in name]


@pytest.mark.parametrize("config", [{}, {"preview_rows": 0}])
def test_the_guard_holds_whatever_the_run_is_configured_with(config: dict[str, Any]) -> None:
    defs = datom_definitions(assets=[dm], resources={"io_manager": DatomIOManager(datom=study())})
    with dg.DagsterInstance.ephemeral() as instance:
        job = defs.resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(
            instance=instance, raise_on_error=False, run_config={"resources": {"io_manager": {"config": config}}}
        )
        assert not result.success
        assert "has no remote" in str([e.event_specific_data for e in result.all_events if e.is_failure])


@pytest.mark.parametrize("written", ["written", "_writes"])
def test_the_guard_cannot_be_configured(written: str) -> None:
    defs = datom_definitions(assets=[dm], resources={"io_manager": DatomIOManager(datom=study())})
    with pytest.raises(dg.DagsterInvalidConfigError):
        defs.resolve_implicit_global_asset_job_def().execute_in_process(
            run_config={"resources": {"io_manager": {"config": {written: []}}}}
        )
