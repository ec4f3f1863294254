"""Where GitHub's API and its repositories are, and what they are called. Nothing is sent."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from datom_core.errors import AccessDeniedError, InvalidInputError
from datom_core.git.remote import is_loopback, unshown

API = "https://api.github.com"

_LONGEST = 100
_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")
_NAME = re.compile(rf"[A-Za-z0-9._-]{{1,{_LONGEST}}}")
_OTHER = re.compile(r"[^A-Za-z0-9._-]+")


def check_api_url(url: str | None) -> str:
    """The URL of the API, without a slash at its end; GitHub's own for ``None``.

    Raises:
        InvalidInputError: it is not an https URL (http is accepted on this machine), carries something else, or is not
            where GitHub has its API. If it may carry a password, it is not repeated.
    """
    if url is None:
        return API
    url = unshown(url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except (ValueError, AttributeError):
        raise InvalidInputError("api_url is not a URL. Give it as in https://github.example.org/api/v3.") from None
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        del parts  # an error is shown with the variables around it
        raise InvalidInputError("api_url carries more than host and path. Leave it out; the token is an argument.")
    if parts.scheme not in ("http", "https") or not host or not url.isprintable():
        raise InvalidInputError(f"api_url is not an https URL: {url!r}.", api_url=url)
    if parts.scheme == "http" and not is_loopback(host):
        raise InvalidInputError(f"The token for {url} would cross the network in the clear. Give https.", api_url=url)
    if host == "github.com":
        raise InvalidInputError(f"GitHub's API is at {API}: leave api_url out.", api_url=url)
    path = parts.path.rstrip("/")
    if not path and not host.startswith("api."):
        raise InvalidInputError(
            f"api_url {url!r} is no API of GitHub Enterprise; that is at {parts.scheme}://{parts.netloc}/api/v3.",
            api_url=url,
        )
    where = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{where}{f':{port}' if port else ''}{path}"


def web_url(api_url: str) -> str:
    """Where the repositories that belong to an API are: scheme, host and port."""
    parts = urlsplit(api_url)
    return f"{parts.scheme}://{parts.netloc.removeprefix('api.')}"


def clone_url(api_url: str, full_name: str) -> str:
    """The URL that git clones a repository from."""
    return f"{web_url(api_url)}/{quote(full_name)}.git"


def check_clone_url(api_url: str, answered: object) -> str:
    """The clone URL from the API's answer, if it is on the token's host.

    Raises:
        AccessDeniedError: it is elsewhere; the token must not go there.
    """
    expected = web_url(api_url)
    parts = urlsplit(answered) if isinstance(answered, str) else None
    if parts is None or f"{parts.scheme}://{parts.netloc}".lower() != expected.lower():
        told = f"{parts.scheme}://{parts.hostname}" if parts else type(answered).__name__
        raise AccessDeniedError(
            f"{api_url} says that the repository is at {told}, not at {expected}; the token is not sent there. Check "
            "api_url.",
            action="use the token at",
            resource=told,
        )
    return f"{expected}{parts.path}"


def check_owner(owner: object) -> str:
    """Return the login of a user or organization.

    Raises:
        InvalidInputError: no login can look like this.
    """
    if not isinstance(owner, str) or not _OWNER.fullmatch(owner):
        raise InvalidInputError(f"{owner!r} is not the name of a user or organization of GitHub.", owner=owner)
    return owner


def split_name(name: object) -> tuple[str | None, str]:
    """The owner, if named, and the name of a repository given as ``name`` or ``owner/name``.

    Raises:
        InvalidInputError: no repository can have this name; suggests one.
    """
    if not isinstance(name, str):
        raise InvalidInputError(f"The name of a repository is text, not {type(name).__name__}.")
    owner, slash, bare = name.rpartition("/")
    if not _NAME.fullmatch(bare) or bare in (".", "..") or bare.lower().endswith(".git"):
        raise InvalidInputError(
            f"{bare!r} cannot be the name of a repository on GitHub: use up to {_LONGEST} of the characters A-Z a-z "
            "0-9 . _ -, without .git at the end. GitHub.repository_name(project) makes one from a project's name.",
            name=bare,
        )
    return (check_owner(owner) if slash else None), bare


def repository_name(project: str) -> str:
    """A name for the repository of a project: ``STUDY 001 (a)`` becomes ``STUDY-001-a``.

    Raises:
        InvalidInputError: nothing in it can be used, or it is too long.
    """
    return split_name(_OTHER.sub("-", project).strip("-"))[1]
