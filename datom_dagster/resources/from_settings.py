"""What a settings file says, as arguments of resources."""

from __future__ import annotations

from typing import Any

import datom_core as dc
from datom_dagster.resources.storage_resource import DatomStorage, LocalStorage


def storage_of(found: dc.StorageSettings) -> DatomStorage:
    """A place as a resource; both have the same names for the same things."""
    if found.path is not None:
        return LocalStorage(**found.to_mapping())
    from datom_dagster.resources.s3_storage import S3Storage

    return S3Storage(**found.to_mapping())


def repository_of(found: dc.ProjectSettings | dc.RegisterSettings) -> dict[str, Any]:
    """A git repository, and how to reach it."""
    names = ("remote", "branch", "author", "token_env", "token_keyring", "github_api_url")
    return {name: getattr(found, name) for name in names}


def signing_of(found: dc.SigningSettings | None) -> dict[str, Any]:
    """The key that signs commits."""
    if found is None:
        return {}
    return {"signing_key": found.key, "signing_key_env": found.key_env, "sign_as_git": found.from_git}
