"""The documents that a project consists of, as values: read from bytes, changed, written as R's bytes.

Pure: a document knows neither where it lies nor how it got there. `docs/format.md` describes every field.
"""

from typing import TYPE_CHECKING

from datom_core.lazy import lazy

if TYPE_CHECKING:
    from datom_core.documents import canonical
    from datom_core.documents.author import Author
    from datom_core.documents.cuts import Cut, Cuts
    from datom_core.documents.display import Rows, block, rows
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
    from datom_core.documents.history import History, Version
    from datom_core.documents.line import Line
    from datom_core.documents.lineage import Parent, Source, check_parents
    from datom_core.documents.location import Location, PlaceKind, add_kind, kind_of, same_place, shared_kinds
    from datom_core.documents.manifest import Entry, Manifest
    from datom_core.documents.metadata import Declared, Metadata, Origin, clean_custom, complete, identity_fields
    from datom_core.documents.parsing import (
        Buffer,
        format_timestamp,
        objects,
        optional,
        parse,
        parse_object,
        strings,
        timestamp,
    )
    from datom_core.documents.project_file import ProjectFile
    from datom_core.documents.recording import Recording
    from datom_core.documents.reviews import Review, ReviewMove, Reviews
    from datom_core.documents.set_hash import SET_ALGO, hash_set
    from datom_core.documents.shape_change import Change, compare_shapes
else:
    __getattr__, __dir__ = lazy(
        __name__,
        {
            "canonical": "canonical",
            "author": "Author",
            "cuts": "Cut Cuts",
            "display": "Rows block rows",
            "governance": "DISPATCH Decommission Event Events FormerPlace GovernanceFile Ref location_block",
            "history": "History Version",
            "line": "Line",
            "lineage": "Parent Source check_parents",
            "location": "Location PlaceKind add_kind kind_of same_place shared_kinds",
            "manifest": "Entry Manifest",
            "metadata": "Declared Metadata Origin clean_custom complete identity_fields",
            "parsing": "Buffer format_timestamp objects optional parse parse_object strings timestamp",
            "project_file": "ProjectFile",
            "recording": "Recording",
            "reviews": "Review ReviewMove Reviews",
            "set_hash": "SET_ALGO hash_set",
            "shape_change": "Change compare_shapes",
        },
    )

__all__ = [
    "DISPATCH",
    "SET_ALGO",
    "Author",
    "Buffer",
    "Change",
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
    "PlaceKind",
    "ProjectFile",
    "Recording",
    "Ref",
    "Review",
    "ReviewMove",
    "Reviews",
    "Rows",
    "Source",
    "Version",
    "add_kind",
    "block",
    "canonical",
    "check_parents",
    "clean_custom",
    "compare_shapes",
    "complete",
    "format_timestamp",
    "hash_set",
    "identity_fields",
    "kind_of",
    "location_block",
    "objects",
    "optional",
    "parse",
    "parse_object",
    "rows",
    "same_place",
    "shared_kinds",
    "strings",
    "timestamp",
]
