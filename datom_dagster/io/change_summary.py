"""What changed since the previous version, as an event reports it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
import pyarrow as pa

import datom_core as dc
from datom_dagster.events import change_metadata, key_of, row_change_metadata, row_counts
from datom_dagster.rules import EXAMPLES


class Changes:
    """Reports what a write changed in one table.

    After the commit nothing may fail: whatever cannot be worked out is logged as a warning.

    Args:
        context: the output's.
        table: its name.
        settings: the asset's; if they name a key, rows are compared.
        show_rows: whether to show example rows, which are subjects' data.
    """

    def __init__(self, context: dg.OutputContext, table: str, settings: Mapping[str, Any], *, show_rows: bool) -> None:
        self.log = context.log
        self.table = table
        self.key = key_of(settings)
        self.examples = EXAMPLES if show_rows else 0

    def of_write(self, result: dc.WriteResult, data: pa.Table, reader: dc.ProjectReader) -> dict[str, Any]:
        """What changed since the version that was current."""
        if not result.changed:
            return self._none("no change")
        by_key = self._rows(result.change.previous, data, result.data_sha, None, reader)
        return {**change_metadata(result.change, None), **by_key}

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
        since = "as it was recorded before" if cut == result.cut else cut
        return {**change_metadata(change, since), **self._rows(version, data, result.data_sha, since, reader)}

    def _none(self, text: str) -> dict[str, Any]:
        return {"datom/change": text, **(row_counts(None) if self.key else {})}

    def _rows(
        self, previous: str | None, data: pa.Table, data_sha: str, since: str | None, reader: dc.ProjectReader
    ) -> dict[str, Any]:
        """Which rows changed. The previous version is read only if its content differs."""
        if self.key is None or previous is None:
            return {}
        try:
            old = reader.resolve(self.table, previous)
            if old.data_sha == data_sha:
                return row_counts(None)
            change = dc.diff(reader.read_arrow(self.table, old), data, self.key, examples=self.examples)
        except Exception as error:  # noqa: BLE001 - the version is recorded
            self.log.warning(f"Which rows changed cannot be told: {error if self.examples else type(error)}")
            return {}
        return row_change_metadata(change, since)
