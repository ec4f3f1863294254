"""The backends: how to open a recorded place as a store. A new one is a module and a call of `register_backend`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from datom_core.common import veiled
from datom_core.credentials import CredentialSource
from datom_core.documents import Location, PlaceKind, add_kind, kind_of, shared_kinds
from datom_core.errors import InvalidInputError
from datom_core.storage.protocol import ObjectStore

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")


@dataclass(frozen=True)
class Opening:
    """What a backend gets to open a place.

    Attributes:
        location: the place.
        near: stores at hand, the one most likely to share server and credentials with the place first.
        credentials: given for this place, or ``None``.
        options: further arguments from the caller, for a store of this kind.
    """

    location: Location
    near: Sequence[ObjectStore]
    credentials: CredentialSource | None
    options: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Backend(PlaceKind):
    """A kind of place, and how to open it.

    Attributes:
        open: makes the store. Raises `InvalidInputError` if credentials are needed that neither the caller nor a near
            store has.
    """

    open: Callable[[Opening], ObjectStore]


def register_backend(backend: Backend) -> None:
    """Make a backend known to this process, under the ``type`` in its stores' locations.

    Every process that opens a project there must call it: put the call at the end of the store's own module.

    Raises:
        InvalidInputError: it is not a `Backend`, documents cannot hold its name, or the name is taken.
    """
    given: object = backend
    if not isinstance(given, Backend):
        raise InvalidInputError(f"register_backend takes a Backend, not {type(given).__name__}.")
    if not _NAME.fullmatch(str(given.name)):
        raise InvalidInputError(
            f"A backend is called by lower-case letters, digits, '-' and '_', at most 32; not {given.name!r}."
        )
    add_kind(given)


def open_store(
    location: Location,
    *,
    near: Sequence[ObjectStore | None] = (),
    credentials: CredentialSource | None = None,
    **options: Any,
) -> ObjectStore:
    """A store at a location, for example one found in a document.

    Args:
        location: the place.
        near: if the backend has servers and credentials and none are given, those of the first store that fits are
            used.
        credentials: for a bucket.
        **options: further arguments of the backend's store.

    Raises:
        InvalidInputError: credentials are needed and there are none, or the location cannot be opened.
        The errors of opening such a store.
    """
    credentials, options = veiled(credentials), veiled(options)
    kind = kind_of(location)
    if not isinstance(kind, Backend) or not kind.shared:
        raise InvalidInputError(
            f"{location} is no place that another process could open. Backends are {', '.join(shared_kinds())}; "
            "import the module that registers another one."
        )
    return kind.open(Opening(location, [store for store in near if store is not None], credentials, options))
