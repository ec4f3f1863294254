"""Every option of `dagster.asset` is handed on by `datom_assets`, or refused with what to do instead."""

import inspect
from typing import Any

import dagster as dg
import pandas as pd
import pytest

import datom_core as dc
from datom_dagster import DatomIOManager, DatomResource, datom_assets
from tests.long import LONG, paired

CUTS = dg.StaticPartitionsDefinition(["jan"])


ANY_FRAME = dg.DagsterType(lambda _, value: isinstance(value, pd.DataFrame), name="AnyFrame")
MORE = dg.ResourceDefinition.hardcoded_resource(1)


@dg.success_hook
def told(_: dg.HookContext) -> None: ...


def value_of(option: str, study: DatomResource) -> Any:
    return {
        "key_prefix": "study",
        "deps": ["raw"],
        "metadata": {"mine": 1},
        "tags": {"t": "1"},
        "description": "What it holds",
        "config_schema": {"n": dg.Field(int, default_value=1)},
        "required_resource_keys": {"more"},
        "resource_defs": {"more": MORE},
        "hooks": {told},
        "io_manager_def": DatomIOManager(datom=study),
        "io_manager_key": "io_manager",
        "dagster_type": ANY_FRAME,
        "partitions_def": CUTS,
        "op_tags": {"o": "1"},
        "group_name": "g",
        "output_required": False,
        "automation_condition": dg.AutomationCondition.eager(),
        "freshness_policy": dg.FreshnessPolicy.cron(
            deadline_cron="0 5 * * *", lower_bound_delta=pd.Timedelta("1h").to_pytimedelta()
        ),
        "backfill_policy": dg.BackfillPolicy.multi_run(1),
        "retry_policy": dg.RetryPolicy(),
        "code_version": "7",
        "check_specs": [dg.AssetCheckSpec("good", asset="dm")],
        "owners": ["a@example.org"],
        "kinds": {"sas"},
        "pool": "one_at_a_time",
        "is_virtual": True,
        "ins": {"raw": dg.AssetIn()},
        "key": "dm",
        "compute_fn": lambda: None,
        "name": "step",
    }[option]


OPTIONS = [name for name, p in inspect.signature(dg.asset).parameters.items() if p.kind is not p.VAR_KEYWORD]
# What a run does not look at: in the short run, one run has them all.
IDLE = (
    "metadata", "tags", "description", "op_tags", "group_name", "owners", "kinds", "code_version", "hooks", "pool",
    "automation_condition", "freshness_policy", "retry_policy",
)  # fmt: skip
REFUSED = {"compute_fn", "key", "ins", "is_virtual"}
REFUSED_TOGETHER = REFUSED | {"check_specs", "dagster_type", "output_required"}


def frame(table: str, cut: str | None) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": ["s1"], "TABLE": [table], "CUT": [cut or ""]})


def seen(made: list[dg.AssetsDefinition], option: str) -> Any:
    """What the definition of ``dm`` has under the option."""
    (definition,) = [a for a in made if any(key.path[-1] == "dm" for key in a.keys)]
    (spec,) = [s for s in definition.specs if s.key.path[-1] == "dm"]
    op = definition.op
    places = {
        "key_prefix": lambda: spec.key.path[0],
        "deps": lambda: [d.asset_key.to_user_string() for d in spec.deps],
        "metadata": lambda: {"mine": spec.metadata["mine"]},
        "tags": lambda: {"t": spec.tags["t"]},
        "required_resource_keys": lambda: {"more"} & op.required_resource_keys,
        "config_schema": lambda: op.config_schema.config_type.fields,
        "resource_defs": lambda: {"more": MORE} if "more" in definition.resource_defs else None,
        "hooks": lambda: set(definition.hook_defs),
        "op_tags": lambda: {"o": op.tags["o"]},
        "partitions_def": lambda: definition.partitions_def,
        "backfill_policy": lambda: definition.backfill_policy,
        "retry_policy": lambda: op.retry_policy,
        "pool": lambda: op.pool,
        "owners": lambda: list(spec.owners),
        "output_required": lambda: op.output_defs[0].is_required,
        "check_specs": lambda: list(definition.check_specs),
        "dagster_type": lambda: op.output_defs[0].dagster_type,
        "io_manager_key": lambda: definition.get_io_manager_key_for_asset_key(spec.key),
    }
    return places[option]() if option in places else getattr(spec, option)


