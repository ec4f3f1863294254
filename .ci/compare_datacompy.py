"""Give scripts of edits to datacompy and to this package, and write what each finds into docs/changes-compared.md."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import datacompy  # noqa: E402
import pyarrow as pa  # noqa: E402

from datom_core.comparing import compare_tables  # noqa: E402
from tests.comparing.edit_scripts import KINDS, ROWS, Script, Truth, same, script, tables  # noqa: E402
from tests.comparing.test_edit_scripts import of  # noqa: E402

PAGE = ROOT / "docs" / "changes-compared.md"
#: Every third table, which are all kinds of domains.
TABLES = [t for t in tables() if t.startswith("pharmaversesdtm/")][::3]
CASES: list[tuple[str, str, tuple[str, ...]]] = [
    *((kind, "natural", (kind,)) for kind in KINDS),
    ("insert and renumber, keyed by --SEQ", "sequence", ("insert", "renumber")),
    ("delete and renumber, keyed by --SEQ", "sequence", ("delete", "renumber")),
]

Items = Counter[tuple[Any, ...]]


def items(truth: Truth, made: Script) -> Items:
    """What there is to find, thing by thing."""
    found: Items = Counter()
    width = len(made.key.columns)
    for cell, n in truth.cells.items():
        found["cell", cell[:width], cell[width]] += n
    for what in ("added", "removed", "renumbered", "rekeyed"):
        found[what,] += getattr(truth, what).total()
    found["duplicates",] += sum(truth.duplicates)
    for what in ("renamed", "retyped", "labels"):
        for name in getattr(truth, what):
            found[what, name] += 1
    found["reordered",] += truth.reordered
    return +found


def ours(made: Script) -> Items:
    return items(of(compare_tables(made.before, made.after, table=made.name, key=made.key), made), made)


def theirs(made: Script) -> Items:
    """What datacompy finds: rows of one side, and cells of the rows that it pairs."""
    key = list(made.key.columns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = datacompy.PandasCompare(
            made.before.to_pandas(), made.after.to_pandas(), join_columns=key, abs_tol=0, rel_tol=0,
            cast_column_names_lower=False,
        )  # fmt: skip
    answer: Items = Counter()
    answer["removed",] += len(found.df1_unq_rows)
    answer["added",] += len(found.df2_unq_rows)
    paired = found.intersect_rows
    keys = [tuple(same(v) for v in row) for row in zip(*(plain(paired[c]) for c in key), strict=True)]
    for column in made.before.column_names:
        match = f"{column}_match"
        if match in paired.columns:
            for row in [i for i, equal in enumerate(paired[match]) if not equal]:
                answer["cell", keys[row], column] += 1
    return +answer


def plain(column: Any) -> list[Any]:
    """Values as Arrow has them, so that keys read the same."""
    values: list[Any] = pa.array(column, from_pandas=True).to_pylist()
    return values


def main() -> None:
    lines, failures = [], Counter[str]()
    for case, mode, kinds in CASES:
        count, things = 0, 0
        scores = {"ours": [0, 0, 0], "theirs": [0, 0, 0]}
        for number, name in enumerate(TABLES):
            made = script(name, number, mode, kinds)
            if made.mode != mode or set(made.kinds) != set(kinds):
                continue
            truth = items(made.truth, made)
            try:
                answers = {"ours": ours(made), "theirs": theirs(made)}
            except Exception as error:  # noqa: BLE001 - what it cannot compare is told of, too
                failures[f"{case}: {type(error).__name__}"] += 1
                continue
            count, things = count + 1, things + truth.total()
            for who, answer in answers.items():
                for place, n in enumerate(
                    ((truth & answer).total(), (truth - answer).total(), (answer - truth).total())
                ):
                    scores[who][place] += n
        cells = " | ".join(f"{n:,}" for who in ("theirs", "ours") for n in scores[who])
        lines.append(f"| {case} | {count} | {things:,} | {cells} |")
        print(lines[-1], flush=True)
    PAGE.write_text(page(lines, failures), encoding="utf-8")


def page(lines: list[str], failures: Counter[str]) -> str:
    refused = "".join(f"- {what} ({n} scripts)\n" for what, n in sorted(failures.items()))
    return f"""# What a comparison finds, beside datacompy

Seeded scripts edit the first {ROWS} rows of {len(TABLES)} tables of the pilot study (every third SDTM table of
pharmaversesdtm), and remember which row is which. So it is known what changed, without any key. The same two tables
are then given to `compare_tables` and to datacompy {datacompy.__version__}; `python .ci/compare_datacompy.py` does it
again and writes this page. The scripts of `tests/comparing` mix several kinds of edits; here each script has one kind,
so that a mistake belongs to it. A kind that a table cannot have, such as numbers to make text of, is left out for it.

A thing to find is a cell that changed (by its key and column), a row that was added, removed, renumbered, given
another key, or shares its key with another one, a column that was renamed, made incomparable or given another
label, and whether the rows are in another order. **Found** are things that are there and are told, **missed** those
that are there and are not told, **false** those that are told and are not there: a row that was renumbered and is
told as a changed cell counts as one missed and one false.

datacompy was run as `PandasCompare(before.to_pandas(), after.to_pandas(), join_columns=key, abs_tol=0, rel_tol=0,
cast_column_names_lower=False)`, with the same key as `compare_tables`. Its answer is `df1_unq_rows`,
`df2_unq_rows`, and each false value of a `_match` column of `intersect_rows`. It has no words for rows that were
renumbered or got another key, for repeated keys (it pairs them by the order of rows), labels, renamed columns or
the order of rows, and pandas takes NaN and a missing number for the same; so these columns tell as much of what it
was made for as of how well it does it.

| kind of edit | scripts | things | datacompy: found | missed | false | datom: found | missed | false |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
{chr(10).join(lines)}
{chr(10) + "datacompy could not compare:" + chr(10) + chr(10) + refused if refused else ""}"""


if __name__ == "__main__":
    main()
