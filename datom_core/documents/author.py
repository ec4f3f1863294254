"""Who made a version, as documents hold it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from datom_core.common import fitting


@fitting
@dataclass(frozen=True)
class Author:
    """Who made a version."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>" if self.email else self.name

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "email": self.email}


def read_author(raw: Any) -> Author:
    """The author as documents hold it: an object, or a bare string."""
    if isinstance(raw, Mapping):
        return _author(str(raw.get("name") or "unknown"), str(raw.get("email") or ""))
    return _author(raw if isinstance(raw, str) and raw else "unknown", "")


@lru_cache(maxsize=64)
def _author(name: str, email: str) -> Author:
    return Author(name, email)
