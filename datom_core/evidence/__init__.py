"""What a project hands over about itself, for those who have to prove what the data was.

Nothing here writes to a project.
"""

from typing import TYPE_CHECKING

from datom_core.lazy import lazy

if TYPE_CHECKING:
    from datom_core.evidence.prov import provenance_document
else:
    __getattr__, __dir__ = lazy(__name__, {"prov": "provenance_document"})

__all__ = ["provenance_document"]
