"""How the versions of a table are compared, declared in plain values."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, Literal, get_args

import pyarrow as pa

import datom_core as dc

#: Whether what changed is told: of every table, by a key that is found; of those with a declared key; of none.
Compare = Literal["all", "keyed", "none"]

#: What stands for a value that may not be shown.
MASKED = "(masked)"

_TOLERANCES = ("absolute", "relative")


def check_compare(given: Any) -> Compare:
    """Return ``given`` when it says of which tables it is told what changed.

    Raises:
        InvalidInputError: names what there is.
    """
    if given not in get_args(Compare):
        raise dc.InvalidInputError(f"compare is one of {', '.join(get_args(Compare))}, not {given!r}.")
    found: Compare = given
    return found


def comparison_of(given: Any) -> dc.ComparisonSettings:
    """The settings in a mapping as of `comparison_document`, or in its JSON; settings themselves are checked.

    Raises:
        InvalidInputError: names every setting that there is not, or that cannot be.
    """
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError) as error:
            raise dc.InvalidInputError(f"A comparison is a JSON object; this is no JSON: {error}.") from error
    known = [f.name for f in fields(dc.ComparisonSettings)]
    if isinstance(given, dc.ComparisonSettings):
        given = {name: getattr(given, name) for name in known}
    if not isinstance(given, Mapping):
        raise dc.InvalidInputError(f'A comparison is a mapping, as in {{"ignore": ["AESEQ"]}}, not {given!r}.')
    problems = [f"there is no {name!r}.{dc.did_you_mean(str(name), known)}" for name in given if name not in known]
    problems += [p for name in known if name in given for p in _problems(name, given[name])]
    if problems:
        raise dc.InvalidInputError(
            f"Versions cannot be compared so; settings are {', '.join(known)}:\n  - " + "\n  - ".join(problems)
        )
    settled: dict[str, Any] = {n: dict(v) if n in _TOLERANCES else _columns(v) for n, v in given.items()}
    return dc.ComparisonSettings(**settled)


def comparison_document(settings: dc.ComparisonSettings) -> dict[str, Any]:
    """The settings that say anything, as plain values."""
    said = {f.name: getattr(settings, f.name) for f in fields(settings)}
    document: dict[str, Any] = json.loads(json.dumps({name: value for name, value in said.items() if value}))
    return document


def unknown_masks(settings: dc.ComparisonSettings, columns: Iterable[str]) -> list[str]:
    """The columns that should be masked, and are not there: perhaps misspelt, so that another one would be shown."""
    known = set(columns)
    return [c for c in settings.masked if c not in known]


def fitting_masks(settings: dc.ComparisonSettings, *tables: pa.Table) -> dc.ComparisonSettings:
    """The settings without masked columns that none of the tables has; who shows values looks for those before."""
    known = {c for table in tables for c in table.column_names}
    return replace(settings, masked=tuple(c for c in settings.masked if c in known))


def _problems(name: str, value: Any) -> Iterator[str]:
    if name not in _TOLERANCES:
        columns = _columns(value)
        if not isinstance(value, str | list | tuple) or not all(isinstance(c, str) and c for c in columns):
            yield f"{name} is a list of column names, not {value!r}"
        return
    if not isinstance(value, Mapping) or not all(isinstance(c, str) and c for c in value):
        yield f"{name} is a mapping from column to tolerance, not {value!r}"
        return
    for column, tolerance in value.items():
        number = isinstance(tolerance, int | float) and not isinstance(tolerance, bool)
        if not number or not math.isfinite(tolerance) or tolerance < 0:
            yield f"{name}[{column!r}] is a number from 0, not {tolerance!r}"


def _columns(given: Any) -> tuple[Any, ...]:
    return (given,) if isinstance(given, str) else tuple(given) if isinstance(given, list | tuple) else ()
