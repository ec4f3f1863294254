"""With which key commits are signed: the table ``[signing]`` of a settings file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datom_core.errors import InvalidInputError
from datom_core.settings.fields import check_texts, plain_fields, read_fields

if TYPE_CHECKING:
    from datom_core.git import SigningKey

_LITERAL = "key::"


@dataclass(frozen=True)
class SigningSettings:
    """The key that signs a project's commits: where it is, one of three ways.

    Attributes:
        key: path of an SSH key, or ``key::`` and a public key that the agent holds, as `SigningKey`.
        key_env: name of the variable that holds that.
        from_git: sign as the user's git is configured to.
    """

    key: str | None = None
    key_env: str | None = None
    from_git: bool = False

    def __post_init__(self) -> None:
        check_texts(self)
        if sum(map(bool, (self.key, self.key_env, self.from_git))) != 1:
            raise InvalidInputError("Say where the key is by one of key, key_env and from_git = true.")

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any], where: str = "[signing]") -> SigningSettings:
        """From a table of a file.

        Raises:
            InvalidInputError: names every key that does not belong there; shows no value.
        """
        return read_fields(cls, given, where)

    def to_mapping(self) -> dict[str, Any]:
        """What differs from the defaults, as a table of a file."""
        return plain_fields(self)

    def absolute(self, folder: Path | None) -> SigningSettings:
        """The same whatever the working folder; a path is meant from ``folder``."""
        if self.key is None or self.key.startswith(_LITERAL):
            return self
        return replace(self, key=os.path.abspath(Path(folder or ".", os.path.expanduser(self.key))))

    def signing_key(self, folder: Path | None) -> SigningKey:
        """The key; a relative path is meant from ``folder``.

        Raises:
            InvalidInputError: the variable is not set, or git is configured with no key.
        """
        from datom_core.git import SigningKey

        if self.from_git:
            return SigningKey.from_git()
        if self.key_env is not None:
            held = os.environ.get(self.key_env)
            if not held:
                raise InvalidInputError(
                    f"The variable {self.key_env}, which should hold the path of a key, is not set."
                )
            return SigningKey(held)
        return SigningKey(str(self.absolute(folder).key))
