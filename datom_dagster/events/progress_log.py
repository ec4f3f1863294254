"""What datom does to a project, and how far long work has got, in the log of the step."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import datom_core as dc

_SECONDS_BETWEEN_LINES = 10.0  # of progress: each is a write to Dagster's database


@contextlib.contextmanager
def telling(project: dc.Project, log: Any) -> Iterator[dc.Project]:
    """The project, with its effects logged by the step at debug level, and its retries as warnings.

    Args:
        project: an object that nobody else uses.
        log: the step's.
    """
    lines: list[str] = []

    def hear(event: dc.ProjectEvent) -> None:
        if event.name == "retry":
            log.warning(f"datom: {event}")
        else:
            lines.append(str(event))

    end = project.events.subscribe(hear)
    try:
        yield project
    finally:
        end()
        if lines:
            # In one entry, because each entry of Dagster's log is a write to its database.
            log.debug("datom:\n" + "\n".join(lines))


def progress_told(log: Any) -> contextlib.AbstractContextManager[None]:
    """Write a line to the step's log now and then while datom works at something in the block."""
    told = time.monotonic()

    def tell(progress: dc.Progress) -> None:
        nonlocal told
        if time.monotonic() - told < _SECONDS_BETWEEN_LINES:
            return
        told = time.monotonic()
        size = f", {progress.bytes} of {progress.total_bytes} bytes" if progress.total_bytes else ""
        log.info(f"datom: {progress.what} {progress.objects} of {progress.total_objects}{size} ({progress.key})")

    return dc.watching(tell)
