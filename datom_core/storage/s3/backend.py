"""Buckets as a backend: what documents record about one, and how to open a recorded one."""

from __future__ import annotations

from urllib.parse import quote

from datom_core.documents import Location
from datom_core.errors import InvalidInputError
from datom_core.storage.backends import Backend, Opening, register_backend
from datom_core.storage.s3.store import DEFAULT_REGION, S3Store


def _open(opening: Opening) -> S3Store:
    """By default, look for the bucket on the server of a near store, with that store's credentials."""
    at, credentials, options = opening.location, opening.credentials, opening.options
    near = next((store for store in opening.near if isinstance(store, S3Store)), None)
    if near is not None:
        return near.sibling(at, credentials=credentials, **options)
    if credentials is None:
        raise InvalidInputError(f"{at} is a bucket: give credentials= for it.", location=str(at))
    region = {} if at.region is None else {"region": at.region}
    return S3Store(at.root, at.spelled_prefix, credentials=credentials, **{**region, **options})


def _uri(location: Location, path: str) -> str:
    return f"s3://{location.root}/{quote(path)}"


register_backend(Backend(name="s3", open=_open, default_region=DEFAULT_REGION, uri=_uri))
