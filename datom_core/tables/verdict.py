"""What is known of a stored object and its name, and of a version's document, which no data is needed to prove."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from datom_core.common import level_outside
from datom_core.documents import Metadata
from datom_core.errors import IntegrityError, InvalidInputError, UnprovenWarning
from datom_core.version import SIGNATURE

#: What a reader compares: the ``"bytes"`` with the hash that storage records of them; or the ``"content"`` too, with
#: its hash, and that, by way of the version's document, with the id of the version.
Verification = Literal["bytes", "content"]

#: Gives the document of a version, if there is one.
Told = Callable[[], Metadata | None]


@dataclass(frozen=True)
class Verdict:
    """What is known of a stored object and the name that it is stored under.

    Attributes:
        fault: how it differs from what its name says; ``None`` when it is proven to be that.
        doubt: why it may still be what its name says, as only R could tell; ``None`` if nothing explains the fault.
    """

    fault: str | None = None
    doubt: str | None = None

    @property
    def proven(self) -> bool:
        return self.fault is None

    @property
    def is_other(self) -> bool:
        """Whether it is certainly not what its name says."""
        return self.fault is not None and self.doubt is None


#: Of what is proven.
PROVEN = Verdict()


def check_verification(verify: object) -> None:
    """Refuse what is neither a `Verification` nor ``None``.

    Raises:
        InvalidInputError: names the valid ones.
    """
    if verify is not None and verify not in get_args(Verification):
        raise InvalidInputError(f"verify is {' or '.join(map(repr, get_args(Verification)))}, not {verify!r}.")


def insist(what: str, verdict: Verdict, *, certain: bool) -> None:
    """Refuse what is not proven, or warn of it.

    Args:
        what: the thing that was judged, for the message.
        verdict: the verdict on it.
        certain: also refuse what R left open.

    Raises:
        IntegrityError: it is something else, or may be although ``certain`` was asked for.
    """
    if verdict.proven:
        return
    how = "project.validate('full') compares storage with git"
    if verdict.is_other:
        raise IntegrityError(
            f"{what} is not the version that it is called: {verdict.fault}. Storage was altered; do not use this data. "
            f"{how}."
        )
    said = f"{what} cannot be proven to be that version: {verdict.fault}, and {verdict.doubt}. {how}"
    if certain:
        raise IntegrityError(f'{said}; verify="bytes" reads it by what storage records.')
    warnings.warn(f'{said}; verify="bytes" leaves this check out.', UnprovenWarning, stacklevel=level_outside())


def judge_document(document: Metadata, version: str) -> Verdict:
    """Compare a version's document with the id of the version."""
    computed = document.version()
    if computed == version:
        return PROVEN
    doubt = None
    if by_r(document) and document.custom:
        doubt = "R does not compute the same id again for some custom metadata"
    elif by_r(document) and document.hash_algo is None:
        doubt = "it is from before R recorded which hash it used"
    return Verdict(f"it is the document of the version {computed[:8]}", doubt)


def by_r(document: Metadata | None) -> bool:
    """Whether another program, presumably R, may have written the document."""
    return document is None or not signed(document)


def signed(document: Metadata) -> bool:
    """Whether the document says that this package wrote it: evidence in git, and in storage no more than a hint."""
    return str(document.raw.get("datom_version") or "").startswith(SIGNATURE)
