"""Record how far a study was reviewed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from datom_core.common import names
from datom_core.documents import Author, Provenance
from datom_core.errors import InvalidInputError
from datom_core.project.open_project import ProjectParts
from datom_core.writing import DocumentEditor, Purpose, check_versions, marked_reviewed


class Reviewed:
    """The part of an open project that sets marks of review."""

    _parts: ProjectParts
    _editor: DocumentEditor

    def mark_reviewed(
        self,
        cut: str | None = None,
        *,
        name: str = "reviewed",
        versions: Mapping[str, str | None] | Iterable[str] | None = None,
        message: str | None = None,
        author: Author | str | None = None,
        trailers: Mapping[str, str] | None = None,
        provenance: Provenance | None = None,
        backwards: bool = False,
        dry_run: bool = False,
    ) -> str | None:
        """Record that a study was reviewed up to a cut: `ProjectReader.changes_between` then tells what came since.

        The mark keeps the versions for which the cut stands now: what is delivered again under the same name later
        counts as not reviewed. Every time that a mark was set stays in `ProjectReader.reviews`.

        Args:
            cut: what was reviewed.
            name: of the mark; each reviewer or kind of review may have one.
            versions: instead of a cut, as for `Project.record_cut`.
            message: why, or what came of it; ``Reviewed up to {cut}`` by default.
            author, trailers, provenance: as for `Project.write`.
            backwards: set the mark to something older than what it stands for.
            dry_run: check everything, and record nothing.

        Returns:
            The commit, or ``None`` if the mark already stands there.

        Raises:
            InvalidInputError: an argument is not valid, the mark has the name of a cut, or would go backwards.
            NotFoundError: there is no such cut, table or version, or its data is not in storage.
        """
        if (cut is None) == (versions is None):
            raise InvalidInputError('Say what was reviewed: a cut, or versions={"dm": ...}, and not both.')
        asked = {} if versions is None else check_versions(versions)
        where = ", ".join(asked) if cut is None else names.check_cut_name(cut)
        purpose = Purpose.asked(message, author, trailers, provenance, standing=self._parts.standing)
        intent = purpose.intent(f"Reviewed up to {where}" if cut is not None else f"Reviewed: {where}")
        edit = marked_reviewed(
            name, cut, asked, intent.author, intent.message, backwards=backwards, provenance=intent.provenance
        )
        return self._editor.run(edit, intent.commit_message(intent.message), intent.author, None, dry_run=dry_run)
