"""Decide without effects: the documents after a write, what storage should then hold, what callers are told.

Nothing here asks git or storage: what they hold comes in as values, and a plan goes out.
"""

from typing import TYPE_CHECKING

from datom_core.lazy import lazy

if TYPE_CHECKING:
    from datom_core.planning.consistency import altered_approvals, history_faults, row_faults, unknown_versions
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
        Depth,
        LostVersion,
        MirrorReport,
        PlannedWrite,
        Problem,
        SetInfo,
        Status,
        Summary,
        TableInfo,
        ValidationReport,
        VerificationReport,
        WriteResult,
    )
    from datom_core.planning.set_plan import (
        AllowedMismatches,
        Mismatch,
        SetPlan,
        SetResult,
        apply_set,
        mismatches,
        plan_set,
        refuse_mismatches,
    )
    from datom_core.planning.write_plan import (
        TablePlan,
        WritePlan,
        apply,
        changed_files,
        check_writable,
        plan_write,
        planned,
        repin,
    )
    from datom_core.planning.write_request import Payload, Stamp, TableWrite
else:
    __getattr__, __dir__ = lazy(
        __name__,
        {
            "consistency": "altered_approvals history_faults row_faults unknown_versions",
            "project_state": "ProjectState TableState",
            "projection": (
                "Pinned StorageView lagging_tables least_sizes lost_versions nothing_there payload_key "
                "pinned_payloads projected_lists read_snapshot readers_know same_cuts same_lists same_snapshot "
                "same_table snapshot_document snapshot_fault versions_to_snapshot"
            ),
            "results": (
                "Action CutResult Depth LostVersion MirrorReport PlannedWrite Problem SetInfo Status Summary "
                "TableInfo ValidationReport VerificationReport WriteResult"
            ),
            "set_plan": "AllowedMismatches Mismatch SetPlan SetResult apply_set mismatches plan_set refuse_mismatches",
            "write_plan": "TablePlan WritePlan apply changed_files check_writable plan_write planned repin",
            "write_request": "Payload Stamp TableWrite",
        },
    )

__all__ = [
    "Action",
    "AllowedMismatches",
    "CutResult",
    "Depth",
    "LostVersion",
    "MirrorReport",
    "Mismatch",
    "Payload",
    "Pinned",
    "PlannedWrite",
    "Problem",
    "ProjectState",
    "SetInfo",
    "SetPlan",
    "SetResult",
    "Stamp",
    "Status",
    "StorageView",
    "Summary",
    "TableInfo",
    "TablePlan",
    "TableState",
    "TableWrite",
    "ValidationReport",
    "VerificationReport",
    "WritePlan",
    "WriteResult",
    "altered_approvals",
    "apply",
    "apply_set",
    "changed_files",
    "check_writable",
    "history_faults",
    "lagging_tables",
    "least_sizes",
    "lost_versions",
    "mismatches",
    "nothing_there",
    "payload_key",
    "pinned_payloads",
    "plan_set",
    "plan_write",
    "planned",
    "projected_lists",
    "read_snapshot",
    "readers_know",
    "refuse_mismatches",
    "repin",
    "row_faults",
    "same_cuts",
    "same_lists",
    "same_snapshot",
    "same_table",
    "snapshot_document",
    "snapshot_fault",
    "unknown_versions",
    "versions_to_snapshot",
]
