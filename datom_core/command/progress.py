"""Bars on standard error for long work, as `datom_core.watching` reports it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

import datom_core as dc


@contextmanager
def bars(*, color: bool) -> Iterator[None]:
    """Show a bar for each kind of step that the block reports, and take all away at its end."""
    console = Console(stderr=True, no_color=not color)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    in_bytes = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, transient=True) as counted:
        tasks: dict[str, TaskID] = {}

        def told(step: dc.Progress) -> None:
            done, total = (step.bytes, step.total_bytes) if step.total_bytes else (step.objects, step.total_objects)
            if step.what not in tasks:
                tasks[step.what] = counted.add_task(step.what, total=total)
            counted.columns = in_bytes if step.total_bytes else columns
            counted.update(tasks[step.what], completed=done, total=total)

        with dc.watching(told):
            yield
