"""What git and its host say when a command fails, and which of our errors that is."""

from __future__ import annotations

from urllib.parse import urlsplit

from datom_core.errors import AccessDeniedError, DatomError, NotFoundError, StorageError
from datom_core.git.remote import Remote, redact

# Fragments of git's own messages (LC_ALL=C), and of server messages that git passes on.
_NOT_ACCEPTED = ("authentication failed", "could not read username", "could not read password", "error: 401")
_NO_RIGHT = ("error: 403", "write access to repository not granted")
_DENIED = (
    *_NOT_ACCEPTED, *_NO_RIGHT,
    "permission denied", "protected branch", "hook declined", "access denied", "not allowed to push",
    "insufficient permission", "unable to create temporary object directory", "dubious ownership",
    "read-only file system", "refusing to update checked out branch",
)  # fmt: skip
_MISSING = ("does not appear to be a git repository", "repository not found", "error: 404", "' not found")
_RACED = ("fetch first", "non-fast-forward", "stale info", "cannot lock ref", "failed to lock", "incorrect old value")

_NEEDED = 'A classic token needs the scope `repo`, a fine-grained one "Contents: read and write" for this repository'


def is_race(stderr: str) -> bool:
    """Whether a push was rejected because of another one that was under way, or had just finished."""
    lowered = stderr.lower()
    return any(f in lowered for f in _RACED) and not any(f in lowered for f in _DENIED)


def translated(remote: Remote, action: str, stderr: str) -> DatomError:
    """Our error for a failed command against the remote."""
    text = redact(stderr).strip()
    said = " ".join(line.removeprefix("fatal: ") for line in text.splitlines())[:600]
    where = redact(remote.url)
    lowered = text.lower()
    if any(fragment in lowered for fragment in _MISSING):
        return NotFoundError(
            f"There is no git repository at {where}. Check the URL{_hidden(remote)}. (git: {said})", remote=where
        )
    if any(fragment in lowered for fragment in _DENIED):
        return AccessDeniedError(
            f"Not allowed to {action} {where}. {_advice(remote, lowered)} (git: {said})", action=action, resource=where
        )
    return StorageError(f"git could not {action} {where}. Try again. (git: {said})", remote=where)


def _hidden(remote: Remote) -> str:
    if remote.token is None:
        return ""
    return ", and whether the token may see it: a host hides a private repository from a token without access"


def _advice(remote: Remote, lowered: str) -> str:
    if remote.token is not None and any(fragment in lowered for fragment in _NOT_ACCEPTED):
        return (
            f"{urlsplit(remote.url).hostname} does not accept the token: it is wrong, revoked or expired. Make a new "
            f"one. {_NEEDED}."
        )
    if remote.token is not None and any(fragment in lowered for fragment in _NO_RIGHT):
        return (
            f"{_NEEDED}; its owner must be allowed to do it, and where an organization uses single sign-on, the token "
            "must be authorized for it."
        )
    if "hook declined" in lowered or "protected branch" in lowered:
        return "A rule of the host protects the branch. Let it admit you, or give another branch."
    if remote.token is None and remote.url.startswith("https:"):
        return "Check that git's credentials for this host may do that, or give a token: Remote(url, token=...)."
    return "Check that your credentials may do that."
