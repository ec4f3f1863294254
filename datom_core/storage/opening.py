"""Open, prepare and clean up the place of a store."""

from __future__ import annotations

from typing import Any

from datom_core.common import veiled
from datom_core.credentials import CredentialSource
from datom_core.documents import Location
from datom_core.errors import InvalidInputError
from datom_core.storage.local import LocalStore
from datom_core.storage.protocol import ObjectStore
from datom_core.storage.s3 import S3Store


def open_place(
    location: Location, *, near: ObjectStore, credentials: CredentialSource | None = None, **options: Any
) -> ObjectStore:
    """A store at a location that was found in a document.

    Args:
        location: the place.
        near: the store that the document was found in. A bucket is looked for on the same server and with the same
            credentials, unless others are given.
        credentials: for a bucket.
        **options: further arguments of `S3Store`.

    Raises:
        InvalidInputError: a bucket for which there are no credentials, or a location that cannot be opened.
        The errors of opening an `S3Store`.
    """
    credentials, options = veiled(credentials), veiled(options)
    if location.backend == "local":
        return LocalStore(location.root, location.spelled_prefix)
    if location.backend != "s3":
        raise InvalidInputError(f"{location} is no place that another process could open.")
    if isinstance(near, S3Store):
        return near.sibling(location, credentials=credentials, **options)
    if credentials is None:
        raise InvalidInputError(f"{location} is a bucket: give credentials= for it.", location=str(location))
    if location.region is not None:
        options.setdefault("region", location.region)
    return S3Store(location.root, location.spelled_prefix, credentials=credentials, **options)


def nearer(given: ObjectStore | None, register: ObjectStore) -> ObjectStore:
    """The store whose server and credentials open a bucket: the given one, if it has any, else the register's."""
    return given if isinstance(given, S3Store) else register


def prepare(store: ObjectStore) -> None:
    """Make a place ready: a local store's folder exists afterwards."""
    if isinstance(store, LocalStore):
        store.prepare()


def clean_up(store: ObjectStore) -> None:
    """Remove what is left of a place once its objects are gone, such as empty folders."""
    if isinstance(store, LocalStore | S3Store):
        store.clean_up()
