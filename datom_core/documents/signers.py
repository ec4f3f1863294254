"""``allowed_signers``: whose SSH keys may sign, and when, in the format of OpenSSH (ssh-keygen(1), "ALLOWED SIGNERS").

git reads this very file. Lines that this package would not write are kept, and nobody is allowed by them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from datom_core.errors import AlreadyExistsError, InvalidInputError, NotFoundError

_KEY = re.compile(r"((?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+)\s+([A-Za-z0-9+/]+={0,2})(?:\s+(.*))?")
_OPTIONS = r"[a-z-]+(?:=\"[^\"]*\")?(?:,[a-z-]+(?:=\"[^\"]*\")?)*"
_LINE = re.compile(
    rf"(?P<principals>[^\s\"#]\S*)\s+(?:(?P<options>{_OPTIONS})\s+)?(?P<key>[a-z0-9@.-]+\s+\S+)(?:\s+(?P<comment>.*))?"
)
_OPTION = re.compile(r"([a-z-]+)(?:=\"([^\"]*)\")?")
_EMAIL = re.compile(r"[^\s\"#,*?!<>@]+@[^\s\"#,*?!<>@]+")
_TIME = "%Y%m%d%H%M%SZ"
_KNOWN = {"namespaces", "valid-after", "valid-before"}


@dataclass(frozen=True)
class AllowedSigner:
    """A line: a key, whose it is, and when it may sign.

    Attributes:
        principal: the signer's address.
        public_key: type and base64.
        key: its fingerprint, ``SHA256:...``.
        valid_after, valid_before: the times between which it may sign; ``None`` is no bound.
        comment: what else the line says.
    """

    principal: str
    public_key: str
    key: str
    valid_after: datetime | None = None
    valid_before: datetime | None = None
    comment: str = ""

    def allowed_at(self, at: datetime) -> bool:
        """Whether it might sign at that time."""
        return (self.valid_after is None or at >= self.valid_after) and (
            self.valid_before is None or at < self.valid_before
        )

    def line(self) -> str:
        """As ``allowed_signers`` has it."""
        options = ['namespaces="git"']
        for name, at in (("valid-after", self.valid_after), ("valid-before", self.valid_before)):
            options += [] if at is None else [f'{name}="{at.astimezone(UTC).strftime(_TIME)}"']
        return " ".join(filter(None, (self.principal, ",".join(options), self.public_key, self.comment)))


@dataclass(frozen=True)
class Signers(Sequence[AllowedSigner]):
    """All lines of an ``allowed_signers``, in their order; a sequence of those that allow a key.

    Attributes:
        lines: the text, line by line.
    """

    lines: tuple[str, ...] = ()
    found: tuple[AllowedSigner, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, lines: Sequence[str]) -> Signers:
        read = (_read(line) for line in lines)
        return cls(tuple(lines), tuple(signer for signer in read if signer is not None))

    @classmethod
    def from_text(cls, data: bytes | None) -> Signers:
        """Read a file; ``None`` if there is none."""
        return cls() if data is None else cls.of(data.decode("utf-8", "replace").splitlines())

    def to_text(self) -> bytes:
        return "".join(f"{line}\n" for line in self.lines).encode()

    def __getitem__(self, at):  # type: ignore[no-untyped-def]  # as a tuple has it
        return self.found[at]

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[AllowedSigner]:
        return iter(self.found)

    def of_key(self, key: str) -> tuple[AllowedSigner, ...]:
        """The lines of a key, given by its fingerprint."""
        return tuple(signer for signer in self.found if signer.key == key)

    def allowing(self, key: str, at: datetime) -> AllowedSigner | None:
        """The line by which a key might sign at that time."""
        return next((signer for signer in self.of_key(key) if signer.allowed_at(at)), None)

    def keys_alone(self) -> str:
        """The same keys without bounds, for a program that is to say which of them signed, and not when it might."""
        return "".join(f'{s.principal} namespaces="git" {s.public_key}\n' for s in self.found)

    def with_signer(self, signer: AllowedSigner) -> Signers:
        """With one more line; the same if it is there.

        Raises:
            AlreadyExistsError: the key is there with other bounds, or is somebody else's.
        """
        there = self.of_key(signer.key)
        if any(replace(s, comment="") == replace(signer, comment="") for s in there):
            return self
        bounded = [s for s in there if s.valid_before is None]
        if bounded:
            raise AlreadyExistsError(
                f"The key {signer.key} is allowed already, for {bounded[0].principal}: {bounded[0].line()!r}. "
                "Revoke it first.",
                key=signer.key,
            )
        return Signers.of([*self.lines, signer.line()])

    def without(self, principal: str, key: str, at: datetime) -> Signers:
        """With an end to what a signer's key may sign; the line stays, as it says who signed before.

        Args:
            principal, key: whose, and its fingerprint.
            at: since when.

        Raises:
            NotFoundError: there is no such line; says what there is.
        """
        mine = [s for s in self.of_key(key) if s.principal == principal]
        if not mine:
            known = ", ".join(f"{s.principal} {s.key}" for s in self.found) or "nobody"
            raise NotFoundError(f"{principal} has no key {key} here; allowed: {known}.", key=key)
        at = at.replace(microsecond=0)
        changed = {s.line(): replace(s, valid_before=at).line() for s in mine if s.allowed_at(at)}
        told = {line: _read(line) for line in self.lines}
        return Signers.of([changed.get(s.line(), line) if (s := told[line]) else line for line in self.lines])


def check_principal(given: object) -> str:
    """A signer's address.

    Raises:
        InvalidInputError: it is none.
    """
    if not isinstance(given, str) or not _EMAIL.fullmatch(given):
        raise InvalidInputError(f"A signer is named by an address, as in ada@example.org, not {given!r}.")
    return given


def check_public_key(given: str) -> tuple[str, str]:
    """A public key as type and base64, and its fingerprint.

    Raises:
        InvalidInputError: it is none. A private key is not shown.
    """
    if "PRIVATE KEY" in given:
        raise InvalidInputError("This is a private key. Give the public one (the file with .pub), and replace the key.")
    match = _KEY.fullmatch(given.strip())
    blob = b"" if match is None else _decoded(match[2])
    if match is None or not blob.startswith(len(match[1]).to_bytes(4, "big") + match[1].encode()):
        raise InvalidInputError(
            "This is no SSH public key: it is one line, as in the file with .pub: ssh-ed25519 AAAA... comment."
        )
    return f"{match[1]} {match[2]}", "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _read(line: str) -> AllowedSigner | None:
    """The signer of a line; ``None`` if it names none, or in a way that this package does not write."""
    match = _LINE.fullmatch(line.strip())
    if match is None or not _EMAIL.fullmatch(match["principals"]):
        return None
    options = dict(_OPTION.findall(match["options"] or ""))
    try:
        public_key, key = check_public_key(match["key"])
        after, before = _time(options.get("valid-after")), _time(options.get("valid-before"))
    except (InvalidInputError, ValueError):
        return None
    if options.keys() - _KNOWN or options.get("namespaces", "git") != "git":
        return None
    return AllowedSigner(match["principals"], public_key, key, after, before, match["comment"] or "")


def _time(text: str | None) -> datetime | None:
    """A time of OpenSSH: ``YYYYMMDD`` or ``YYYYMMDDHHMM[SS]`` in UTC.

    Raises:
        ValueError: it is no time, or one of each reader's own zone, which would mean another instant to each.
    """
    if text is None:
        return None
    digits = text.removesuffix("Z")
    if digits == text or len(digits) not in (8, 12, 14):
        raise ValueError(text)
    return datetime.strptime(f"{digits:0<14}Z", _TIME).replace(tzinfo=UTC)
