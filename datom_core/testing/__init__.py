"""For the tests of code that uses datom: a project that is gone afterwards, a store that fails, tables of every type.

The package never imports this one. `tables` needs Hypothesis (the extra ``testing``), the rest needs nothing.
"""

from datom_core.testing.failing_store import FailingStore, StoreCall
from datom_core.testing.projects import Clock, forget_clone, memory_project
from datom_core.testing.strategies import column_of, column_types, tables

__all__ = [
    "Clock",
    "FailingStore",
    "StoreCall",
    "column_of",
    "column_types",
    "forget_clone",
    "memory_project",
    "tables",
]
