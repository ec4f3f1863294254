"""What a commit itself says: who, when, why, by which key, and the lines at the end of its message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from datom_core.auditing.events import UNKNOWN
from datom_core.auditing.signatures import signer_of
from datom_core.documents import Author, format_timestamp

_PERSON = re.compile(r"(?P<name>.*?) ?<(?P<email>[^>]*)> (?P<at>-?\d+) [+-]\d{4}")
_TRAILER = re.compile(r"(?P<key>[A-Za-z][A-Za-z0-9-]*): ?(?P<value>.*)")
_SIGNATURES = ("gpgsig", "gpgsig-sha256")
_SUBJECT_OF_ACCEPTED = "Accept the history of "


@dataclass(frozen=True)
class Commit:
    """A commit, without its files.

    Attributes:
        sha: its id.
        author, at: who made it, and when (ISO 8601, UTC; empty if that is no time).
        committer: who put it there.
        signer: fingerprint of the key that signed it, if one did.
        message: why, without the trailers.
        trailers: lines such as ``Dagster-Run: ...`` at its end.
    """

    sha: str
    author: Author
    at: str
    committer: Author
    signer: str | None
    message: str
    trailers: Mapping[str, str]

    @property
    def says_accepted(self) -> bool:
        """Whether its message is that of a history that was accepted; of a commit that changes nothing, that is all."""
        return self.message.startswith(_SUBJECT_OF_ACCEPTED)


def read_commit(sha: str, raw: bytes) -> Commit:
    """A commit as git stores it; what is not in order is unknown, never an error."""
    head, _, body = raw.partition(b"\n\n")
    headers: dict[str, list[str]] = {}
    key = ""
    for line in head.decode("utf-8", "replace").split("\n"):
        if line.startswith(" ") and key:
            headers[key][-1] += "\n" + line[1:]
            continue
        key, _, value = line.partition(" ")
        headers.setdefault(key, []).append(value)
    author, at = _person(headers.get("author"))
    committer, _ = _person(headers.get("committer"))
    signature = next((headers[name][0] for name in _SIGNATURES if name in headers), None)
    message, trailers = split_trailers(_decoded(body, (headers.get("encoding") or ["utf-8"])[0]))
    signer = None if signature is None else signer_of(signature)
    return Commit(sha, author, at, committer, signer, message, trailers)


def split_trailers(text: str) -> tuple[str, dict[str, str]]:
    """A message, and the lines of the form ``Key: value`` that are its last paragraph."""
    paragraphs = text.strip().split("\n\n")
    found = [_TRAILER.fullmatch(line.rstrip()) for line in paragraphs[-1].split("\n")]
    if len(paragraphs) == 1 or not all(found):
        return text.strip(), {}
    return "\n\n".join(paragraphs[:-1]).rstrip(), {m["key"]: m["value"].strip() for m in found if m}


def _person(values: list[str] | None) -> tuple[Author, str]:
    found = _PERSON.fullmatch(values[0]) if values else None
    if found is None:
        return UNKNOWN, ""
    try:
        at = format_timestamp(datetime.fromtimestamp(int(found["at"]), UTC))
    except (ValueError, OverflowError, OSError):
        at = ""
    return Author(found["name"] or "unknown", found["email"]), at


def _decoded(body: bytes, encoding: str) -> str:
    try:
        return body.decode(encoding, "replace")
    except LookupError:
        return body.decode("utf-8", "replace")
