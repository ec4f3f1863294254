"""What changed from one version to the next, against the same anti-joins and comparisons by polars."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.local import Study
from benchmarks.measure import Table, alternating

KEY = ("USUBJID", "LBTESTCD", "VISITNUM")


def keyed(table: pa.Table) -> pa.Table:
    """The results with a natural key: two hundred rows per subject, none of whose tests recurs at a visit."""
    rows = np.arange(table.num_rows)
    columns = {
        "USUBJID": pa.array(np.char.add("01-", (rows // 200).astype(str))),
        "LBTESTCD": pa.array(np.char.add("T", (rows % 20).astype(str))),
        "VISITNUM": pa.array(rows // 20 % 10, pa.int32()),
    }
    rest = [name for name in table.column_names if name not in columns]
    return pa.table({**columns, **{name: table.column(name) for name in rest[: 11 - len(columns)]}})


def next_version(table: pa.Table) -> pa.Table:
    """One row in a thousand is gone, one in a thousand is new, and one in a hundred has another value in a column."""
    rows = table.num_rows
    number = next(f.name for f in table.schema if pa.types.is_floating(f.type))
    values = table.column(number).to_numpy().copy()
    values[::100] += 1
    changed = table.set_column(table.schema.get_field_index(number), number, pa.array(values))
    kept = changed.filter(pa.array(np.arange(rows) % 1000 != 7))
    new = table.slice(0, rows // 1000)
    other = pa.array(new.column(number).to_numpy() + 0.5)
    renamed = pa.array([f"02-{n}" for n in range(new.num_rows)])
    new = new.set_column(0, "USUBJID", renamed).set_column(table.schema.get_field_index(number), number, other)
    return pa.concat_tables([kept, new])


def by_polars(before: pa.Table, after: pa.Table) -> int:
    """How many rows came, went and changed: two anti-joins, and every column of the joined rows compared."""
    import polars as pl

    old, new = pl.from_arrow(before), pl.from_arrow(after)
    assert isinstance(old, pl.DataFrame)
    assert isinstance(new, pl.DataFrame)
    gone, came = old.join(new, on=KEY, how="anti"), new.join(old, on=KEY, how="anti")
    both = old.join(new, on=KEY, how="inner", suffix="_after")
    rest = [c for c in before.column_names if c not in KEY]
    differs = pl.any_horizontal(pl.col(c).ne_missing(pl.col(f"{c}_after")) for c in rest)
    return int(gone.height + came.height + both.filter(differs).height)


def changes(table: pa.Table, folder: Path, to: Table) -> None:
    """Between two versions, read from storage; and of one row."""
    study, before = Study(folder), keyed(table)
    after = next_version(before)
    first = study.project.write("lb", before)
    study.project.write("lb", after)
    reader, rows = study.project.reader, f"{table.num_rows:,} x {before.num_columns}"

    def read_and_compare() -> int:
        return by_polars(reader.read_arrow("lb", first.version, verify="bytes"), reader.read_arrow("lb"))

    def ours() -> int:
        found = reader.changes("lb", first.version, key=KEY)
        return int(found.added.num_rows + found.removed.num_rows) + found.changed

    assert ours() == read_and_compare(), "both tell of the same rows"
    measured, floor, history = alternating(ours, read_and_compare, lambda: reader.row_history("lb", _row(before)))
    to.add(
        f"changes between two versions, {rows}",
        measured,
        "reading both, anti-joins and comparison by polars",
        floor,
        1.5,
    )
    to.add(
        f"history of one row, 2 versions, {rows}", history, "reading both, anti-joins and comparison by polars", floor
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"  tables {(before.nbytes + after.nbytes) / 1e6:.0f} MB; the process has had up to {peak / 1e6:.0f} MB")


def _row(table: pa.Table) -> dict[str, object]:
    return {column: table.column(column)[5].as_py() for column in KEY}
