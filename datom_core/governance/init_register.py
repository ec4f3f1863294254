"""Begin a register: its first files, and a place for its mirror."""

from __future__ import annotations

from collections.abc import Collection

from datom_core.common import names
from datom_core.errors import AlreadyExistsError
from datom_core.governance.register import Register
from datom_core.publishing import until_published
from datom_core.storage import ObjectStore, find, prepare
from datom_core.writing import hosted

_INIT_MESSAGE = "Initialize governance repository"
_KEEP = f"{names.REGISTRATIONS}/.gitkeep"
_README = """# Governance Repository

This repository stores governance metadata for datom data projects.
Each registered project has a subdirectory under `projects/`.
"""
# What a git host puts into a new repository on its own.
_HARMLESS = frozenset({"README.md", "README", "LICENSE", "LICENSE.md", ".gitignore", ".gitattributes", "CODEOWNERS"})


def begin(register: Register, *, create_repo: bool) -> None:
    """Make sure that the repository holds a register and the store no other mirror; what is already there stays.

    Args:
        register: where it should be.
        create_repo: create its repository on the host, unless it exists.

    Raises:
        AlreadyExistsError: the store or the repository holds something else.
    """
    repo = register.needed_repo()
    host = hosted(repo) if create_repo else None
    _check_storage(register.store)
    prepare(register.store)
    if host is not None and host.inspect() is None:
        host.create(description="datom governance")
    repo.create_if_local()
    until_published(lambda: _seed(register))
    _check_mirror(register)


def is_seeded(files: Collection[str]) -> bool:
    """Whether a repository with these files holds a register. A project may have a table of that name."""
    return names.PROJECT_FILE not in files and any(path.startswith(f"{names.REGISTRATIONS}/") for path in files)


def _check_storage(store: ObjectStore) -> None:
    """Refuse a place that holds a project's data."""
    if any(find(store, key) is not None for key in (names.MANIFEST_KEY, names.CLAIM_KEY)):
        raise AlreadyExistsError(
            f"{store.location} holds a project's data. Give the register a place of its own: another prefix.",
            location=str(store.location),
        )


def _seed(register: Register) -> str | None:
    repo, now = register.needed_repo(), register.clock()
    tip = repo.tip()
    files = {} if tip is None else repo.files(tip)
    if files and not is_seeded(files) and not set(files) <= _HARMLESS:
        raise AlreadyExistsError(
            f"{repo.remote} is not empty, and holds no register of projects ({', '.join(sorted(files)[:5])}). Give "
            "an empty repository.",
            remote=repo.remote,
        )
    wanted = {"README.md": _README.encode(), _KEEP: b"\n"}
    missing = {path: data for path, data in wanted.items() if path not in files}
    if not missing:
        return None
    return repo.publish(missing, _INIT_MESSAGE, parent=tip, author=register.author, at=now)


def _check_mirror(register: Register) -> None:
    """Refuse a store that mirrors another register."""
    mirrored = Register(register.store, None, register.author, register.clock)
    unknown = set(mirrored.projects()) - set(register.projects())
    # By the end of a decommission, only the mirror has the project.
    strange = [p for p in sorted(unknown) if (ref := mirrored.mirrored(p)) is not None and not ref.decommission]
    if strange:
        raise AlreadyExistsError(
            f"{register.store.location} mirrors another register, with the projects {', '.join(strange)}, which "
            f"{register.needed_repo().remote} does not have.",
            location=str(register.store.location),
            projects=tuple(strange),
        )
