"""Which git remotes are accepted, and which of them may get a token."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from datom_core.common import fitting, veiled
from datom_core.credentials import TokenSource, check_token, shown_token
from datom_core.errors import InvalidInputError

_SCHEMES = frozenset({"file", "git", "http", "https", "ssh"})
_SCP = re.compile(r"(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!//)[^\s@]+")  # user@host:path
_USER_PART = re.compile(r"(?<=://)[^/\s]*@|(?<![\w/])[^/\s:@]+[:@][^/\s]+@")

# No wildcard, which git would match to any host, and nothing else with a meaning in a configuration key.
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?")


@dataclass(frozen=True)
class Remote:
    """A git remote, and the token to log in with.

    Without a token, git logs in as configured (a credential helper, ssh). With one, only the token is used, and it goes
    only to git commands that talk to the remote, for the remote's host.

    Args:
        url: URL or path; see `check_remote` for what is refused.
        token: for https. Text is wrapped into a `Secret`; a function is called again for each command. A remote that
            must cross into another process needs a source that can be pickled, such as `EnvironmentToken`.

    Raises:
        InvalidInputError: the URL is refused, or a token would be useless there, or not safe on the way.
    """

    url: str
    token: TokenSource | None = None

    @fitting
    def __init__(self, url: str, token: TokenSource | None = None) -> None:
        url, token = unshown(url), veiled(token)
        object.__setattr__(self, "url", url)
        object.__setattr__(self, "token", token)
        self.__post_init__()

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", check_remote(self.url))
        if self.token is not None:
            object.__setattr__(self, "token", check_token(self.token))
            _check_token_may_go_to(self.url)

    def beside(self, url: str) -> Remote:
        """Another repository, with the same token if it is on the same host."""
        ours, theirs = urlsplit(self.url), urlsplit(url)
        same = (ours.scheme, ours.netloc.lower()) == (theirs.scheme, theirs.netloc.lower())
        return Remote(url, self.token if same else None)

    def __repr__(self) -> str:
        token = f", token={shown_token(self.token)}" if self.token is not None else ""
        return f"{type(self).__name__}({redact(self.url)!r}{token})"


def as_remote(remote: str | os.PathLike[str] | Remote) -> Remote:
    """A caller's argument as a `Remote`.

    Raises:
        InvalidInputError: as `check_remote`.
    """
    remote = unshown(remote)
    return remote if isinstance(remote, Remote) else Remote(check_remote(remote))


def check_remote(remote: str | os.PathLike[str]) -> str:
    """The remote in the form that is used and recorded; a local path becomes absolute.

    Raises:
        InvalidInputError: a transport that could run programs, an option in disguise, or a URL that
            carries a password or token (which is not repeated).
    """
    remote = unshown(remote)
    try:
        text = unshown(os.fspath(remote))
    except TypeError:
        raise InvalidInputError(f"The remote is a URL or a path, not {type(remote).__name__}.") from None
    if not isinstance(text, str):
        raise InvalidInputError("The remote is a URL or a path, as text; not bytes.")
    if not text.strip():
        raise InvalidInputError("A project needs the URL or path of its git remote.")
    shown = _without_secrets(text)
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
    return str(text)


def _check_url(text: str, shown: str) -> str:
    try:
        scheme, plain, carries, says_more = _taken_apart(text)
    except ValueError:
        raise InvalidInputError(f"The remote {shown!r} is not a URL.", remote=shown) from None
    if scheme not in _SCHEMES:
        raise InvalidInputError(
            f"Remotes of the kind {scheme}:// are not accepted; use https, ssh, file or a local path.",
            remote=shown,
        )
    if carries:
        raise InvalidInputError(
            f"The remote {shown} carries credentials, which would be written to files and logs. "
            "Take them out of the URL; a token is given with Remote(url, token=...), or git's credential helper or ssh "
            "log in.",
            remote=shown,
        )
    if says_more:
        raise InvalidInputError(
            f"The remote {plain} has a query or fragment, which may carry credentials and would be written to files "
            "and logs. Leave it out."
        )
    return str(text)


def _taken_apart(text: str) -> tuple[str, str, bool, bool]:
    """The scheme of a URL, the URL without a query, whether it carries credentials, and whether it has a query.

    If one is refused, no frame of the error holds its parts.
    """
    parts = urlsplit(text)
    over_http = parts.scheme in ("http", "https")
    carries = parts.password is not None or parts.netloc.count("@") > 1 or (over_http and bool(parts.username))
    plain = "" if carries else f"{parts.scheme}://{parts.netloc}{parts.path}"
    return parts.scheme, plain, carries, over_http and bool(parts.query or parts.fragment)


def same_remote(one: str, other: str) -> bool:
    """Whether two remotes name one repository, judging by their spelling: hosts ignore case and ``.git``."""
    return _spelling(one) == _spelling(other)


def _spelling(remote: str) -> str:
    path = local_path(remote)
    if path is not None:
        return os.path.realpath(path)
    plain = remote.rstrip("/").removesuffix(".git")
    scheme, separator, rest = plain.partition("://")
    host, slash, path_there = rest.partition("/")
    return f"{scheme.lower()}{separator}{host.lower()}{slash}{path_there}" if separator else plain


def _check_token_may_go_to(url: str) -> None:
    parts = urlsplit(url)
    if "://" not in url or parts.scheme not in ("http", "https"):
        raise InvalidInputError(
            f"A token is of no use for the remote {redact(url)}: only https remotes take one. Leave it out, or give "
            "the repository's https URL.",
            remote=redact(url),
        )
    if not _HOST.fullmatch(parts.netloc):
        raise InvalidInputError(f"The remote {url!r} has no host that a token could be limited to.", remote=url)
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise InvalidInputError(
            f"The token for {url} would cross the network in the clear. Give the https URL.", remote=url
        )


def is_loopback(host: str | None) -> bool:
    """Whether a host is this machine, by address or as ``localhost``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def local_path(remote: str) -> Path | None:
    """The folder of a remote on this machine, else ``None``."""
    if remote.startswith("file://"):
        return Path(unquote(remote.removeprefix("file://").removeprefix("localhost")))
    return Path(remote) if os.path.isabs(remote) else None


def _without_secrets(text: str) -> str:
    plain = redact(text)
    return re.split(r"[?#]", plain, maxsplit=1)[0] if "://" in plain else plain


class _Unshown(str):
    """A remote as given by a caller, which may hold a password: its repr leaves that place out."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(_without_secrets(self))


def unshown(remote: Any) -> Any:
    """Wrap a remote given by a caller, so that the variable holding it shows no password.

    Every function that is given a remote calls this first, as with `datom_core.common.secret.veiled` for secrets.
    """
    return _Unshown(remote) if type(remote) is str else remote


def redact(text: str) -> str:
    """The text without the user part of any URL in it."""
    return _USER_PART.sub("", text)
