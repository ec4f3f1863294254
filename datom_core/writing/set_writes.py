"""Write a set: its members in one commit, after each has been looked at, and its list is in storage."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from datom_core.common import names
from datom_core.documents import Parent, format_timestamp, hash_set, parse_object
from datom_core.errors import DatomError, IntegrityError, InvalidInputError, NotFoundError
from datom_core.git import LostRaceError
from datom_core.planning import (
    AllowedMismatches,
    Mismatch,
    ProjectState,
    SetPlan,
    SetResult,
    Stamp,
    apply_set,
    changed_files,
    mismatches,
    plan_set,
    refuse_mismatches,
)
from datom_core.publishing import until_published
from datom_core.reading import StoredDocuments
from datom_core.sets import Member, SetPayload
from datom_core.storage import find
from datom_core.version import WRITER
from datom_core.writing.document_edits import DocumentEditor
from datom_core.writing.requests import Intent

_READERS = 8  # documents that are fetched at a time

#: What a member of another project was derived from; ``None`` where that project cannot be read.
ForeignParents = Callable[[Member], tuple[Parent, ...] | None]


@dataclass(frozen=True)
class SetRequest:
    """A set to be written.

    Attributes:
        name: its name.
        payload: its members and tags.
        files: what lies beside it in the data repo: path -> contents.
        subject: the first line of the message, for the history.
        allow: why a set that contradicts itself is written all the same.
    """

    name: str
    payload: SetPayload
    files: Mapping[str, bytes]
    subject: str
    allow: str | None


@dataclass(frozen=True)
class SetWriter:
    """Writes sets to one project.

    Attributes:
        project: name of the project.
        editor: of its documents.
        foreign: tells of members in other projects.
    """

    project: str
    editor: DocumentEditor
    foreign: ForeignParents

    def run(self, request: SetRequest, intent: Intent, *, dry_run: bool = False) -> SetResult:
        """Write the set in one commit; if another writer is faster, plan again on top of its commit.

        Raises:
            InvalidInputError: a member is not what it is called, or the set contradicts itself.
            NotFoundError: the document of a member of this project is missing from storage.
            IntegrityError: something else lies where the list of members belongs.
            The errors of `plan_set`, of the store and of git.
        """
        return until_published(lambda: self._once(request, intent, dry_run))

    def _once(self, request: SetRequest, intent: Intent, dry_run: bool) -> SetResult:
        editor = self.editor
        with editor.repo.turn():
            now = editor.clock()
            own = [m.name for m in request.payload.members if m.project == self.project]
            tip, state = editor.load((request.name, *dict.fromkeys(own)))
            plan = plan_set(state, request.name, request.payload)
            _check_files(state, request)
            allowed, unread = self._consistency(plan, request)
            seen = editor.projector.view_storage([request.name])
            seen.refuse_newer()
            editor.projector.lines.check(seen, tip, state)
            if dry_run:
                return _result(plan, plan.document_sha, None, allowed, unread)
            if plan.action == "unchanged":
                report = editor.projector.bring_level([request.name])
                return _result(plan, plan.document_sha, None, allowed, unread, repaired=bool(report.written))
            stored = self._store(plan)
            stamp = Stamp(format_timestamp(now), intent.author, intent.message, WRITER, intent.provenance)
            after = apply_set(plan, bytes(stored), hashlib.sha256(stored).hexdigest(), stamp, request.subject, allowed)
            files = {**changed_files(state, after), **request.files}
            message = intent.commit_message(intent.message)
            commit = editor.repo.publish(
                files, message, parent=tip, author=intent.author, committer=intent.committer, at=now
            )
        editor.projector.bring_level([request.name])
        return _result(plan, hashlib.sha256(stored).hexdigest(), commit, allowed, unread)

    def _consistency(self, plan: SetPlan, request: SetRequest) -> tuple[AllowedMismatches | None, tuple[Member, ...]]:
        """What contradicts itself and was let pass, and the members that could not be looked at.

        Raises:
            InvalidInputError: something contradicts itself, and nobody said why that is right.
        """
        parents, unread = self._parents(plan.payload.members)
        found: tuple[Mismatch, ...] = mismatches(plan.payload.members, parents)
        if request.allow is None:
            refuse_mismatches(plan.name, found)
        return (AllowedMismatches(str(request.allow), found) if found else None), unread

    def _parents(self, members: Iterable[Member]) -> tuple[dict[Member, tuple[Parent, ...]], tuple[Member, ...]]:
        documents = StoredDocuments(self.editor.projector.store, self.project)

        def parents(member: Member) -> tuple[Parent, ...] | None:
            if member.project != self.project:
                return self.foreign(member)
            entry = documents.history(member.name).find(member.version)
            if entry is None:
                raise NotFoundError(
                    f"Storage does not show {member} yet, though git has it. project.mirror() brings it level.",
                    member=str(member),
                )
            return documents.proven(member.name, entry).parents or ()

        looked = [m for m in members if m.kind == "table"]
        with ThreadPoolExecutor(_READERS, thread_name_prefix="datom-members") as pool:
            told = dict(zip(looked, pool.map(parents, looked), strict=True))
        known = {m: found for m, found in told.items() if found is not None}
        return known, tuple(m for m in looked if m not in known)

    def _store(self, plan: SetPlan) -> bytes:
        """The list of members as it lies in storage, put there if it is not; several texts may stand for one content.

        Raises:
            IntegrityError: something else lies there.
        """
        store, data_sha = self.editor.projector.store, plan.payload.data_sha
        key, ours = names.set_payload(plan.name, data_sha), plan.payload.to_json()
        if plan.document_sha is not None and plan.document_sha != hashlib.sha256(ours).hexdigest():
            # The recorded bytes, another text of the same content, are in storage or in git, and no others would do.
            self.editor.projector.bring_level([plan.name], thorough=True)
        elif store.create(key, ours):
            return ours
        there = find(store, key)
        if there is None:
            raise LostRaceError(f"{key} is gone from {store.location} again. Try again.", key=key)
        other = plan.document_sha not in (None, there.sha256)
        if other or _content(bytes(there.data), key) != data_sha:
            raise IntegrityError(
                f"{key} in {store.location} is not what its name says, or not what was recorded. Restore it from a "
                "backup, or remove it and write again.",
                key=key,
            )
        return bytes(there.data)


def _content(data: bytes, key: str) -> str | None:
    try:
        return hash_set(parse_object(data, key))
    except DatomError:
        return None


def _check_files(state: ProjectState, request: SetRequest) -> None:
    """Refuse files that are not beside the set, but part of what datom keeps.

    Raises:
        InvalidInputError: names each.
    """
    owned = {".datom", ".git", *state.manifest.entries, request.name}
    wrong = [path for path in request.files if path.split("/")[0] in owned]
    if wrong:
        raise InvalidInputError(
            f"These paths belong to datom, and cannot be given as files beside a set: {', '.join(sorted(wrong))}.",
            paths=tuple(sorted(wrong)),
        )


def _result(
    plan: SetPlan,
    document_sha: str | None,
    commit: str | None,
    allowed: AllowedMismatches | None,
    unread: tuple[Member, ...],
    *,
    repaired: bool = False,
) -> SetResult:
    return SetResult(
        name=plan.name,
        version=plan.version,
        data_sha=plan.payload.data_sha,
        action="repaired" if repaired else plan.action,
        members=len(plan.payload.members),
        commit_sha=commit,
        document_sha=document_sha,
        allowed=() if allowed is None else allowed.mismatches,
        unread=unread,
    )
