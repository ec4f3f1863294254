"""What an asset says of how its versions are compared, as metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import datom_core as dc
from datom_dagster.events import COMPARE, COMPARISON
from datom_dagster.rules import check_compare, comparison_document, comparison_of

#: How values are compared: settings, or a mapping of the same names.
ComparisonLike = dc.ComparisonSettings | Mapping[str, Any]


def comparing(compare: Any, comparison: Any) -> dict[str, Any]:
    """The metadata that says whether and how versions are compared; nothing of what is ``None``.

    Raises:
        InvalidInputError: names what cannot be.
    """
    said: dict[str, Any] = {} if compare is None else {COMPARE: check_compare(compare)}
    return said if comparison is None else {**said, COMPARISON: comparison_document(comparison_of(comparison))}
