"""All that goes through the step behind a context, which Dagster offers to IO managers but does not document.

It is isolated here, guarded for contexts without a step, and watched by a canary test.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from datom_dagster.events.metadata_keys import MAPPING_KEY, VERSION, plain

if TYPE_CHECKING:
    from dagster._core.execution.context.data_version_cache import InputAssetVersionInfo
    from dagster._core.execution.context.system import StepExecutionContext

_USER_PROVIDED = "dagster/data_version_is_user_provided"
_SCHEDULED = ".dagster/scheduled_execution_time"


@dataclass(frozen=True)
class Recorded:
    """What the step's provenance says about an input, as of the step's start.

    Attributes:
        data_version: Dagster's data version of the input.
        version: the datom version that the event names.
        computed: whether Dagster computed the data version, because nobody gave one.
    """

    data_version: str | None
    version: str | None
    computed: bool


def step_of(context: dg.OutputContext | dg.InputContext | dg.OpExecutionContext) -> StepExecutionContext | None:
    """The step behind a context; contexts built by a test or a script have none.

    A value that an asset's body loads by hand belongs to that asset's step.
    """
    if isinstance(context, dg.OpExecutionContext):
        return context.get_step_execution_context()
    try:
        return context.step_context
    except dg.DagsterInvariantViolationError:
        pass
    try:
        step: StepExecutionContext = dg.AssetExecutionContext.get().get_step_execution_context()
    except dg.DagsterInvariantViolationError:
        return None
    return step


def set_data_version(context: dg.OutputContext, data_sha: str) -> None:
    """Make ``data_sha`` the data version of the asset that the step is about to materialize.

    Dagster offers this only to the body of an asset; an IO manager has to go through the step. A data
    version that the body set itself wins.
    """
    step = step_of(context)
    if step is not None and context.has_asset_key and not step.has_data_version(context.asset_key):
        step.set_data_version(context.asset_key, dg.DataVersion(data_sha))


def recorded_input(context: dg.InputContext) -> Recorded | None:
    """What Dagster knew about an input asset when the step started; ``None`` if it knew nothing."""
    return _recorded(step_of(context), context.asset_key)


def recorded_dependency(context: dg.OpExecutionContext, key: dg.AssetKey) -> Recorded | None:
    """What Dagster knew, when the step started, about an asset that the step's comes after."""
    return _recorded(step_of(context), key)


def _recorded(step: StepExecutionContext | None, key: dg.AssetKey) -> Recorded | None:
    info = step.maybe_fetch_and_get_input_asset_version_info(key) if step is not None else None
    if step is None or info is None:
        return None
    event = _event_of(step, key, info)
    version = plain(event.metadata.get(VERSION)) if event is not None else None
    return Recorded(
        data_version=info.data_version.value if info.data_version is not None else None,
        version=str(version) if version is not None else None,
        computed=event is not None and bool(info.run_id) and (event.tags or {}).get(_USER_PROVIDED) != "true",
    )


def version_made_by_run(context: dg.OpExecutionContext, key: dg.AssetKey, partition: str | None) -> str | None:
    """The datom version that the run itself made of an asset; a run retried from a failure counts the first run, too.

    ``None`` if it made none.
    """
    wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=None if partition is None else [partition])
    records = context.instance.fetch_materializations(wanted, limit=1).records
    run = context.run
    if not records or records[0].run_id not in {run.run_id, run.root_run_id or run.run_id}:
        return None
    event = records[0].asset_materialization
    version = plain(event.metadata.get(VERSION)) if event is not None else None
    return str(version) if version is not None else None


def _event_of(
    step: StepExecutionContext, key: dg.AssetKey, info: InputAssetVersionInfo
) -> dg.AssetMaterialization | dg.AssetObservation | None:
    wanted = dg.AssetRecordsFilter(asset_key=key, storage_ids=[info.storage_id])
    if info.event_type is dg.DagsterEventType.ASSET_OBSERVATION:
        observed = step.instance.fetch_observations(wanted, limit=1).records
        return observed[0].asset_observation if observed else None
    made = step.instance.fetch_materializations(wanted, limit=1).records
    return made[0].asset_materialization if made else None


def loading_assets(context: dg.InputContext) -> list[dg.AssetSpec]:
    """The assets that the step makes, among them those made from this input."""
    step = step_of(context)
    definition = step.assets_def if step is not None else None
    return [] if definition is None else list(definition.specs)


@dataclass(frozen=True)
class StoringStep:
    """The step of an asset, and what will store its output.

    Attributes:
        context: the step's.
        spec: the asset's.
        key, manager: the asset's IO manager, and its resource key.
    """

    context: dg.OpExecutionContext
    spec: dg.AssetSpec
    key: str
    manager: Any


def storing_step(function: Any) -> StoringStep | None:
    """The step that runs the function as the body of its asset; ``None`` if the function was called by hand."""
    try:
        context = dg.AssetExecutionContext.get().op_execution_context
        step = context.get_step_execution_context()
    except dg.DagsterInvariantViolationError:
        return None
    definition = step.assets_def
    if definition is None or getattr(context.op_def.compute_fn, "decorated_fn", None) is not function:
        return None
    spec = next(iter(definition.specs))
    key = definition.get_io_manager_key_for_asset_key(spec.key)
    return StoringStep(context, spec, key, getattr(step.resources, key))


