"""Rules at the door: what breaks them is refused before anything is written."""

from __future__ import annotations

import pyarrow as pa

import datom_core as dc
from datom_dagster.rules.rule_results import Before, check_rules
from datom_dagster.rules.table_rules import TableRules


def check_gate(table: str, data: pa.Table, rules: TableRules, before: Before | None, examples: int) -> None:
    """Refuse data that breaks a rule.

    Args:
        table: its name, for the error.
        data: what is about to be written, as `datom_core.tables.normalisation` gives it.
        rules: what must hold.
        before: the version before.
        examples: how many offending rows the error carries, per rule.

    Raises:
        InvalidInputError: names every rule that is broken; ``findings`` are all of them, with offending rows.
    """
    findings = check_rules(data, rules, before, examples)
    broken = [f"  - {f.name}: {f.text}" for f in findings if not f.passed]
    if broken:
        raise dc.InvalidInputError(
            f"{table} breaks {len(broken)} of its {len(findings)} rules, and was not written:\n"
            + "\n".join(broken)
            + "\nCorrect the data, or the rules.",
            table=table,
            findings=tuple(findings),
        )


def version_before(
    reader: dc.ProjectReader, table: str, version: str | None, rules: TableRules, what: str | None = None
) -> Before | None:
    """What the rules have to know of the version before; the data is only read for its schema.

    Args:
        reader: of the project.
        table: its name.
        version: the version before; ``None`` when there is none.
        rules: what is going to be checked.
        what: what to call it; by default by its id.
    """
    if version is None or not rules.compares:
        return None
    schema = reader.read_arrow(table, version).schema if rules.stable_schema else None
    return Before(what or f"version {version[:8]}", reader.metadata(table, version).rows, schema)
