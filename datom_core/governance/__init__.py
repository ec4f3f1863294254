"""An organization's register of projects: attach, list, take away.

The register says where a project lies; it never holds a project's data.
"""

from datom_core.governance.decommission import Decommissioning, DecommissionReport
from datom_core.governance.governance import Governance
from datom_core.governance.project_listing import ProjectRecord, RegisteredProject, RepairReport
from datom_core.governance.register import Registration

__all__ = [
    "DecommissionReport",
    "Decommissioning",
    "Governance",
    "ProjectRecord",
    "RegisteredProject",
    "Registration",
    "RepairReport",
]
