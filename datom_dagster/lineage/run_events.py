"""OpenLineage events of a step: from what is known to their classes. Nothing here sends anything."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import attr
import dagster as dg

import datom_core as dc
from datom_core import needing
from datom_dagster.events import StepRun
from datom_dagster.lineage.facts import EventKind, OutputFacts, Place, StoredVersion

with needing("OpenLineage events", "openlineage"):
    from openlineage.client import event_v2 as ol
    from openlineage.client import facet_v2 as facets

#: Who says it: this package, by its package URL.
PRODUCER = f"pkg:pypi/datom-dagster@{dc.__version__}"
#: Our facet's schema. It is a name, no address: the schema is in the package, as `datom_version.schema.json`.
FACET_SCHEMA = "urn:datom:openlineage:DatomVersionDatasetFacet:1#/$defs/DatomVersionDatasetFacet"


@attr.define
class DatomVersionDatasetFacet(facets.DatasetFacet):
    """Which version of which table a dataset is; absent fields are not known."""

    project: str
    table: str
    version: str
    data_sha: str
    payload_sha: str | None = None
    commit: str | None = None
    cut: str | None = None
    changed: bool | None = None
    message: str | None = None
    partitions: list[dict[str, Any]] | None = None

    @staticmethod
    def _get_schema() -> str:
        return FACET_SCHEMA


def step_event(
    kind: EventKind,
    step: StepRun,
    at: float,
    namespace: str,
    *,
    inputs: Iterable[Place] = (),
    outputs: Iterable[OutputFacts] = (),
    error: str | None = None,
) -> ol.RunEvent:
    """An event of one attempt at a step.

    Args:
        kind: what happened.
        step: the attempt.
        at: when, in seconds since 1970.
        namespace: of jobs.
        inputs: the versions that it loaded, and where each lies.
        outputs: what it stored.
        error: the kind of error that it failed with. No more of it is told: a message may hold values of the data.
    """
    return ol.RunEvent(
        eventType=ol.RunState(kind),
        eventTime=datetime.fromtimestamp(at, UTC).isoformat(),
        run=ol.Run(runId=run_id(step), facets=_run_facets(step, namespace, error)),
        job=ol.Job(namespace=namespace, name=f"{step.job}.{step.step}", facets=_job_facets(step)),
        inputs=[_input(parent, place) for parent, place in inputs],
        outputs=[_output(facts) for facts in outputs],
        producer=PRODUCER,
    )


def run_id(step: StepRun) -> str:
    """The id of an attempt: whoever knows the run, the step and the attempt can compute it."""
    return str(uuid.uuid5(uuid.UUID(step.run_id), f"{step.step}/{step.attempt}"))


def _run_facets(step: StepRun, namespace: str, error: str | None) -> dict[str, facets.RunFacet]:
    run, root = facets.parent_run.Run(runId=step.run_id), facets.parent_run.RootRun(runId=step.run_id)
    job = facets.parent_run.Job(namespace=namespace, name=step.job)
    of_root = facets.parent_run.Root(run=root, job=facets.parent_run.RootJob(namespace=namespace, name=step.job))
    found: dict[str, facets.RunFacet] = {
        "parent": facets.parent_run.ParentRunFacet(run=run, job=job, root=of_root, producer=PRODUCER),
        "processing_engine": facets.processing_engine_run.ProcessingEngineRunFacet(
            version=dg.__version__, name="dagster", openlineageAdapterVersion=dc.__version__, producer=PRODUCER
        ),
    }
    if step.scheduled is not None:
        scheduled = datetime.fromisoformat(step.scheduled).isoformat()
        found["nominalTime"] = facets.nominal_time_run.NominalTimeRunFacet(
            nominalStartTime=scheduled, producer=PRODUCER
        )
    if error is not None:
        found["errorMessage"] = facets.error_message_run.ErrorMessageRunFacet(
            message=f"{error}; the log of the run says more", programmingLanguage="python", producer=PRODUCER
        )
    return found


def _job_facets(step: StepRun) -> dict[str, facets.JobFacet]:
    found: dict[str, facets.JobFacet] = {
        "jobType": facets.job_type_job.JobTypeJobFacet(
            processingType="BATCH", integration="DAGSTER", jobType="STEP", producer=PRODUCER
        )
    }
    described = [spec.description for spec in step.specs if spec.description]
    if described:
        found["documentation"] = facets.documentation_job.DocumentationJobFacet(
            description="\n\n".join(described), producer=PRODUCER
        )
    owners = dict.fromkeys(owner for spec in step.specs for owner in spec.owners)
    if owners:
        found["ownership"] = facets.ownership_job.OwnershipJobFacet(
            owners=[facets.ownership_job.Owner(name=_owner(o)) for o in owners], producer=PRODUCER
        )
    return found


def _owner(owner: str) -> str:
    """An owner as OpenLineage writes it: ``team:...`` is written so in Dagster, too, and the others are people."""
    return owner if owner.startswith("team:") else f"user:{owner}"


def dataset_name(place: dc.Location, table: str) -> tuple[str, str]:
    """Namespace and name of the folder in which a table's payloads lie, by OpenLineage's rules for files.

    Together they are the folder's address, so that it is the same dataset for whoever else reads there.
    """
    folder = "/".join(filter(None, (place.prefix, "datom", table)))
    if place.backend == "s3":
        return f"s3://{place.root}", folder
    if place.backend == "local":
        return "file", f"{place.root.rstrip('/')}/{folder}"
    return f"{place.backend}://{place.root}", folder


def _dataset_facets(project: str, table: str, place: dc.Location, version: StoredVersion) -> dict[str, Any]:
    """The facets of a dataset, whether it was loaded or stored."""
    name = f"{project}/{table}"
    return {
        "version": facets.dataset_version_dataset.DatasetVersionDatasetFacet(version.version, producer=PRODUCER),
        "dataSource": facets.datasource_dataset.DatasourceDatasetFacet(
            name=project, uri=_uri(place, table), producer=PRODUCER
        ),
        # The same table under the name that people know, wherever it lies.
        "symlinks": facets.symlinks_dataset.SymlinksDatasetFacet(
            identifiers=[facets.symlinks_dataset.Identifier(namespace="datom", name=name, type="TABLE")],
            producer=PRODUCER,
        ),
        "datom_version": DatomVersionDatasetFacet(
            project=project,
            table=table,
            version=version.version,
            data_sha=version.data_sha,
            payload_sha=version.payload_sha,
            commit=version.commit,
            cut=version.cut,
            changed=version.changed,
            message=version.message or None,
            producer=PRODUCER,
        ),
    }


def _uri(place: dc.Location, table: str) -> str:
    namespace, name = dataset_name(place, table)
    return f"file://{name}" if namespace == "file" else f"{namespace}/{name}"


def _input(parent: dc.Parent, place: dc.Location) -> ol.InputDataset:
    namespace, name = dataset_name(place, parent.table)
    known = StoredVersion(parent.version, parent.data_sha)
    return ol.InputDataset(namespace, name, facets=_dataset_facets(parent.source, parent.table, place, known))


def _output(facts: OutputFacts) -> ol.OutputDataset:
    namespace, name = dataset_name(facts.place, facts.table)
    last = facts.versions[-1]
    found = _dataset_facets(facts.project, facts.table, facts.place, last)
    if len(facts.versions) > 1:
        found["datom_version"].partitions = [
            {k: v for k in ("cut", "version", "data_sha", "changed") if (v := getattr(each, k)) is not None}
            for each in facts.versions
        ]
    if facts.columns:
        found["schema"] = facets.schema_dataset.SchemaDatasetFacet(
            fields=[
                facets.schema_dataset.SchemaDatasetFacetFields(
                    name=column, type=kind, description=description, ordinal_position=place
                )
                for place, (column, kind, description) in enumerate(facts.columns, 1)
            ],
            producer=PRODUCER,
        )
    if any(v.changed for v in facts.versions):
        change = facets.lifecycle_state_change_dataset.LifecycleStateChange
        found["lifecycleStateChange"] = facets.lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet(
            change.CREATE if facts.first else change.OVERWRITE, producer=PRODUCER
        )
    if facts.description:
        found["documentation"] = facets.documentation_dataset.DocumentationDatasetFacet(
            facts.description, producer=PRODUCER
        )
    if facts.owners:
        found["ownership"] = facets.ownership_dataset.OwnershipDatasetFacet(
            owners=[facets.ownership_dataset.Owner(name=_owner(o)) for o in facts.owners], producer=PRODUCER
        )
    statistics = facets.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
        rowCount=last.rows, size=last.bytes, fileCount=1, producer=PRODUCER
    )
    return ol.OutputDataset(namespace, name, facets=found, outputFacets={"outputStatistics": statistics})
