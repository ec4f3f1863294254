"""Read a project with access to its storage alone: find it, choose a version, prove it, tell what changed.

Nothing here runs git or writes to storage.
"""

from typing import TYPE_CHECKING

from datom_core.lazy import lazy

if TYPE_CHECKING:
    from datom_core.reading.ancestry import Dependent, LineageNode
    from datom_core.reading.audits import events_of
    from datom_core.reading.citation import Citation
    from datom_core.reading.column_types import retyped, stored_types
    from datom_core.reading.description import ColumnInfo, TableDescription
    from datom_core.reading.fetching import Cited, bring_set_level, fetch_member, find_cited, set_status
    from datom_core.reading.impact import Affected, Impact, find_impact
    from datom_core.reading.log import LogEntry
    from datom_core.reading.placement import (
        PlacementGuard,
        being_taken_away,
        check_recorded,
        check_stays,
        governance_storage,
        locate,
        read_ref,
        registered_in,
    )
    from datom_core.reading.reader import ProjectReader, open_reader
    from datom_core.reading.row_history import CellState, RowHistory
    from datom_core.reading.states import Reference, StateLike, StudyState
    from datom_core.reading.stored_documents import StoredDocuments
else:
    __getattr__, __dir__ = lazy(
        __name__,
        {
            "ancestry": "Dependent LineageNode",
            "audits": "events_of",
            "citation": "Citation",
            "column_types": "retyped stored_types",
            "description": "ColumnInfo TableDescription",
            "fetching": "Cited bring_set_level fetch_member find_cited set_status",
            "impact": "Affected Impact find_impact",
            "log": "LogEntry",
            "placement": (
                "PlacementGuard being_taken_away check_recorded check_stays governance_storage locate read_ref "
                "registered_in"
            ),
            "reader": "ProjectReader open_reader",
            "row_history": "CellState RowHistory",
            "states": "Reference StateLike StudyState",
            "stored_documents": "StoredDocuments",
        },
    )

__all__ = [
    "Affected",
    "CellState",
    "Citation",
    "Cited",
    "ColumnInfo",
    "Dependent",
    "Impact",
    "LineageNode",
    "LogEntry",
    "PlacementGuard",
    "ProjectReader",
    "Reference",
    "RowHistory",
    "StateLike",
    "StoredDocuments",
    "StudyState",
    "TableDescription",
    "being_taken_away",
    "bring_set_level",
    "check_recorded",
    "check_stays",
    "events_of",
    "fetch_member",
    "find_cited",
    "find_impact",
    "governance_storage",
    "locate",
    "open_reader",
    "read_ref",
    "registered_in",
    "retyped",
    "set_status",
    "stored_types",
]
