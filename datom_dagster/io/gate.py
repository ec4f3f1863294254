"""What a gate compares with, before a table is written."""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg
import pyarrow as pa

import datom_core as dc
from datom_dagster.io.partitions import ordered, standing_before
from datom_dagster.rules import Before, Looked, Named, TableRules, check_gate, named_states, version_before


@dataclass(frozen=True)
class Gate:
    """The gate of one output.

    Attributes:
        context: Dagster's.
        table: the table's name.
        cut: the partition that is written.
        rules: what must hold.
        key: the asset's key.
        project: where it will be written.
    """

    context: dg.OutputContext
    table: str
    cut: str | None
    rules: TableRules
    key: tuple[str, ...] | None
    project: dc.Project

    def check(
        self, data: pa.Table, earlier: tuple[str, pa.Table] | None, comparison: dc.ComparisonSettings, examples: int
    ) -> None:
        """Refuse data that breaks a rule.

        Args:
            data: what is about to be written.
            earlier: the partition before it in the same run, and its table.
            comparison: how versions are compared, and which columns are masked.
            examples: how many offending rows the error carries for each rule.

        Raises:
            InvalidInputError: as `check_gate`.
        """
        before = self._before(earlier) if self.rules.compares else None
        named = self._named(data) if self.rules.names else {}
        check_gate(
            self.table, data, self.rules, before, examples, named=named, comparison=comparison, key=self.key or ()
        )

    def _before(self, earlier: tuple[str, pa.Table] | None) -> Before | None:
        """The version that the gate compares with."""
        reader = self.project.reader
        if self.cut is None:
            kept = current_version(self.project, self.table)
            return version_before(reader, self.table, None if kept is None else kept.version, self.rules)
        cut, version = standing_before(self.context, reader.cuts(), self.cut, self.table) or (None, None)
        if earlier is not None and cut != self.cut:
            name, table = earlier
            if cut is None or ordered(self.context, [cut, name])[-1] == name:
                return Before(f"the cut {name}", table.num_rows, table.schema, table)
        return version_before(reader, self.table, version, self.rules, f"the cut {cut}")

    def _named(self, data: pa.Table) -> Named:
        """The cuts and reviews that rules name."""
        reader, replaced = self.project.reader, None
        if self.cut is None:
            replaced = current_version(self.project, self.table)
        else:
            cuts = reader.cuts()
            held = cuts[self.cut].get(self.table) if self.cut in cuts else None
            replaced = None if held is None else reader.resolve(self.table, held)
        sha = None if replaced is None else replaced.data_sha
        return named_states(
            reader, self.table, self.rules, Looked(dc.hash_table(data).data_sha, self.cut, replaces=sha)
        )


def current_version(project: dc.Project, table: str) -> dc.Version | None:
    """The version that is current; ``None`` if there is none yet."""
    known = any(entry.name == table for entry in project.reader.list())
    return project.reader.resolve(table) if known else None
