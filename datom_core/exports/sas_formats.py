"""Formats of SAS, as columns keep them: ``DATE9.``, ``$20.``, ``8.2``."""

from __future__ import annotations

import re
from typing import NamedTuple

from datom_core.exports.columns import Column
from datom_core.extracts import sas_clock

_FORMAT = re.compile(r"(\$?(?:[A-Za-z_](?:[A-Za-z0-9_]*[A-Za-z_])?)?)([0-9]{0,5})(?:\.([0-9]{0,2}))?")


class Format(NamedTuple):
    """A format, with the width and the decimals that it shows; 0 is its own."""

    name: str
    width: int
    decimals: int


def parse_format(text: str) -> Format | None:
    """A format in its parts; ``None`` for what SAS has no such formats for, as those of Stata (``%9.0g``)."""
    found = _FORMAT.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        return None
    name, width, decimals = found.groups()
    return Format(name.upper(), int(width or 0), int(decimals or 0))


def clock_format(column: Column) -> str | None:
    """The format that a column of dates or times was kept with, when it shows such in SAS."""
    text = column.said.get("format", "")
    wanted = {"date": "date", "moment": "datetime"}.get(column.kind, "time")
    return text if text and sas_clock(text) == wanted else None
