"""The verbs, by what they are for. Each is a thin function: it asks `datom_core`, and says what came of it.

Here they are named and summed up, so that `datom --help` loads none of them; a verb's module is loaded when it runs.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Verb:
    """A verb.

    Attributes:
        name: as it is typed.
        home: module below this folder, and name in it, of the function that takes a `Session` and the verb's arguments.
        summary: a line for the list of verbs.
    """

    name: str
    home: str
    summary: str

    def function(self) -> Callable[..., Any]:
        """The function, whose module is loaded now."""
        module, _, name = self.home.partition(".")
        found: Callable[..., Any] = getattr(importlib.import_module(f"{__name__}.{module}"), name)
        return found


@dataclass(frozen=True)
class Group:
    """Verbs that share their first word, and what they are about."""

    name: str
    summary: str
    verbs: tuple[Verb, ...]


#: Section of the help -> its verbs.
VERBS: dict[str, list[Verb | Group]] = {
    "Look": [
        Verb("status", "looking.status", "The project at a glance, and whether storage is level with git."),
        Verb("list", "looking.list_tables", "Every table, its current version, and when it was last written."),
        Verb("show", "showing.show", "A version: who, when, why, columns, first rows; or a study."),
        Verb("log", "histories.log", "What became current, by whom, when and why, newest first."),
        Verb("audit", "auditing.audit", "Everything that ever happened: who, when, why, by which commit."),
        Verb("cuts", "looking.cuts", "Cuts and review marks; or one of them, with its versions."),
        Verb("history", "histories.history", "Every value that one row ever had, with who, when and why."),
        Verb("impact", "citing.impact", "What came of a version, in all projects, and which sets hold it."),
        Verb("cite", "citing.cite", "How to cite a version of a table or set."),
        Verb("find", "citing.find", "The version that a citation's id names, and where it is now."),
        Verb("lineage", "histories.lineage", "What a version was derived from, or what from it."),
    ],
    "Take out": [
        Verb("read", "exporting.read", "A table on standard output."),
        Verb("export", "exporting.export", "A table, or a whole cut, as files for other programs."),
        Verb("evidence", "handing_over.evidence", "A folder that proves what the data was, without datom."),
    ],
    "Compare": [
        Verb("diff", "comparing.diff", "What changed between two states, of the study or of a table."),
        Verb("report", "comparing.report", "The same as a page, a workbook, markdown or JSON."),
    ],
    "Check and mend": [
        Verb("verify", "verifying.verify", "Is everything there, and is it what it was? Changes nothing."),
        Verb("validate", "verifying.validate", "Compare storage with git; --fix puts right what git can give."),
        Verb("mirror", "verifying.mirror", "Bring the documents in storage level with git."),
        Verb("recover", "verifying.recover", "Record again what storage shows and git has lost."),
        Verb("accept", "verifying.accept", "Let storage follow the branch, and give up what it lost."),
    ],
    "Write": [
        Verb("init", "places.init", "Create a project, and write datom.toml."),
        Verb("use", "places.use", "Write datom.toml for a project that exists."),
        Verb("write", "writing.write", "Make files the current versions of tables, in one commit."),
        Verb("sync", "writing.sync", "Take in the extract files of a folder."),
        Verb("cut", "writing.cut", "Let a name stand for versions that exist."),
        Group(
            "set",
            "Versions under one name: list, show, compare with now, write.",
            (
                Verb("list", "sets.list_sets", "Every set."),
                Verb("show", "sets.show", "The members of a set, and their labels."),
                Verb("status", "sets.status", "How a set stands to what is current now."),
                Verb("write", "sets.write", "Make these members the current version of a set."),
            ),
        ),
        Verb("review", "writing.review", "Record that the study was reviewed so far."),
    ],
    "Sign": [
        Verb("approve", "signing.approve", "Sign what a cut stands for; locked, it refuses to move."),
        Verb("withdraw", "signing.withdraw", "Sign that an approval no longer stands."),
        Group(
            "signers",
            "Whose keys may sign.",
            (
                Verb("show", "signing.signers", "Whose keys may sign, and when."),
                Verb("allow", "signing.allow", "Let somebody's SSH key sign."),
                Verb("revoke", "signing.revoke", "Let somebody's key sign no longer."),
            ),
        ),
    ],
    "Administer": [
        Verb("projects", "organization.projects", "Every project of the organization, and where it lies."),
        Group(
            "register",
            "Begin an organization's register, show or repair what it knows.",
            (
                Verb("init", "registers.init", "Begin a register, and add it to datom.toml."),
                Verb("show", "registers.show", "What the register knows about a project."),
                Verb("repair", "registers.repair", "Complete a registration that is not whole."),
            ),
        ),
        Verb("attach", "organization.attach", "Register the project: it is then found by its name."),
        Verb("upgrade", "moving.upgrade", "Convert the project to schema 2."),
        Verb("migrate", "moving.migrate", "Move the project's data with every version, verified."),
        Verb("decommission", "moving.decommission", "Take the project away for good."),
        Verb("preflight", "organization.preflight", "Whether a bucket is fit for a project, check by check."),
        Verb("policy", "organization.policy", "The least rights that somebody needs on a bucket."),
    ],
}
