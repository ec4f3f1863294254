"""What is told of the attempts at steps, from their first contact with a project to their end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from datom_dagster.events import StepRun, step_times
from datom_dagster.lineage.facts import EventKind, OutputFacts, Place

_NEAR = 200  # events of steps: the beginning of one that runs is near the end of the log
Tell = Callable[[Any, Any], None]


@dataclass
class StepLineage:
    """One attempt at a step.

    Attributes:
        step: which one.
        namespace: of its job.
        tell: hands an event over; the second argument is the step's log.
        required: whether the step fails when something cannot be told.
        inputs: what it loaded.
        outputs: what it stored, by output.
        ended: whether its end was told.
    """

    step: StepRun
    namespace: str
    tell: Tell
    required: bool = False
    inputs: tuple[Place, ...] = ()
    outputs: dict[str, OutputFacts] = field(default_factory=dict)
    ended: bool = False

    def began(self, instance: dg.DagsterInstance, log: Any) -> None:
        """Tell that it began, as of when Dagster says that it did."""
        times = step_times(instance, self.step.run_id, [self.step.step], _NEAR).get(self.step.step, [])
        begun = [at for at, end in times if end is None]
        self._tell("START", begun[-1] if begun else time.time(), log)

    def stored(self, output: str, facts: OutputFacts, log: Any) -> None:
        """An output was stored; tell the end if it was the last one."""
        self.outputs[output] = facts
        if self.step.outputs and self.step.outputs <= self.outputs.keys():
            self.completed(time.time(), log)

    def completed(self, at: float, log: Any) -> None:
        self.ended = True
        self._tell("COMPLETE", at, log)

    def failed(self, error: str, at: float, log: Any) -> None:
        self.ended = True
        self._tell("FAIL", at, log, error)

    def _tell(self, kind: EventKind, at: float, log: Any, error: str | None = None) -> None:
        # The package of OpenLineage is loaded where somebody configured it.
        from datom_dagster.lineage.run_events import step_event

        event = step_event(
            kind, self.step, at, self.namespace, inputs=self.inputs, outputs=self.outputs.values(), error=error
        )
        self.tell(event, log)


def tell_ends(open_steps: list[StepLineage], instance: dg.DagsterInstance, log: Any) -> None:
    """Tell of each attempt how it ended, as Dagster's log has it; nothing where that does not say."""
    for run in {lineage.step.run_id for lineage in open_steps}:
        of_run = [lineage for lineage in open_steps if lineage.step.run_id == run]
        times = step_times(instance, run, {lineage.step.step for lineage in of_run})
        for lineage in of_run:
            ends = [(at, end) for at, end in times.get(lineage.step.step, []) if end is not None]
            if lineage.step.attempt >= len(ends):
                continue
            at, well = ends[lineage.step.attempt]
            if well:
                lineage.completed(at, log)
            else:
                lineage.failed("The step failed", at, log)
