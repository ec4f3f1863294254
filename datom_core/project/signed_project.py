"""An open project's signatures: approvals of its cuts, whose keys may sign, and whether all of that holds."""

from __future__ import annotations

import os
import warnings
from datetime import datetime

from datom_core.common import Moment, beginning_of, level_outside, moment_of
from datom_core.documents import LOCKED, AllowedSigner, Author, Signers, check_principal, check_public_key
from datom_core.errors import DatomError, HoldWarning, InvalidInputError, NotFoundError
from datom_core.git import SigningKey, as_signing
from datom_core.project.opened_project import OpenedProject
from datom_core.signatures import SignatureReport, TimeStampServer, verify_history
from datom_core.writing import (
    ApprovalEdit,
    Signatory,
    SignedBy,
    approved,
    check_author,
    check_reason,
    signer_allowed,
    signer_revoked,
    withdrawn,
)

#: The meanings of an approval that put data under legal hold.
_HELD = frozenset({"approved", LOCKED})
_LARGEST_KEY = 64 * 1024


class SignedProject(OpenedProject):
    """An open project, and what is signed in it."""

    def approve(
        self,
        cut: str,
        *,
        meaning: str,
        reason: str,
        signing: SigningKey | str | os.PathLike[str] | None = None,
        author: Author | str | None = None,
        time_stamp: TimeStampServer | None = None,
        dry_run: bool = False,
    ) -> str | None:
        """Sign that a cut, as it stands now, is reviewed, approved, or what else is meant by it.

        The record names the version of each of its tables, and comes in by a commit that git has verified before it is
        pushed. Any number of people may approve a cut, and mean different things by it. With the meaning ``"locked"``
        the cut refuses to move until somebody who may sign withdraws that.

        What is approved or locked is put under legal hold where the bucket knows holds, as `hold` does; if one may not,
        a warning says so, and `hold` completes it.

        Args:
            cut: its name.
            meaning: ``"reviewed"``, ``"approved"``, ``"locked"`` or words of your own.
            reason: why; it is part of what is signed.
            signing: the signer's key, by default the one that the project was opened with.
            author: the signer, by default the project's author; the key must be allowed for that address.
            time_stamp: a server that stamps the record.
            dry_run: check everything, and record nothing.

        Returns:
            The commit, or ``None`` if the same signer's approval of the same versions stands already.

        Raises:
            NotFoundError: there is no such cut, or its data is not in storage; or there is no such key.
            InvalidInputError: there is no key, no reason, or this machine's clock is behind by more than five minutes.
            AccessDeniedError: the key does not sign, or its signer is not allowed; nothing was recorded.
            StorageError: the time stamp server does not answer.
        """
        who = self._signatory(signing, author)
        commit = self._record(approved(cut, meaning, reason, who, time_stamp, dry_run=dry_run), who, dry_run)
        if meaning in _HELD and not dry_run:
            self._try_to_hold(cut)
        return commit

    def withdraw(
        self,
        cut: str,
        *,
        meaning: str,
        reason: str,
        approval: str | None = None,
        signing: SigningKey | str | os.PathLike[str] | None = None,
        author: Author | str | None = None,
        time_stamp: TimeStampServer | None = None,
        dry_run: bool = False,
    ) -> str | None:
        """Sign that an approval no longer stands. It stays on record, and so does this.

        Args:
            cut, meaning: of the approval: one's own, or the only one of that meaning.
            reason: why.
            approval: if there are several others, the first digits of the id of the one that is meant.
            signing, author, time_stamp, dry_run: as `approve`.

        Returns:
            The commit; ``None`` with ``dry_run``.

        Raises:
            NotFoundError: no such approval stands.
            InvalidInputError: several do; names them.
            The errors of `approve`.
        """
        who = self._signatory(signing, author)
        edit = withdrawn(cut, meaning, reason, approval, who, time_stamp, dry_run=dry_run)
        return self._record(edit, who, dry_run)

    def _try_to_hold(self, cut: str) -> None:
        """Put an approved cut under legal hold; the approval is recorded, whatever comes of it."""
        try:
            self.hold(cut)
        except DatomError as error:
            warnings.warn(
                f"The approval is recorded, and the data of {cut!r} is not all under legal hold: {error}",
                HoldWarning,
                stacklevel=level_outside(),
            )

    def signers(self) -> Signers:
        """Whose keys may sign, and when: the lines of ``.datom/allowed_signers`` in git."""
        return self._editor.load(())[1].signers

    def allow_signer(
        self,
        principal: str,
        public_key: str | os.PathLike[str],
        *,
        valid_after: Moment | None = None,
        valid_before: Moment | None = None,
        reason: str | None = None,
        signing: SigningKey | str | os.PathLike[str] | None = None,
        author: Author | str | None = None,
        dry_run: bool = False,
    ) -> str | None:
        """Let somebody's SSH key sign. The first one is believed; later ones must be signed by one that is allowed.

        Args:
            principal: the signer's address, which is also that of the commits.
            public_key: the line of the key's ``.pub`` file, or the path of that file.
            valid_after, valid_before: when it may sign; by default without bounds.
            reason: why; for the commit.
            signing, author, dry_run: as `approve`.

        Returns:
            The commit, or ``None`` if the key is allowed so already.

        Raises:
            InvalidInputError: it is no public key, or no address.
            AccessDeniedError: there are signers already, and none of them signs this.
            AlreadyExistsError: the key is allowed with other bounds, or for somebody else.
        """
        text, key = check_public_key(_public_key(public_key))
        after = None if valid_after is None else beginning_of(valid_after, "valid_after")
        before = None if valid_before is None else moment_of(valid_before, "valid_before")
        if after is not None and before is not None and after >= before:
            raise InvalidInputError("valid_after comes before valid_before.")
        signer = AllowedSigner(check_principal(principal), text, key, after, before)
        return self._change_signers(f"Allow {principal} to sign", signer, None, reason, signing, author, dry_run)

    def revoke_signer(
        self,
        principal: str,
        key: str | os.PathLike[str],
        *,
        at: Moment | None = None,
        reason: str | None = None,
        signing: SigningKey | str | os.PathLike[str] | None = None,
        author: Author | str | None = None,
        dry_run: bool = False,
    ) -> str | None:
        """Let somebody's key sign no longer. What it signed before still counts.

        Args:
            principal: whose key.
            key: its fingerprint (``SHA256:...``), the line of its ``.pub`` file, or the path of that file.
            at: since when, by default now.
            reason, signing, author, dry_run: as `allow_signer`.

        Returns:
            The commit, or ``None`` if it may not sign already.

        Raises:
            NotFoundError: the key is not allowed.
            InvalidInputError: nobody could sign after that.
            AccessDeniedError: no signer signs this.
        """
        given = os.fspath(key)
        mark = given if given.startswith("SHA256:") else check_public_key(_public_key(key))[1]
        ended = AllowedSigner(check_principal(principal), "", mark)
        end = None if at is None else moment_of(at, "at")
        told = f"Revoke a key of {principal}"
        return self._change_signers(told, ended, (end,), reason, signing, author, dry_run)

    def verify_signatures(self, *, time_stamp: TimeStampServer | None = None) -> SignatureReport:
        """What every signature in the project's history is worth, judged by who was allowed at the commit's parent.

        Args:
            time_stamp: whom to believe about time stamps; the server is not asked.

        Returns:
            A report. ``ok`` is false if a commit that must be signed is not, by somebody who was allowed; if a
            signature is bad; or if an approval came in otherwise, was altered, or was taken away.

        Raises:
            NotFoundError: ssh-keygen, which verifies, is not on this machine.
            AccessDeniedError, StorageError: git failed, so nothing is known.
        """
        tip, state = self._editor.load(())
        return verify_history(self._parts.repo, tip, state, time_stamp)

    def _record(self, edit: ApprovalEdit, who: Signatory, dry_run: bool) -> str | None:
        signed = SignedBy(who.key, who.check_commit(self._parts.repo, lambda: edit.signers))
        return self._editor.run(edit, edit.message, who.author, None, dry_run=dry_run, signed=signed)

    def _change_signers(
        self,
        what: str,
        signer: AllowedSigner,
        ending: tuple[datetime | None] | None,
        reason: str | None,
        signing: SigningKey | str | os.PathLike[str] | None,
        author: Author | str | None,
        dry_run: bool,
    ) -> str | None:
        key = as_signing(signing) or self._parts.repo.signing
        who = None if key is None else self._signatory(key, author)
        if ending is None:
            edit = signer_allowed(signer, who)
        else:
            edit = signer_revoked(signer.principal, signer.key, ending[0], who)
        message = f"{what}: {signer.key}" + (f"\n\n{check_reason(reason)}\n" if reason is not None else "")
        signed = None if who is None else SignedBy(who.key, who.check_commit(self._parts.repo, self.signers))
        by = who.author if who is not None else self.author if author is None else check_author(author)
        return self._editor.run(edit, message, by, dry_run=dry_run, signed=signed)

    def _signatory(self, signing: SigningKey | str | os.PathLike[str] | None, author: Author | str | None) -> Signatory:
        who = self.author if author is None else check_author(author)
        return Signatory.asked(as_signing(signing) or self._parts.repo.signing, who)


def _public_key(given: str | os.PathLike[str]) -> str:
    """The text of a public key, or of its file."""
    text = os.fspath(given)
    if isinstance(given, str) and (" " in text.strip() or "PRIVATE KEY" in text):
        return text
    path = os.path.expanduser(text)
    if not os.path.isfile(path):
        raise NotFoundError(
            f"There is no file {path} with a public key, which ssh-keygen writes beside the private one, with .pub."
        )
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read(_LARGEST_KEY)
