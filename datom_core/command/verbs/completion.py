"""What a shell offers for the word that is being typed: tables, states, cuts, columns of the project at hand.

A completion that cannot be made is silent: whatever is wrong is told when the verb runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import datom_core as dc


def tables(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of tables."""
    return _offer(ctx, incomplete, lambda reader: (t.name for t in reader.list()))


def sets(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of sets; after the ``@`` the versions of the set."""
    name, at, _ = incomplete.partition("@")
    if not at:
        return _offer(ctx, incomplete, lambda reader: (s.name for s in reader.sets()))
    return _offer(ctx, incomplete, lambda reader: (f"{name}@{v.version[:8]}" for v in reader.history(name)))


def tables_at(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of tables; after the ``@`` the cuts, review marks and versions of the table, or of the study."""
    table, at, _ = incomplete.partition("@")
    if not at:
        return tables(ctx, incomplete)
    return _offer(ctx, incomplete, lambda reader: (f"{table}@{state}" for state in _states_of(reader, table)))


def states(ctx: typer.Context, incomplete: str) -> list[str]:
    """States of the study: cuts, newest first, and review marks."""
    at = "@" if incomplete.startswith("@") else ""
    return _offer(ctx, incomplete, lambda reader: (at + state for state in _states_of(reader, "")))


def any_states(ctx: typer.Context, incomplete: str) -> list[str]:
    """States of the study, or of a table."""
    return list(dict.fromkeys([*states(ctx, incomplete), *tables_at(ctx, incomplete)]))


def to_verify(ctx: typer.Context, incomplete: str) -> list[str]:
    """How closely, or a table, or a state of it or of the study."""
    levels = [level for level in ("quick", "deep", "full") if level.startswith(incomplete)]
    return [*levels, *tables_at(ctx, incomplete)]


def cuts(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of cuts, newest first."""
    return _offer(ctx, incomplete, lambda reader: reversed(list(reader.cuts())))


def columns(ctx: typer.Context, incomplete: str) -> list[str]:
    """``COLUMN=`` for the columns of the table before it."""
    table = str(ctx.params.get("table") or "").partition("@")[0]
    if "=" in incomplete or not table:
        return []
    return _offer(ctx, incomplete, lambda reader: (f"{c}=" for c in reader.metadata(table).column_names))


def _states_of(reader: dc.ProjectReader, table: str) -> Iterable[str]:
    cuts, marks = reader.cuts(), reader.reviews()
    if not table:
        return [*reversed(list(cuts)), *marks]
    held = [name for name in reversed(list(cuts)) if table in cuts[name]]
    return [*held, *(n for n, mark in marks.items() if table in mark), *(v.version[:8] for v in reader.history(table))]


def _offer(ctx: typer.Context, incomplete: str, known: Callable[[dc.ProjectReader], Iterable[str]]) -> list[str]:
    import warnings

    try:
        import datom_core as dc

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            settings = dc.find_settings(ctx.params.get("project"), register=ctx.params.get("register"))
            return [word for word in known(settings.open_reader()) if word.startswith(incomplete)]
    except Exception:  # noqa: BLE001 - what is wrong is told when the verb runs
        return []
