"""What every verb shares: where the project is, how to answer, and the options for both."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from datom_core.command.output import Output

if TYPE_CHECKING:
    import datom_core as dc


@dataclass
class Session:
    """One run of a verb.

    Attributes:
        project, register: what the options say about where the project is.
        output: how to answer.
    """

    project: str | None
    register: str | None
    output: Output

    @cached_property
    def settings(self) -> dc.ProjectSettings:
        """Where the project is."""
        import datom_core as dc

        return dc.find_settings(self.project, register=self.register)

    @cached_property
    def reader(self) -> dc.ProjectReader:
        """The project, to read: storage alone, no git."""
        return self.settings.open_reader()

    @cached_property
    def opened(self) -> dc.Project:
        """The project, to write."""
        return self.settings.open_project()

    @cached_property
    def register_settings(self) -> dc.RegisterSettings:
        """Where the register is."""
        import datom_core as dc

        return dc.find_register(self.register, project=self.project)

    @cached_property
    def governance(self) -> dc.Governance:
        """The register."""
        return self.register_settings.open()


def without_git(error: Exception) -> bool:
    """Whether this says that there is nothing on this machine to ask git with."""
    import datom_core as dc

    return isinstance(error, ImportError) or (
        isinstance(error, dc.NotFoundError) and error.details.get("program") == "git"
    )


#: More than there is of anything, and a number that everything below can count to.
_MOST = 10**12

#: Options of every verb: parameter -> annotation and default.
SHARED_OPTIONS: dict[str, tuple[Any, Any]] = {
    "project": (
        Annotated[
            str | None,
            typer.Option(
                "--project",
                "-p",
                metavar="WHERE",
                help="Where the project is: a folder, s3://bucket/prefix, or its name in a register.",
            ),
        ],
        None,
    ),
    "register": (
        Annotated[str | None, typer.Option(metavar="WHERE", help="Where the register of projects is.")],
        None,
    ),
    "as_json": (Annotated[bool, typer.Option("--json", help="Answer in JSON.")], False),
    "quiet": (Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but the answer.")], False),
    "verbose": (Annotated[bool, typer.Option("--verbose", "-v", help="Tell each step.")], False),
    "color": (Annotated[bool, typer.Option("--color/--no-color", help="Colours, on a terminal.")], True),
    "pager": (Annotated[bool, typer.Option("--pager/--no-pager", help="Page long answers, on a terminal.")], True),
}


def with_session(verb: Callable[..., Any]) -> Callable[..., Any]:
    """A verb, whose first argument is a `Session`, as typer calls it: its own options, then those of all verbs."""
    own = list(inspect.signature(verb).parameters.values())[1:]
    hints = get_type_hints(verb, include_extras=True)
    parameters = [p.replace(annotation=hints[p.name], kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in SHARED_OPTIONS.items()
    ]

    @functools.wraps(verb)
    def call(**given: Any) -> Any:
        asked = {name: given.pop(name) for name in SHARED_OPTIONS}
        given = {name: min(value, _MOST) if type(value) is int else value for name, value in given.items()}
        output = Output(
            as_json=asked["as_json"],
            quiet=asked["quiet"],
            verbose=asked["verbose"],
            color=asked["color"],
            pager=asked["pager"],
        )
        with output:
            return verb(Session(asked["project"], asked["register"], output), **given)

    del call.__wrapped__  # its signature is not the one to show
    call.__signature__ = inspect.Signature([*parameters, *shared])  # type: ignore[attr-defined]
    call.__annotations__ = {p.name: p.annotation for p in [*parameters, *shared]}
    return call
