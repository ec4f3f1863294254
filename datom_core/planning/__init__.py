"""Decide without effects: the documents after a write, what storage should then hold, what callers are told.

Nothing here asks git or storage: what they hold comes in as values, and a plan goes out.
"""

from typing import TYPE_CHECKING

from datom_core.lazy import lazy

if TYPE_CHECKING:
    from datom_core.planning.project_state import ProjectState, TableState
    from datom_core.planning.projection import (
        Pinned,
        StorageView,
        lagging_tables,
        least_sizes,
        lost_versions,
        nothing_there,
        payload_key,
        pinned_payloads,
        projected_lists,
        read_snapshot,
        readers_know,
        same_cuts,
        same_lists,
        same_snapshot,
        same_table,
        snapshot_document,
        snapshot_fault,
        versions_to_snapshot,
    )
    from datom_core.planning.results import (
        Action,
        CutResult,
        LostVersion,
        MirrorReport,
        PlannedWrite,
        Problem,
        Status,
        Summary,
        TableInfo,
        ValidationReport,
        WriteResult,
        planned,
    )
    from datom_core.planning.write_plan import (
        Payload,
        Stamp,
        TablePlan,
        TableWrite,
        WritePlan,
        apply,
        changed_files,
        check_writable,
        plan_write,
        repin,
    )
else:
    __getattr__, __dir__ = lazy(
        __name__,
        {
            "project_state": "ProjectState TableState",
            "projection": (
                "Pinned StorageView lagging_tables least_sizes lost_versions nothing_there payload_key "
                "pinned_payloads projected_lists read_snapshot readers_know same_cuts same_lists same_snapshot "
                "same_table snapshot_document snapshot_fault versions_to_snapshot"
            ),
            "results": (
                "Action CutResult LostVersion MirrorReport PlannedWrite Problem Status Summary TableInfo "
                "ValidationReport WriteResult planned"
            ),
            "write_plan": (
                "Payload Stamp TablePlan TableWrite WritePlan apply changed_files check_writable plan_write repin"
            ),
        },
    )

__all__ = [
    "Action",
    "CutResult",
    "LostVersion",
    "MirrorReport",
    "Payload",
    "Pinned",
    "PlannedWrite",
    "Problem",
    "ProjectState",
    "Stamp",
    "Status",
    "StorageView",
    "Summary",
    "TableInfo",
    "TablePlan",
    "TableState",
    "TableWrite",
    "ValidationReport",
    "WritePlan",
    "WriteResult",
    "apply",
    "changed_files",
    "check_writable",
    "lagging_tables",
    "least_sizes",
    "lost_versions",
    "nothing_there",
    "payload_key",
    "pinned_payloads",
    "plan_write",
    "planned",
    "projected_lists",
    "read_snapshot",
    "readers_know",
    "repin",
    "same_cuts",
    "same_lists",
    "same_snapshot",
    "same_table",
    "snapshot_document",
    "snapshot_fault",
    "versions_to_snapshot",
]
