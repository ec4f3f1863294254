"""Answers: data on standard output, everything else on standard error; for a person, a pipe, or a script."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Self

from datom_core.command.forms import Answer, plain
from datom_core.command.wording import in_commands

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_WIDE = 100_000  # a pipe has no edge: nothing is cut or wrapped


class Output:
    """Says what a verb found.

    Args:
        as_json: answer in JSON.
        quiet: no notes and no progress.
        verbose: log each step.
        color, pager: allowed, on a terminal.
    """

    def __init__(self, *, as_json: bool, quiet: bool, verbose: bool, color: bool, pager: bool) -> None:
        self.as_json = as_json
        self._quiet, self._verbose, self._pager = quiet, verbose, pager
        self._color = color and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("always" if not self._quiet else "ignore", UserWarning)
        warnings.showwarning = lambda message, *args, **kwargs: self.note(f"warning: {message}")
        if self._verbose:
            handler = logging.StreamHandler(sys.stderr)
            handler.setFormatter(logging.Formatter("%(message)s"))
            logger = logging.getLogger("datom_core")
            logger.addHandler(handler)
            logger.setLevel(logging.DEBUG)
            self._stack.callback(logger.removeHandler, handler)
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    @contextmanager
    def delivering(self) -> Iterator[None]:
        """Around what writes to standard output, which may be a file on a full disk.

        Raises:
            StorageError: it could not be written.
        """
        try:
            yield
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            import datom_core as dc

            raise dc.StorageError(f"The answer could not be written: {error.strerror or error}.") from error

    def answer(self, answer: Answer, shown: Callable[[], Iterable[RenderableType]]) -> None:
        """The answer of a verb: as JSON, or as a person reads it.

        Args:
            answer: all of it.
            shown: makes what a person sees, by `table`, `pairs` or text; called only for a person.
        """
        if self.as_json:
            # Where standard output is not UTF-8, JSON is still whole.
            ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
            text = json.dumps({"form": answer.form, **plain(answer)}, ensure_ascii=ascii_only, indent=2)
            with self.delivering():
                sys.stdout.write(f"{text}\n")
            return
        self.show(shown)

    def show(self, shown: Callable[[], Iterable[RenderableType]]) -> None:
        """What a person sees, where the answer in JSON is not a verb's own form."""
        self._print(list(shown()))

    def note(self, text: str) -> None:
        """Something to know beside the answer, on standard error."""
        if not self._quiet:
            sys.stderr.write(f"{printable(in_commands(text))}\n")

    def raw(self, data: bytes) -> None:
        """Bytes on standard output, as a file has them."""
        with self.delivering():
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def confirm(self, name: str, what: str, given: str | None) -> str:
        """The name of what will be destroyed, typed out: as an option, or on a terminal.

        Raises:
            RefusedArguments: it was not given, and nobody can be asked.
        """
        import typer

        if given is not None:
            return given
        if self.as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise typer.BadParameter(f"{what} Give --confirm with the name {name!r} to do it.")
        self.note(what)
        try:
            return str(typer.prompt(f"Type {name} to go on", err=True, default="", show_default=False))
        except typer.Abort:
            sys.stderr.write("\n")  # what is said next is not part of the question
            raise

    @contextmanager
    def progress(self) -> Iterator[None]:
        """Bars for long work inside the block, on a terminal."""
        if self._quiet or self.as_json or not sys.stderr.isatty():
            yield
            return
        from datom_core.command.progress import bars

        with bars(color=self._color):
            yield

    def _print(self, shown: Sequence[RenderableType]) -> None:
        terminal = sys.stdout.isatty()
        sink = io.StringIO()
        console = self._console(sink, terminal=terminal)
        for part in shown:
            console.print(part)
        text = sink.getvalue()
        if not terminal:
            text = "".join(line.rstrip() + "\n" for line in text.splitlines())
        if terminal and self._pager and text.count("\n") >= console.size.height:
            os.environ.setdefault("LESS", "FRX")
            import pydoc

            pydoc.pager(text)
            return
        with self.delivering():
            sys.stdout.write(text)

    def _console(self, sink: io.StringIO, *, terminal: bool) -> Console:
        from rich.console import Console

        return Console(
            file=sink,
            width=None if terminal else _WIDE,
            force_terminal=terminal and self._color,
            no_color=not (terminal and self._color),
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=False,
        )


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Iterable[str] = (),
    styles: Mapping[int, str] | None = None,
) -> RenderableType:
    """Rows below headings, as wide as the terminal; long cells wrap there, and stay whole, on one line, in a pipe.

    Args:
        headings: of the columns.
        rows: cells, each shown as text; ``None`` is empty.
        right: headings of numbers.
        styles: place of a column -> its colour.
    """
    from rich.table import Table

    numbers = set(right)
    made = Table(box=None, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for place, heading in enumerate(headings):
        style = (styles or {}).get(place)
        made.add_column(heading, justify="right" if heading in numbers else "left", overflow="fold", style=style)
    for row in rows:
        made.add_row(*(cell(value, one_line=not sys.stdout.isatty()) for value in row))
    return made


def pairs(values: Iterable[tuple[str, object]]) -> RenderableType:
    """Names and values, a line each; what is ``None`` is left out."""
    from rich.table import Table

    made = Table(box=None, show_header=False, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in values:
        if value is not None:
            made.add_row(name, cell(value))
    return made


def cell(value: object, *, one_line: bool = False) -> Any:
    """A value as text that commands no terminal; ``None`` is empty. On one line, line breaks are shown as ``\\n``."""
    from rich.text import Text

    text = "" if value is None else str(value)
    return Text(printable(text, "" if one_line else "\n"))


def person(author: str | None) -> str | None:
    """An author as lists show one: the name, without the address that an answer in JSON has."""
    return author and (author.partition(" <")[0] or author)


def printable(text: str, kept: str = "\n") -> str:
    """Text that does not command the terminal, whatever a table holds; control characters are shown as ``\\x1b``."""
    return "".join(c if c.isprintable() or c in kept else c.encode("unicode_escape").decode() for c in text)
