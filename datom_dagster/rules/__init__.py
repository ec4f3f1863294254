"""Rules about a table's rows: what may be declared, and what is found where it does not hold.

Pure: tables come in, findings go out. Who acts on them is said in `checks` and `io`.
"""

from datom_dagster.rules.comparison import (
    MASKED,
    Compare,
    check_compare,
    comparison_document,
    comparison_of,
    fitting_masks,
    hidden_columns,
    unknown_masks,
)
from datom_dagster.rules.rule_results import ASKED, EXAMPLES, Before, Finding, check_rules, part_of
from datom_dagster.rules.table_rules import TableRules
from datom_dagster.rules.write_gate import check_gate, version_before

__all__ = [
    "ASKED",
    "EXAMPLES",
    "MASKED",
    "Before",
    "Compare",
    "Finding",
    "TableRules",
    "check_compare",
    "check_gate",
    "check_rules",
    "comparison_document",
    "comparison_of",
    "fitting_masks",
    "hidden_columns",
    "part_of",
    "unknown_masks",
    "version_before",
]
