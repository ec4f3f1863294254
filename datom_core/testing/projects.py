"""A project for a test: a new one each time, which leaves nothing behind."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from datom_core.documents import Author
from datom_core.project import Project, editor_of
from datom_core.storage import MemoryStore, ObjectStore

_AUTHOR = "Test Author <test@example.org>"


class Clock:
    """A clock that moves on by one minute each time it is read, from 2026-01-01 00:00 UTC.

    Attributes:
        now: the time it showed last; may be set.
    """

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


@contextlib.contextmanager
def memory_project(
    name: str = "STUDY_001",
    *,
    store: ObjectStore | None = None,
    author: Author | str = _AUTHOR,
    clock: Callable[[], datetime] | None = None,
    schema: int = 2,
) -> Iterator[Project]:
    """A new project, opened for writing, with its data in memory and its history in a temporary folder.

    It needs git, but no git configuration, and leaves the user's cache alone. When the block ends, the history is
    gone, and so is the data, unless a store was given.

    Args:
        name: the project's name.
        store: where to keep the data instead, such as a `FailingStore`, or a `LocalStore` in the test's own folder.
        author: the author of its commits.
        clock: tells the time; by default a `Clock`, for the same times in every run.
        schema: as for `Project.init`.
    """
    with tempfile.TemporaryDirectory(prefix="datom-test-") as folder:
        yield Project.init(
            name,
            MemoryStore() if store is None else store,
            remote=Path(folder, "history.git"),
            cache_dir=Path(folder, "cache"),
            author=author,
            clock=Clock() if clock is None else clock,
            schema=schema,
        )


def forget_clone(project: Project) -> None:
    """Remove the machine's copy of a project's history; for a project that was made for a test."""
    editor_of(project).repo.forget()
