"""All verbs under one name, in groups that a reader of `datom --help` can guess from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from datom_core.command.session import with_session
from datom_core.command.shells import SCRIPTS
from datom_core.command.verbs import VERBS, Group, Verb

# typer has its own copy of click, or the one that is installed; only these of its errors have names of its own.
#: What is raised for arguments that a verb does not take.
RefusedArguments: type[Exception] = typer.BadParameter.__bases__[0]
#: What is raised when the user ends a verb.
Interrupted: type[Exception] = typer.Abort

_COMMON: dict[str, Any] = {
    "rich_markup_mode": None,  # rich would be loaded to show help: it takes longer than all the rest
    "pretty_exceptions_enable": False,
    "add_completion": False,  # there are scripts of our own
    "context_settings": {"help_option_names": ["-h", "--help"], "max_content_width": 100},
}


class _Commands(Mapping[str, Any]):
    """Name -> command, which is made when it is asked for: each has a dozen options, and one of them runs."""

    def __init__(self, listed: list[Verb | Group]) -> None:
        self._listed = {one.name: one for one in listed}
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = _made(self._listed[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)


class VerbCommand(TyperCommand):
    """A verb, whose usage is written as its page has it: what is optional in brackets, and nothing in braces."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        # A path that is empty would be the working folder, and a state that is empty the current one.
        if "" in args:
            before = args[args.index("") - 1] if args.index("") else ""
            which = f"What follows {before}" if before.startswith("-") else "One of the words"
            raise typer.BadParameter(f"{which} is empty, as of a variable that is not set.", ctx=ctx)
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [argument_shown(p) for p in self.params if p.param_type_name == "argument"] + ["[OPTIONS]"]


def argument_shown(argument: Any) -> str:
    """An argument as a usage has it: ``TABLE``, ``[TABLE]``, ``FILE...``."""
    name: str = argument.metavar or argument.name.upper()
    name = f"{name}..." if argument.nargs != 1 and not name.rstrip("]").endswith("...") else name
    return name if argument.required or (name.startswith("[") and name.endswith("]")) else f"[{name}]"


class VerbGroup(TyperGroup):
    """Verbs, listed by what they are for.

    Attributes:
        sections: title of a section -> its verbs.
    """

    sections: dict[str, list[Verb | Group]]

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for section, listed in self.sections.items():
            with formatter.section(section):
                formatter.write_dl([(one.name, one.summary) for one in listed])


def command() -> Any:
    """The whole command, ready to run."""
    return _group(VERBS, help=_HELP, callback=_global)


def _group(sections: dict[str, list[Verb | Group]], **options: Any) -> Any:
    made: Any = typer.main.get_command(
        _with_callback(typer.Typer(cls=VerbGroup, no_args_is_help=True, **_COMMON), **options)
    )
    made.sections = sections
    made.commands = _Commands([one for listed in sections.values() for one in listed])
    return made


def _with_callback(app: typer.Typer, *, help: str, callback: Any) -> typer.Typer:  # noqa: A002 - as typer has it
    app.callback(help=help)(callback)
    return app


def _made(one: Verb | Group) -> Any:
    if isinstance(one, Group):
        made = _group({"Verbs": [*one.verbs]}, help=one.summary, callback=lambda: None)
    else:
        app = typer.Typer(**_COMMON)
        app.command(one.name, cls=VerbCommand)(with_session(one.function()))
        made = typer.main.get_command(app)
        for argument in made.params:
            if argument.param_type_name == "argument" and argument.metavar is None:
                argument.metavar = (argument.name or "").upper()
    made.name = one.name
    return made


_HELP = """Version control for the tables of clinical studies.

A version is named as TABLE@STATE, where STATE is a cut, a date, now, or the first digits of a version: lb@2026-02,
lb@a84c4a. @STATE is the whole study. The project is the nearest datom.toml, or what -p names.

Exit codes: 0 same or done, 1 differs or findings, 2 usage, 3 not found, 4 access, 5 integrity, 6 try again,
130 interrupted.
"""


def _version(asked: bool) -> None:
    if asked:
        from datom_core.version import __version__

        typer.echo(f"datom {__version__}")
        raise typer.Exit


def _completion(shell: str | None) -> None:
    if shell is None:
        return
    if shell not in SCRIPTS:
        raise typer.BadParameter(f"completion is there for {', '.join(SCRIPTS)}, not for {shell!r}.")
    typer.echo(SCRIPTS[shell])
    raise typer.Exit


def _global(
    version: bool = typer.Option(False, "--version", help="Show the version.", callback=_version, is_eager=True),
    show_completion: str | None = typer.Option(
        None,
        metavar="SHELL",
        help='Show what makes a shell (bash, zsh, fish) complete: eval "$(datom --show-completion bash)".',
        callback=_completion,
        is_eager=True,
        autocompletion=lambda: list(SCRIPTS),
    ),
) -> None:
    pass
