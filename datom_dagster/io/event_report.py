"""What an event says about a table, and what became of an output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class EventReport:
    """What an event says about a table that was written or kept."""

    data_sha: str
    shown: Mapping[str, Any]


@dataclass(frozen=True)
class Stored:
    """What became of one output.

    Attributes:
        table: its name.
        reports: what its events say: one, or one for each partition in their order.
    """

    table: str
    reports: tuple[EventReport, ...]
