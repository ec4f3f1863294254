"""The verbs, by what they are for. Each is a thin function: it asks `datom_core`, and says what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from datom_core.command.verbs import (
    comparing,
    exporting,
    histories,
    looking,
    moving,
    organization,
    places,
    registers,
    showing,
    verifying,
    writing,
)


@dataclass(frozen=True)
class Verb:
    """A verb, and the function that takes a `Session` and the verb's own arguments."""

    name: str
    function: Callable[..., Any]


@dataclass(frozen=True)
class Group:
    """Verbs that share their first word, and what they are about."""

    name: str
    help: str
    verbs: tuple[Verb, ...]


#: Section of the help -> its verbs.
VERBS: dict[str, list[Verb | Group]] = {
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
    "Write": [
        Verb("init", places.init),
        Verb("use", places.use),
        Verb("write", writing.write),
        Verb("sync", writing.sync),
        Verb("cut", writing.cut),
        Verb("review", writing.review),
    ],
    "Administer": [
        Verb("projects", organization.projects),
        Group(
            "register",
            "Begin an organization's register, show or repair what it knows.",
            (
                Verb("init", registers.init),
                Verb("show", registers.show),
                Verb("repair", registers.repair),
            ),
        ),
        Verb("attach", organization.attach),
        Verb("upgrade", moving.upgrade),
        Verb("migrate", moving.migrate),
        Verb("decommission", moving.decommission),
        Verb("preflight", organization.preflight),
        Verb("policy", organization.policy),
    ],
}
