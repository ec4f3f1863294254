"""Which records of approvals came in as they must: each by one commit that its signer signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from datom_core.common import names
from datom_core.documents import LOCKED, TRAILER, Approval, Cuts, canonical
from datom_core.errors import FormatError
from datom_core.git import CommitSignature, GitRepo, file_contents, signed_commits
from datom_core.signatures.trust import Judged, Trust

_SIGNED_SO = {
    "unsigned": "is not signed",
    "bad": "has a bad signature",
    "not allowed": "is signed with a key that was not allowed",
    "expired": "is signed with a key that was no longer allowed",
    "not yet allowed": "is signed with a key that was not allowed yet",
    "backdated": "says that it was made more than five minutes before its parent",
    "beside": "lies on a branch beside a change of who may sign",
    "other key": "is signed with a key that is no SSH key",
}


@dataclass(frozen=True)
class ProvenRecord:
    """A commit that brings a record, or says so.

    Attributes:
        judged: the commit.
        id: the record that its message names.
        record: the record in its documents; ``None`` if it is not there, or was before.
        problem: why it does not count; ``None`` if it does.
    """

    judged: Judged
    id: str
    record: Approval | None
    problem: str | None

    @property
    def commit(self) -> str:
        return self.judged.commit.commit


def message_of(record: dict[str, object]) -> str:
    """The message of the commit that brings a record; it repeats it, so that the signature is over all of it."""
    verb = "Approve" if record["kind"] == "approval" else "Withdraw"
    return (
        f"{verb} {record['cut']}: {record['meaning']}\n\n{record['reason']}\n\n{canonical.canonical(record)}\n\n"
        f"{TRAILER}: {record['id']}\n"
    )


def records_through(repo: GitRepo, tip: str, trust: Trust, *, locks_alone: bool = False) -> list[ProvenRecord]:
    """Every record that a commit up to ``tip`` says it brings, oldest first.

    Args:
        repo, tip: the history.
        trust: who might sign in it.
        locks_alone: only locks, and what undoes them.
    """
    saying = [f"{TRAILER}: ", *([f'"meaning":{canonical.canonical(LOCKED)}'] if locks_alone else [])]
    found = [c for c in signed_commits(repo, trust.keys, tip, saying=saying) if names.is_sha(c.trailer(TRAILER))]
    places = [(commit, names.CUTS_FILE) for c in found for commit in (c.commit, *c.parents[:1])]
    held = {place[0]: _cuts(data) for place, data in zip(places, file_contents(repo, places), strict=True)}
    return [
        _proven(c, trust.judge(c), held.get(c.commit), held.get(c.parents[0]) if c.parents else None) for c in found
    ]


def signing_problem(judged: Judged) -> str | None:
    """What is wrong with a signature, as the end of a sentence about its commit; ``None`` if it is good."""
    return _SIGNED_SO.get(judged.verdict)


def _proven(commit: CommitSignature, judged: Judged, after: Cuts | None, before: Cuts | None) -> ProvenRecord:
    named = commit.trailer(TRAILER) or ""
    record = None if after is None else after.approvals.find(named)
    if record is not None and before is not None and before.approvals.find(named) is not None:
        record = None
    return ProvenRecord(judged, named, record, _problem(judged, record, named, commit))


def _problem(judged: Judged, record: Approval | None, named: str, commit: CommitSignature) -> str | None:
    if record is None:
        return f"brings no record {named[:12]}, though its message says so"
    if not record.intact:
        return f"brings the record {named[:12]}, whose id is not that of what it says"
    said = signing_problem(judged)
    if said is not None:
        return f"{said}, and brings the record {named[:12]}"
    signer = record.signer
    addresses: Sequence[str] = (
        commit.author.email,
        commit.committer.email,
        judged.signer.principal if judged.signer else "",
    )
    if signer.key != commit.key or any(address != signer.email for address in addresses):
        return f"is signed by {judged.signer.principal if judged.signer else '?'}, and its record by {signer.email}"
    return None


def _cuts(data: bytes | None) -> Cuts | None:
    try:
        return None if data is None else Cuts.from_json(data, names.CUTS_FILE)
    except FormatError:
        return None
