"""Refuse settings that cannot be, all of them at once, before anything is compared."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from datom_core.common import did_you_mean
from datom_core.comparing.changes import ComparisonSettings
from datom_core.errors import InvalidInputError

if TYPE_CHECKING:
    from datom_core.tables import TwoTables

_TOLERANCES = ("absolute", "relative")
_LISTS = ("fold_case", "fold_blanks", "ignore", "masked")


def checked_settings(settings: object | None) -> ComparisonSettings:
    """Settings in the form that they must have, whatever the tables are; without any, the default.

    Raises:
        InvalidInputError: these are no settings; names every tolerance that is not given by column, and every list that
            is none of column names.
    """
    if settings is None:
        return ComparisonSettings()
    if not isinstance(settings, ComparisonSettings):
        raise InvalidInputError(f"settings are a ComparisonSettings, not {settings!r}.")
    problems = []
    for what in _TOLERANCES:
        given: object = getattr(settings, what)
        if not isinstance(given, Mapping):
            problems.append(f"{what}: give a mapping from column to tolerance, not {given!r}")
        else:
            problems += [f"{what}: {c!r} is no column name" for c in given if not isinstance(c, str)]
    for what in _LISTS:
        given = getattr(settings, what)
        if isinstance(given, str | bytes) or not isinstance(given, Collection):
            problems.append(f"{what}: give column names in a tuple, not {given!r}")
        else:
            problems += [f"{what}: {c!r} is no column name" for c in given if not isinstance(c, str)]
    if problems:
        raise _refused(problems)
    return settings


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
    if tables.shared and not set(tables.shared) - set(settings.ignore):
        problems.append("ignore: these are all columns that can be compared; leave one of them out")
    if problems:
        raise _refused(problems)


def _refused(problems: list[str]) -> InvalidInputError:
    return InvalidInputError("Tables cannot be compared so:\n  - " + "\n  - ".join(problems))


def _unknown(settings: ComparisonSettings, tables: TwoTables) -> Iterator[str]:
    known = list(dict.fromkeys([*tables.before.names, *tables.after.names]))
    for what in (*_TOLERANCES, *_LISTS):
        for column in getattr(settings, what):
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
