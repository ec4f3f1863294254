"""Formats of extract files: xpt, csv, Excel, Dataset-JSON, parquet, SAS, SPSS, Stata.

`formats.py` holds the table of them all; each reader returns an Arrow table with what the file says about its columns.
"""

from datom_core.extracts.formats.clocks import sas_clock
from datom_core.extracts.formats.formats import (
    ExtractFormat,
    FileToRead,
    cannot_be_read,
    looks_like_data,
    of_name,
    register_format,
)
from datom_core.extracts.formats.missing import special_missing
from datom_core.extracts.formats.reading import check_reading, read_extract
from datom_core.extracts.formats.schemas import SchemaLike

__all__ = [
    "ExtractFormat",
    "FileToRead",
    "SchemaLike",
    "cannot_be_read",
    "check_reading",
    "looks_like_data",
    "of_name",
    "read_extract",
    "register_format",
    "sas_clock",
    "special_missing",
]
