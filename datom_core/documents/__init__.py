"""The documents that a project consists of, as values: read from bytes, changed, written as R's bytes.

Pure: a document knows neither where it lies nor how it got there. `docs/format.md` describes every field.
"""

from typing import TYPE_CHECKING

from datom_core.lazy import lazy

if TYPE_CHECKING:
    from datom_core.documents import canonical
    from datom_core.documents.approvals import (
        LOCKED,
        TRAILER,
        Approval,
        Approvals,
        Signer,
        check_names_no_approval,
        new_record,
        record_id,
        record_text,
    )
    from datom_core.documents.author import Author, read_author
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
    from datom_core.documents.history import History
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
        required,
        schema_of,
        strings,
        timestamp,
    )
    from datom_core.documents.project_file import ProjectFile
    from datom_core.documents.provenance import (
        Machine,
        Provenance,
        Run,
        SourceFile,
        SourceSystem,
        fact,
        read_provenance,
    )
    from datom_core.documents.recording import Recording
    from datom_core.documents.reviews import Review, ReviewMove, Reviews
    from datom_core.documents.set_hash import SET_ALGO, hash_set
    from datom_core.documents.shape_change import Change, compare_shapes
    from datom_core.documents.signers import AllowedSigner, Signers, check_principal, check_public_key
    from datom_core.documents.version import Version
else:
    __getattr__, __dir__ = lazy(
        __name__,
        {
            "approvals": "Approval Approvals LOCKED Signer TRAILER check_names_no_approval new_record record_id "
            "record_text",
            "author": "Author read_author",
            "canonical": "canonical",
            "cuts": "Cut Cuts",
            "display": "Rows block rows",
            "governance": "DISPATCH Decommission Event Events FormerPlace GovernanceFile Ref location_block",
            "history": "History",
            "version": "Version",
            "line": "Line",
            "lineage": "Parent Source check_parents",
            "location": "Location PlaceKind add_kind kind_of same_place shared_kinds",
            "manifest": "Entry Manifest",
            "metadata": "Declared Metadata Origin clean_custom complete identity_fields",
            "parsing": (
                "Buffer format_timestamp objects optional parse parse_object required schema_of strings timestamp"
            ),
            "project_file": "ProjectFile",
            "provenance": "Machine Provenance Run SourceFile SourceSystem fact read_provenance",
            "recording": "Recording",
            "reviews": "Review ReviewMove Reviews",
            "set_hash": "SET_ALGO hash_set",
            "shape_change": "Change compare_shapes",
            "signers": "AllowedSigner Signers check_principal check_public_key",
        },
    )

__all__ = [
    "DISPATCH",
    "LOCKED",
    "SET_ALGO",
    "TRAILER",
    "AllowedSigner",
    "Approval",
    "Approvals",
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
    "Machine",
    "Manifest",
    "Metadata",
    "Origin",
    "Parent",
    "PlaceKind",
    "ProjectFile",
    "Provenance",
    "Recording",
    "Ref",
    "Review",
    "ReviewMove",
    "Reviews",
    "Rows",
    "Run",
    "Signer",
    "Signers",
    "Source",
    "SourceFile",
    "SourceSystem",
    "Version",
    "add_kind",
    "block",
    "canonical",
    "check_names_no_approval",
    "check_parents",
    "check_principal",
    "check_public_key",
    "clean_custom",
    "compare_shapes",
    "complete",
    "fact",
    "format_timestamp",
    "hash_set",
    "identity_fields",
    "kind_of",
    "location_block",
    "new_record",
    "objects",
    "optional",
    "parse",
    "parse_object",
    "read_author",
    "read_provenance",
    "record_id",
    "record_text",
    "required",
    "rows",
    "same_place",
    "schema_of",
    "shared_kinds",
    "strings",
    "timestamp",
]
