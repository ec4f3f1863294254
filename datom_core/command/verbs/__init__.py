"""The verbs, by what they are for. Each is a thin function: it asks `datom_core`, and says what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from datom_core.command.verbs import comparing, looking, verifying


@dataclass(frozen=True)
class Verb:
    """A verb, and the function that takes a `Session` and the verb's own arguments."""

    name: str
    function: Callable[..., Any]


#: Section of the help -> its verbs.
VERBS: dict[str, list[Verb]] = {
    "Look": [
        Verb("list", looking.list_tables),
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
