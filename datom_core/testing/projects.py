"""A project for a test: a new one for each, which leaves nothing behind."""

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
    """A clock that moves on by one minute at every look, from 2026-01-01 00:00 UTC.

    Attributes:
        now: what it showed last; may be set.
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
    """A new project, opened to write, whose data is in memory and whose history is in a temporary folder.

    It needs git, but no configuration of git's, and leaves the user's cache alone. When the block ends, the history is
    gone, and so is the data, unless a store was given.

    Args:
        name: of the project.
        store: where the data lies instead, such as a `FailingStore`, or a `LocalStore` in a test's own folder.
        author: of its commits.
        clock: what time it is; by default a `Clock`, for the same times in every run.
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
    """Remove what the machine keeps of a project's history, for one that was made for a test."""
    editor_of(project).repo.forget()
