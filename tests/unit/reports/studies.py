"""Values of a comparison made by hand, for reports: small ones, and those of a study with a few hundred changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from datom_core.comparing import ComparisonSettings, KeyDecision, RejectedKey, Side, StudyChanges, TableChanges
from datom_core.documents import Author, Version
from datom_core.tables import as_text

Cell = tuple[tuple[Any, ...], str, Any, Any]

KEY = KeyDecision(
    ("USUBJID", "AESEQ"),
    "domain",
    "The natural key of AE in the SDTM implementation guide.",
    (RejectedKey(("USUBJID", "AETERM"), "data", "is not unique in after: 3 rows share USUBJID 01-701-1015"),),
)
COLUMNS = ("USUBJID", "AESEQ", "AETERM", "AESEV", "AESTDY", "ARM")
WHOLE = pa.schema(
    [
        ("USUBJID", pa.string()),
        ("AESEQ", pa.int64()),
        ("AETERM", pa.string()),
        ("AESEV", pa.string()),
        ("AESTDY", pa.float64()),
        ("ARM", pa.string()),
    ]
)


def version(letter: str, message: str = "AE extract", commit: str | None = None) -> Version:
    return Version(
        version=letter * 64,
        data_sha=letter * 64,
        timestamp="2026-02-28T18:00:00Z",
        author=Author("Ana Ruiz", "ana@example.com"),
        message=message,
        commit_sha=commit or letter * 40,
    )


def rows(schema: pa.Schema, listed: Iterable[Sequence[Any]]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in listed], schema)


def cells_of(
    key: Mapping[str, pa.DataType], types: Mapping[str, pa.DataType], cells: Sequence[Cell]
) -> tuple[pa.Table, dict[str, pa.Table], dict[str, int]]:
    """``cells``, ``typed`` and ``by_column`` of these changes."""
    keys = [pa.array([c[0][i] for c in cells], kind) for i, kind in enumerate(key.values())]
    columns = [c[1] for c in cells]
    typed = {}
    texts: dict[str, tuple[list[str | None], list[str | None]]] = {}
    for name, kind in types.items():
        places = [i for i, c in enumerate(columns) if c == name]
        if places:
            sides = [pa.chunked_array([pa.array([cells[i][s] for i in places], kind)]) for s in (2, 3)]
            taken = [k.take(pa.array(places)) for k in keys]
            typed[name] = pa.Table.from_arrays([*taken, *sides], names=[*key, "before", "after"])
            texts[name] = as_text(sides[0]), as_text(sides[1])
    seen: Counter[str] = Counter()
    pairs = []
    for name in columns:
        pairs.append((texts[name][0][seen[name]], texts[name][1][seen[name]]))
        seen[name] += 1
    table = pa.Table.from_arrays(
        [*keys, pa.array(columns, pa.string()), *(pa.array([p[i] for p in pairs], pa.string()) for i in (0, 1))],
        names=[*key, "column", "before", "after"],
    )
    return table, typed, {c: seen[c] for c in types if seen[c]}


def subjects(listed: Iterable[Sequence[Any]] = ()) -> pa.Table:
    names = ("added", "removed", "changed", "cells", "renumbered", "rekeyed", "duplicates")
    return rows(pa.schema([("subject", pa.string()), *((n, pa.int64()) for n in names)]), listed)


def changes(table: str = "ae", listed: Sequence[Cell] = (), **given: Any) -> TableChanges:
    """Changes of a table like AE: what is not given has not changed."""
    key = {"USUBJID": pa.string(), "AESEQ": pa.int64()}
    types = {n: WHOLE.field(n).type for n in COLUMNS[2:]}
    made, typed, by_column = cells_of(key, types, listed)
    ends = [f"{c}{e}" for c in key for e in (" before", " after")]
    empty: dict[str, Any] = {
        "table": table,
        "fate": "changed",
        "before": Side(100, COLUMNS, version("a"), "cut-1"),
        "after": Side(101, COLUMNS, version("b", "AE extract, queries answered"), "cut-2"),
        "key": KEY,
        "settings": ComparisonSettings(),
        "unchanged": 90,
        "changed": len({c[0] for c in listed}),
        "reordered": False,
        "columns_added": (),
        "columns_removed": (),
        "columns_renamed": {},
        "columns_changed": (),
        "attributes_changed": (),
        "by_column": by_column,
        "subject": "USUBJID",
        "cells": made,
        "typed": typed,
        "added": WHOLE.empty_table(),
        "removed": WHOLE.empty_table(),
        "renumbered": rows(
            pa.schema([("USUBJID", pa.string()), ("AESEQ before", pa.int64()), ("AESEQ after", pa.int64())]), ()
        ),
        "rekeyed": rows(pa.schema([(n, pa.int64() if "SEQ" in n else pa.string()) for n in ends]), ()),
        "duplicates": rows(pa.schema([("side", pa.string()), ("group", pa.int64()), *WHOLE]), ()),
        "by_subject": subjects(),
    }
    return TableChanges(**(empty | given))


def every_kind(table: str = "ae", secret: str = "Placebo", **given: Any) -> TableChanges:
    """One table with something of each kind; ``secret`` is in the column ARM of each."""
    one = ("01-701-1015", 1)
    blank = changes()
    return changes(
        table,
        [
            (one, "AETERM", "HEADACHE", "HEADACHE "),
            (one, "AESTDY", 3.0, None),
            (("01-701-1023", 2), "ARM", secret, f"{secret} 2"),
        ],
        added=rows(WHOLE, [("01-701-1015", 4, "NAUSEA", None, 12.5, secret)]),
        removed=rows(WHOLE, [("01-701-1023", 1, "RASH", "MILD", None, secret), ("01-701-1023", 9, "", "", 1, secret)]),
        renumbered=rows(blank.renumbered.schema, [("01-701-1033", 1, 2)]),
        rekeyed=rows(blank.rekeyed.schema, [("01-701-1034", "01-701-1043", 1, 1)]),
        duplicates=rows(
            blank.duplicates.schema,
            [
                ("before", 1, "01-701-1047", 1, "COUGH", "MILD", 1, secret),
                ("after", 1, "01-701-1047", 1, "COUGH", "MILD", 1, secret),
                ("after", 1, "01-701-1047", 1, "COUGH", "SEVERE", 1, secret),
            ],
        ),
        by_subject=subjects([("01-701-1015", 1, 0, 1, 2, 0, 0, 0), ("01-701-1023", 0, 2, 1, 1, 0, 0, 0)]),
        **given,
    )


def gone(table: str, fate: str, whole: pa.Table) -> TableChanges:
    """A table that came or went."""
    side = Side(whole.num_rows, tuple(whole.column_names), version("c"), "cut-2")
    none = pa.table({})
    return changes(
        table,
        fate=fate,
        before=side if fate == "went" else None,
        after=side if fate == "came" else None,
        key=KeyDecision((), "rows", ""),
        unchanged=0,
        added=whole if fate == "came" else none,
        removed=whole if fate == "went" else none,
        cells=none,
        renumbered=none,
        rekeyed=none,
        duplicates=none,
        subject=None,
        by_subject=subjects(),
    )


def study(*tables: TableChanges, project: str = "STUDY_001") -> StudyChanges:
    return StudyChanges(project, "cut-1", "cut-2", {t.table: t for t in tables})


def mixed(secret: str = "Placebo") -> StudyChanges:
    """Every fate, every kind."""
    same = changes("vs", fate="unchanged", unchanged=100, after=Side(100, COLUMNS, version("b"), "cut-2"))
    whole = rows(WHOLE, [("01-701-1015", 1, "X", "MILD", 1, secret)])
    return study(every_kind("ae", secret), gone("lb", "came", whole), gone("qs", "went", whole), same)
