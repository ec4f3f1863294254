"""A project's git repository, with a token that is named and never given."""

from __future__ import annotations

import os
import re
from pathlib import Path

from datom_core import git
from datom_core.credentials import EnvironmentToken, KeyringToken
from datom_core.errors import InvalidInputError
from datom_core.git import Remote, check_remote


def remote_at(
    url: str,
    *,
    token_env: str | None = None,
    token_keyring: str | None = None,
    github_api_url: str | None = None,
    folder: Path | None = None,
) -> str | Remote:
    """A git repository, as `Project.open` and `Governance.open` take it.

    Args:
        url: its URL or path; a relative path is meant from ``folder``, by default the working folder.
        token_env, token_keyring: name of the variable, or of the keyring's service, that holds a token for the host.
        github_api_url: where the API of GitHub Enterprise is.
        folder: see ``url``.

    Returns:
        On GitHub with a token, a `GitHubRepository`, which can be created and deleted.

    Raises:
        InvalidInputError: the URL is refused, both names are given, or a token would be of no use.
    """
    if token_env is not None and token_keyring is not None:
        raise InvalidInputError("token_env and token_keyring exclude each other.")
    place = str(Path(folder or ".", os.path.expanduser(url))) if is_path(url) else check_remote(url)
    token = (
        EnvironmentToken(token_env)
        if token_env is not None
        else KeyringToken(token_keyring)
        if token_keyring is not None
        else None
    )
    if token is None:
        return place
    if github_api_url is not None or place.lower().startswith("https://github.com/"):
        return git.GitHub(token, github_api_url).repository_at(place)
    return Remote(place, token)


def is_path(url: str) -> bool:
    """Whether it is no URL, and not git's short form ``host:path`` of one either."""
    return "://" not in url and not re.match(r"[^/]*[@:]", url)


def check_named(remote: str | None, token_env: str | None, token_keyring: str | None) -> None:
    """Refuse a remote and a token's name that can never be used; the folder need not be there.

    Raises:
        InvalidInputError: says which; a URL that carries a password is not repeated.
    """
    if remote is not None and not is_path(remote):
        check_remote(remote)
    if token_env is not None and token_keyring is not None:
        raise InvalidInputError("token_env and token_keyring exclude each other.")
    if remote is not None and is_path(remote) and (token_env or token_keyring):
        raise InvalidInputError("A token is of no use for a remote that is a path. Leave it out.")
