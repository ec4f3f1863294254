"""Decide the write of a set: a project's documents and members come in, the documents after it go out. No effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from datom_core.common import names
from datom_core.documents import SET_ALGO, History, Metadata, Parent, Recording, Version, canonical
from datom_core.errors import FormatError, InvalidInputError
from datom_core.planning.project_state import ProjectState, TableState
from datom_core.planning.write_plan import check_writable
from datom_core.planning.write_request import Stamp
from datom_core.sets import Member, SetPayload

#: What a write did to a set.
SetAction = Literal["created", "unchanged", "repaired"]

_SHOWN = 20


@dataclass(frozen=True)
class Mismatch:
    """A member that was derived from another version of something than the set lists.

    Attributes:
        member: the member.
        parent: the version that it was derived from.
        listed: the versions of the same table that the set lists.
    """

    member: Member
    parent: Parent
    listed: tuple[str, ...]

    def __str__(self) -> str:
        listed = ", ".join(version[:8] for version in self.listed)
        return f"{self.member} was derived from {self.parent}, and the set lists {self.parent.table}@{listed}"

    def to_json(self) -> dict[str, Any]:
        return {
            "member": {"project": self.member.project, "name": self.member.name, "version": self.member.version},
            "derived_from": {"project": self.parent.source, "name": self.parent.table, "version": self.parent.version},
            "listed": list(self.listed),
        }


def mismatches(members: Iterable[Member], parents: Mapping[Member, Iterable[Parent]]) -> tuple[Mismatch, ...]:
    """Where a member was derived from another version of a table than any that is listed.

    Args:
        members: of the set.
        parents: what each member, whose document could be read, was derived from.
    """
    listed: dict[tuple[str, str], list[str]] = {}
    for member in members:
        listed.setdefault(member.is_in, []).append(member.version)
    found = []
    for member, derived_from in parents.items():
        for parent in derived_from:
            versions = listed.get((parent.source, parent.table), [])
            if versions and parent.version not in versions:
                found.append(Mismatch(member, parent, tuple(versions)))
    return tuple(found)


def refuse_mismatches(name: str, found: Sequence[Mismatch]) -> None:
    """Refuse a set that contradicts itself.

    Raises:
        InvalidInputError: names every mismatch, and what to do.
    """
    if not found:
        return
    lines = [f"  - {mismatch}" for mismatch in found[:_SHOWN]]
    lines += [f"  - and {len(found) - _SHOWN} more, in error.mismatches"] if len(found) > _SHOWN else []
    raise InvalidInputError(
        f"The set {name} would not be consistent:\n"
        + "\n".join(lines)
        + "\nDerive those tables again from the listed versions, list the versions that they were derived from, or say "
        'why this is right: allow="the reason".',
        set=name,
        mismatches=tuple(found),
    )


@dataclass(frozen=True)
class AllowedMismatches:
    """Mismatches that the writer let pass, and why."""

    reason: str
    mismatches: tuple[Mismatch, ...]

    def to_json(self) -> dict[str, Any]:
        return {"reason": self.reason, "mismatches": [m.to_json() for m in self.mismatches]}


@dataclass(frozen=True)
class SetResult:
    """What a write did to a set.

    Attributes:
        name: name of the set.
        version, data_sha: what is current now.
        action: ``created``, ``unchanged``, or ``repaired`` (unchanged, but something was missing and is back).
        members: how many it holds.
        commit_sha: the commit that this call made, or ``None`` when none was needed.
        document_sha: SHA-256 of the stored list of members; ``None`` before it is stored.
        allowed: members that were derived from other versions than are listed, which was let pass.
        unread: members of other projects that could not be looked at, so that nothing is known of their parents.
    """

    name: str
    version: str
    data_sha: str
    action: SetAction
    members: int
    commit_sha: str | None
    document_sha: str | None
    allowed: tuple[Mismatch, ...] = ()
    unread: tuple[Member, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether this call made another version current."""
        return self.action == "created"


@dataclass(frozen=True)
class SetPlan:
    """What has to be done to make a set's members current.

    Attributes:
        state: the project's documents.
        name: name of the set.
        payload: its members.
        action: ``"created"`` or ``"unchanged"``.
        version: the version that will be current.
        recorded: the history's entry, when this version existed before.
        document_sha: the SHA-256 of the stored member list, when it was stored before.
    """

    state: ProjectState
    name: str
    payload: SetPayload
    action: SetAction
    version: str
    recorded: Version | None
    document_sha: str | None
    identity: Mapping[str, Any] = field(repr=False)


