"""A project as a component of `dg`: declared in YAML, checked before it is built.

It makes nothing of its own: what YAML says becomes arguments of `assets`, `checks` and `sensors`.
"""

from datom_dagster.components.component import DatomProjectComponent

__all__ = [
    "DatomProjectComponent",
]
