"""OpenLineage as a Dagster resource: where events go, and what becomes of a run when they cannot go there."""

# Dagster reads annotations at run time, to know which resources are configured at launch: no `annotations` import.
import contextlib
import time
from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import ConfigDict, Field, PrivateAttr, field_validator

import datom_core as dc
from datom_dagster.events import loaded_from, step_of, step_run
from datom_dagster.lineage.delivery import Delivery, Undelivered
from datom_dagster.lineage.step_lineage import StepLineage, tell_ends
from datom_dagster.lineage.transports import check_transport, make_client
from datom_dagster.resources import Spelt, resolved

_OUR_OWN = "OpenLineage's own configuration"


class OpenLineageResource(Spelt, dg.ConfigurableResource):  # type: ignore[type-arg]
    """Tells a lineage service what each step loaded and stored, with version ids and content hashes.

    ``DatomIOManager(lineage=OpenLineageResource(...))`` turns it on. Each attempt at a step is a run of OpenLineage,
    below the run of Dagster: it starts at its first contact with the project, and completes or fails. A service that
    does not answer costs a process no more than ``timeout`` seconds, and a warning; with ``required``, a step fails
    before it writes.
    """

    transport: dict[str, Any] | None = Field(
        default=None,
        description=(
            "OpenLineage's own configuration of a transport, as in {type: http, url: ...}; by default what "
            "OPENLINEAGE_CONFIG or OPENLINEAGE_URL name. Nothing secret may stand here."
        ),
    )
    api_key_env: str | None = Field(
        default=None, description="Name of the variable that holds the key of an HTTP endpoint."
    )
    namespace: str = Field(default="dagster", min_length=1, description="Namespace of the jobs.")
    timeout: float = Field(
        default=5.0, gt=0, description="The most seconds that a step waits for one event to be taken."
    )
    required: bool = Field(default=False, description="Whether a step fails when its events are not taken.")

    # A refused value may be a key that somebody wrote where none belongs.
    model_config = ConfigDict(hide_input_in_errors=True)

    _delivery: Delivery | None = PrivateAttr(default=None)
    _open: dict[tuple[str, str, int], StepLineage] = PrivateAttr(default_factory=dict)
    _warned: bool = PrivateAttr(default=False)

    @field_validator("transport")
    @classmethod
    def _nothing_secret(cls, transport: Any) -> Any:
        if transport is not None:
            check_transport(transport)
        return transport

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Refuse a configuration that can never work before any step begins.

        Raises:
            InvalidInputError: the transport, or the variable of the key, is not there.
        """
        self._client()

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Tell how the steps ended whose last output did not say it."""
        left = [lineage for lineage in self._open.values() if not lineage.ended]
        self._open.clear()
        if left and context.instance is not None:
            with contextlib.suppress(dc.StorageError):  # the run is over: there is nothing left to fail
                tell_ends(left, context.instance, context.log)

    def _client(self) -> Delivery:
        if self._delivery is None:
            key = None if self.api_key_env is None else resolved(dg.EnvVar(resolved(self.api_key_env)))
            self._delivery = Delivery(make_client(self.transport, key).emit, self.timeout)
        return self._delivery

    def tell(self, event: object, log: Any) -> None:
        """Hand an event over.

        Raises:
            StorageError: it was not taken, and lineage is required.
        """
        try:
            self._client().send(event)
        except Undelivered as error:
            kind = _OUR_OWN if self.transport is None else str(self.transport["type"])
            text = f"OpenLineage events are not taken ({kind}): {error}."
            if self.required:
                raise dc.StorageError(f"{text} Lineage is required here; the step can be run again.") from None
            if not self._warned:
                self._warned = True
                log.warning(f"{text} The run goes on without them.")

    def began(self, context: dg.OutputContext | dg.InputContext | dg.OpExecutionContext) -> StepLineage | None:
        """The attempt at a step behind a context, which begins when it is asked for first; ``None`` without a step."""
        run, step = step_run(context), step_of(context)
        if run is None or step is None:
            return None
        key = run.run_id, run.step, run.attempt
        lineage = self._open.get(key)
        if lineage is None:
            lineage = self._open[key] = StepLineage(run, self.namespace, self.tell, self.required)
            lineage.began(step.instance, context.log)
        return lineage


@contextlib.contextmanager
def lineage_of(
    resource: OpenLineageResource | None, context: dg.OutputContext | dg.InputContext | dg.OpExecutionContext
) -> Iterator[StepLineage | None]:
    """The lineage of the step in the block: an error that leaves the block ends the attempt.

    Yields:
        A `StepLineage`; ``None`` where no lineage is told.

    Raises:
        StorageError: events are not taken, and lineage is required.
    """
    lineage = None if resource is None else resource.began(context)
    if lineage is None:
        yield None
        return
    try:
        yield lineage
    except Exception as error:
        lineage.inputs = loaded_from(context)
        if not lineage.ended:
            with contextlib.suppress(dc.StorageError):  # the first error is the one to tell
                lineage.failed(type(error).__name__, time.time(), context.log)
        raise
    lineage.inputs = loaded_from(context)
