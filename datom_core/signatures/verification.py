"""What the signatures of a project's history are worth, commit by commit, and whether each approval has one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from datom_core.common import names
from datom_core.documents import LOCKED, Approval, block, format_timestamp, rows
from datom_core.git import GitRepo, signed_commits
from datom_core.planning import ProjectState
from datom_core.signatures.records import ProvenRecord, records_through, signing_problem
from datom_core.signatures.time_stamps import TimeStampServer, stamp_problem
from datom_core.signatures.trust import Judged, Trust, Verdict, trust_through


@dataclass(frozen=True)
class SignatureLine:
    """A commit that is signed, or that should be.

    Attributes:
        commit, recorded_at: its id, and its time.
        what: ``"approval"``, ``"withdrawal"``, ``"signers"`` (a change of them), ``"first signer"``, or ``"commit"``.
        verdict: ``"good"``, ``"unsigned"``, ``"bad"``, ``"not allowed"``, ``"expired"``, ``"not yet allowed"``,
            ``"backdated"``, ``"beside"`` (on a branch beside a change of who may sign) or ``"other key"`` (no SSH key:
            the machine's keyring may know it).
        signer: whose key it is, if its parent says so.
        key: fingerprint of the key.
        record: id of the approval or withdrawal.
        required: whether it must be signed.
    """

    commit: str
    recorded_at: str
    what: str
    verdict: Verdict
    signer: str | None
    key: str
    record: str | None
    required: bool


@dataclass(frozen=True)
class SignatureProblem:
    """What is wrong: a signature, or an approval without a good one.

    Attributes:
        kind: ``"signature"``, ``"approval"`` or ``"time stamp"``.
        commit: the commit, if it is about one.
        record: the approval or withdrawal, if it is about one.
        message: what is wrong.
    """

    kind: Literal["signature", "approval", "time stamp"]
    commit: str | None
    record: str | None
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class SignatureReport:
    """What `Project.verify_signatures` found.

    Attributes:
        project, commit: the project, and the commit up to which its history was looked at.
        root: the commit with which the first signer came; nobody vouches for that one but you.
        commits: how many commits there are.
        lines: the commits that are signed or should be, oldest first.
        problems: what is wrong.
    """

    project: str
    commit: str
    root: str | None
    commits: int
    lines: tuple[SignatureLine, ...]
    problems: tuple[SignatureProblem, ...]

    @property
    def ok(self) -> bool:
        return not self.problems

    def __repr__(self) -> str:
        return block(self)


def verify_history(
    repo: GitRepo, tip: str, state: ProjectState, server: TimeStampServer | None = None
) -> SignatureReport:
    """As `Project.verify_signatures`."""
    trust = trust_through(repo, tip)
    records = records_through(repo, tip, trust)
    brought, changes = {r.commit: r for r in records}, {c.commit.commit for c in trust.changes}
    lines, problems = [], []
    for commit in signed_commits(repo, trust.keys, tip):
        judged, record = trust.judge(commit), brought.get(commit.commit)
        required = record is not None or commit.commit in changes
        if not required and not commit.signed and commit.commit != trust.root:
            continue
        lines.append(_line(judged, record, trust, required))
        if judged.verdict == "bad" and not required:
            problems.append(_of_commit(judged, "has a bad signature: it was altered"))
    problems += [_of_commit(c, f"changes who may sign, and {signing_problem(c)}") for c in trust.changes if not c.good]
    problems += _of_records(records, state, server)
    return SignatureReport(state.file.name, tip, trust.root, len(trust.nodes), rows(lines), rows(problems))


def _line(judged: Judged, record: ProvenRecord | None, trust: Trust, required: bool) -> SignatureLine:
    commit, what = judged.commit, "commit"
    if record is not None:
        what = "withdrawal" if record.record is not None and record.record.kind == "withdrawal" else "approval"
    elif commit.commit == trust.root:
        what = "first signer"
    elif required:
        what = "signers"
    return SignatureLine(
        commit.commit,
        format_timestamp(commit.at),
        what,
        judged.verdict,
        judged.signer.principal if judged.signer is not None else None,
        commit.key,
        record.id if record is not None else None,
        required,
    )


def _of_commit(judged: Judged, what: str) -> SignatureProblem:
    commit = judged.commit.commit
    return SignatureProblem("signature", commit, None, f"The commit {commit[:12]} {what}.")


def _of_records(
    records: list[ProvenRecord], state: ProjectState, server: TimeStampServer | None
) -> Iterator[SignatureProblem]:
    """What is wrong with approvals: those of the documents, and those of the history."""
    for found in records:
        if found.problem is not None:
            told = f"The commit {found.commit[:12]} {found.problem}."
            yield SignatureProblem("approval", found.commit, found.id, told)
    proven = {r.id: r for r in records if r.problem is None}
    for record in state.cuts.approvals:
        if record.id not in proven:
            told = f"{_named(record)} is in {names.CUTS_FILE}, and no signed commit brought it."
            yield SignatureProblem("approval", None, record.id, told)
        if not record.intact:
            told = f"{_named(record)} was altered: its id is not that of what it says."
            yield SignatureProblem("approval", None, record.id, told)
        if record.meaning == LOCKED and record.stands and record.intact and record.outdated:
            told = f"{_named(record)} was not withdrawn, and the cut was moved: {', '.join(record.outdated)}."
            yield SignatureProblem("approval", None, record.id, told)
        stamp = stamp_problem(record, server)
        if stamp is not None:
            yield SignatureProblem("time stamp", None, record.id, f"{_named(record)}: {stamp}")
    held = {record.id for record in state.cuts.approvals}
    for known, found in proven.items():
        if known not in held and found.record is not None:
            told = (
                f"{_named(found.record)} came with the commit {found.commit[:12]}, and is gone from {names.CUTS_FILE}."
            )
            yield SignatureProblem("approval", found.commit, known, told)


def _named(record: Approval) -> str:
    return f"The {record.kind} of {record.cut!r} ({record.meaning}) by {record.signer}, {record.id[:12]},"
