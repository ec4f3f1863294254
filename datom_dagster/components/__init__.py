"""A project as a component of `dg`: declared in YAML, checked before it is built."""

from datom_dagster.components.component import DatomProjectComponent

__all__ = [
    "DatomProjectComponent",
]
