"""Legal holds on what a project's cuts stand for."""

from __future__ import annotations

from datom_core.common import names
from datom_core.storage import HoldReport
from datom_core.writing import DocumentEditor, hold_payloads, versions_of_cut


class Holding:
    """The part of an open project that puts data under legal hold."""

    _editor: DocumentEditor

    def hold(self, cut: str, *, dry_run: bool = False) -> HoldReport:
        """Put what a cut stands for under legal hold: nobody can remove it until the hold is lifted in the bucket.

        Held are the data of its versions and the documents that prove their ids. A store that knows no holds (a disk, a
        bucket without object lock) is no error: the report says so. Nothing here ever lifts a hold.

        Args:
            cut: its name.
            dry_run: only tell what is held.

        Raises:
            NotFoundError: there is no such cut, or its data is not in storage.
            AccessDeniedError: one may not; names the right, ``s3:PutObjectLegalHold``. What was held so far stays held.
            StorageError: the store failed. Call it again; it goes on.
        """
        names.check_cut_name(cut)
        _, state = self._editor.load(None)
        return hold_payloads(self._editor.projector.store, versions_of_cut(state, cut), dry_run=dry_run)
