"""Where a resource's repository is, and how to log in there."""

from __future__ import annotations

from typing import Protocol

import dagster as dg

import datom_core as dc
from datom_dagster.resources.storage_resource import optional


class Remotely(Protocol):
    """What a resource says of its repository."""

    remote: str | None
    token_env: str | None
    token_keyring: str | None
    github_api_url: str | None


def remote_of(settings: Remotely) -> str | dc.Remote | None:
    """The remote of a resource, with its token; on GitHub, as a repository that can be created and deleted."""
    url = optional(settings.remote)
    if url is None:
        return None
    return dc.remote_at(
        url,
        token_env=settings.token_env,
        token_keyring=settings.token_keyring,
        github_api_url=optional(settings.github_api_url),
    )


def check_remote(remote: str | None) -> str | None:
    """Refuse a bad remote as soon as it is known."""
    if remote is not None and not isinstance(remote, dg.EnvVar):
        dc.check_remote(remote)
    return remote
