"""The backends: how a recorded place becomes a store. A new one is a module and a call of `register_backend`."""

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
    """What a backend has to open a place with.

    Attributes:
        location: the place.
        near: stores at hand, the first being the likeliest to share server and credentials with the place.
        credentials: given for this place, or ``None``.
        options: further arguments that the caller gave for a store of this kind.
    """

    location: Location
    near: Sequence[ObjectStore]
    credentials: CredentialSource | None
    options: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Backend(PlaceKind):
    """A kind of place, and how it is opened.

    Attributes:
        open: makes the store. Raises `InvalidInputError` when credentials are needed that neither it was given nor a
            store that is near has.
    """

    open: Callable[[Opening], ObjectStore]


def register_backend(backend: Backend) -> None:
    """Make a backend known to this process, under the ``type`` that its stores' locations have.

    Every process that opens a project there calls it: put it at the end of the module that holds the store.

    Raises:
        InvalidInputError: not a `Backend`, a name that documents cannot hold, or one that is taken.
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
    """A store at a location, such as one that was found in a document.

    Args:
        location: the place.
        near: stores whose server and credentials are used, where the backend has such and no others are given: those
            of the first store that fits.
        credentials: for a bucket.
        **options: further arguments of the backend's store.

    Raises:
        InvalidInputError: there are no credentials where some are needed, or the location cannot be opened.
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
