"""Extract files: which ones a drop holds, whether it is complete, and the table in each.

Everything here reads and never writes; a file is either read as what it claims to be, or refused.
"""

from datom_core.extracts.drop_reader import DropReader, Extract, load_extract
from datom_core.extracts.drops import Drop, ExtractFile, ExtractSource, Listing, LocalFolder, S3Folder
from datom_core.extracts.formats import (
    ExtractFormat,
    FileToRead,
    SchemaLike,
    of_name,
    read_extract,
    register_format,
    sas_clock,
    special_missing,
)

__all__ = [
    "Drop",
    "DropReader",
    "Extract",
    "ExtractFile",
    "ExtractFormat",
    "ExtractSource",
    "FileToRead",
    "Listing",
    "LocalFolder",
    "S3Folder",
    "SchemaLike",
    "load_extract",
    "of_name",
    "read_extract",
    "register_format",
    "sas_clock",
    "special_missing",
]