@dataclass(frozen=True)
class StepRun:
    """One attempt at a step.

    Attributes:
        run_id, job, step, attempt: which; the first attempt is 0.
        specs: the assets that it makes.
        outputs: names of the outputs that it hands to IO managers, apart from those that may come any number of times.
        scheduled: when its schedule wanted it to run, if one did (ISO 8601).
    """

    run_id: str
    job: str
    step: str
    attempt: int
    specs: tuple[dg.AssetSpec, ...]
    outputs: frozenset[str]
    scheduled: str | None


def step_run(context: dg.OutputContext | dg.InputContext | dg.OpExecutionContext) -> StepRun | None:
    """The step behind a context, and which attempt at it this is; ``None`` without a step."""
    step = step_of(context)
    if step is None:
        return None
    definition = step.assets_def
    made = [] if definition is None else [s for s in definition.specs if s.key in definition.keys]
    return StepRun(
        run_id=step.run_id,
        job=step.job_name,
        step=step.step.key,
        attempt=step.previous_attempt_count,
        specs=tuple(made),
        outputs=frozenset(
            o.name
            for o in step.step.step_outputs
            if not o.is_dynamic and o.properties.asset_check_key is None and o.name in step.selected_output_names
        ),
        scheduled=step.dagster_run.tags.get(_SCHEDULED),
    )


# How an attempt at a step goes on: it begins, or ends well, or not.
_STEP_EVENTS: Mapping[dg.DagsterEventType, bool | None] = {
    dg.DagsterEventType.STEP_START: None,
    dg.DagsterEventType.STEP_RESTARTED: None,
    dg.DagsterEventType.STEP_SUCCESS: True,
    dg.DagsterEventType.STEP_FAILURE: False,
    dg.DagsterEventType.STEP_UP_FOR_RETRY: False,
}


def step_times(
    instance: dg.DagsterInstance, run_id: str, steps: Collection[str], latest: int | None = None
) -> dict[str, list[tuple[float, bool | None]]]:
    """When attempts at steps began (``None``), ended well or did not, oldest first.

    Args:
        instance: Dagster's.
        run_id: the run.
        steps: keys of steps.
        latest: look at no more than so many events of all steps, the newest.
    """
    records = instance.get_records_for_run(run_id, of_type=set(_STEP_EVENTS), limit=latest, ascending=False).records
    found: dict[str, list[tuple[float, bool | None]]] = {}
    for record in reversed(records):
        entry = record.event_log_entry
        event = entry.dagster_event
        if event is not None and event.step_key is not None and event.step_key in steps:
            found.setdefault(event.step_key, []).append((entry.timestamp, _STEP_EVENTS[event.event_type]))
    return found


def run_tags(context: dg.InputContext | dg.OutputContext) -> Mapping[str, str]:
    """The tags of the run, if there is one."""
    step = step_of(context)
    return {} if step is None else step.dagster_run.tags


def made_by_run(context: dg.InputContext) -> bool:
    """Whether the run itself makes the input; a run retried from a failure counts what the first run made, too."""
    step = step_of(context)
    if step is None:
        return False
    runs = {step.run_id, step.dagster_run.root_run_id or step.run_id}
    key = context.asset_key.to_user_string()
    return any(key in planned_assets(step.instance, run) for run in runs)


def output_of(context: dg.AssetExecutionContext, output: str) -> dg.OutputContext:
    """The context of an output that the body of a step writes itself."""
    from dagster._core.execution.plan.outputs import StepOutputHandle

    step = context.get_step_execution_context()
    made: dg.OutputContext = step.get_output_context(StepOutputHandle(step.step.key, output))
    return made


def add_partition_metadata(context: dg.OutputContext, partition: str, metadata: Mapping[str, Any]) -> None:
    """Add metadata to the event of one of the partitions that the step materializes."""
    step = step_of(context)
    if step is not None:
        step.add_asset_metadata(metadata, context.asset_key, partition)


def planned_assets(instance: dg.DagsterInstance, run_id: str) -> set[str]:
    """The assets that a run is planned to materialize."""
    planned = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
    keys = (entry.get_dagster_event().asset_key for entry in planned)
    return {key.to_user_string() for key in keys if key is not None}


def version_of_output(context: dg.InputContext) -> str | None:
    """The version that the previous op wrote, according to the run's log; ``None`` if the log does not say."""
    step, upstream = step_of(context), context.upstream_output
    if step is None or upstream is None:
        return None
    for entry in reversed(step.instance.all_logs(upstream.run_id, of_type=dg.DagsterEventType.HANDLED_OUTPUT)):
        event = entry.get_dagster_event()
        handled = event.event_specific_data
        told: Mapping[str, Any] = getattr(handled, "metadata", {})
        same = event.step_key == upstream.step_key and getattr(handled, "output_name", None) == upstream.name
        if same and plain(told.get(MAPPING_KEY)) == upstream.mapping_key:
            version = plain(told.get(VERSION))
            return str(version) if version is not None else None
    return None
