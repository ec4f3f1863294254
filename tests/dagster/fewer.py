"""The pilot study with a dozen subjects, for short runs: what is done with its tables goes the same way."""

from __future__ import annotations

from typing import Any

from example_project import extract


def fewer_subjects() -> None:
    """From now on this process extracts those alone whose number ends so; the README asks for 01-701-1133."""
    whole = extract._collection

    def some(attribute: str) -> Any:
        found = whole(attribute)
        return found if attribute.endswith("_meta") else found[found["USUBJID"].str.endswith(("11", "33", "47"))]

    extract._collection = some
