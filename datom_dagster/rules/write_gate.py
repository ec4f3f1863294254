"""Rules at the door: data that breaks them is refused before anything is written."""

from __future__ import annotations

import pyarrow as pa

import datom_core as dc
from datom_dagster.rules.rule_results import check_rules
from datom_dagster.rules.subject import Before, Named
from datom_dagster.rules.table_rules import TableRules


def check_gate(
    table: str,
    data: pa.Table,
    rules: TableRules,
    before: Before | None,
    examples: int,
    *,
    named: Named | None = None,
    comparison: dc.ComparisonSettings | None = None,
    key: tuple[str, ...] = (),
) -> None:
    """Refuse data that breaks a rule.

    Args:
        table: its name, for the error.
        data: what is about to be written, as `datom_core.tables.normalisation` gives it.
        rules: what must hold.
        before: the previous version.
        examples: how many offending rows the error carries for each rule.
        named: the states that rules ask for by name.
        comparison: how values are compared, and which the error may not carry.
        key: columns that tell rows apart, where the rules declare none.

    Raises:
        InvalidInputError: names every broken rule; ``findings`` holds them all, with offending rows.
    """
    findings = check_rules(data, rules, before, examples, name=table, named=named, comparison=comparison, key=key)
    broken = [f"  - {f.name}: {f.text}" for f in findings if not f.passed]
    if broken:
        raise dc.InvalidInputError(
            f"{table} breaks {len(broken)} of its {len(findings)} rules, and was not written:\n"
            + "\n".join(broken)
            + "\nCorrect the data, or the rules.",
            table=table,
            findings=tuple(findings),
        )
