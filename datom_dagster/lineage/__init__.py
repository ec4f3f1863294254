"""Tell a lineage service what steps loaded and stored, as OpenLineage events.

Nothing here loads the package of OpenLineage before somebody configures it.
"""

from datom_dagster.lineage.facts import OutputFacts
from datom_dagster.lineage.resource import OpenLineageResource, lineage_of
from datom_dagster.lineage.step_lineage import StepLineage

__all__ = ["OpenLineageResource", "OutputFacts", "StepLineage", "lineage_of"]
