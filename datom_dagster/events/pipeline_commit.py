"""Which commit of the pipeline's own code a step runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dagster._core.execution.context.system import StepExecutionContext

#: Set by Dagster+ where code of a branch deployment runs.
_CLOUD = "DAGSTER_CLOUD_GIT_SHA"
_COMMIT = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})(?:-dirty)?")
_SECONDS = 5  # a work tree that takes longer to look at must not hold up a run


def pipeline_commit(step: StepExecutionContext) -> str | None:
    """What Dagster+ says, else the commit of the work tree from which the code was loaded.

    It ends in ``-dirty`` if tracked files of that work tree were changed. ``None`` if there is no git, or the code does
    not lie in a work tree.
    """
    told = os.environ.get(_CLOUD, "")
    if _COMMIT.fullmatch(told):
        return told
    return next((found for file in _files(step) if (found := commit_of(file)) is not None), None)


def _files(step: StepExecutionContext) -> list[str]:
    """The file of the code location, and that of the step's function."""
    origin = step.dagster_run.job_code_origin
    pointer: Any = None if origin is None else origin.repository_origin.code_pointer
    module = sys.modules.get(str(getattr(pointer, "module", None)))
    function = getattr(step.op_def.compute_fn, "decorated_fn", None)
    found = (
        getattr(pointer, "python_file", None),
        getattr(module, "__file__", None),
        getattr(getattr(function, "__code__", None), "co_filename", None),
    )
    return [os.path.abspath(file) for file in found if file]


@lru_cache(maxsize=256)
def commit_of(file: str) -> str | None:
    """The commit of the work tree in which git tracks the file; looked up once in a process."""
    path = Path(file)
    if not path.is_file() or _git(path, "ls-files", "--error-unmatch", "--", path.name) is None:
        return None  # a package that is installed inside of a work tree is none of its files
    told = (_git(path, "describe", "--always", "--dirty", "--abbrev=64", "--exclude=*") or "").strip()
    return told if _COMMIT.fullmatch(told) else None


def _git(file: Path, *command: str) -> str | None:
    own = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603 - only the names of our own code's files come in
            ["git", "-C", str(file.parent), *command],  # noqa: S607 - wherever git is
            env={**own, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")
