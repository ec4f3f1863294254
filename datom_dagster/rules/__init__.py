"""Rules about a table's rows, and about what changes in them: what may be declared, and what is found.

Pure but for `references`, which reads what rules compare with: tables come in, findings go out. Who acts on them is
said in `checks` and `io`.
"""

from datom_dagster.rules.comparison import (
    MASKED,
    Compare,
    check_compare,
    comparison_document,
    comparison_of,
    fitting_masks,
    unknown_masks,
)
from datom_dagster.rules.references import Looked, named_states, version_before
from datom_dagster.rules.rule_results import ASKED, check_rules
from datom_dagster.rules.subject import EXAMPLES, Before, Finding, Named, part_of
from datom_dagster.rules.table_rules import TableRules
from datom_dagster.rules.write_gate import check_gate

__all__ = [
    "ASKED",
    "EXAMPLES",
    "MASKED",
    "Before",
    "Compare",
    "Finding",
    "Looked",
    "Named",
    "TableRules",
    "check_compare",
    "check_gate",
    "check_rules",
    "comparison_document",
    "comparison_of",
    "fitting_masks",
    "named_states",
    "part_of",
    "unknown_masks",
    "version_before",
]
