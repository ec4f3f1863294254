"""What storage has: documents, the texts from which version ids are computed, and payloads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from datom_core.common import names
from datom_core.documents import Buffer, History, Manifest, Metadata, canonical
from datom_core.errors import ConflictError, IntegrityError, NotFoundError
from datom_core.evidence.results import HeldVersion
from datom_core.evidence.workshop import Workshop
from datom_core.storage import ObjectStore, find, in_pieces
from datom_core.tables import judge_document

STORED = "data/datom/"
_PROJECT_KEYS = (names.CUTS_KEY, names.GOVERNANCE_KEY, names.LINE_KEY)
Unproven = tuple[str, str, str]


def put_documents(shop: Workshop, store: ObjectStore) -> list[Unproven]:
    """All documents, as they lie in storage, and the text of each version's id.

    Returns:
        Table, version and reason of each id that nobody can compute again.

    Raises:
        NotFoundError: a document is missing; names the table and version.
        IntegrityError: a document is another version's.
        ConflictError: others wrote meanwhile.
    """
    whole = _get(store, names.MANIFEST_KEY, "The manifest")
    manifest = Manifest.from_json(whole, names.MANIFEST_KEY)
    shop.put(STORED + names.MANIFEST_KEY, whole)
    for key in _PROJECT_KEYS:
        found = find(store, key)
        if found is not None:
            shop.put(STORED + key, found.data)
    unproven: list[Unproven] = []
    for table in manifest.entries:
        shop.put(STORED + names.pointer(table), _get(store, names.pointer(table), f"The document of {table}"))
        data = _get(store, names.history(table), f"The history of {table}")
        shop.put(STORED + names.history(table), data)
        for entry in History.from_json(data, names.history(table)):
            unproven += _put_version(shop, store, table, entry.version)
    now = Manifest.from_json(_get(store, names.MANIFEST_KEY, "The manifest"), names.MANIFEST_KEY)
    if dict(now.raw) != dict(manifest.raw):
        raise ConflictError(f"Others wrote to {manifest.project} while its documents were taken. Try again.")
    return unproven


def _put_version(shop: Workshop, store: ObjectStore, table: str, version: str) -> list[Unproven]:
    key = names.snapshot(table, version)
    data = _get(store, key, f"The document of {table}@{version[:8]}", "project.mirror() rebuilds it.")
    document = Metadata.from_json(data, key)
    verdict = judge_document(document, version)
    if verdict.is_other:
        raise IntegrityError(
            f"The document of {table}@{version[:8]} in {store.location} is not that version's: {verdict.fault}. "
            "project.validate('deep', fix=True) restores it.",
            table=table,
            version=version,
        )
    shop.put(STORED + key, data)
    if not verdict.proven:
        return [(table, version, verdict.doubt or "")]
    shop.put(f"data/ids/{table}/{version}", identity_text(document.raw), version)
    return []


def identity_text(document: Mapping[str, Any]) -> bytes:
    """The text whose SHA-256 is the version's id."""
    return canonical.canonical(canonical.identity(document)).encode()


def put_payload(shop: Workshop, store: ObjectStore, held: HeldVersion) -> str:
    """One payload, a piece at a time where the store can do so, compared with what was recorded; its SHA-256.

    Raises:
        NotFoundError, IntegrityError: it is missing, or not what was recorded; names the table and version.
    """
    path, what = STORED + held.key, f"{held.table}@{held.version.version[:8]}"
    if held.payload_sha is not None and shop.has(path, held.payload_sha):
        return held.payload_sha
    try:
        return shop.put(path, in_pieces(store, held.key), held.payload_sha).sha256
    except NotFoundError as error:
        raise NotFoundError(
            f"The data of {what} is missing from {store.location}: {held.key}. Writing the same data again puts it "
            "back.",
            table=held.table,
            version=held.version.version,
        ) from error
    except IntegrityError as error:
        raise IntegrityError(
            f"The data of {what} in {store.location} is not what was recorded: {held.key} has another SHA-256 than "
            f"{(held.payload_sha or '')[:16]}... Do not use this data; restore the object from a backup.",
            table=held.table,
            version=held.version.version,
        ) from error


def sizes(store: ObjectStore, versions: tuple[HeldVersion, ...]) -> Iterator[int]:
    """The size of each payload.

    Raises:
        NotFoundError: payloads are missing; names every table and version.
    """
    found = {v.key: store.head(v.key) for v in versions}
    missing = [f"{v.table}@{v.version.version[:8]}" for v in versions if found[v.key] is None]
    if missing:
        raise NotFoundError(
            f"The data of {', '.join(missing)} is missing from {store.location}. Writing the same data again puts it "
            "back.",
            versions=tuple(missing),
        )
    return (info.size for info in found.values() if info is not None)


def _get(store: ObjectStore, key: str, what: str, help_: str = "project.mirror() puts it back.") -> Buffer:
    found = find(store, key)
    if found is None:
        raise NotFoundError(f"{what} is missing from {store.location}: {key}. {help_}", key=key)
    return found.data
