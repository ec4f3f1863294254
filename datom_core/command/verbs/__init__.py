"""The verbs, by what they are for. Each is a thin function: it asks `datom_core`, and says what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Verb:
    """A verb, whose module is imported when somebody asks for it: `datom --help` needs none.

    Attributes:
        name: what is typed.
        home: module below this package, and the function in it that takes a `Session` and the verb's own arguments.
        help: in a line; the function's docstring begins like it.
    """

    name: str
    home: str
    help: str

    @property
    def function(self) -> Callable[..., Any]:
        module, _, name = self.home.partition(".")
        found: Callable[..., Any] = getattr(import_module(f"{__name__}.{module}"), name)
        return found


@dataclass(frozen=True)
class Group:
    """Verbs that share their first word, and what they are about."""

    name: str
    help: str
    verbs: tuple[Verb, ...]


#: Section of the help -> its verbs.
VERBS: dict[str, list[Verb | Group]] = {
    "Look": [
        Verb("status", "looking.status", "The project at a glance."),
        Verb("list", "looking.list_tables", "Every table, its current version, and when it was last written."),
        Verb("show", "showing.show", "A version of a table: who, when, why, columns, cuts, parents, first rows."),
        Verb("log", "histories.log", "When versions became current, by whom and why, newest first."),
        Verb("cuts", "looking.cuts", "Each cut and review mark: when, by whom, which tables."),
        Verb("history", "histories.history", "Every value that one row ever had, with who, when and why."),
        Verb("lineage", "histories.lineage", "From which versions a version was derived."),
    ],
    "Take out": [
        Verb("read", "exporting.read", "A table on standard output."),
        Verb("export", "exporting.export", "Tables as files that other programs read: one table, or a whole cut."),
    ],
    "Compare": [
        Verb("diff", "comparing.diff", "What changed from one state to another."),
        Verb("report", "comparing.report", "Write a report of what changed: a page, a workbook, markdown or JSON."),
    ],
    "Check and mend": [
        Verb("verify", "verifying.verify", "Is everything there, and is it what it was?"),
        Verb("validate", "verifying.validate", "Compare storage with git, and with --fix put right what git can give."),
        Verb("mirror", "verifying.mirror", "Bring storage level with git."),
        Verb("recover", "verifying.recover", "Record again what storage shows and git has lost."),
        Verb("accept", "verifying.accept", "Let storage follow the branch as it is now."),
    ],
    "Write": [
        Verb("init", "places.init", "Create a project, and write where it is into datom.toml."),
        Verb("use", "places.use", "Look at a project that exists, and write where it is into datom.toml."),
        Verb("write", "writing.write", "Make files the current versions of tables, in one commit."),
        Verb(
            "sync",
            "writing.sync",
            "Take in the extract files of a folder: each is a table.",
        ),
        Verb("cut", "writing.cut", "Let a name stand for versions that exist."),
        Verb("review", "writing.review", "Record that the study was reviewed so far."),
    ],
    "Administer": [
        Verb("projects", "organization.projects", "Every project of the organization."),
        Group(
            "register",
            "Begin an organization's register, show or repair what it knows.",
            (
                Verb("init", "registers.init", "Begin a register, once per organization, and add it to datom.toml."),
                Verb(
                    "show",
                    "registers.show",
                    "Everything the register knows of a project.",
                ),
                Verb("repair", "registers.repair", "Complete a registration that broke off."),
            ),
        ),
        Verb("attach", "organization.attach", "Register the project."),
        Verb("upgrade", "moving.upgrade", "Convert the project to schema 2."),
        Verb("migrate", "moving.migrate", "Move the project's data with every version, verified."),
        Verb(
            "decommission",
            "moving.decommission",
            "Take the project away for good.",
        ),
        Verb("preflight", "organization.preflight", "Whether a bucket is fit for a project, check by check."),
        Verb("policy", "organization.policy", "The least rights that somebody needs on a bucket, as an IAM policy."),
    ],
}
