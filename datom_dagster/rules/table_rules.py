"""What must hold for a table, declared in plain values."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any

import datom_core as dc

#: A value that a column may hold; dates as ISO 8601 text.
Value = str | int | float | bool
#: The lower and the upper end, both included; ``None`` leaves one open.
Range = tuple[str | int | float | None, str | int | float | None]

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?")


@dc.fitting
@dataclass(frozen=True)
class TableRules:
    """What must hold for a table. A missing value is one that is not there, or empty text, as in SAS.

    Attributes:
        key: columns that together tell every row from every other, and are never missing.
        required: columns that must be there.
        allowed: column -> the values that it may hold; a missing one is always allowed.
        ranges: column -> (lowest, highest), both included, ``None`` for an open end; numbers, or ISO 8601 dates
            and times for dates, times (in UTC) and SDTM's dates and intervals in text, which count as in a range if
            they may be. A missing value is in every range.
        max_row_drop: the largest part of the previous version's rows that a version may lose: 0.1 is a tenth.
        stable_schema: no column of the previous version may be gone, or be of another kind (number, text, date, time
            or duration).
        max_rows_removed: the largest part of the previous version's rows that may be gone, by their key: that of the
            rules, else one that is known for the table. A row that is there under another number or key is not gone.
        stable_subjects: no subject (USUBJID, else SUBJID) of the previous version may be gone.
        stable_key: no column of the key may be of another kind than in the previous version.
        locked: cut -> columns that may still change. Once a cut holds the table, no later version may differ from it
            in anything else: rows, their order, values, columns, kinds of columns. ``"lock"`` stands for that cut,
            and no such columns.
        changes_since: name of a cut or of a review mark; nothing may have changed since, as the table is compared.

    Raises:
        InvalidInputError: names every invalid declaration.
    """

    key: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    allowed: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    ranges: Mapping[str, Range] = field(default_factory=dict)
    max_row_drop: float | None = None
    stable_schema: bool = False
    max_rows_removed: float | None = None
    stable_subjects: bool = False
    stable_key: bool = False
    locked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    changes_since: str | None = None

    def __post_init__(self) -> None:
        problems = [*self._column_problems(), *self._value_problems(), *self._range_problems(), *self._other_problems()]
        if problems:
            raise dc.InvalidInputError("Some rules cannot be:\n  - " + "\n  - ".join(problems))
        # Dates become text, so that equal rules compare equal; what the caller passed is copied, so that none changes.
        settled: dict[str, Any] = {
            "key": _columns(self.key),
            "required": _columns(self.required),
            "allowed": {c: tuple(map(_plain, values)) for c, values in self.allowed.items()},
            "ranges": {c: tuple(map(_plain, ends)) for c, ends in self.ranges.items()},
            "locked": _cuts(self.locked),
        }
        for name, value in settled.items():
            object.__setattr__(self, name, value)

    @property
    def declared(self) -> tuple[str, ...]:
        """The names of the rules that were declared, in order."""
        said = {f.name: getattr(self, f.name) for f in fields(self)}
        # A drop of 0, no row may be lost, is a rule, though 0 equals False.
        return tuple(n for n, v in said.items() if v is not None and v is not False and v not in ((), {}))

    @property
    def compares(self) -> bool:
        """Whether a rule needs the previous version."""
        return self.max_row_drop is not None or self.compares_schema or self.compares_rows

    @property
    def compares_schema(self) -> bool:
        """Whether a rule needs to know its columns."""
        return self.stable_schema or self.stable_key

    @property
    def compares_rows(self) -> bool:
        """Whether a rule needs its data."""
        return self.max_rows_removed is not None or self.stable_subjects

    @property
    def names(self) -> tuple[str, ...]:
        """The cuts and marks that rules name."""
        return (*self.locked, *(() if self.changes_since is None else (self.changes_since,)))

    def to_json(self) -> dict[str, Any]:
        """The declared rules, as plain values."""
        document: dict[str, Any] = json.loads(json.dumps({name: getattr(self, name) for name in self.declared}))
        return document

    @classmethod
    def from_json(cls, document: Any) -> TableRules:
        """The rules in a document, or in its text.

        Raises:
            InvalidInputError: it is not a document of rules; names every unknown rule.
        """
        if isinstance(document, str):
            try:
                document = json.loads(document)
            except (ValueError, RecursionError) as error:
                raise dc.InvalidInputError(f"Rules are a JSON object; this is no JSON: {error}.") from error
        if not isinstance(document, Mapping):
            raise dc.InvalidInputError(f"Rules are a JSON object, as of TableRules.to_json(), not {document!r}.")
        known = [f.name for f in fields(cls)]
        unknown = sorted(str(name) for name in document if name not in known)
        if unknown:
            raise dc.InvalidInputError(f"No such rules: {', '.join(unknown)}; known are {', '.join(known)}.")
        return cls(**document)

    def _column_problems(self) -> Iterator[str]:
        for name in ("key", "required"):
            given: Any = getattr(self, name)
            columns = _columns(given)
            if not isinstance(given, str | list | tuple) or not all(isinstance(c, str) and c for c in columns):
                yield f"{name} is a list of column names, not {given!r}"
            elif len(set(columns)) != len(columns):
                yield f"{name} names a column twice: {', '.join(columns)}"

    def _value_problems(self) -> Iterator[str]:
        if not _by_column(self.allowed):
            yield f"allowed is a mapping from column to values, not {self.allowed!r}"
            return
        values: Any
        for column, values in self.allowed.items():
            if not isinstance(values, list | tuple | set | frozenset) or not values:
                yield f"allowed[{column!r}] is a list of at least one value, not {values!r}"
                continue
            bad = [
                v for v in values if not isinstance(_plain(v), Value) or (isinstance(v, float) and not math.isfinite(v))
            ]
            if bad:
                yield f"allowed[{column!r}] holds {bad!r}; values are text, numbers, dates or truth values"
            elif len({_kind(v) for v in values}) > 1:
                yield f"allowed[{column!r}] mixes kinds of values: {list(values)!r}"

    def _range_problems(self) -> Iterator[str]:
        if not _by_column(self.ranges):
            yield f"ranges is a mapping from column to (lowest, highest), not {self.ranges!r}"
            return
        for column, ends in self.ranges.items():
            problem = _range_problem(ends)
            if problem is not None:
                yield f"ranges[{column!r}] {problem}"

    def _other_problems(self) -> Iterator[str]:
        for name in ("max_row_drop", "max_rows_removed"):
            part = _as_any(getattr(self, name))
            if part is not None and (isinstance(part, bool) or not isinstance(part, int | float) or not 0 <= part < 1):
                yield f"{name} is a part of the rows, from 0 to below 1, not {part!r}"
        for name in ("stable_schema", "stable_subjects", "stable_key"):
            said = _as_any(getattr(self, name))
            if not isinstance(said, bool):
                yield f"{name} is True or False, not {said!r}"
        if self.stable_key is True and not self.key:
            yield "stable_key needs a key"
        yield from self._name_problems()

    def _name_problems(self) -> Iterator[str]:
        cuts = _cuts(self.locked)
        if not isinstance(cuts, dict):
            yield f"locked is a cut, or a mapping from cut to columns that may still change, not {cuts!r}"
            cuts = {}
        for cut, columns in cuts.items():
            yield from _unnameable(f"locked[{cut!r}]", cut)
            if not isinstance(columns, tuple) or not all(isinstance(c, str) and c for c in columns):
                yield f"locked[{cut!r}] is a list of column names, not {columns!r}"
        if self.changes_since is not None:
            yield from _unnameable("changes_since", self.changes_since)


def _unnameable(what: str, name: Any) -> Iterator[str]:
    try:
        dc.check_cut_name(name)
    except dc.InvalidInputError as error:
        yield f"{what}: {error}"


def _cuts(given: Any) -> Any:
    """Cuts with the columns that may still change; anything else as it is."""
    if isinstance(given, str):
        return {given: ()}
    if not isinstance(given, Mapping):
        return given
    return {cut: _columns(c) if isinstance(c, str | list | tuple) else c for cut, c in given.items()}


def _range_problem(ends: Any) -> str | None:
    if not isinstance(ends, list | tuple) or len(ends) != 2:
        return f"is a pair (lowest, highest), not {ends!r}"
    given = [_plain(e) for e in ends if e is not None]
    if not given:
        return "is open at both ends, so that it says nothing"
    bad = [e for e in given if not _is_number(e) and not _is_iso(e)]
    if bad:
        return f"has the ends {bad!r}; an end is a number, or a date or time (without offset) as in '2026-01-31'"
    if len({isinstance(e, str) for e in given}) > 1:
        return f"has a number and a date as ends: {ends!r}"
    return f"ends before it begins: {ends!r}" if len(given) == 2 and given[0] > given[1] else None


def _as_any(given: Any) -> Any:
    """What the caller gave, whatever the annotation promises."""
    return given


def _columns(given: Any) -> tuple[Any, ...]:
    return (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Iterable) else (given,)


def _by_column(given: Any) -> bool:
    return isinstance(given, Mapping) and all(isinstance(c, str) and c for c in given)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _kind(value: Any) -> str:
    return "truth value" if isinstance(value, bool) else "text" if isinstance(_plain(value), str) else "number"


def _is_number(end: Any) -> bool:
    return isinstance(end, int | float) and not isinstance(end, bool) and math.isfinite(end)


def _is_iso(end: Any) -> bool:
    if not isinstance(end, str) or not _ISO.fullmatch(end):
        return False
    try:
        datetime.fromisoformat(end)
    except ValueError:
        return False
    return True
