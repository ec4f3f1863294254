"""Answers of the verbs that sign, and that say who may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from datom_core.command.forms.base import Answer


@dataclass(frozen=True)
class ApprovalLine:
    """An approval of a cut, or a withdrawal.

    Attributes:
        id: SHA-256 over what it says.
        kind: ``"approval"`` or ``"withdrawal"``.
        cut, meaning, reason: of which cut, what is meant, and why.
        signer, key: who signed, and the fingerprint of the key.
        recorded_at: when (ISO 8601, UTC).
        stands: whether it is an approval that nobody took back.
        outdated: tables of which the cut stands for something else by now.
        withdraws: of a withdrawal, the id of the approval.
        versions: table -> the version that the cut stood for.
        time_stamp: the server that stamped it, if one did.
    """

    id: str
    kind: str
    cut: str
    meaning: str
    reason: str
    signer: str
    key: str
    recorded_at: str
    stands: bool
    outdated: tuple[str, ...]
    withdraws: str | None
    versions: Mapping[str, str]
    time_stamp: str | None


@dataclass(frozen=True)
class ApprovalAnswer(Answer):
    """``datom approve`` and ``datom withdraw``.

    Attributes:
        project, cut, meaning: what was signed.
        dry_run: whether nothing was recorded.
        commit: the signed commit; ``null`` if the same approval stands already.
        approvals: what is on record of the cut now, newest first.
    """

    form = "datom-approval/1"
    project: str
    cut: str
    meaning: str
    dry_run: bool
    commit: str | None
    approvals: tuple[ApprovalLine, ...]


@dataclass(frozen=True)
class SignerLine:
    """A key that may sign, or might.

    Attributes:
        principal, key: whose, and its fingerprint.
        public_key: type and base64.
        valid_after, valid_before: the bounds (ISO 8601, UTC); ``null`` is none.
        comment: what else its line says.
    """

    principal: str
    key: str
    public_key: str
    valid_after: str | None
    valid_before: str | None
    comment: str


@dataclass(frozen=True)
class SignersAnswer(Answer):
    """``datom signers show``, ``allow`` and ``revoke``.

    Attributes:
        project: which one.
        dry_run: whether nothing was changed.
        commit: the commit that changed who may sign; ``null`` if none did.
        signers: the lines of ``.datom/allowed_signers``.
    """

    form = "datom-signers/1"
    project: str
    dry_run: bool
    commit: str | None
    signers: tuple[SignerLine, ...]


@dataclass(frozen=True)
class SignatureLine:
    """A commit that is signed, or should be.

    Attributes:
        commit, recorded_at: its id, and its time.
        what: approval, withdrawal, signers, first signer, or commit.
        verdict: good, unsigned, bad, not allowed, expired, not yet allowed, backdated, beside, or other key.
        signer, key: whose key it is, as far as the commit before it says, and its fingerprint.
        required: whether it must be signed.
    """

    commit: str
    recorded_at: str
    what: str
    verdict: str
    signer: str | None
    key: str
    required: bool


@dataclass(frozen=True)
class SignaturesChecked:
    """What signatures are worth.

    Attributes:
        root: the commit with which the first signer came; nobody vouches for that one.
        good: how many of them are good.
        signatures: the commits that are signed or should be, oldest first.
        problems: what is wrong.
    """

    root: str | None
    good: int
    signatures: tuple[SignatureLine, ...]
    problems: tuple[str, ...]
