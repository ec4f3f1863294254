"""Datom's errors in Dagster: retry those that may pass, fail at once on those that will not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any

import dagster as dg

import datom_core as dc
from datom_dagster.events.dagster_internals import step_of
from datom_dagster.events.event_metadata import facts, findings_metadata
from datom_dagster.events.metadata_keys import COLUMNS
from datom_dagster.events.progress_log import progress_told
from datom_dagster.events.sets_told import MISMATCHES, mismatches_table

# Dagster retries what the core gave up on, each time from the step's start: a restarted server is back within a quarter
# of a minute, and anything that takes longer is for an operator to see.
_RETRIES = 3
_SECONDS_BETWEEN = 5.0


@contextlib.contextmanager
def translated(context: dg.OutputContext | dg.InputContext | dg.OpExecutionContext) -> Iterator[None]:
    """Run datom's work in a step: its progress goes to the log, and its errors become those that Dagster understands.

    `RetryRequested` is raised for `ConflictError` and `StorageError`, `Failure` for every other datom error.

    After the last retry, a `Failure` says what was wrong. Outside a run, datom's errors stay as they are.
    """
    try:
        with progress_told(context.log):
            yield
    except dc.DatomError as error:
        step = step_of(context)
        if step is None:
            raise
        passing = isinstance(error, (dc.ConflictError, dc.StorageError))
        if passing and step.previous_attempt_count < _RETRIES:
            context.log.warning(f"{error} (attempt {step.previous_attempt_count + 1}, trying again)")
            raise dg.RetryRequested(max_retries=_RETRIES, seconds_to_wait=_SECONDS_BETWEEN) from error
        raise dg.Failure(str(error), metadata=_metadata(error), allow_retries=passing) from error


def _metadata(error: dc.DatomError) -> dict[str, Any]:
    shown: dict[str, Any] = {"datom/error": dg.MetadataValue.text(type(error).__name__)}
    if isinstance(error, dc.UnsupportedColumnsError):
        records = [
            dg.TableRecord({"column": r.column, "type": r.type, "what to do": r.recourse or ""}) for r in error.reports
        ]
        return {**shown, COLUMNS: dg.MetadataValue.table(records)}
    for key, value in error.details.items():
        if key == "findings":
            shown |= findings_metadata(value)  # type: ignore[arg-type]
        elif key == "mismatches":
            shown[MISMATCHES] = mismatches_table(value)  # type: ignore[arg-type]
        else:
            # A report is more readable field by field.
            shown |= facts(value) if is_dataclass(value) else {f"datom/{key}": dg.MetadataValue.text(str(value))}
    return shown
