"""A requested move of a project's data: from where, to where, why, and whether anything stands against it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, get_args

from datom_core.common import moment_of
from datom_core.documents import Author, kind_of, same_place
from datom_core.errors import ConflictError, InvalidInputError, NotFoundError
from datom_core.governance import Governance, Registration
from datom_core.planning import ProjectState, check_writable
from datom_core.project.project import Project, editor_of
from datom_core.publishing import NamespaceClaim, Projector, check_origin
from datom_core.reading import being_taken_away
from datom_core.storage import ObjectStore, Verify, check_place, check_store
from datom_core.writing import DocumentEditor, check_author, check_message


@dataclass(frozen=True)
class Move:
    """What `migrate` was asked to do. It does nothing itself.

    Attributes:
        name, governance: the project, and its register.
        source, target: from where, to where.
        there, editor: edit the project's documents and project them into the source, and into the target.
        verify: how closely to check the copies.
        reason, author: of the commit.
        sunset_at: until when the old place is kept (ISO 8601).
    """

    name: str
    governance: Governance | None
    source: ObjectStore
    target: ObjectStore
    there: DocumentEditor
    editor: DocumentEditor
    verify: Verify
    reason: str
    author: Author
    sunset_at: str | None

    @classmethod
    def asked(
        cls,
        project: Project,
        target: ObjectStore,
        source: ObjectStore | None,
        *,
        verify: Verify,
        message: str | None,
        author: Author | str | None,
        sunset_at: date | str | None,
    ) -> Move:
        """From the arguments of `migrate`.

        Raises:
            InvalidInputError: one of them is not valid.
        """
        source = source or project.store
        for store in (target, source):
            check_store(store)
        if verify not in get_args(Verify):
            raise InvalidInputError(f"verify is one of {', '.join(get_args(Verify))}, not {verify!r}.")
        return cls(
            project.name,
            project.governance,
            source,
            target,
            _projecting_into(source, project),
            _projecting_into(target, project),
            verify,
            check_message(message, f"Move the data from {source.location} to {target.location}"),
            project.author if author is None else check_author(author),
            None if sunset_at is None else moment_of(sunset_at).date().isoformat(),
        )

    def checked(self) -> tuple[ProjectState, NamespaceClaim]:
        """The documents, and the claim on the target, once it is certain whose data this is and that it may go there.

        Raises:
            As `migrate`. Nothing was touched.
        """
        if same_place(self.source.location, self.target.location):
            raise InvalidInputError(
                f"The data of {self.name} lies in {self.target.location} already. To complete a migration "
                "that broke off after it was recorded, give the old place as source; to move to another server, choose "
                "another bucket or prefix there, since the recorded place would be the same."
            )
        # Through the source: the folder of a local target may not exist yet.
        tip, state = self.there.load(None, moving=True)
        check_writable(state, state.manifest.entries)
        self._check_registration(state)
        if not same_place(state.file.location, self.target.location):
            check_place(state.file.name, state.file.location, self.source.location)
        # Versions that the remote has lost would not be copied.
        self.there.projector.lines.check(self.there.projector.view_storage(()), tip, state)
        check_origin(self.source, state)
        origin = str(self.source.location)
        claim = NamespaceClaim(self.target, self.name, self.editor.repo.root(tip), origin)
        claim.check(state)
        return state, claim

    def _check_registration(self, state: ProjectState) -> None:
        """Make sure that the register, if there is one, can record the move.

        Raises:
            NotFoundError, ConflictError, InvalidInputError: it cannot.
        """
        governance = self.governance
        self.check_register_is_known(state)
        if governance is None:
            return
        governance.register.needed_repo()
        if not kind_of(self.target.location).shared:
            raise InvalidInputError(f"{self.target.location} is nowhere that readers could find {state.file.name}.")
        self.registration_after(governance.register.find(state.file.name), "")

    def check_register_is_known(self, state: ProjectState) -> None:
        """Refuse to go on if the project was registered meanwhile: its register would not learn of the move."""
        if (self.governance is None) != (state.governance is None):
            raise ConflictError(f"{state.file.name} has been registered since it was opened. Open it again.")

    def registration_after(self, found: Registration | None, now: str, **more: Any) -> Registration:
        """The registration after the move; unchanged if it already shows the move."""
        if found is None:
            raise NotFoundError(
                f"{self.name} is not in its register, though it says that it is. Governance.attach(project) "
                "registers it."
            )
        if found.ref.decommission is not None:
            raise being_taken_away(found.project, found.ref.decommission.began_at)
        if same_place(found.ref.current, self.target.location):
            return found
        check_place(found.project, found.ref.current, self.source.location)
        return found.moved(self.target.location, now, **more)


def _projecting_into(store: ObjectStore, project: Project) -> DocumentEditor:
    editor = editor_of(project)
    return replace(editor, projector=Projector(editor.repo, store, target_unrecorded=True))
