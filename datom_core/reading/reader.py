"""Read a project with storage access alone: no git, and no method that writes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from datom_core import evidence, tables
from datom_core.common import Moment, fitting, names, veiled
from datom_core.credentials import CredentialSource
from datom_core.documents import (
    Location,
    Metadata,
    Parent,
    Rows,
    Source,
    Version,
    rows,
)
from datom_core.errors import NotFoundError
from datom_core.planning import Summary, TableInfo
from datom_core.reading.audits import Audits
from datom_core.reading.comparisons import Comparisons
from datom_core.reading.evidence import Evidence
from datom_core.reading.overviews import Overviews
from datom_core.reading.placement import locate, warn_if_registered
from datom_core.reading.sets import Sets
from datom_core.reading.stored_documents import StoredDocuments, manifest_of
from datom_core.reading.verification import Verifications
from datom_core.reading.version_choice import choose
from datom_core.storage import ObjectStore
from datom_core.tables import Verification, check_verification, insist

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@fitting
class ProjectReader(Audits, Comparisons, Overviews, Sets, Verifications, Evidence):
    """Reads every version of every table of one project. Make one with `ProjectReader.open`.

    Each call reads the documents anew, so that it sees what others have written meanwhile. Payloads are
    verified against their recorded SHA-256 before anything parses them.
    """

    def __init__(self, store: ObjectStore, project: str, schema: int) -> None:
        self._store = store
        self._documents = StoredDocuments(store, project)
        self._project = project
        self._schema = schema

    @classmethod
    def open(cls, store: ObjectStore, project: str | None = None) -> ProjectReader:
        """A reader of the project in ``store``.

        Args:
            store: where the project's data lies.
            project: its name, which is compared with what the store holds; ``None`` takes what is there.

        Raises:
            NotFoundError: the store is not there, or holds no project or another one.
            FormatError: the project is of a newer schema.

        Warns:
            GovernanceWarning: the project is registered, so that `find` is the way to it.
        """
        found = open_reader(store, project)
        warn_if_registered(store, found.project)
        return found

    @classmethod
    def find(
        cls,
        project: str,
        *,
        governance: ObjectStore,
        near: ObjectStore | None = None,
        credentials: CredentialSource | None = None,
        **options: Any,
    ) -> ProjectReader:
        """A reader of a registered project, found by its name alone.

        Args:
            project: its name.
            governance: the storage of the organization's register.
            near: a store whose server and credentials also open the project's bucket; by default ``governance``.
            credentials: those for the project's bucket, when they differ.
            **options: further arguments of `S3Store`, such as ``endpoint_url``.

        Raises:
            NotFoundError: no project of that name is registered, or its data is gone.
            ConflictError: it is being decommissioned.
            AccessDeniedError: the credentials do not open the register, or the data.
            InvalidInputError: there are no credentials for a bucket.
        """
        credentials, options = veiled(credentials), veiled(options)
        store = locate(project, governance=governance, near=near, credentials=credentials, **options)
        try:
            return open_reader(store, project)
        except NotFoundError:
            again = locate(project, governance=governance, near=near, credentials=credentials, **options)
            if again.location == store.location:
                raise
            return open_reader(again, project)  # it moved in the meantime

    @property
    def project(self) -> str:
        """Name of the project."""
        return self._project

    @property
    def location(self) -> Location:
        """Where its data lies."""
        return self._store.location

    def read(
        self,
        table: str,
        version: str | Version | None = None,
        cut: str | None = None,
        as_of: Moment | None = None,
        columns: Sequence[str] | None = None,
        *,
        categories: bool = False,
        verify: Verification | None = None,
    ) -> pd.DataFrame:
        """A version of a table as a pandas frame; integers and booleans come as nullable dtypes.

        Args:
            table: its name.
            version: a version id, its first digits, or an entry of `history`. Without ``version``, ``cut`` and
                ``as_of``: the current one.
            cut: name of a cut.
            as_of: the version that was current then; with ``cut``, the one that the cut stood for then. A date means
                its end. Times without an offset are UTC.
            columns: decode these columns only, in this order.
            categories: text as categories, which are read several times faster and take less memory. Written again,
                they are the same content.
            verify: ``"bytes"`` compares the file with the SHA-256 that storage records, which whoever may write there
                can forge together with the file. ``"content"`` also computes the content hash, and from the version's
                document its id, which nobody can forge: what is read is the version of that id, or it is refused. By
                default ``"content"`` when ``version`` is a full id or an entry of `history`, with a warning instead of
                an error for what R left open; else ``"bytes"``.

        Raises:
            NotFoundError: no such table, version or cut, or none yet at that time.
            InvalidInputError: an ambiguous version, an unknown column, a set, or two ways to choose at once.
            IntegrityError: the stored bytes are not those that were recorded, or not proven to be the version.

        Warns:
            UnprovenWarning: by default, when nothing in storage can prove that this is the version.
        """
        found = self.read_arrow(table, version, cut, as_of, columns, dictionaries=categories, verify=verify)
        return tables.to_pandas(found)

    def read_arrow(
        self,
        table: str,
        version: str | Version | None = None,
        cut: str | None = None,
        as_of: Moment | None = None,
        columns: Sequence[str] | None = None,
        *,
        dictionaries: bool = False,
        verify: Verification | None = None,
    ) -> pa.Table:
        """As `read`, as a pyarrow Table, which keeps missing values and NaN apart.

        ``dictionaries`` keeps text dictionary-encoded, as ``categories`` does there.
        """
        check_verification(verify)
        current, entry = None, version if isinstance(version, Version) else None
        if entry is None:
            current, entry = choose(self._documents, table, version, cut, as_of)  # type: ignore[arg-type]
        else:
            names.check_name(table)
        full = isinstance(version, Version) or names.is_sha(version)
        if verify == "bytes" or (verify is None and not full):
            chosen = entry or current
            assert chosen is not None
            data = self._documents.payload(table, chosen.data_sha, chosen.payload_sha)
            return tables.decode_parquet(data, columns, dictionaries=dictionaries)
        entry = entry or self.resolve(table)
        whole = self._proven(table, entry, current, dictionaries=dictionaries, certain=verify == "content")
        return whole if columns is None else whole.select(tables.check_columns(whole.column_names, columns))

    def resolve(
        self, table: str, version: str | None = None, cut: str | None = None, as_of: Moment | None = None
    ) -> Version:
        """The history entry that `read` would read with the same arguments."""
        metadata, chosen = choose(self._documents, table, version, cut, as_of)
        if chosen is None:
            chosen = self._documents.history(table).current(metadata)
        if chosen is None:
            raise NotFoundError(f"The history of {table} does not hold its current version.", table=table)
        return chosen

    def list(self, pattern: str | None = None) -> Rows[TableInfo]:
        """Every table and set, in order of first write; ``pattern`` is a glob on the name (``"ad*"``)."""
        found = [
            TableInfo(e.name, e.kind, e.version, e.data_sha, e.version_count, e.size_bytes, e.last_updated)
            for e in self._documents.manifest()
            if pattern is None or fnmatchcase(e.name, pattern)
        ]
        return rows(found)

    def history(self, table: str) -> Rows[Version]:
        """Every version of a table or set, in the order of first recording, newest first.

        After a revert the current version is not the first one: `resolve` gives it, and its ``latest`` says
        who made it current, when and why.
        """
        stored = self._documents
        history = stored.find_history(names.check_name(table))
        if history is None:
            stored.pointer(table)  # says what there is, when there is no such table
        return rows(history if history is not None else stored.history(table))

    def metadata(
        self, table: str, version: str | None = None, cut: str | None = None, as_of: Moment | None = None
    ) -> Metadata:
        """The metadata document of a version (arguments as `read`), also of a set."""
        current, chosen = choose(self._documents, table, version, cut, as_of, sets=True)
        if chosen is None:
            return current
        stored = self._documents
        return stored.proven(table, chosen) if names.is_sha(version) else stored.snapshot(table, chosen)

    def parents(
        self, table: str, version: str | None = None, cut: str | None = None, as_of: Moment | None = None
    ) -> tuple[Parent, ...] | None:
        """The parents that the writer of a version declared; ``None`` when it declared nothing."""
        return self.metadata(table, version, cut, as_of).parents

    def lineage(
        self, table: str, version: str | None = None, cut: str | None = None, as_of: Moment | None = None
    ) -> tuple[Source, ...] | None:
        """The imported tables behind a version, as recorded; ``None`` when nothing was recorded."""
        return self.metadata(table, version, cut, as_of).lineage

    def parent(self, table: str, version: str | Version | None = None) -> Parent:
        """A version of a table, to be declared as parent of another table (the current one by default)."""
        entry = version if isinstance(version, Version) else self.resolve(table, version)
        metadata = self._documents.proven(table, entry)
        return Parent(self._project, table, entry.version, entry.data_sha, metadata.lineage or ())

    def summary(self) -> Summary:
        """The project at a glance."""
        manifest, location = self._documents.manifest(), self._store.location
        tables = [e for e in manifest if e.kind == "table"]
        return Summary(
            project=manifest.project,
            backend=location.backend,
            root=location.root,
            prefix=location.prefix,
            schema=manifest.schema,
            tables=len(tables),
            sets=len(manifest.entries) - len(tables),
            versions=sum(e.version_count for e in tables),
            cuts=len(self.cuts()),
            size_bytes=sum(e.size_bytes or 0 for e in tables),
            last_updated=manifest.updated_at,
        )

    def provenance_document(
        self, state: Moment | None = None, *, tables: Collection[str] | None = None
    ) -> dict[str, Any]:
        """Where the versions of a study come from, as a document of W3C PROV in JSON; docs/lineage.md lists its terms.

        It has each table's version at the state, all that were current before, and every version in this project from
        which one at the state was derived. Of each: its ids, when and by whom and why it was recorded, from which file
        and run as far as that was recorded; and the cuts, reviews and approvals that name one. The same project gives
        the same document.

        Args:
            state: the name of a cut or of a review mark, a date or time; ``None`` is now. Of one table also a version
                id or its first digits.
            tables: only these.

        Raises:
            NotFoundError: no such state, or a table that it does not have.
            InvalidInputError: ``tables`` is no list of names.
            IntegrityError: a document is not that of its version.
        """
        return evidence.provenance_document(self, state, tables=tables)

    def __repr__(self) -> str:
        at = self._store.location
        return (
            f"ProjectReader({self._project!r}, backend={at.backend!r}, root={at.root!r}, "
            f"prefix={at.prefix!r}, schema={self._schema})"
        )

    def _proven(
        self, table: str, entry: Version, current: Metadata | None, *, dictionaries: bool, certain: bool
    ) -> pa.Table:
        """The whole table of a version, compared with all that its id stands for.

        Args:
            table, entry: which version.
            current: the table's current document, where it is known; it may be that of this version.
            dictionaries: as `read_arrow`.
            certain: refuse what R left open as well, instead of warning.
        """
        own = current is not None and current.version() == entry.version
        try:
            told = self._documents.proven(table, entry, current if own else None, certain=certain)
        except NotFoundError as error:
            # Without it nothing ties the content to the version: whoever may delete could then forge.
            raise NotFoundError(f'{error} verify="bytes" reads without it.', **error.details) from error
        data = self._documents.payload(table, entry.data_sha, entry.payload_sha)
        whole = tables.decode_parquet(data, dictionaries=dictionaries)
        where = self._documents.where(table, entry)
        insist(where, tables.judge_table(whole, entry.data_sha, lambda: told), certain=certain)
        return whole


def open_reader(store: ObjectStore, project: str | None) -> ProjectReader:
    """As `ProjectReader.open`, for a place known to be the right one."""
    manifest = manifest_of(store, project)
    return ProjectReader(store, manifest.project, manifest.schema)
