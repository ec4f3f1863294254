"""Arguments that several verbs share: a table, a table at a state, a cut, the values that name a row."""

from __future__ import annotations

from collections.abc import Container
from typing import Annotated, Any

import typer

from datom_core.command.verbs import completion


def _table_at() -> Any:
    return typer.Argument(
        metavar="TABLE[@STATE]",
        help="A table, now or at a state: a cut, a review mark, a date, or the first digits of a version.",
        autocompletion=completion.tables_at,
    )


#: A table.
TableName = Annotated[str, typer.Argument(metavar="TABLE", help="Name of a table.", autocompletion=completion.tables)]
#: A table at a state; `dc.Reference.parse` takes it apart.
TableAt = Annotated[str, _table_at()]
#: The same, or nothing.
OptionalTableAt = Annotated[str | None, _table_at()]
#: The name of a cut, or none.
OptionalCut = Annotated[
    str | None, typer.Argument(metavar="CUT", help="Name of a cut.", autocompletion=completion.cuts)
]
#: Columns and their values, which name a row; `by_column` takes them apart.
KeyValue = Annotated[
    list[str],
    typer.Argument(
        metavar="COLUMN=VALUE", help="Which row: columns and their values.", autocompletion=completion.columns
    ),
]


def without_at(name: str, known: Container[str]) -> str:
    """The name of a cut, which may be written as the study's state: ``@lock`` is ``lock``."""
    return name.removeprefix("@") if name not in known else name


def by_column(given: list[str]) -> dict[str, str]:
    """``["USUBJID=01-001", "AESEQ=1"]`` as a mapping; the first ``=`` ends the column's name.

    Raises:
        RefusedArguments: no ``=``, no column before it, or a column named twice.
    """
    found: dict[str, str] = {}
    for pair in given:
        column, equals, value = pair.partition("=")
        if not equals or not column:
            raise typer.BadParameter(f"{pair!r} is no COLUMN=VALUE, as in USUBJID=01-001.")
        if column in found:
            raise typer.BadParameter(f"{column} is given twice.")
        found[column] = value
    return found
