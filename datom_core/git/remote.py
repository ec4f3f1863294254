"""Which git remotes are accepted, and what git says when one fails."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from datom_core.errors import AccessDeniedError, DatomError, InvalidInputError, NotFoundError, StorageError

_SCHEMES = frozenset({"file", "git", "http", "https", "ssh"})
_SCP = re.compile(r"(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!//)\S+")  # user@host:path
_PASSWORD = re.compile(r"(?<=://)[^/@\s]+@")

# Fragments of git's own messages (LC_ALL=C) and of what servers answer through it.
_DENIED = (
    "permission denied", "authentication failed", "could not read username", "could not read password",
    "error: 403", "error: 401", "protected branch", "pre-receive hook declined", "access denied",
    "not allowed to push", "insufficient permission", "refusing to update checked out branch",
)  # fmt: skip
_MISSING = (
    "does not appear to be a git repository",
    "repository not found",
    "does not exist",
    "error: 404",
    "' not found",
)
_RACED = (
    "fetch first", "non-fast-forward", "cannot lock ref", "failed to update ref", "stale info",
    "failed to lock", "incorrect old value", "unable to create",
)  # fmt: skip


def check_remote(remote: str | os.PathLike[str]) -> str:
    """The remote in the form in which it is used and recorded; a local path becomes absolute.

    Raises:
        InvalidInputError: a transport that could run programs, an option in disguise, or a URL that
            carries a password or token.
    """
    text: object = os.fspath(remote)
    if not isinstance(text, str) or not text.strip():
        raise InvalidInputError("A project needs the URL or path of its git remote.")
    if text.startswith("-") or any(ord(c) < 32 for c in text):
        raise InvalidInputError(f"The remote {text!r} is not a URL or a path.", remote=text)
    scheme = urlsplit(text).scheme if "://" in text else ""
    if scheme:
        if scheme not in _SCHEMES:
            raise InvalidInputError(
                f"Remotes of the kind {scheme}:// are not accepted; use https, ssh, file or a local path.",
                remote=redact(text),
            )
        if urlsplit(text).password is not None or (scheme in ("http", "https") and urlsplit(text).username):
            raise InvalidInputError(
                f"The remote {redact(text)} carries credentials, which would be written to files and logs. "
                "Take them out of the URL; git's credential helper or ssh supplies them.",
                remote=redact(text),
            )
        return text
    if "::" in text:
        raise InvalidInputError(f"The remote {redact(text)} names a transport helper, which is not accepted.")
    if _SCP.fullmatch(text) and not os.path.exists(text):
        return text
    return os.path.abspath(os.path.expanduser(text))


def local_path(remote: str) -> Path | None:
    """The folder of a remote on this machine, else ``None``."""
    if remote.startswith("file://"):
        return Path(urlsplit(remote).path)
    return Path(remote) if os.path.isabs(remote) else None


def redact(text: str) -> str:
    """The text without the user part of any URL in it."""
    return _PASSWORD.sub("", text)


def is_race(stderr: str) -> bool:
    """Whether a push failed because somebody else's push came first."""
    return any(fragment in stderr.lower() for fragment in _RACED)


def translated(remote: str, action: str, stderr: str) -> DatomError:
    """The error that stands for a failed command against the remote."""
    text = redact(stderr).strip()
    said = " ".join(line.removeprefix("fatal: ") for line in text.splitlines())[:600]
    where = redact(remote)
    lowered = text.lower()
    if any(fragment in lowered for fragment in _MISSING):
        return NotFoundError(f"There is no git repository at {where}. Check the URL. (git: {said})", remote=where)
    if any(fragment in lowered for fragment in _DENIED):
        return AccessDeniedError(
            f"Not allowed to {action} {where}. Check that your credentials may do that. (git: {said})",
            action=action,
            resource=where,
        )
    return StorageError(f"git could not {action} {where}. Try again. (git: {said})", remote=where)
