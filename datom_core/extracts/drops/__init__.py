"""Where extract files arrive: a folder or a place in a bucket, looked at without following links.

What the files contain is for `formats` to read.
"""

from datom_core.extracts.drops.completeness import Drop, inspect_drop, sha256_of
from datom_core.extracts.drops.folder import LocalFolder
from datom_core.extracts.drops.protocol import ExtractFile, ExtractSource, Listing
from datom_core.extracts.drops.s3 import S3Folder

__all__ = [
    "Drop",
    "ExtractFile",
    "ExtractSource",
    "Listing",
    "LocalFolder",
    "S3Folder",
    "inspect_drop",
    "sha256_of",
]
