"""What datom does to a project, in the log of the step that has it done."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import datom_core as dc


@contextlib.contextmanager
def telling(project: dc.Project, log: Any) -> Iterator[dc.Project]:
    """The project, whose effects are in the step's log at debug, and what is tried again as a warning.

    Args:
        project: of which nobody else has this object.
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
            # Together, because each entry of Dagster's log is a write to its database.
            log.debug("datom:\n" + "\n".join(lines))
