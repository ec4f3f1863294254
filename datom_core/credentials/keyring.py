"""Entries of the operating system's keyring (extra ``keyring``)."""

from __future__ import annotations

from collections.abc import Iterable

from datom_core.common import needing, veiled, without_frames
from datom_core.errors import AccessDeniedError, NotFoundError


def read_entries(service: str, required: Iterable[str], optional: Iterable[str] = ()) -> dict[str, str | None]:
    """A service's entries by name; optional ones may be ``None``.

    Raises:
        MissingPackageError: the extra is not installed.
        NotFoundError: an entry does not exist; says how to create it.
        AccessDeniedError: the keyring is locked, or there is none.
    """
    with needing("What is kept in a keyring", "keyring"):
        import keyring
        import keyring.errors
    required = tuple(required)
    try:
        found = {name: veiled(keyring.get_password(service, name)) for name in (*required, *optional)}
    except keyring.errors.KeyringError as error:
        raise AccessDeniedError(
            f"The keyring could not be read ({type(error).__name__}). Unlock it, or choose a backend."
        ) from without_frames(error)
    missing = [name for name in required if not found[name]]
    if missing:
        raise NotFoundError(
            f"The keyring's service {service!r} has no {' and no '.join(missing)}; make it with "
            f"`keyring set {service} {missing[0]}`."
        )
    return found
