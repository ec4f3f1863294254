"""A study for testing assets: a resource over a new project, which leaves nothing behind."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import datom_core as dc
from datom_core.testing import forget_clone
from datom_dagster.resources import DatomResource, LocalStorage

_AUTHOR = "Test Author <test@example.org>"


@contextlib.contextmanager
def temporary_study(name: str = "STUDY_001", *, author: str = _AUTHOR) -> Iterator[DatomResource]:
    """A resource over a new project in a temporary folder, for writing and reading.

    It needs git, but no git configuration. Data, history and the cached clone are gone when the block ends.

    Args:
        name: the project's name.
        author: the author of its commits.
    """
    with tempfile.TemporaryDirectory(prefix="datom-test-") as folder:
        place, remote = Path(folder, "data"), Path(folder, "history.git")
        project = dc.Project.init(name, dc.LocalStore(place), remote=remote, author=author)
        try:
            # Whatever the machine caches of large tables would outlive the test.
            yield DatomResource(
                project=name, storage=LocalStorage(path=str(place)), remote=str(remote), author=author, memo=False
            )
        finally:
            forget_clone(project)
