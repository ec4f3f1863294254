"""Attach a project to the register: check both sides, register it, and note that in its own documents."""

from __future__ import annotations

from dataclasses import dataclass, replace

from datom_core.common import names
from datom_core.documents import GovernanceFile, Location, ProjectFile, kind_of, same_place
from datom_core.errors import AlreadyExistsError, ConflictError, DatomError, InvalidInputError
from datom_core.git import same_remote
from datom_core.governance.register import Register, Registration
from datom_core.planning import ProjectState
from datom_core.publishing import load_state
from datom_core.reading import PlacementGuard, being_taken_away, check_recorded, registered_in
from datom_core.storage import ObjectStore, open_store
from datom_core.writing import DocumentEditor


@dataclass(frozen=True)
class Attachment:
    """A project about to be registered.

    Attributes:
        register: the register.
        name: of the project.
        editor: edits the project's own documents.
    """

    register: Register
    name: str
    editor: DocumentEditor

    @property
    def store(self) -> ObjectStore:
        """Where the project's data lies."""
        return self.editor.projector.store

    @property
    def location(self) -> Location:
        return self.store.location

    def run(self) -> None:
        """As `Governance.attach`."""
        location = self.location
        if not kind_of(location).shared:
            raise InvalidInputError(f"{self.name} lies in {location}, where nobody else could read it.")
        if same_place(location, self.register.store.location):
            raise InvalidInputError(
                f"The data of {self.name} lies in {location}, as would the register. Give each a place of its own."
            )
        # The project may not know of this register yet, and the register may have lost the project.
        editor = replace(self.editor, guard=PlacementGuard(self.store, self.register.store))
        _, state = editor.load((), moving=True)
        self._check_not_elsewhere(state)
        check_recorded(state, location)
        if self.register.mirrored(self.name) is not None:  # otherwise it is lost, and is put back here
            editor.guard.check(state)
        begun = self.register.change(
            self.name,
            lambda found, now: self._registered(found, state, now),
            f"Register project {self.name}",
        )
        self.register.bring_level(self.name)
        try:
            editor.run(self._attached, f"Attach governance: {self.name}", self.register.author, moving=True)
        except (AlreadyExistsError, ConflictError):
            if begun is not None:
                self._withdraw()
            raise
        editor.projector.bring_level((), thorough=True)

    def _check_not_elsewhere(self, state: ProjectState) -> None:
        held, ours = state.governance, self.register.needed_repo().remote
        if held is None:
            return
        if not same_remote(held.remote, ours) or not same_place(held.storage, self.register.store.location):
            raise AlreadyExistsError(
                f"{state.file.name} is registered in {held.remote} with storage {held.storage}, not in {ours} with "
                f"storage {self.register.store.location}. A registration ends with the project.",
                recorded=held.remote,
                given=ours,
            )

    def _registered(self, found: Registration | None, state: ProjectState, now: str) -> Registration:
        """The registration of a project at its place, if nothing stands against it."""
        name, location = self.name, self.location
        for ref in (found.ref if found else None, self.register.mirrored(name)):
            if ref is not None and ref.decommission is not None:
                raise being_taken_away(name, ref.decommission.began_at)
        twins = [p for p in self.register.projects() if p != name and p.lower() == name.lower()]
        if twins:
            raise AlreadyExistsError(
                f"{name} and the registered {twins[0]} differ only in case. Name the project otherwise.", project=name
            )
        if found is None:
            # Spelled as in git: R compares the spelling of prefixes.
            return Registration.new(name, replace(location, given_prefix=state.file.location.given_prefix))
        if state.governance is None and self._has_left(found.ref.current):
            return found.moved(location, now, author=self.register.author)
        if not same_place(found.ref.current, location) or found.ref.current.region != location.region:
            raise AlreadyExistsError(
                f"A project {name!r} is registered with its data in {found.ref.current}; this one's lies in "
                f"{location}. Name the project otherwise; if it is this one and was moved by hand, use dc.migrate.",
                recorded=str(found.ref.current),
                given=str(location),
            )
        return found

    def _withdraw(self) -> None:
        """Take back a registration that the project rejected: it has moved, is going, or attached elsewhere first."""
        repo, location = self.editor.repo, self.location
        tip = repo.tip()
        held = None if tip is None else load_state(repo, tip, ()).governance
        if held is not None and same_remote(held.remote, self.register.needed_repo().remote):
            return  # somebody else completed it

        def without(found: Registration | None, _: str) -> Registration | None:
            return None if found is not None and same_place(found.ref.current, location) else found

        if self.register.change(self.name, without, f"Unregister project {self.name}") is not None:
            self.register.forget(self.name)

    def _has_left(self, place: Location) -> bool:
        """Whether, by its own history, a project moved away after an interrupted `attach`, and nobody came since."""
        if same_place(place, self.location):
            return False
        try:
            if registered_in(open_store(place, near=(self.store,))) is not None:
                return False
        except DatomError:
            return False  # nobody knows
        repo = self.editor.repo
        tip = repo.tip()
        documents = [] if tip is None else repo.revisions(tip, names.PROJECT_FILE)
        return any(same_place(ProjectFile.from_yaml(data, sha).location, place) for sha, data in documents)

    def _attached(self, state: ProjectState, now: str) -> ProjectState:
        self._check_not_elsewhere(state)
        check_recorded(state, self.location)
        if state.governance is not None:
            return state
        file = GovernanceFile.new(self.register.needed_repo().remote, self.register.store.location, now)
        return replace(state, governance=file)