@pytest.mark.parametrize(("option", "atomic"), paired(OPTIONS, [False, True]))
def test_each_option_of_dagster_works_or_is_refused(
    study: DatomResource, project: dc.Project, resources: dict[str, Any], option: str, atomic: bool
) -> None:
    """A release of Dagster with a new option fails here, so that somebody decides what becomes of it."""
    value = value_of(option, study)
    options: dict[str, Any] = {option: value}
    if option == "required_resource_keys":
        options["resource_defs"] = value_of("resource_defs", study)
    if option == "backfill_policy":
        options["partitions"] = CUTS

    def extract(table: str, cut: str | None) -> Any:
        if option == "check_specs" and table == "dm":
            return dg.MaterializeResult(value=frame(table, cut), check_results=[dg.AssetCheckResult(passed=True)])
        return frame(table, cut)

    def make() -> list[dg.AssetsDefinition]:
        return datom_assets(project=study, tables=["dm", "ex"], extract=extract, atomic=atomic, **options)

    if option in (REFUSED_TOGETHER if atomic else REFUSED):
        with pytest.raises(dc.InvalidInputError, match=f"- {option}: "):
            make()
        return
    made = make()
    if option == "config_schema":
        assert set(seen(made, option)) == {"n"}
    elif option not in ("io_manager_def", "name"):
        assert seen(made, option) == value
    if option in IDLE and not LONG:
        return
    if option == "io_manager_def":
        resources = {}
    keyed = {"partition_key": "jan"} if made[0].partitions_def is not None else {}
    assert dg.materialize(made, resources=resources, **keyed).success
    assert {t.name for t in project.reader.list()} == {"dm", "ex"}


@pytest.mark.parametrize("atomic", [False, True], ids=["alone", "together"])
def test_options_that_a_run_does_not_look_at_are_in_nobodys_way(
    study: DatomResource, project: dc.Project, resources: dict[str, Any], atomic: bool
) -> None:
    idle = {option: value_of(option, study) for option in IDLE}
    made = datom_assets(project=study, tables=["dm", "ex"], extract=frame, atomic=atomic, **idle)
    assert dg.materialize(made, resources=resources).success
    assert {t.name for t in project.reader.list()} == {"dm", "ex"}


@pytest.mark.parametrize("atomic", [False, True], ids=["alone", "together"])
def test_all_that_is_refused_is_named(study: DatomResource, atomic: bool) -> None:
    with pytest.raises(dc.InvalidInputError) as caught:
        datom_assets(
            project=study, tables=["dm"], extract=frame, atomic=atomic,
            ins={"a": dg.AssetIn()}, can_subset=True, outs={}, retries=3, partitions=CUTS, partitions_def=CUTS,
        )  # fmt: skip
    for name in ("ins", "can_subset", "outs", "retries", "partitions_def"):
        assert f"- {name}: " in str(caught.value)


@pytest.mark.parametrize("atomic", [False, True], ids=["alone", "together"])
def test_an_option_that_says_what_dagster_assumes_is_none(study: DatomResource, atomic: bool) -> None:
    own = ("name", "io_manager_key")
    assumed = {n: inspect.signature(dg.asset).parameters[n].default for n in OPTIONS if n not in own}
    made = datom_assets(project=study, tables=["dm"], extract=frame, atomic=atomic, **assumed)
    assert [spec.kinds for a in made for spec in a.specs] == [{"datom", "parquet"}]


def test_a_check_of_an_asset_that_is_not_made(study: DatomResource) -> None:
    specs = [dg.AssetCheckSpec("good", asset=["study", "dm"]), dg.AssetCheckSpec("odd", asset="dm")]
    with pytest.raises(dc.InvalidInputError, match=r"not made here: odd of dm\. The assets are study/dm"):
        datom_assets(project=study, tables=["dm"], extract=frame, key_prefix="study", check_specs=specs)
