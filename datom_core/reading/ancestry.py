"""From which versions a version was derived, through all generations, and what was derived from a table."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from datom_core.common import Progress, watcher
from datom_core.documents import Metadata, Parent, Rows, Source, rows
from datom_core.errors import NotFoundError
from datom_core.reading.log import READERS
from datom_core.reading.states import StateLike, Versions, find_state
from datom_core.reading.stored_documents import StoredDocuments

_DEEPEST = 100  # generations

#: What is known of a version in a tree: its parents follow (``read``), or are told already (``repeated``); it is in
#: another project (``elsewhere``); storage does not have its document (``missing``); there are too many generations.
Known = Literal["read", "repeated", "elsewhere", "missing", "too deep"]


@dataclass(frozen=True)
class LineageNode:
    """A version of a table, with those from which it was derived.

    Attributes:
        project, table, version, data_sha: which one.
        known: what is known of it: ``read``, ``repeated`` (told already), ``elsewhere`` (in another project),
            ``missing`` (from storage) or ``too deep``.
        table_type: ``"imported"`` or ``"derived"``.
        parents: ``None`` when its writer declared nothing, or they are not known.
        sources: the imported tables behind it; ``None`` when nothing was recorded.
    """

    project: str
    table: str
    version: str
    data_sha: str
    known: Known
    table_type: str | None = None
    parents: tuple[LineageNode, ...] | None = None
    sources: tuple[Source, ...] | None = None


@dataclass(frozen=True)
class Dependent:
    """A table whose current version was derived from a version of another one.

    Attributes:
        table, version: which one.
        parent_version: what it was derived from.
        level: whether that is still the current version.
    """

    table: str
    version: str
    parent_version: str
    level: bool


def upstream(of: Versions, documents: StoredDocuments, table: str, state: StateLike | None) -> LineageNode:
    """As `ProjectReader.upstream`."""
    entry = find_state(of, table, state).version
    pointer = documents.pointer(table)
    current = documents.history(table).current(pointer)
    own = pointer if current is not None and current.version == entry.version else documents.proven(table, entry)
    root = Parent(of.project, table, entry.version, entry.data_sha)
    return _node(documents, root, own, {(table, entry.version)}, 0)


def _node(
    documents: StoredDocuments, of: Parent, metadata: Metadata, told: set[tuple[str, str]], depth: int
) -> LineageNode:
    """Each version is told once: many generations that share parents would be told again and again."""
    found: list[LineageNode] = []
    for parent in metadata.parents or ():
        place = parent.table, parent.version
        known: Known = "read"
        document = None
        if parent.source != documents.project:
            known = "elsewhere"
        elif place in told:
            known = "repeated"
        elif depth >= _DEEPEST:
            known = "too deep"
        else:
            told.add(place)
            document = _document(documents, parent)
            known = "read" if document is not None else "missing"
        found.append(
            _node(documents, parent, document, told, depth + 1)
            if document is not None
            else LineageNode(parent.source, parent.table, parent.version, parent.data_sha, known)
        )
    return LineageNode(
        of.source,
        of.table,
        of.version,
        of.data_sha,
        "read",
        metadata.table_type,
        None if metadata.parents is None else tuple(found),
        metadata.lineage,
    )


def _document(documents: StoredDocuments, parent: Parent) -> Metadata | None:
    """The document of a parent, if storage has it with the content that was declared."""
    try:
        entry = documents.history(parent.table).find(parent.version)
        return None if entry is None else documents.proven(parent.table, entry)
    except NotFoundError:
        return None


def downstream(of: Versions, documents: StoredDocuments, table: str) -> Rows[Dependent]:
    """As `ProjectReader.downstream`."""
    current = of.resolve(table).version
    names = [t.name for t in of.list() if t.kind == "table"]
    told, found = watcher(), []
    with ThreadPoolExecutor(READERS, thread_name_prefix="datom-lineage") as pool:
        for done, (name, metadata) in enumerate(zip(names, pool.map(documents.pointer, names), strict=True), 1):
            told(Progress("documents", done, len(names), 0, 0, name))
            entry = None
            for parent in metadata.parents or ():
                if (parent.source, parent.table) == (documents.project, table):
                    entry = entry or documents.history(name).current(metadata)
                    version = metadata.version() if entry is None else entry.version
                    found.append(Dependent(name, version, parent.version, parent.version == current))
    return rows(found)
