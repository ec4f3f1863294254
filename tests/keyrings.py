"""A keyring in memory, in the place of the operating system's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keyring
import keyring.backend


class Drawer(keyring.backend.KeyringBackend):
    """Keeps passwords as long as it lives."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self._kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._kept[service, username] = password


@contextmanager
def drawer() -> Iterator[None]:
    """An empty keyring until the block ends."""
    before = keyring.get_keyring()
    keyring.set_keyring(Drawer())
    try:
        yield
    finally:
        keyring.set_keyring(before)
