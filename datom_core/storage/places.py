"""Whether a place is the right one, and what a store holds."""

from __future__ import annotations

import os

from datom_core.common import is_name
from datom_core.documents import Location, same_place
from datom_core.errors import ConflictError, InvalidInputError, NotFoundError
from datom_core.storage.protocol import ObjectStore, StoredObject


def find(store: ObjectStore, key: str) -> StoredObject | None:
    """The object, or ``None`` if there is none."""
    try:
        return store.get(key)
    except NotFoundError:
        return None


def check_place(project: str, recorded: Location, ours: Location) -> None:
    """Refuse to write to a place that the project has left.

    Raises:
        ConflictError: names both places.
    """
    if not same_place(recorded, ours):
        raise ConflictError(
            f"The data of {project} has moved to {recorded}; this project writes to {ours}. "
            "Open it again with a store at the new place.",
            recorded=str(recorded),
            given=str(ours),
        )


def check_store(store: object) -> None:
    """Refuse anything that is not a store; above all, a path.

    Raises:
        InvalidInputError: says what to give instead.
    """
    if not isinstance(store, ObjectStore):
        hint = f"; write LocalStore({str(store)!r})" if isinstance(store, (str, os.PathLike)) else ""
        if isinstance(store, str) and is_name(store) and not os.path.exists(store):
            hint = (
                f": {store!r} looks like a name. Are the arguments swapped? Write "
                "Project.init(name, store, remote=...), Project.open(store, remote=...) or "
                "ProjectReader.open(store, name). "
                f"If it is a folder: LocalStore({store!r})"
            )
        raise InvalidInputError(f"The store must be an ObjectStore, not {type(store).__name__}{hint}.")
