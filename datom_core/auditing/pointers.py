"""Which version a table's metadata.json describes, known from the commit that wrote it, or else from the document."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from datom_core.documents import History, Metadata
from datom_core.errors import FormatError


class Pointer(NamedTuple):
    """What is current."""

    version: str
    data_sha: str


class Pointers:
    """The pointers of all commits so far, by the blob of metadata.json."""

    def __init__(self) -> None:
        self._known: dict[str, Pointer] = {}

    def learn(self, blob: str, pointer: Pointer) -> None:
        self._known[blob] = pointer

    def find(
        self, blob: str | None, text: Callable[[], bytes | None], history: Callable[[], bytes | None], source: str
    ) -> Pointer | None:
        """The pointer in a blob.

        Args:
            blob: which one.
            text, history: give the document, and the table's history at that time.
            source: what it is, for errors.

        Raises:
            FormatError: the document cannot be read.
        """
        if blob is None:
            return None
        if blob not in self._known:
            data = text()
            if data is None:
                return None
            metadata = Metadata.from_json(data, source)
            self._known[blob] = Pointer(_version(metadata, history()), metadata.data_sha)
        return self._known[blob]


def _version(metadata: Metadata, history: bytes | None) -> str:
    """The version that a document describes; R's ids cannot always be computed again, and its history tells then."""
    computed = metadata.version()
    if history is None or computed.encode() in history:
        return computed
    try:
        entry = History.from_json(history, "a history").current(metadata)
    except FormatError:
        return computed
    return computed if entry is None else entry.version
