"""All verbs under one name, in groups that a reader of `datom --help` can guess from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup

from datom_core.command.session import with_session
from datom_core.command.shells import SCRIPTS
from datom_core.command.verbs import VERBS, Group, Verb

# typer has its own copy of click, or the one that is installed; only these of its errors have names of its own.
#: What is raised for arguments that a verb does not take.
RefusedArguments: type[Exception] = typer.BadParameter.__bases__[0]
#: What is raised when the user ends a verb.
Interrupted: type[Exception] = typer.Abort


class VerbGroup(TyperGroup):
    """The verbs, listed by what they are for."""

    sections: ClassVar[dict[str, list[str]]] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for section, verbs in VERBS.items():
            with formatter.section(section):
                formatter.write_dl([(verb.name, verb.help) for verb in verbs])


class _Commands(Mapping[str, Any]):
    """Verb -> its command, which is made when it is asked for: making all takes longer than most verbs."""

    def __init__(self, verbs: Iterable[Verb | Group]) -> None:
        self._verbs = {verb.name: verb for verb in verbs}
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            verb = self._verbs[name]
            app = _app(name=name, help=verb.help, no_args_is_help=isinstance(verb, Group))
            for one in verb.verbs if isinstance(verb, Group) else (verb,):
                app.command(one.name)(with_session(one.function))
            self._made[name] = typer.main.get_command(app)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._verbs)

    def __len__(self) -> int:
        return len(self._verbs)


def command() -> Any:
    """The whole command, ready to run."""
    app = _app(
        cls=VerbGroup,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback(help=_HELP)(_global)
    VerbGroup.sections = {section: [v.name for v in verbs] for section, verbs in VERBS.items()}
    whole = typer.main.get_command(app)
    whole.commands = _Commands(verb for verbs in VERBS.values() for verb in verbs)  # type: ignore[attr-defined]
    return whole


def _app(**options: Any) -> typer.Typer:
    return typer.Typer(
        rich_markup_mode=None,  # rich would be loaded to show help: it takes longer than all the rest
        pretty_exceptions_enable=False,
        add_completion=False,  # there are scripts of our own
        **options,
    )


_HELP = """Version control for the tables of clinical studies.

A version is named as TABLE@STATE, where STATE is a cut, a date, or the first digits of a version: lb@2026-02,
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
