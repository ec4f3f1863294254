"""A project's documents and payloads as storage has them, and how far they prove themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from datom_core.common import brief, did_you_mean, names
from datom_core.documents import Buffer, Cuts, History, Manifest, Metadata, Version
from datom_core.errors import FormatError, IntegrityError, NotFoundError
from datom_core.storage import ObjectStore, check_store, find
from datom_core.tables import Verdict, insist, judge_document

T = TypeVar("T")


class StoredDocuments:
    """What one project has in storage. Each call reads anew, so that it sees what others have written meanwhile.

    Args:
        store: where the project's data lies.
        project: its name, for errors.
    """

    def __init__(self, store: ObjectStore, project: str) -> None:
        self.store = store
        self.project = project

    def manifest(self) -> Manifest:
        manifest = self._document(names.MANIFEST_KEY, Manifest.from_json)
        if manifest is None:
            raise NotFoundError(f"{self.store.location} holds no datom project any more.")
        return manifest

    def cuts(self) -> Cuts:
        found = self._document(names.CUTS_KEY, Cuts.from_json)
        return Cuts() if found is None else found  # a document may have review marks, and no cut

    def pointer(self, table: str) -> Metadata:
        """The document of a table's current version."""
        current = self._document(names.pointer(table), Metadata.from_json)
        if current is None:
            known = list(self.manifest().entries)
            hint = did_you_mean(table, known) or f" It has: {brief(list(known))}."
            raise NotFoundError(f"{self.project} has no table {table!r}.{hint}", table=table)
        return current

    def find_history(self, table: str) -> History | None:
        return self._document(names.history(table), History.from_json)

    def history(self, table: str) -> History:
        history = self.find_history(table)
        if history is None:
            raise NotFoundError(f"{self.project} has no history of {table!r}.", table=table)
        return history

    def snapshot(self, table: str, entry: Version) -> Metadata:
        """The document of a version, as it lies there."""
        found = self._document(names.snapshot(table, entry.version), Metadata.from_json)
        if found is None:
            raise NotFoundError(
                f"The snapshot of {table}@{entry.version[:8]} is missing from storage; project.mirror() rebuilds it.",
                table=table,
                version=entry.version,
            )
        return found

    def proven(self, table: str, entry: Version, known: Metadata | None = None, *, certain: bool = False) -> Metadata:
        """The document of a version, as far as the version's id proves it, which says what its entry says.

        Args:
            table, entry: which version.
            known: the document, where it was read and proven already.
            certain: refuse what R left open as well, instead of warning.

        Raises:
            NotFoundError: it is missing.
            IntegrityError: it is another version's, or may be while it has to be certain.
        """
        document = self.snapshot(table, entry) if known is None else known
        insist(self.where(table, entry), self.judged(entry, document, known=known is not None), certain=certain)
        return document

    def judged(self, entry: Version, document: Metadata, *, known: bool = False) -> Verdict:
        """Whether this is the document of a version, and says what the version's entry says.

        Args:
            entry: the entry.
            document: the document.
            known: the version's id was compared already.
        """
        verdict = Verdict() if known else judge_document(document, entry.version)
        if not verdict.is_other and document.data_sha != entry.data_sha:
            return Verdict(f"its document names the content {document.data_sha[:8]}, the history {entry.data_sha[:8]}")
        return verdict

    def payload(self, table: str, data_sha: str, payload_sha: str | None) -> Buffer:
        """The bytes of a table's file, once they are known to be those that were recorded.

        Data from before a hash was recorded passes.
        """
        return self._object(table, names.payload(table, data_sha), data_sha, payload_sha)

    def set_payload(self, name: str, data_sha: str, document_sha: str | None) -> Buffer:
        """The bytes of a set's member list, once they are known to be those that were recorded, and its content.

        Raises:
            IntegrityError: they are not; or no hash of them is recorded, which every writer of sets does.
            NotFoundError: they are missing.
        """
        key = names.set_payload(name, data_sha)
        if document_sha is None:
            raise IntegrityError(
                f"The metadata of the set {name} records no SHA-256 of its members ({key}), so that they cannot be "
                "verified. project.mirror() restores the document from git.",
                key=key,
            )
        return self._object(name, key, data_sha, document_sha)

    def _object(self, name: str, key: str, data_sha: str, recorded: str | None) -> Buffer:
        """The bytes under a payload's key, compared with the recorded SHA-256 if there is one."""
        if not names.is_sha(data_sha):
            raise FormatError(f"{name}: {data_sha[:80]!r} is not a content hash.", table=name)
        try:
            stored = self.store.get(key)
        except NotFoundError as error:
            raise NotFoundError(
                f"The data of {name} ({data_sha[:8]}) is missing from {self.store.location}: {key}. "
                "Writing the same data again puts it back.",
                key=key,
                table=name,
            ) from error
        actual = stored.sha256
        if recorded is not None and actual != recorded:
            raise IntegrityError(
                f"{key} in {self.store.location} is not what was recorded: SHA-256 {actual[:16]}... instead of "
                f"{recorded[:16]}... Do not use this data; restore the object from a backup.",
                key=key,
                expected=recorded,
                actual=actual,
            )
        return stored.data

    def where(self, table: str, entry: Version) -> str:
        """A version and its place, for errors."""
        return f"{table}@{entry.version[:8]} in {self.store.location}"

    def _document(self, key: str, parse: Callable[[Buffer, str], T]) -> T | None:
        found = find(self.store, key)
        return None if found is None else parse(found.data, f"{key} in {self.store.location}")


def manifest_of(store: ObjectStore, project: str | None) -> Manifest:
    """The manifest of the project in a store.

    Args:
        store: where its data lies.
        project: its name, which is compared with what the store holds; ``None`` takes what is there.

    Raises:
        NotFoundError: the store is not there, or holds no project or another one.
        FormatError: the project is of a newer schema.
    """
    check_store(store)
    if project is not None:
        names.check_name(project, "project")
    store.check()
    try:
        data = store.get(names.MANIFEST_KEY).data
    except NotFoundError as error:
        raise NotFoundError(
            f"{store.location} holds no datom project ({names.MANIFEST_KEY} is missing). Check root and prefix.",
            location=str(store.location),
        ) from error
    manifest = Manifest.from_json(data, f"{names.MANIFEST_KEY} in {store.location}")
    if project is not None and manifest.project != project:
        raise NotFoundError(
            f"{store.location} holds the project {manifest.project!r}, not {project!r}. Check root and prefix.",
            project=project,
            found=manifest.project,
        )
    return manifest
