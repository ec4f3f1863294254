"""The files that studies arrive in, read into Arrow tables: all of one, or an error."""

from datom_core.extracts.formats.formats import FORMATS, cannot_be_read, looks_like_data, of_name
from datom_core.extracts.formats.missing import special_missing
from datom_core.extracts.formats.reading import check_reading, read_extract
from datom_core.extracts.formats.schemas import SchemaLike

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
