"""Which git remotes are accepted, and what git says when one fails."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from datom_core.errors import AccessDeniedError, DatomError, InvalidInputError, NotFoundError, StorageError

_SCHEMES = frozenset({"file", "git", "http", "https", "ssh"})
_SCP = re.compile(r"(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!//)[^\s@]+")  # user@host:path
_USER_PART = re.compile(r"(?<=://)[^/\s]*@|(?<![\w/])[^/\s:@]+[:@][^/\s]+@")

# Fragments of git's own messages (LC_ALL=C) and of what servers answer through it.
_DENIED = (
    "permission denied", "authentication failed", "could not read username", "could not read password",
    "error: 403", "error: 401", "protected branch", "hook declined", "access denied", "not allowed to push",
    "insufficient permission", "unable to create temporary object directory", "dubious ownership",
    "read-only file system", "refusing to update checked out branch",
)  # fmt: skip
_MISSING = ("does not appear to be a git repository", "repository not found", "error: 404", "' not found")
_RACED = ("fetch first", "non-fast-forward", "stale info", "cannot lock ref", "failed to lock", "incorrect old value")


def check_remote(remote: str | os.PathLike[str]) -> str:
    """The remote in the form in which it is used and recorded; a local path becomes absolute.

    Raises:
        InvalidInputError: a transport that could run programs, an option in disguise, or a URL that
            carries a password or token (which is not repeated).
    """
    try:
        text = os.fspath(remote)
    except TypeError:
        raise InvalidInputError(f"The remote is a URL or a path, not {type(remote).__name__}.") from None
    if not text.strip():
        raise InvalidInputError("A project needs the URL or path of its git remote.")
    shown = redact(text)
    if text.startswith("-") or not text.isprintable() or text != text.strip():
        raise InvalidInputError(f"The remote {shown!r} is not a URL or a path.", remote=shown)
    if "://" in text:
        return _check_url(text, shown)
    if "::" in text:
        raise InvalidInputError(f"The remote {shown!r} names a transport helper, which is not accepted.", remote=shown)
    if os.path.exists(os.path.expanduser(text)) or not re.match(r"[^/]*[@:]", text):
        return os.path.abspath(os.path.expanduser(text))
    if not _SCP.fullmatch(text):
        raise InvalidInputError(
            f"The remote {shown!r} is neither a path nor a URL. For a host write https://host/path, "
            "ssh://user@host/path or user@host:path, without a password.",
            remote=shown,
        )
    return text


def _check_url(text: str, shown: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        raise InvalidInputError(f"The remote {shown!r} is not a URL.", remote=shown) from None
    if parts.scheme not in _SCHEMES:
        raise InvalidInputError(
            f"Remotes of the kind {parts.scheme}:// are not accepted; use https, ssh, file or a local path.",
            remote=shown,
        )
    over_http = parts.scheme in ("http", "https")
    if parts.password is not None or parts.netloc.count("@") > 1 or (over_http and parts.username):
        raise InvalidInputError(
            f"The remote {shown} carries credentials, which would be written to files and logs. "
            "Take them out of the URL; git's credential helper or ssh supplies them.",
            remote=shown,
        )
    if over_http and (parts.query or parts.fragment):
        plain = f"{parts.scheme}://{parts.netloc}{parts.path}"
        raise InvalidInputError(
            f"The remote {plain} has a query or fragment, which may carry credentials and would be written to files "
            "and logs. Leave it out."
        )
    return text


def same_remote(one: str, other: str) -> bool:
    """Whether two remotes name one repository, as far as their spelling tells: hosts ignore case and ``.git``."""
    return _spelling(one) == _spelling(other)


def _spelling(remote: str) -> str:
    path = local_path(remote)
    if path is not None:
        return os.path.realpath(path)
    plain = remote.rstrip("/").removesuffix(".git")
    scheme, separator, rest = plain.partition("://")
    host, slash, path_there = rest.partition("/")
    return f"{scheme.lower()}{separator}{host.lower()}{slash}{path_there}" if separator else plain


def local_path(remote: str) -> Path | None:
    """The folder of a remote on this machine, else ``None``."""
    if remote.startswith("file://"):
        return Path(unquote(remote.removeprefix("file://").removeprefix("localhost")))
    return Path(remote) if os.path.isabs(remote) else None


def redact(text: str) -> str:
    """The text without the user part of any URL in it."""
    return _USER_PART.sub("", text)


def is_race(stderr: str) -> bool:
    """Whether a push was turned down because another one was, or had just been, under way."""
    lowered = stderr.lower()
    return any(f in lowered for f in _RACED) and not any(f in lowered for f in _DENIED)


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
