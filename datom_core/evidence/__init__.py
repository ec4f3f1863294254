"""A folder for an inspector: data, documents, history and approvals, with what it takes to prove them without datom.

Nothing here writes to a project.
"""

from typing import TYPE_CHECKING

from datom_core.lazy import lazy

if TYPE_CHECKING:
    from datom_core.evidence.bags import write_evidence
    from datom_core.evidence.choosing import Asked
    from datom_core.evidence.prov import provenance_document
    from datom_core.evidence.results import EvidenceBag, HeldVersion
else:
    __getattr__, __dir__ = lazy(
        __name__,
        {
            "bags": "write_evidence",
            "choosing": "Asked",
            "prov": "provenance_document",
            "results": "EvidenceBag HeldVersion",
        },
    )

__all__ = [
    "Asked",
    "EvidenceBag",
    "HeldVersion",
    "provenance_document",
    "write_evidence",
]
