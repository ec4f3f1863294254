"""Refuse settings that cannot be, all of them at once, before anything is compared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa

from datom_core.common import did_you_mean
from datom_core.comparing.changes import ComparisonSettings
from datom_core.errors import InvalidInputError
from datom_core.tables import TwoTables


def check_settings(settings: ComparisonSettings, tables: TwoTables, key: tuple[str, ...] = ()) -> None:
    """See that settings name columns of these tables, and fit their types.

    Raises:
        InvalidInputError: names every unknown column, with those that may be meant, every tolerance that is no number
            from 0 or not for numbers, every folding of what is not text, and key columns that are ignored or have a
            tolerance.
    """
    problems = [*_unknown(settings, tables), *_tolerances(settings, tables), *_foldings(settings, tables)]
    problems += [f"ignore: {c!r} is in the key; take it out of one of them" for c in settings.ignore if c in key]
    toleranced = dict.fromkeys([*settings.absolute, *settings.relative])
    problems += [f"tolerance: {c!r} is in the key, which is compared exactly" for c in toleranced if c in key]
    if problems:
        raise InvalidInputError("Tables cannot be compared so:\n  - " + "\n  - ".join(problems))


def _unknown(settings: ComparisonSettings, tables: TwoTables) -> Iterator[str]:
    known = list(dict.fromkeys([*tables.before.names, *tables.after.names]))
    named: dict[str, object] = {
        "absolute": settings.absolute, "relative": settings.relative, "fold_case": settings.fold_case,
        "fold_blanks": settings.fold_blanks, "ignore": settings.ignore, "masked": settings.masked,
    }  # fmt: skip
    for what, columns in named.items():
        if isinstance(columns, str) or not isinstance(columns, Iterable):
            yield f"{what}: give column names in a tuple, not {columns!r}"
            continue
        for column in columns:
            if column not in known:
                yield f"{what}: neither table has a column {column!r}.{did_you_mean(column, known)}"


def _tolerances(settings: ComparisonSettings, tables: TwoTables) -> Iterator[str]:
    given: tuple[tuple[str, Mapping[str, float]], ...] = (
        ("absolute", settings.absolute),
        ("relative", settings.relative),
    )
    for what, tolerances in given:
        for column, tolerance in tolerances.items():
            if isinstance(tolerance, bool) or not isinstance(tolerance, int | float):
                yield f"{what}: the tolerance of {column!r} is a number, not {tolerance!r}"
            elif not math.isfinite(tolerance) or tolerance < 0:
                yield f"{what}: the tolerance of {column!r} is a number from 0, not {tolerance!r}"
            for side, name in tables.sides:
                if column in side.tags and not _is_number(side.table.field(column).type):
                    kind = side.table.field(column).type
                    yield f"{what}: {column!r} is {kind} in {name}; only numbers have a tolerance"


def _foldings(settings: ComparisonSettings, tables: TwoTables) -> Iterator[str]:
    for what, columns in (("fold_case", settings.fold_case), ("fold_blanks", settings.fold_blanks)):
        for column in columns:
            for side, name in tables.sides:
                if column in side.tags and side.tags[column] != "chr":
                    yield f"{what}: {column!r} is {side.table.field(column).type} in {name}; only text is folded"


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
