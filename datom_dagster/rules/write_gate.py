"""Rules at the door: data that breaks them is refused before anything is written."""

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
        before: the previous version.
        examples: how many offending rows the error carries for each rule.

    Raises:
        InvalidInputError: names every broken rule; ``findings`` holds them all, with offending rows.
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
    """What the rules need to know about the previous version; its data is read only if they need its schema.

    Args:
        reader: the project's reader.
        table: the table's name.
        version: the previous version; ``None`` if there is none.
        rules: the rules to be checked.
        what: what to call the version; by default, its id.
    """
    if version is None or not rules.compares:
        return None
    schema = reader.read_arrow(table, version).schema if rules.stable_schema else None
    return Before(what or f"version {version[:8]}", reader.metadata(table, version).rows, schema)
