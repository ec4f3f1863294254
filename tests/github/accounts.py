"""Who is who on the server, and who may do what to which repository."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path


class Level(IntEnum):
    NONE = 0
    READ = 1
    WRITE = 2
    ADMIN = 3


LEVELS = {"read": Level.READ, "write": Level.WRITE, "admin": Level.ADMIN}


@dataclass
class Token:
    """A user's token: classic with scopes, or fine-grained with permissions.

    Attributes:
        label: stands for it in the list of requests.
    """

    label: str
    login: str
    scopes: frozenset[str] = frozenset()
    permissions: Mapping[str, str] | None = None
    expired: bool = False

    def contents(self, private: bool) -> Level:
        """The most that it lets its user do with files of a repository."""
        if self.permissions is not None:
            return LEVELS.get(self.permissions.get("contents", ""), Level.NONE)
        return Level.WRITE if "repo" in self.scopes or ("public_repo" in self.scopes and not private) else Level.NONE

    def may_see(self, private: bool) -> bool:
        return self.permissions is not None or not private or "repo" in self.scopes

    def may_create(self) -> bool:
        if self.permissions is not None:
            return self.permissions.get("administration") == "write"
        return "repo" in self.scopes

    def may_delete(self) -> bool:
        if self.permissions is not None:
            return self.permissions.get("administration") == "write"
        return "delete_repo" in self.scopes


@dataclass
class Repository:
    """A repository and who has been given access to it.

    Attributes:
        folder: the bare repository.
        members: login -> ``"read"``, ``"write"`` or ``"admin"``; the owner is not among them.
        moved_to: base of the URL that git is redirected to.
    """

    number: int
    owner: str
    name: str
    private: bool
    description: str
    folder: Path
    members: dict[str, str] = field(default_factory=dict)
    moved_to: str | None = None

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    def role(self, login: str) -> Level:
        """What a user may do with it, whatever the token."""
        if login.lower() == self.owner.lower():
            return Level.ADMIN
        given = LEVELS.get(self.members.get(login, ""), Level.NONE)
        return given if self.private else max(given, Level.READ)
