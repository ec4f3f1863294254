"""Frozen documents and their JSON and YAML. Values enter and leave by `from_json` and `to_json` alone."""

from datom_core.documents.cuts import Cut, Cuts
from datom_core.documents.governance import (
    DISPATCH,
    Decommission,
    Event,
    Events,
    FormerPlace,
    GovernanceFile,
    Ref,
    location_block,
)
from datom_core.documents.history import Author, History, Recording, Version
from datom_core.documents.line import Line
from datom_core.documents.lineage import Parent, Source, check_parents, union
from datom_core.documents.manifest import Entry, Manifest
from datom_core.documents.metadata import Declared, Metadata, Origin, clean_custom, complete, identity_fields
from datom_core.documents.project_file import Location, ProjectFile
from datom_core.documents.reading import Buffer, format_timestamp, parse, timestamp

__all__ = [
    "DISPATCH",
    "Author",
    "Buffer",
    "Cut",
    "Cuts",
    "Declared",
    "Decommission",
    "Entry",
    "Event",
    "Events",
    "FormerPlace",
    "GovernanceFile",
    "History",
    "Line",
    "Location",
    "Manifest",
    "Metadata",
    "Origin",
    "Parent",
    "ProjectFile",
    "Recording",
    "Ref",
    "Source",
    "Version",
    "check_parents",
    "clean_custom",
    "complete",
    "format_timestamp",
    "identity_fields",
    "location_block",
    "parse",
    "timestamp",
    "union",
]
