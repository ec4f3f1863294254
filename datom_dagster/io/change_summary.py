"""What changed since the previous version, as an event reports it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
import pyarrow as pa

import datom_core as dc
from datom_dagster.events import (
    COMPARE,
    COMPARISON,
    NOT_COMPARED,
    REPORT,
    change_metadata,
    changes_metadata,
    key_of,
    row_counts,
)
from datom_dagster.io.output_options import OutputOptions
from datom_dagster.rules import EXAMPLES, Compare, fitting_masks


class Changes:
    """Reports what a write changed in one table.

    After the commit nothing may fail: whatever cannot be worked out is logged as a warning.

    Args:
        context: the output's.
        table: its name.
        settings: the asset's: its key, and how its versions are compared.
        options: the IO manager's.
        values: whether any value of the data may be shown.
    """

    def __init__(
        self,
        context: dg.OutputContext,
        table: str,
        settings: Mapping[str, Any],
        options: OutputOptions,
        *,
        values: bool,
    ) -> None:
        self.log = context.log
        self.table = table
        self.key = key_of(settings)
        self.compare: Compare = settings.get(COMPARE, options.compare)
        self.comparison: dc.ComparisonSettings = settings.get(COMPARISON, dc.ComparisonSettings())
        self.options = options
        self.values = values

    @property
    def wanted(self) -> bool:
        """Whether rows are compared at all."""
        return self.compare == "all" or (self.compare == "keyed" and self.key is not None)

    def of_write(self, result: dc.WriteResult, data: pa.Table, reader: dc.ProjectReader) -> dict[str, Any]:
        """What changed since the version that was current."""
        if not result.changed:
            return self._none("no change")
        return {
            **change_metadata(result.change, None),
            **self._rows(result.change.previous, data, result, None, reader),
        }

    def of_cut(
        self, result: dc.WriteResult, data: pa.Table, before: tuple[str, str] | None, reader: dc.ProjectReader
    ) -> dict[str, Any]:
        """What changed since ``before``: the cut that this one follows, or its own last recording, with the version."""
        if before is None:
            return change_metadata(dc.Change(None, result.rows), None)
        cut, version = before
        if version == result.version:
            return self._none("no change" if cut == result.cut else f"no change since the cut {cut}")
        try:
            change = reader.compare(self.table, version, result.version)
        except dc.DatomError as error:
            self.log.warning(f"What changed since the cut {cut} cannot be told: {error}")
            return {}
        told = change_metadata(change, _since(cut, result))
        return {**told, **self._rows(version, data, result, before, reader)}

    def _none(self, text: str) -> dict[str, Any]:
        return {"datom/change": text, **(row_counts(None) if self.wanted else {})}

    def _rows(
        self,
        previous: str | None,
        data: pa.Table,
        result: dc.WriteResult,
        before: tuple[str, str] | None,
        reader: dc.ProjectReader,
    ) -> dict[str, Any]:
        """Everything that changed. The previous version is read only if its content differs."""
        if not self.wanted or previous is None:
            return {}
        try:
            old = reader.resolve(self.table, previous)
            if old.data_sha == result.data_sha:
                return row_counts(None)
            rows = max(reader.metadata(self.table, previous).rows or 0, data.num_rows)
            if rows > self.options.compare_rows:
                most = self.options.compare_rows
                return {NOT_COMPARED: f"{rows:,} rows are more than compare_rows={most:,}"}
            changes = self._compared(old, data, result, before, reader)
            since = None if before is None else _since(before[0], result)
            told = changes_metadata(
                changes, since, project=reader.project, values=self.values, examples=EXAMPLES if self.values else 0
            )
        except Exception as error:  # noqa: BLE001 - the version is recorded
            self.log.warning(f"Which rows changed cannot be told: {self._said(error)}")
            return {}
        return {**told, **self._reported(changes, reader.project)}

    def _compared(
        self,
        old: dc.Version,
        data: pa.Table,
        result: dc.WriteResult,
        before: tuple[str, str] | None,
        reader: dc.ProjectReader,
    ) -> dc.TableChanges:
        then = reader.read_arrow(self.table, old)
        return dc.find_changes(
            then,
            data,
            table=self.table,
            origins=dc.KeyOrigins(rules=self.key, ignore=self.comparison.ignore),
            settings=fitting_masks(self.comparison, then, data),
            versions=(old, reader.resolve(self.table, result.version)),
            # A cut that was recorded again is named on one side alone: the other is the version that it stood for.
            cuts=(None if before is None or before[0] == result.cut else before[0], result.cut),
        )

    def _reported(self, changes: dc.TableChanges, project: str) -> dict[str, Any]:
        """The link to the whole report, once it is written."""
        if self.options.reports is None:
            return {}
        try:
            return {REPORT: self.options.reports.keep_page(changes, project, values=self.values)}
        except Exception as error:  # noqa: BLE001 - the version is recorded
            self.log.warning(f"The report of what changed cannot be written: {self._said(error)}")
            return {}

    def _said(self, error: Exception) -> str:
        """The error, unless it might name a value that may not be shown."""
        return str(error) if self.values and not self.comparison.masked else type(error).__name__


def _since(cut: str, result: dc.WriteResult) -> str:
    return "as it was recorded before" if cut == result.cut else cut