def plan_set(state: ProjectState, name: str, payload: SetPayload) -> SetPlan:
    """Decide what writing this set means for the project.

    Raises:
        FormatError: the project may not be rewritten by this release, or has schema 1.
        InvalidInputError: a name that collides, or is a table's; a product that has another set; members of this
            project that it does not have.
    """
    check_writable(state, [name])
    _check_name(state, name)
    _check_own_members(state, payload.members)
    table = state.table(name)
    data_sha = payload.data_sha
    identity = {"schema_version": 2, "kind": "set", "data_sha": data_sha, "hash_algo": SET_ALGO}
    version = canonical.metadata_sha(identity)
    current = table.current
    action: SetAction = "unchanged" if current is not None and current.version == version else "created"
    recorded = table.history.find(version)
    return SetPlan(state, name, payload, action, version, recorded, table.history.payload_sha(data_sha), identity)


def _check_name(state: ProjectState, name: str) -> None:
    names.check_new_name(name, "set")
    if state.manifest.schema != 2:
        raise FormatError(
            f"{state.file.name} has schema 1, which has no sets. project.upgrade() converts it; R datom up to 0.1.2 "
            "then lists it as empty.",
            schema=state.manifest.schema,
        )
    declared = state.file.product_set
    if declared is not None and declared != name:
        raise InvalidInputError(
            f"{state.file.name} is a product, whose one set is {declared!r}. Write that set, or {name!r} into another "
            "project.",
            set=name,
            declared=declared,
        )
    metadata, entry = state.table(name).metadata, state.manifest.entries.get(name)
    if "table" in {metadata.kind if metadata else "set", entry.kind if entry else "set"}:
        raise InvalidInputError(f"{name} is a table. Give the set another name.", set=name)
    if name in state.root_files:
        raise InvalidInputError(f"{name} is a file in the data repo. Give the set another name.", set=name)
    twins = [n for n in state.manifest.entries if n != name and n.lower() == name.lower()]
    if twins and entry is None:
        raise InvalidInputError(f"{name} and {twins[0]} differ only in case. Give the set another name.", set=name)


def _check_own_members(state: ProjectState, members: Iterable[Member]) -> None:
    """Every member of this project must be one of its versions, and of that kind."""
    problems = []
    for member in members:
        if member.project != state.file.name:
            continue
        table = state.table(member.name)
        kind = table.metadata.kind if table.metadata is not None else None
        if table.history.find(member.version) is None:
            problems.append(f"{member} is no version of this project")
        elif kind != member.kind:
            problems.append(f"{member} is a {kind}, not a {member.kind}")
    if problems:
        raise InvalidInputError(
            "Some members are not what they are called:\n" + "\n".join(f"  - {p}" for p in problems), members=problems
        )


def apply_set(
    plan: SetPlan, stored: bytes, document_sha: str, stamp: Stamp, subject: str, allowed: AllowedMismatches | None
) -> ProjectState:
    """The project's documents after the set was written.

    Args:
        plan: from `plan_set`.
        stored: the member list as it lies in storage, and
        document_sha: its SHA-256.
        stamp: who, when and why.
        subject: the first line of why, for the history.
        allowed: mismatches that the writer let pass.
    """
    state, name = plan.state, plan.name
    if plan.action == "unchanged":
        return state
    history, created_at = _recorded(plan, document_sha, stamp, subject, allowed)
    document = {
        **plan.identity,
        "document_sha": document_sha,
        "created_at": created_at,
        "datom_version": stamp.writer,
        "project": state.file.name,
    }
    table = TableState(Metadata.from_document(document, names.metadata_file(name)), history)
    manifest = state.manifest.with_set(
        name,
        version=plan.version,
        data_sha=plan.identity["data_sha"],
        now=stamp.at,
        members=len(plan.payload.members),
        count=len(history),
    )
    return replace(
        state,
        manifest=manifest,
        tables={**state.tables, name: table},
        files={**state.files, names.set_file(name): stored},
    )


def _recorded(
    plan: SetPlan, document_sha: str, stamp: Stamp, subject: str, allowed: AllowedMismatches | None
) -> tuple[History, str]:
    """The set's history after the write, and when this version was first recorded."""
    history = plan.state.table(plan.name).history
    if plan.recorded is not None:
        again = Recording(plan.version, stamp.at, stamp.author, subject, stamp.provenance)
        return history.with_reinstated(plan.version, stamp.at, again), plan.recorded.timestamp or stamp.at
    history = history.with_set(
        plan.version,
        data_sha=plan.identity["data_sha"],
        at=stamp.at,
        author=stamp.author,
        message=subject,
        document_sha=document_sha,
        provenance=stamp.provenance,
        allowed=None if allowed is None else allowed.to_json(),
    )
    return history, stamp.at
