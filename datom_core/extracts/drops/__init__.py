"""Where extracts are dropped, and when a drop is complete."""

from datom_core.extracts.drops.completeness import Drop, look
from datom_core.extracts.drops.folder import LocalFolder
from datom_core.extracts.drops.protocol import ExtractFile, ExtractSource, Listing
from datom_core.extracts.drops.s3 import S3Folder

__all__ = ["Drop", "ExtractFile", "ExtractSource", "Listing", "LocalFolder", "S3Folder", "look"]
