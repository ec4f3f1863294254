"""Write sets: versions under one name, of this project or of several."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from datom_core.common import names
from datom_core.documents import Author, Parent, Provenance
from datom_core.errors import DatomError, InvalidInputError, NotFoundError
from datom_core.planning import SetResult
from datom_core.project.open_project import ProjectParts
from datom_core.reading import ProjectReader, Reference
from datom_core.sets import Member, SetPayload, VersionSet, check_tags
from datom_core.writing import DocumentEditor, Purpose, SetRequest, SetWriter, check_message

_LARGEST_FILE = 20 * 2**20  # git keeps each state of it for ever


class Sets:
    """The part of an open project that writes sets."""

    _parts: ProjectParts
    _editor: DocumentEditor

    def write_set(
        self,
        name: str,
        members: VersionSet | Iterable[Member | str],
        *,
        tags: Mapping[str, Any] | None = None,
        files: Mapping[str, bytes | str | os.PathLike[str]] | None = None,
        message: str | None = None,
        author: Author | str | None = None,
        trailers: Mapping[str, str] | None = None,
        provenance: Provenance | None = None,
        allow: str | None = None,
        readers: Iterable[ProjectReader] = (),
        dry_run: bool = False,
    ) -> SetResult:
        """Make these members the current version of a set. Writing the same ones again changes nothing.

        A member that was derived from another version of a table than the set lists is refused, with every such member
        named; members of other projects are looked at too, as far as readers of them or the register lead there.

        Args:
            name: name of the set; a new name creates it. In a product, the one that the project declares.
            members: a `VersionSet`, or members; ``"lb@2026-02"`` is a version of this project, and
                ``"STUDY_002/adsl@..."`` one of another.
            tags: labels of the set itself: name -> text, or texts; by default those of the `VersionSet`.
            files: what lies beside it in the repository, such as the scripts that made it: path there -> contents, or a
                path here. They come in with a new version alone.
            message: why; by default what was edited in the `VersionSet`, or ``Update {name}``.
            author, trailers, provenance: as `Project.write`.
            allow: why members that contradict one another are right; it is recorded with them.
            readers: of other projects that members are of; one that is not given is looked up in the register.
            dry_run: check everything, and write nothing.

        Raises:
            InvalidInputError: a member, tag or file is refused, or the set contradicts itself; nothing was touched.
            NotFoundError: a member is no version.
            FormatError: the project has schema 1.
            ConflictError, StorageError: try again; a half-done write is completed.
        """
        names.check_new_name(name, "set")
        others = {reader.project: reader for reader in readers}
        given = self._member_list(name, members, tags, others)
        payload = SetPayload.of(name, self._parts.state.file.name, given.members, given.tags)
        purpose = Purpose.asked(message, author, trailers, provenance, standing=self._parts.standing)
        intent = purpose.intent(given.message())
        subject = given.subject() if message is None else intent.message.splitlines()[0]
        reason = None if allow is None else check_message(allow, "")
        request = SetRequest(name, payload, _contents(files), subject, reason)
        writer = SetWriter(self._parts.state.file.name, self._editor, self._foreign_parents(others))
        return writer.run(request, intent, dry_run=dry_run)

    def member(self, text: str) -> Member:
        """The member that a text names: ``table@state`` of this project, or ``project/table@version``.

        Raises:
            InvalidInputError, NotFoundError: it names none; or another project, which no register leads to.
        """
        return self._member(text, {})

    def _member_list(
        self,
        name: str,
        members: VersionSet | Iterable[Member | str],
        tags: Mapping[str, Any] | None,
        others: Mapping[str, ProjectReader],
    ) -> VersionSet:
        """The members as a set of this project, under this name."""
        project = self._parts.state.file.name
        if isinstance(members, VersionSet):
            if (members.project, members.name) != (project, name):
                raise InvalidInputError(
                    f"{members!r} is another set than {project}/{name}. VersionSet.new({name!r}, {project!r}).add(...) "
                    "begins this one."
                )
            return members if tags is None else members.with_tags(tags)
        if isinstance(members, (str, Member)) or not isinstance(members, Iterable):
            raise InvalidInputError("members is a list; put a single one into brackets.")
        found, problems = [], []
        for member in members:
            try:
                found.append(member if isinstance(member, Member) else self._member(member, others))
            except (InvalidInputError, NotFoundError) as error:
                problems.append(f"  - {member!r}: {error}")
        if problems:
            raise InvalidInputError("Some members cannot be found:\n" + "\n".join(problems))
        return VersionSet(name, project, tuple(found), check_tags(tags, f"the set {name}"))

    def _member(self, text: object, others: Mapping[str, ProjectReader]) -> Member:
        """The member that a text names: ``table@state``, or ``project/table@version``."""
        if not isinstance(text, str):
            raise InvalidInputError('A member is a dc.Member, or text such as "lb@2026-02".')
        head, at, state = text.partition("@")
        project, _, table = head.rpartition("/")
        asked = Reference.parse(table + at + state)
        if asked.table is None:
            raise InvalidInputError('it names no table, as "lb@2026-02" does')
        if project in ("", self._parts.state.file.name):
            reader = ProjectReader(self._parts.store, self._parts.state.file.name, self._parts.state.manifest.schema)
            return _member_at(reader, asked.table, asked.state)
        if names.is_sha(asked.state):
            return Member(project, asked.table, str(asked.state))
        return _member_at(others.get(project) or self._other(project), asked.table, asked.state)

    def _other(self, project: str) -> ProjectReader:
        """A reader of another project, which the register knows.

        Raises:
            InvalidInputError: this project is in no register.
            The errors of `ProjectReader.find`.
        """
        register = self._parts.governance
        if register is None:
            raise InvalidInputError(
                f"{project} is another project, and without a register nobody knows where it is. Give a full version "
                "id, or a member from a reader of it: reader.member(...)."
            )
        return ProjectReader.find(project, governance=register.store, near=self._parts.store)

    def _foreign_parents(self, others: Mapping[str, ProjectReader]) -> Callable[[Member], tuple[Parent, ...] | None]:
        """What members of other projects were derived from, as far as readers, or the register and our credentials,
        lead there."""

        @cache
        def reader(project: str) -> ProjectReader | None:
            try:
                return self._other(project)
            except DatomError:
                return None

        def parents(member: Member) -> tuple[Parent, ...] | None:
            found = others.get(member.project) or reader(member.project)
            if found is None:
                return None
            # A project that can be read and lacks the member is no matter of access: that is refused.
            return found.parents(member.name, member.version) or ()

        return parents


def _member_at(reader: ProjectReader, name: str, state: str | None) -> Member:
    """A table at a state of any kind, or a set at a version."""
    if reader.metadata(name).kind == "set":
        return reader.member(name, state)
    return reader.member(name, reader.version_at(name, state).version)


def _contents(files: object) -> dict[str, bytes]:
    """Files to be put beside a set, read.

    Raises:
        InvalidInputError: names each path that leads out of the repository, is none, or is too large.
    """
    if files is None:
        return {}
    if not isinstance(files, Mapping):
        raise InvalidInputError('files is a mapping from a path in the repository, as in {"scripts/adsl.R": path}.')
    found, problems = {}, []
    for path, given in files.items():
        parts = str(path).split("/")
        if not isinstance(path, str) or any(p in ("", ".", "..") or not p.isprintable() or "\\" in p for p in parts):
            problems.append(f"{path!r} is no path inside the repository")
            continue
        try:
            data = given if isinstance(given, bytes) else Path(given).expanduser().read_bytes()
        except (OSError, TypeError) as error:
            problems.append(f"{path}: {given!r} cannot be read ({error})")
            continue
        if len(data) > _LARGEST_FILE:
            problems.append(f"{path} has {len(data):,} bytes; at most {_LARGEST_FILE:,} go into git")
        found[path] = data
    if problems:
        raise InvalidInputError("Some files cannot be put beside the set:\n" + "\n".join(f"  - {p}" for p in problems))
    return found
