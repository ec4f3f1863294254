"""What a reader hands over for others to prove."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from datom_core import evidence as bags
from datom_core.common import Moment
from datom_core.reading.stored_documents import StoredDocuments

if TYPE_CHECKING:
    from datom_core.evidence import EvidenceBag
    from datom_core.git import GitRepo, Remote, SigningKey


class Evidence:
    """The part of `ProjectReader` that makes bags of evidence."""

    _documents: StoredDocuments

    def evidence(
        self,
        to: str | os.PathLike[str],
        *,
        cut: str | None = None,
        as_of: Moment | None = None,
        tables: Mapping[str, str] | Collection[str] | None = None,
        history: GitRepo | Remote | str | os.PathLike[str] | None = None,
        copies: Sequence[str] = (),
        since: str | None = None,
        report: bool = True,
        seal: SigningKey | Callable[[bytes], bytes] | None = None,
        dry_run: bool = False,
    ) -> EvidenceBag:
        """Write a folder, or a zip file, with which others prove what the data was, without this software.

        It holds the data, all documents, the git history with its signatures, and a recipe, ``verify.sh``, that needs
        a shell, coreutils, git and ssh-keygen (docs/evidence.md). The same arguments give the same bytes as long as
        nobody writes. An interrupted run leaves ``{to}.partial``, and the same call goes on with it.

        Args:
            to: a folder that is not there yet, or empty; or a file that ends in ``.zip``, which needs space twice.
            cut, as_of, tables: one of them, or all tables and sets as they are now: name of a cut; a moment; names of
                tables, for their current versions, or a mapping from name to version.
            history: the remote of the project's git repository. Without it, nothing proves who recorded what.
            copies: also the tables as ``csv``, ``tsv``, ``xlsx``, ``xpt``, ``xpt8``, ``dataset-json``, ``ndjson``.
            since, report: of a cut, tell what changed since this state; by default since the cut before, if any.
            seal: a key that signs the bag's manifest, or a function from its bytes to an SSH signature in the namespace
                ``datom-evidence``. With an Ed25519 key, the same bag has the same seal.
            dry_run: check what can be checked at once, and write nothing.

        Raises:
            NotFoundError: no such cut, table or version; or what is missing, by table and version.
            IntegrityError: data or a document is not what was recorded; names the table and version.
            InvalidInputError: an argument does not fit, or a form of copies a table; or ``{to}.partial`` is of another
                call.
            AlreadyExistsError: ``to`` is there already.
            ConflictError: others wrote meanwhile, or storage and git differ.
            AccessDeniedError, StorageError: a store, git, or the disk failed; nothing is at ``to``.
        """
        asked, stored = bags.Asked(cut, as_of, tables), self._documents
        how = {"copies": copies, "since": since, "report": report, "seal": seal, "dry_run": dry_run}
        return bags.write_evidence(self, stored, stored.store, to, asked, history=history, **how)  # type: ignore[arg-type]
