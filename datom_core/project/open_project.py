"""Open a project for writing: collect its parts, and check that they fit together."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from datom_core.common import level_outside, names
from datom_core.documents import Author, same_place
from datom_core.errors import ConflictError, GovernanceWarning, InvalidInputError, NotFoundError
from datom_core.git import GitRepo, SigningKey, as_signing, no_branch
from datom_core.governance import Governance
from datom_core.planning import ProjectState
from datom_core.publishing import Projector, load_state
from datom_core.reading import PlacementGuard, governance_storage, open_reader, read_ref
from datom_core.storage import ObjectStore, check_store
from datom_core.tables import Compression, HashCache, check_compression
from datom_core.writing import DocumentEditor, Standing, check_author, this_machine, utc_now


@dataclass(frozen=True)
class ProjectParts:
    """The parts of a project.

    Attributes:
        state: its documents, as they were when it was opened.
        store, repo: its data and its history.
        governance: its register.
        standing: who writes, unless a call says otherwise.
        memo: remembered hashes of large tables, if they are to be remembered.
        compression: of payloads.
    """

    state: ProjectState
    store: ObjectStore
    repo: GitRepo
    governance: Governance | None
    standing: Standing
    memo: HashCache | None
    compression: Compression

    @property
    def author(self) -> Author:
        """Who makes commits, unless another author is named."""
        return self.standing.author

    @property
    def clock(self) -> Callable[[], datetime]:
        """The current time."""
        return self.standing.clock

    @property
    def guard(self) -> PlacementGuard:
        return PlacementGuard(self.store, self.governance.store if self.governance is not None else None)

    def editor(self, projector: Projector) -> DocumentEditor:
        return DocumentEditor(self.repo, projector, self.guard, self.clock, self.standing.machine.identity)

    def inside(self, governance: Governance) -> ProjectParts:
        """The project as it is now, as a member of the register."""
        member = replace(self, governance=governance)
        _, state = member.editor(Projector(self.repo, self.store)).load(())
        return replace(member, state=state)


@dataclass(frozen=True)
class Settings:
    """How to write to a project.

    Attributes:
        standing: who writes, unless a call says otherwise.
        cache_dir: where to cache clones, and hashes of large tables.
        compression: of payloads.
        memo: whether to remember hashes of large tables.
        signing: the key that signs commits.
    """

    standing: Standing
    cache_dir: str | os.PathLike[str] | None
    compression: Compression
    memo: bool
    signing: SigningKey | None = None

    @classmethod
    def asked(
        cls,
        author: Author | str | None,
        cache_dir: str | os.PathLike[str] | None,
        clock: Callable[[], datetime] | None,
        *,
        compression: Compression = "snappy",
        memo: bool = True,
        signing: SigningKey | str | os.PathLike[str] | None = None,
    ) -> Settings:
        """From the arguments of `Project.open`.

        Raises:
            InvalidInputError: the author, the compression or the key is not valid.
            NotFoundError, AccessDeniedError: the key does not sign.
        """
        check_compression(compression)
        named = None if author is None else check_author(author)
        machine = this_machine()
        standing = Standing(named or machine.identity, named is not None, machine, clock or utc_now)
        key = as_signing(signing)
        if key is not None:
            key.ready()
        return cls(standing, cache_dir, compression, memo, key)


def open_parts(
    store: ObjectStore,
    repo: GitRepo,
    governance: Governance | ObjectStore | None,
    settings: Settings,
    *,
    relocate: bool,
) -> ProjectParts:
    """As `Project.open`."""
    check_store(store)
    _check_register(governance)
    tip = repo.tip()
    if tip is None and not repo.is_empty():
        raise no_branch(repo.at, repo.branch)
    if tip is None:
        raise NotFoundError(
            f"{repo.remote} is empty: there is no project yet. Create it with Project.init.", remote=repo.remote
        )
    state = load_state(repo, tip, ())
    store.check()
    author, clock = settings.standing.author, settings.standing.clock

    def open_register(mirror: ObjectStore, remote: str) -> Governance:
        at = None
        # Writing to the project only needs the mirror; a URL that is refused here may be good enough for R.
        with contextlib.suppress(InvalidInputError):
            at = repo.at.beside(remote)
        return Governance.of(mirror, at, author=author, cache_dir=settings.cache_dir, clock=clock)

    register = _register_of(state, store, governance, open_register)
    memo = HashCache(settings.cache_dir) if settings.memo else None
    parts = ProjectParts(state, store, repo, register, settings.standing, memo, settings.compression)
    if not same_place(state.file.location, store.location):
        _settle_in(parts, relocate)
    return parts


def _check_register(given: object) -> None:
    if given is not None and not isinstance(given, Governance | ObjectStore):
        raise InvalidInputError(
            f"governance is the register, or a store for the register's storage, not {type(given).__name__}. Write "
            "governance=Governance.open(store, remote=...), or governance=LocalStore(...)."
        )


def _register_of(
    state: ProjectState,
    store: ObjectStore,
    given: Governance | ObjectStore | None,
    open_register: Callable[[ObjectStore, str], Governance],
) -> Governance | None:
    """The project's register, if it has one: the one given, or the one it names."""
    if state.governance is None:
        if given is not None:
            warnings.warn(
                f"{state.file.name} is not registered; governance= has no effect. Governance.attach(project) "
                "registers it.",
                GovernanceWarning,
                stacklevel=level_outside(),
            )
        return None
    if isinstance(given, Governance):
        governance_storage(state.governance, given.store, near=store)
        return given
    mirror = governance_storage(state.governance, given, near=store)
    return open_register(mirror, state.governance.remote)


def _settle_in(parts: ProjectParts, relocate: bool) -> None:
    """Record the store as the project's location, if that was asked for or the register already knows it."""
    name, recorded, given = parts.state.file.name, parts.state.file.location, parts.store.location
    register = parts.governance
    if not (relocate and register is None) and not _is_registered_here(parts):
        raise InvalidInputError(
            f"The data of {name} lies in {recorded}, not in {given}. "
            + ("Give that store." if register else "Give that store, or relocate=True if the data was moved."),
            recorded=str(recorded),
            given=str(given),
        )
    open_reader(parts.store, name)
    try:
        parts.editor(Projector(parts.repo, parts.store)).relocate(parts.author)
    except NotFoundError as error:
        if register is None:
            raise
        raise ConflictError(
            f"The move of {name} to {given} has begun and is not complete: {error} Open the project with a store at "
            "the old place, and call dc.migrate again to complete it."
        ) from error
    if register is not None:
        parts.store.delete(names.CLAIM_KEY)  # from the move that this completes


def _is_registered_here(parts: ProjectParts) -> bool:
    """Whether the register already has this store as the project's place: a move was interrupted after its switch."""
    if parts.governance is None:
        return False
    ref = read_ref(parts.governance.store, parts.state.file.name)
    return ref.decommission is None and same_place(ref.current, parts.store.location)
