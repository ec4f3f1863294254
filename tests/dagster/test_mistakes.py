"""What is said when a resource or a definition is made wrongly, and a guard that no configuration switches off."""

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
    TableSpec,
    datom_asset,
    datom_assets,
    datom_definitions,
    datom_jobs,
    datom_parents,
    outside_write_sensor,
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
    "a compression": (
        DatomResource,
        {"project": "X", "storage": LocalStorage(path="d"), "compression": "gzip"},
        "compression is one of .*, not 'gzip'",
    ),
    "a number too small": (
        DatomIOManager,
        {"datom": DatomResource(project="X", storage=LocalStorage(path="d")), "preview_rows": -1},
        r"preview_rows must be greater than or equal to 0, not -1\.$",
    ),
    "a hint at the end": (
        DatomIOManager,
        {"datom": DatomResource(project="X", storage=LocalStorage(path="d")), "preview_row": 1},
        r"Did you mean 'preview_rows'\?$",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_with_what_to_write(name: str) -> None:
    make, given, said = MISTAKES[name]
    with pytest.raises(dc.InvalidInputError, match=said) as caught:
        make(**given)
    assert "pydantic" not in str(caught.value)
    assert "PartialResource" not in str(caught.value)


@datom_asset
def made() -> pd.DataFrame:
    return pd.DataFrame({"x": [1]})


def extracted(table: str, cut: str | None) -> pd.DataFrame:
    return pd.DataFrame({"x": [table]})


SPEC = dg.AssetSpec("dm")
SHARED: dict[str, Any] = {"tables": ["dm"], "extract": extracted}
STUDY: Any = DatomResource(project="X", storage=LocalStorage(path="d"))
# Their annotations forbid what is tried here.
asset: Make = datom_asset
assets: Make = datom_assets
definitions: Make = datom_definitions
jobs: Make = datom_jobs
outside: Make = outside_write_sensor
parents: Make = datom_parents
table: Make = TableSpec

DEFINITIONS: dict[str, tuple[Callable[[], object], str]] = {
    "an asset by its name": (lambda: asset("dm"), r"above a function.*write @datom_asset\(name='dm'\)"),
    "an asset made twice": (lambda: asset(made), "given a AssetsDefinition"),
    "a misspelt option": (lambda: asset(tabel="dm")(extracted), "no 'tabel'. Did you mean 'table'"),
    "columns as a list": (lambda: asset(columns=["x"])(extracted), "columns must be a Mapping, not list"),
    "rules as a mapping": (lambda: asset(rules={"key": "x"})(extracted), "rules must be a TableRules"),
    "jobs of text": (lambda: jobs("x"), "datom_jobs takes a list of assets, not 'x'"),
    "jobs of one asset": (lambda: jobs(made), "list of assets.*brackets"),
    "jobs of one spec": (lambda: jobs(SPEC), "list of assets, not AssetSpec.*brackets"),
    "jobs of nothing": (lambda: jobs(None), "list of assets, not NoneType"),
    "a misspelt study": (lambda: jobs([made], stuudy="x"), "Did you mean 'study'"),
    "a sensor of text": (lambda: outside("x"), "outside_write_sensor takes a list of assets, not 'x'"),
    "a sensor of names": (lambda: outside(["x"]), "these are none: 'x'"),
    "a sensor of lists": (lambda: outside([[made]]), r"these are none: list.*\(\*tables\)"),
    "a sensor of nothing": (lambda: outside(), r"assets is missing\. Write outside_write_sensor\(assets, "),
    "a resource for a key": (lambda: outside([made], resource=STUDY), 'resource must be a str.*write resource="datom"'),
    "parents of a number": (lambda: parents(3), "expected a Parent, not int"),
    "one asset in definitions": (lambda: definitions(assets=made), "list of assets.*brackets"),
    "a function in definitions": (lambda: definitions(assets=[extracted]), "these are none: function"),
    "no names in definitions": (lambda: definitions([made]), r"Write datom_definitions\(assets=\.\.\., resources="),
    "a list of resources": (lambda: definitions(resources=[3]), r"resources must be a Mapping, not list; write"),
    "a resource for resources": (
        lambda: definitions(resources=STUDY),
        "resources must be a Mapping, not DatomResource",
    ),
    "misspelt definitions": (lambda: definitions(asets=[made]), "no 'asets'. Did you mean 'assets'"),
    "a list of partitions": (
        lambda: assets(project=STUDY, partitions=["a"], **SHARED),
        r"partitions must be a PartitionsDefinition, not list; write partitions=dagster\.StaticP",
    ),
    "a project by its name": (lambda: assets(project="X", **SHARED), r"not 'X'; write project=DatomResource\("),
    "no tables": (lambda: assets(project=STUDY, tables=3, extract=extracted), "tables is a list.*not int"),
    "a number for a table": (lambda: assets(project=STUDY, tables=[3], extract=extracted), r"TableSpec\(3\) cannot be"),
    "a spec of a number": (lambda: table(3), "must be a string.*not int"),
    "a spec of all that is wrong": (lambda: table("dm", 3, 4, rules={}), "columns is.*; key is.*; rules must be"),
    "a misspelt key": (lambda: table("dm", keys="x"), "Did you mean 'key'"),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_mistake_in_a_definition_is_named_with_what_to_write(name: str) -> None:
    define, said = DEFINITIONS[name]
    with pytest.raises(dc.InvalidInputError, match=said):
        define()


def test_what_is_configured_at_launch_is_of_its_kind() -> None:
    late: Any = DatomResource.configure_at_launch()
    assert len(assets(project=late, **SHARED)) == 1


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
