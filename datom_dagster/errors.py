"""A datom error becomes what Dagster understands: retry what may pass, fail at once what will not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import dagster as dg

import datom_core as dc

_RETRIES = 3
_SECONDS_BETWEEN = 5.0


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Raise `RetryRequested` for `ConflictError` and `StorageError`, `Failure` for every other datom error."""
    try:
        yield
    except (dc.ConflictError, dc.StorageError) as error:
        raise dg.RetryRequested(max_retries=_RETRIES, seconds_to_wait=_SECONDS_BETWEEN) from error
    except dc.DatomError as error:
        raise dg.Failure(str(error), metadata=_metadata(error), allow_retries=False) from error


def _metadata(error: dc.DatomError) -> dict[str, dg.MetadataValue]:
    shown: dict[str, dg.MetadataValue] = {"datom/error": dg.MetadataValue.text(type(error).__name__)}
    if isinstance(error, dc.UnsupportedColumnsError):
        records = [
            dg.TableRecord({"column": r.column, "type": r.type, "what to do": r.recourse or ""}) for r in error.reports
        ]
        return {**shown, "datom/columns": dg.MetadataValue.table(records)}
    return shown | {f"datom/{key}": dg.MetadataValue.text(str(value)) for key, value in error.details.items()}
