"""Whose key a commit says that it was signed with. Nothing here verifies a signature."""

from __future__ import annotations

import base64
import binascii
import hashlib

_SSH, _PGP = "-----BEGIN SSH SIGNATURE-----", "-----BEGIN PGP SIGNATURE-----"
_MAGIC = b"SSHSIG"
_VERSION_4, _ISSUER_FINGERPRINT, _ISSUER = 4, 33, 16
_NEW_FORMAT = 0x40


def signer_of(signature: str) -> str | None:
    """The key's fingerprint: ``SHA256:...`` of an SSH key, ``gpg:...`` of another; ``unreadable`` if it names none."""
    try:
        if signature.startswith(_SSH):
            return _ssh(_unarmored(signature))
        if signature.startswith(_PGP):
            return _pgp(_unarmored(signature))
    except (ValueError, IndexError, binascii.Error):
        pass
    return "unreadable"


def _unarmored(text: str) -> bytes:
    lines = [line.strip() for line in text.splitlines()[1:]]
    # Headers of the armor end with an empty line, and its checksum begins with a sign that base64 does not have inside.
    if "" in lines[:-1] and any(": " in line for line in lines[: lines.index("")]):
        lines = lines[lines.index("") + 1 :]
    kept = [line for line in lines if line and not line.startswith(("-", "="))]
    return base64.b64decode("".join(kept), validate=True)


def _ssh(blob: bytes) -> str:
    """PROTOCOL.sshsig of OpenSSH: magic, version, then the public key."""
    start = len(_MAGIC) + 4
    size = int.from_bytes(blob[start : start + 4], "big")
    key = blob[start + 4 : start + 4 + size]
    if not blob.startswith(_MAGIC) or not size or len(key) != size:
        raise ValueError("no SSH signature")
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def _pgp(blob: bytes) -> str:
    """RFC 4880: the issuer among the subpackets of a signature of version 4."""
    body = blob[_header(blob) :]
    if body[0] != _VERSION_4:
        raise ValueError("another version")
    hashed = int.from_bytes(body[4:6], "big")
    loose = int.from_bytes(body[6 + hashed : 8 + hashed], "big")
    found = {**_subpackets(body[8 + hashed : 8 + hashed + loose]), **_subpackets(body[6 : 6 + hashed])}
    if _ISSUER_FINGERPRINT in found:
        return "gpg:" + found[_ISSUER_FINGERPRINT][1:].hex().upper()
    return "gpg:" + found[_ISSUER].hex().upper() if _ISSUER in found else "unreadable"


def _header(blob: bytes) -> int:
    """Length of the packet's header."""
    if blob[0] & _NEW_FORMAT:
        return 1 + _length(blob, 1)[1]
    return 1 + (1, 2, 4, 0)[blob[0] & 3]


def _length(data: bytes, at: int) -> tuple[int, int]:
    """A length, and how many bytes tell it."""
    first = data[at]
    if first < 192:
        return first, 1
    if first < 255:
        return ((first - 192) << 8) + data[at + 1] + 192, 2
    return int.from_bytes(data[at + 1 : at + 5], "big"), 5


def _subpackets(data: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while at < len(data):
        size, told = _length(data, at)
        at += told
        found[data[at] & 0x7F] = data[at + 1 : at + size]
        at += size
    return found
