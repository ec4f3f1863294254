"""Approve a cut, take that back, and say whose keys may sign: each by a commit that is verified before it is pushed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from datom_core.common import names
from datom_core.documents import (
    AllowedSigner,
    Approval,
    Author,
    Cuts,
    Signer,
    Signers,
    check_names_no_approval,
    format_timestamp,
    new_record,
    timestamp,
)
from datom_core.errors import AccessDeniedError, InvalidInputError, NotFoundError
from datom_core.git import GitRepo, ReadyKey, SigningKey, signed_commits
from datom_core.planning import ProjectState
from datom_core.signatures import TOLERANCE, TimeStampServer, judge, message_of, signing_problem
from datom_core.writing.document_edits import Edit

_LONGEST = 10_000


@dataclass(frozen=True)
class Signatory:
    """Somebody who is about to sign.

    Attributes:
        key: the key.
        ready: what is known of it, as it has just signed.
        author: who says that it is his.
    """

    key: SigningKey
    ready: ReadyKey
    author: Author

    @classmethod
    def asked(cls, key: SigningKey | None, author: Author) -> Signatory:
        """Make sure that the key signs.

        Raises:
            InvalidInputError: there is no key, or none that approvals can be signed with.
            NotFoundError, AccessDeniedError: it does not sign.
        """
        if key is None:
            raise InvalidInputError(
                "This is signed, and no key was given: signing=SigningKey(path), here or when the project is opened. "
                "Make one with ssh-keygen -t ed25519 (docs/signing.md)."
            )
        ready = key.ready()
        if ready.public_key is None:
            raise InvalidInputError(
                f"Who may approve is said by {names.SIGNERS_FILE}, which knows SSH keys alone, and this is a key of "
                f"{key.format}. Commits are signed with it; for approvals give an SSH key: signing=SigningKey(path)."
            )
        return cls(key, ready, author)

    def check_allowed(self, signers: Signers, at: datetime) -> Signer:
        """Who signs, as a record has it, if the project allows that now.

        Raises:
            AccessDeniedError: nobody allowed the key, no longer, or for somebody else; says what to do.
        """
        key, lines = self.ready.fingerprint, signers.of_key(self.ready.fingerprint)
        mine = [line for line in lines if line.principal == self.author.email]
        if any(line.allowed_at(at) for line in mine):
            return Signer(self.author.name, self.author.email, key)
        if not lines:
            why = f"is not in {names.SIGNERS_FILE}. Somebody who may sign allows it: project.allow_signer(...)"
        elif not mine:
            whose = ", ".join(dict.fromkeys(line.principal for line in lines))
            why = f"is allowed for {whose}, and the author is {self.author}. Give that author"
        elif mine[-1].valid_before is not None and at >= mine[-1].valid_before:
            why = f"might sign until {format_timestamp(mine[-1].valid_before)}, and no longer"
        else:
            begin = mine[-1].valid_after
            why = f"may sign from {format_timestamp(begin) if begin is not None else '?'} on, and not yet"
        raise AccessDeniedError(f"The key {key} {why}.", key=key)

    def check_commit(self, repo: GitRepo, signers: Callable[[], Signers]) -> Callable[[str], None]:
        """Has git verify the very commit before anybody gets it.

        Args:
            repo: where it is.
            signers: who may sign it; nobody, if that is yet to be said.
        """

        def check(commit: str) -> None:
            keys = signers()
            allowed = keys if keys.found else Signers.of([_own_line(self)])
            (found,) = signed_commits(repo, allowed.keys_alone(), commit, among=[commit])
            above = signed_commits(repo, "", commit, among=found.parents[:1]) if found.parents else []
            if above and found.at < above[0].at - TOLERANCE:
                raise InvalidInputError(
                    f"This machine's clock says {format_timestamp(found.at)}, and the newest commit was made more than "
                    f"five minutes later: {format_timestamp(above[0].at)}. Set the clock; nothing was recorded."
                )
            judged = judge(found, allowed, above[0].at if above else None)
            if not judged.good:
                raise AccessDeniedError(
                    f"git does not accept the signature: the commit {signing_problem(judged)}. Nothing was recorded.",
                    key=self.ready.fingerprint,
                )

        return check


@dataclass
class ApprovalEdit:
    """An edit that brings a record, and what its commit says of it."""

    build: Callable[[ProjectState, str], dict[str, Any] | None]
    signers: Signers = field(default_factory=Signers)
    record: Mapping[str, Any] | None = None

    def __call__(self, state: ProjectState, now: str) -> ProjectState:
        self.signers, self.record = state.signers, self.build(state, now)
        if self.record is None:
            return state
        # The manifest is written last and so proves that storage has everything: it must change with the cuts.
        manifest = state.manifest.with_rows(state.manifest.rows(), now)
        return replace(state, cuts=state.cuts.with_approval(self.record), manifest=manifest)

    def message(self) -> str:
        return message_of(dict(self.record or {}))


def approved(
    cut: str, meaning: str, reason: str, signatory: Signatory, server: TimeStampServer | None, *, dry_run: bool
) -> ApprovalEdit:
    """Record that somebody approves what a cut stands for.

    Raises (when the edit is made):
        NotFoundError: there is no such cut.
        AccessDeniedError: the signer is not allowed.
        The errors of `TimeStampServer.stamp`.
    """
    names.check_cut_name(cut)
    check_meaning(meaning)
    reason = check_reason(reason)

    def build(state: ProjectState, now: str) -> dict[str, Any] | None:
        versions, at = dict(state.cuts.find(cut)), timestamp(now, "now")
        signer = signatory.check_allowed(state.signers, at)
        mine = [r for r in state.cuts.approvals.of(cut).standing(meaning) if r.signer.email == signer.email]
        if any(r.is_current and r.signer.key == signer.key for r in mine):
            return None
        record = new_record("approval", cut, meaning, reason, signer, now, versions)
        return record if server is None or dry_run else {**record, "time_stamp": server.stamp(record, at)}

    return ApprovalEdit(build)


def withdrawn(
    cut: str,
    meaning: str,
    reason: str,
    approval: str | None,
    signatory: Signatory,
    server: TimeStampServer | None,
    *,
    dry_run: bool,
) -> ApprovalEdit:
    """Record that an approval is taken back; it stays on record.

    Args:
        approval: the first digits of its id; needed if several approvals of that meaning stand, none of them one's own.

    Raises (when the edit is made):
        NotFoundError: no such approval stands.
        InvalidInputError: several do; names them.
        AccessDeniedError: the signer is not allowed.
    """
    names.check_cut_name(cut)
    check_meaning(meaning)
    reason = check_reason(reason)

    def build(state: ProjectState, now: str) -> dict[str, Any]:
        at = timestamp(now, "now")
        signer = signatory.check_allowed(state.signers, at)
        found = _chosen(state.cuts, cut, meaning, approval, signer)
        record = new_record("withdrawal", cut, meaning, reason, signer, now, found.versions, found.id)
        return record if server is None or dry_run else {**record, "time_stamp": server.stamp(record, at)}

    return ApprovalEdit(build)


def _chosen(cuts: Cuts, cut: str, meaning: str, approval: str | None, signer: Signer) -> Approval:
    there = cuts.approvals.of(cut).standing(meaning)
    asked = [r for r in there if approval is None or r.id.startswith(approval)]
    mine = [r for r in asked if r.signer.email == signer.email]
    told = "; ".join(f"{r.id[:12]} by {r.signer}, {r.recorded_at}" for r in there)
    if not asked:
        cuts.find(cut)
        raise NotFoundError(
            f"{cut!r} has no such approval as {meaning}; there is {told or 'none of that meaning'}.", cut=cut
        )
    for choice in (asked, mine):
        if len(choice) == 1:
            return choice[0]
    raise InvalidInputError(
        f"{cut!r} is approved as {meaning} more than once: {told}. Say which: approval=...", cut=cut
    )


def signer_allowed(signer: AllowedSigner, signatory: Signatory | None) -> Edit:
    """Let a key sign from now on, or within its bounds.

    Raises (when the edit is made):
        AccessDeniedError: there are signers already, and this is not signed by one of them.
        AlreadyExistsError: the key is there with other bounds.
    """

    def edit(state: ProjectState, now: str) -> ProjectState:
        signers = state.signers.with_signer(signer)
        if signers is state.signers:
            return state
        _check_may_change(state, signatory, now)
        return replace(state, signers=signers)

    return edit


def signer_revoked(principal: str, key: str, at: datetime | None, signatory: Signatory | None) -> Edit:
    """Let a key no longer sign.

    Raises (when the edit is made):
        NotFoundError: it has no such line.
        InvalidInputError: nobody could sign any more, and so nobody could ever be allowed again.
        AccessDeniedError: this is not signed by somebody who may.
    """

    def edit(state: ProjectState, now: str) -> ProjectState:
        present = timestamp(now, "now")
        end = present if at is None else at
        signers = state.signers.without(principal, key, end)
        if signers.lines == state.signers.lines:
            return state
        _check_may_change(state, signatory, now)
        if not any(s.valid_before is None or s.valid_before > present for s in signers):
            raise InvalidInputError(
                f"{principal} is the last who may sign: nobody could be allowed after that. Allow somebody else first."
            )
        return replace(state, signers=signers)

    return edit


def _check_may_change(state: ProjectState, signatory: Signatory | None, now: str) -> None:
    if not state.signers.found:
        return
    if signatory is None:
        raise AccessDeniedError(
            "This project has signers, so that one of them must sign who else may. Give signing=SigningKey(path)."
        )
    if state.signers.allowing(signatory.ready.fingerprint, timestamp(now, "now")) is None:
        signatory.check_allowed(state.signers, timestamp(now, "now"))


def check_meaning(given: object) -> str:
    """What an approval means: a short text.

    Raises:
        InvalidInputError: it is something else.
    """
    if not isinstance(given, str) or not 1 <= len(given) <= 64 or not given.isprintable() or given != given.strip():
        raise InvalidInputError(
            f"A meaning is a word or a few, as in 'reviewed', 'approved' or 'locked', not {given!r}."
        )
    return given


def check_reason(given: object) -> str:
    """Why something is signed.

    Raises:
        InvalidInputError: it is empty, or no text.
    """
    if not isinstance(given, str) or not given.strip():
        raise InvalidInputError("Say why: the reason is part of what is signed.")
    if len(given) > _LONGEST or "\0" in given or not names.is_text(given):
        raise InvalidInputError(f"The reason is text that git can keep, of at most {_LONGEST} characters.")
    check_names_no_approval(given)
    return given.strip()


def _own_line(signatory: Signatory) -> str:
    return AllowedSigner("signer@first", str(signatory.ready.public_key), signatory.ready.fingerprint).line()
