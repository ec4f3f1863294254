"""New studies in the organization's register."""

# Dagster reads annotations at run time, to know which resources a sensor takes: no `annotations` import.
import json
from typing import Any

import dagster as dg

import datom_core as dc
from datom_dagster.events import STUDY, tagged
from datom_dagster.io import nameable
from datom_dagster.resources import GovernanceResource, check_kind
from datom_dagster.sensors.cursors import remembered


@dc.fitting
def portfolio_sensor(
    partitions: dg.DynamicPartitionsDefinition | None = None,
    *,
    name: str = "portfolio",
    target: Any = None,
    minimum_interval_seconds: int = 300,
    default_status: dg.DefaultSensorStatus = dg.DefaultSensorStatus.STOPPED,
) -> dg.SensorDefinition:
    """A sensor that notices newly registered studies. It uses the resource ``governance``, and only needs its storage.

    Args:
        partitions: each registered study becomes a partition of this definition. A decommissioned study stays a
            partition, because what was materialized for it is history.
        name: the sensor's name.
        target: a job, or a selection of assets, to run once for each new study: for its partition, or else with the
            run tag ``datom/study``.
        minimum_interval_seconds, default_status: as for any sensor.
    """
    check_kind("partitions", partitions, dg.DynamicPartitionsDefinition, 'DynamicPartitionsDefinition(name="studies")')
    options: dict[str, Any] = {} if target is None else {"target": target}

    @dg.sensor(
        name=name,
        minimum_interval_seconds=minimum_interval_seconds,
        default_status=default_status,
        description="Sees studies that were registered since the last look.",
        **options,
    )
    def portfolio(
        context: dg.SensorEvaluationContext, governance: GovernanceResource
    ) -> dg.SensorResult | dg.SkipReason:
        return _tick(context, governance, partitions, runs=target is not None)

    return portfolio


def _tick(
    context: dg.SensorEvaluationContext,
    governance: GovernanceResource,
    partitions: dg.DynamicPartitionsDefinition | None,
    *,
    runs: bool,
) -> dg.SensorResult | dg.SkipReason:
    try:
        studies = [p.name for p in governance.register().projects(details=False)]
    except (dc.ConflictError, dc.StorageError) as error:
        return dg.SkipReason(f"The register could not be read; the next tick tries again. {error}")
    known = _known(context, partitions)
    # Without partitions, studies that were there at the first tick are not new.
    new = [] if known is None else sorted(set(studies) - known)
    cursor = json.dumps(sorted(set(studies) | (known or set())))
    if not new:
        return dg.SensorResult(skip_reason=f"No new study among {len(studies)}.", cursor=cursor)
    context.log.info(f"Registered: {', '.join(new)}.")
    unnameable = [] if partitions is None else [study for study in new if not nameable(study)]
    if unnameable:
        context.log.warning(f"Cannot be the name of a partition: {', '.join(unnameable)}.")
        new = [study for study in new if study not in unnameable]
    added = [] if partitions is None or not new else [partitions.build_add_request(new)]
    requests = [_request(study, partitions) for study in new] if runs else []
    if not added and not requests:
        return dg.SensorResult(skip_reason=f"Registered: {', '.join(new)}.", cursor=cursor)
    return dg.SensorResult(run_requests=requests, dynamic_partitions_requests=added, cursor=cursor)


def _known(context: dg.SensorEvaluationContext, partitions: dg.DynamicPartitionsDefinition | None) -> set[str] | None:
    """Studies that were seen before; ``None`` at the first tick."""
    if partitions is not None and partitions.name is not None:
        return set(context.instance.get_dynamic_partitions(partitions.name))
    try:
        return {str(name) for name in remembered(context.cursor)}
    except (ValueError, TypeError):
        return None


def _request(study: str, partitions: dg.DynamicPartitionsDefinition | None) -> dg.RunRequest:
    key = f"registered:{study}"
    return dg.RunRequest(run_key=key, partition_key=None if partitions is None else study, tags=tagged({STUDY: study}))
