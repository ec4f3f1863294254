"""The verbs, by what they are for. Each is a thin function: it asks `datom_core`, and says what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from datom_core.command.verbs import comparing, exporting, histories, looking, showing, verifying


@dataclass(frozen=True)
class Verb:
    """A verb, and the function that takes a `Session` and the verb's own arguments."""

    name: str
    function: Callable[..., Any]


#: Section of the help -> its verbs.
VERBS: dict[str, list[Verb]] = {
    "Look": [
        Verb("status", looking.status),
        Verb("list", looking.list_tables),
        Verb("show", showing.show),
        Verb("log", histories.log),
        Verb("cuts", looking.cuts),
        Verb("history", histories.history),
        Verb("lineage", histories.lineage),
    ],
    "Take out": [
        Verb("read", exporting.read),
        Verb("export", exporting.export),
    ],
    "Compare": [
        Verb("diff", comparing.diff),
        Verb("report", comparing.report),
    ],
    "Check and mend": [
        Verb("verify", verifying.verify),
        Verb("validate", verifying.validate),
        Verb("mirror", verifying.mirror),
        Verb("recover", verifying.recover),
        Verb("accept", verifying.accept),
    ],
}
