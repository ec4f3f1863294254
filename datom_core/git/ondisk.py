"""A remote that is a path on this machine, where a repository can be made and removed."""

from __future__ import annotations

import os
import shutil

from datom_core.errors import AlreadyExistsError, InvalidInputError, StorageError
from datom_core.git.cache import GitFailedError, run_anywhere
from datom_core.git.remote import local_path


def is_absent(remote: str) -> bool:
    """Whether the remote is a path on this machine where `create` would make a repository.

    Raises:
        AlreadyExistsError, InvalidInputError: the path holds something else.
    """
    path = local_path(remote)
    if path is None or not path.exists():
        return path is not None
    if not path.is_dir():
        raise InvalidInputError(f"The remote {path} is a file, not a git repository.")
    if not any(path.iterdir()):
        return True
    if (path / ".git").exists() or ((path / "HEAD").exists() and (path / "objects").is_dir()):
        return False
    raise AlreadyExistsError(f"{path} holds files that are not a git repository. Choose another path.")


def create(remote: str, branch: str) -> bool:
    """Make a bare repository at a local path where nothing exists; whether one was made.

    Raises:
        AlreadyExistsError: the path holds files that are not a git repository.
    """
    path = local_path(remote)
    if path is None or not is_absent(remote):
        return False
    try:
        path.mkdir(parents=True, exist_ok=True)
        run_anywhere("init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}", str(path))
    except (OSError, GitFailedError) as error:
        raise StorageError(f"Could not create a git repository at {path}: {error}") from error
    return True


def can_delete(remote: str) -> bool:
    """Whether `delete` removes the repository: a bare one on this machine's disk."""
    path = local_path(remote)
    return path is not None and (path / "HEAD").is_file() and (path / "objects").is_dir()


def delete(remote: str) -> None:
    """Remove the repository itself, if that can be done from here. It is no error if it is already gone."""
    path = local_path(remote)
    if path is None:
        return
    link, path = path if path.is_symlink() else None, path.resolve()
    aside = path.with_name(f".{path.name}.deleted")
    try:
        # Rename it first, so that nobody ever finds half a repository.
        if aside.exists():
            shutil.rmtree(aside)
        if can_delete(remote):
            os.rename(path, aside)
            shutil.rmtree(aside)
        if link is not None:
            link.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"Could not remove the repository {path}: {error}") from error
