"""An organization's register of projects: attach, list, take away.

The register says where a project lies; it never holds a project's data.
"""

from datom_core.governance.decommission import Decommissioning, DecommissionReport
from datom_core.governance.governance import Candidate, Governance, as_candidate
from datom_core.governance.project_listing import ProjectRecord, RegisteredProject, RepairReport
from datom_core.governance.register import Registration

__all__ = [
    "Candidate",
    "DecommissionReport",
    "Decommissioning",
    "Governance",
    "ProjectRecord",
    "RegisteredProject",
    "Registration",
    "RepairReport",
    "as_candidate",
]
