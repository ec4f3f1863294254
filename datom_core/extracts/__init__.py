"""The files that studies arrive in, read into Arrow tables: all of one, or an error."""

from datom_core.extracts.formats import FORMATS, cannot_be_read, looks_like_data, of_name
from datom_core.extracts.missing import special_missing
from datom_core.extracts.reading import check_reading, read_extract
from datom_core.extracts.schemas import SchemaLike

__all__ = [
    "FORMATS",
    "SchemaLike",
    "cannot_be_read",
    "check_reading",
    "looks_like_data",
    "of_name",
    "read_extract",
    "special_missing",
]
