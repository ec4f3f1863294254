"""Laboratory results for any number of subjects, the same in every run, and those of a real study."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa

from example_project.extract import extract

_TESTS = np.array(["ALT", "AST", "BILI", "CREAT", "GLUC", "HGB", "PLAT", "WBC"])
_UNITS = np.array(["U/L", "U/L", "umol/L", "umol/L", "mmol/L", "g/L", "10^9/L", "10^9/L"])
_PART = 1_000_000  # rows made at once


def lab_results(rows: int) -> pa.Table:
    """An LB domain of a given length: repeated codes, numbers as text, numbers with missing values, times as text."""
    parts = [_part(start, min(_PART, rows - start)) for start in range(0, rows, _PART)]
    return pa.concat_tables(parts).combine_chunks()


def _part(start: int, rows: int) -> pa.Table:
    rng = np.random.default_rng(1 + start)
    which = rng.integers(0, len(_TESTS), rows)
    value = rng.normal(50, 15, rows).round(2)
    subject = np.char.add("01-701-", rng.integers(1000, 3000, rows).astype(str))
    day = np.char.add("2026-0", np.char.add(rng.integers(1, 10, rows).astype(str), "-15T08:30"))
    return pa.table(
        {
            "USUBJID": subject,
            "LBSEQ": np.arange(start, start + rows, dtype=np.int64),
            "LBTESTCD": _TESTS[which],
            "LBTEST": np.char.add("Test ", _TESTS[which]),
            "LBCAT": np.where(which < 5, "CHEMISTRY", "HEMATOLOGY"),
            "LBORRES": value.astype(str),
            "LBORRESU": _UNITS[which],
            "LBSTRESN": pa.array(value, mask=rng.random(rows) < 0.03),
            "VISITNUM": rng.integers(1, 12, rows).astype(np.float64),
            "VISIT": np.char.add("WEEK ", rng.integers(0, 26, rows).astype(str)),
            "LBDTC": day,
        }
    )


def pilot_lb() -> pa.Table:
    """LB of the CDISC pilot study, as the example project loads it."""
    return pa.Table.from_pandas(extract("lb", date(2030, 1, 1)), preserve_index=False)


def corrected(table: pa.Table, number: int) -> pa.Table:
    """The table with one value changed, as after a query."""
    column = table.column("LBSTRESN").to_numpy().copy()
    column[number % len(column)] = -1.0 - number
    return table.set_column(table.column_names.index("LBSTRESN"), "LBSTRESN", pa.array(column, from_pandas=True))


def small(number: int) -> pa.Table:
    """A hundred rows that are different for every number."""
    return pa.table({"USUBJID": [f"01-{n}" for n in range(100)], "AESEQ": [number * 1000 + n for n in range(100)]})


def hashed_bytes(table: pa.Table) -> int:
    """How many bytes the hash runs over: eight for a number; for text, its bytes, a NUL and a mask byte per value."""
    size = 0
    for column in table.columns:
        if pa.types.is_string(column.type):
            size += sum(int(np.frombuffer(c.buffers()[1], np.int32)[c.offset + len(c)]) for c in column.chunks)
            size += 2 * len(column)
        else:
            size += 8 * len(column)
    return size
