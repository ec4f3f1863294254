"""Bars on standard error for long work, as `datom_core.watching` reports it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
)
from rich.text import Text

import datom_core as dc


class _Done(ProgressColumn):
    """How much is done of a step: bytes, where they are known beforehand, or else objects."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes, self._objects = DownloadColumn(), MofNCompleteColumn()

    def render(self, task: Task) -> Text:
        return (self._bytes if task.fields["in_bytes"] else self._objects).render(task)


@contextmanager
def bars(*, color: bool) -> Iterator[None]:
    """Show a bar for each kind of step that the block reports, and take all away at its end."""
    console = Console(stderr=True, no_color=not color)
    columns = (TextColumn("{task.description}"), BarColumn(), _Done())
    with _cursor_kept(console), Progress(*columns, console=console, transient=True) as shown:
        tasks: dict[str, TaskID] = {}

        def told(step: dc.Progress) -> None:
            in_bytes = bool(step.total_bytes)
            done, total = (step.bytes, step.total_bytes) if in_bytes else (step.objects, step.total_objects)
            if step.what not in tasks:
                tasks[step.what] = shown.add_task(step.what, total=total, in_bytes=in_bytes)
            shown.update(tasks[step.what], completed=done, total=total, in_bytes=in_bytes)

        with dc.watching(told):
            yield


@contextmanager
def _cursor_kept(console: Console) -> Iterator[None]:
    """Show the cursor again also where an interruption comes while the bars are begun, which rich does not."""
    try:
        yield
    except BaseException:
        console.show_cursor(True)
        raise
