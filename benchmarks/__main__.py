"""`make bench`: the hash, an unchanged write against a changed one, and S3; each against a floor of the same run."""

from __future__ import annotations

import hashlib
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import datom_core as dc
from benchmarks import s3
from benchmarks.timing import REPEATS, median, row

ROWS = 1_000_000


def lab_results(rows: int) -> pa.Table:
    """An LB domain of a given length: repeated codes, free text, numbers with missing values."""
    rng = np.random.default_rng(1)
    tests = np.array(["ALT", "AST", "BILI", "CREAT", "GLUC", "HGB", "PLAT", "WBC"])
    units = np.array(["U/L", "U/L", "umol/L", "umol/L", "mmol/L", "g/L", "10^9/L", "10^9/L"])
    which = rng.integers(0, len(tests), rows)
    value = rng.normal(50, 15, rows).round(2)
    subject = np.char.add("01-701-", rng.integers(1000, 3000, rows).astype(str))
    day = np.char.add("2026-0", np.char.add(rng.integers(1, 10, rows).astype(str), "-15T08:30"))
    return pa.table(
        {
            "USUBJID": subject,
            "LBSEQ": np.arange(rows, dtype=np.int64),
            "LBTESTCD": tests[which],
            "LBTEST": np.char.add("Test ", tests[which]),
            "LBCAT": np.where(which < 5, "CHEMISTRY", "HEMATOLOGY"),
            "LBORRES": value.astype(str),
            "LBORRESU": units[which],
            "LBSTRESN": pa.array(value, mask=rng.random(rows) < 0.03),
            "VISITNUM": rng.integers(1, 12, rows).astype(np.float64),
            "VISIT": np.char.add("WEEK ", rng.integers(0, 26, rows).astype(str)),
            "LBDTC": day,
        }
    )


def hashed_bytes(table: pa.Table) -> bytes:
    """As many bytes as the hash runs over: eight a number, the text itself, a NUL and a mask byte a value."""
    size = 0
    for column in table.columns:
        if pa.types.is_string(column.type):
            size += sum(int(np.frombuffer(c.buffers()[1], np.int32)[c.offset + len(c)]) for c in column.chunks)
            size += 2 * len(column)
        else:
            size += 8 * len(column)
    return os.urandom(1024) * (size // 1024)


def main() -> None:
    table = lab_results(ROWS)
    raw = hashed_bytes(table)
    sha = median(lambda: hashlib.sha256(raw))
    whole = median(lambda: dc.hash_table(table))
    encode = median(lambda: pq.write_table(table, pa.BufferOutputStream(), version="2.4", compression="snappy"))
    print(f"{ROWS:,} rows x {table.num_columns} columns, {len(raw) / 1e6:.0f} MB hashed, {os.cpu_count()} processors\n")
    row("SHA-256 of as many bytes, one thread", sha, sha, len(raw))
    row("hash_table, checks and normalisation included", whole, sha, len(raw))
    row("parquet encode of the same table", encode, sha, len(raw))
    writes(table)
    s3.main()


def writes(table: pa.Table) -> None:
    """An unchanged write needs the hash and a look; a changed one also encodes, commits and stores."""
    changed, unchanged = [], []
    with tempfile.TemporaryDirectory() as folder:
        project = dc.Project.init(
            "BENCH", dc.LocalStore(Path(folder) / "store"), remote=Path(folder) / "r.git", cache_dir=Path(folder) / "c"
        )
        project.write("lb", table)
        for n in range(1, REPEATS + 1):
            version = table.slice(n)
            for times in (changed, unchanged):
                started = time.perf_counter()
                project.write("lb", version)
                times.append(time.perf_counter() - started)
    new, same = statistics.median(changed), statistics.median(unchanged)
    print(f"\n  write of new content       {new * 1e3:8.0f} ms")
    print(f"  the same content again     {same * 1e3:8.0f} ms  {same / new:5.2f} x")


if __name__ == "__main__":
    main()
