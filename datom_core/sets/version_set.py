"""A set in memory: versions under one name, which can be edited without effects, and what was edited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from datom_core.common import brief, did_you_mean, fitting, names
from datom_core.errors import InvalidInputError, NotFoundError
from datom_core.sets.members import Member
from datom_core.sets.tags import NO_TAGS, Tags, carries, check_tags, stored_tags

Action = Literal["add", "repoint", "drop"]
_ACTIONS: tuple[Action, ...] = ("add", "repoint", "drop")


@dataclass(frozen=True)
class SetEdit:
    """A member that came, went, or stands for another version.

    Attributes:
        action: ``"add"``, ``"repoint"`` or ``"drop"``.
        member: as it is now; of a drop, as it was.
        before: the version that it stood for, where it was repointed.
    """

    action: Action
    member: Member
    before: str | None = None

    def __str__(self) -> str:
        to = f" -> {self.member.version[:8]}" if self.before is not None else ""
        at = self.before or self.member.version
        return f"- {self.action} {self.member.project}/{self.member.name}@{at[:8]}{to}"


@fitting
@dataclass(frozen=True)
class VersionSet:
    """Versions of tables and sets that belong together, with labels: of one project or of several.

    Every edit returns a new set; nothing is written before `Project.write_set`.

    Attributes:
        name: name of the set.
        project: the project that has it.
        members: what it holds.
        tags: labels of the set itself: name -> values.
        version, data_sha: of the version that was read; ``None`` once it is edited, or was never written.
        edits: what was edited since, for the commit's message.
    """

    name: str
    project: str
    members: tuple[Member, ...] = ()
    tags: Tags = field(default_factory=lambda: NO_TAGS)
    version: str | None = None
    data_sha: str | None = None
    edits: tuple[SetEdit, ...] = field(default=(), repr=False)

    @classmethod
    def new(cls, name: str, project: str, tags: Mapping[str, Any] | None = None) -> VersionSet:
        """A set without members."""
        names.check_new_name(name, "set")
        return cls(name, names.check_name(project, "project"), tags=check_tags(tags, f"the set {name}"))

    def __iter__(self) -> Iterator[Member]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)

    def add(self, *members: Member) -> VersionSet:
        """With these members too; what it has already is passed over.

        Raises:
            InvalidInputError: it has that version with other tags.
        """
        held = {m.key: m for m in self.members}
        new: list[Member] = []
        for member in _members(members):
            known = held.get(member.key)
            if known is not None and known != member:
                raise InvalidInputError(
                    f"{self.name} has {member} with the tags {stored_tags(known.tags)}, and not "
                    f"{stored_tags(member.tags)}. Drop it first.",
                    member=str(member),
                )
            if known is None:
                held[member.key] = member
                new.append(member)
        return self._edited((*self.members, *new), [SetEdit("add", m) for m in new])

    def repoint(
        self,
        name: str,
        to: str,
        *,
        project: str | None = None,
        tags: Mapping[str, Any] | None = None,
        version: str | None = None,
    ) -> VersionSet:
        """With one member at another version, and its tags as they are.

        Args:
            name, project, tags, version: which member, as for `find`.
            to: the full id of the version.

        Raises:
            NotFoundError, InvalidInputError: as `find`; or ``to`` is no version id.
        """
        found = self.find(name, project=project, tags=tags, version=version)
        moved = found.at(to)
        if moved == found:
            return self
        if any(m.key == moved.key for m in self.members):
            raise InvalidInputError(f"{self.name} has {moved} already. Drop {found} instead.", member=str(moved))
        members = tuple(moved if m is found else m for m in self.members)
        return self._edited(members, [SetEdit("repoint", moved, found.version)])

    def drop(
        self,
        name: str | None = None,
        *,
        project: str | None = None,
        tags: Mapping[str, Any] | None = None,
        version: str | None = None,
    ) -> VersionSet:
        """Without the members that fit all that is given.

        Raises:
            InvalidInputError: nothing was given.
            NotFoundError: no member fits.
        """
        if name is None and project is None and not tags and version is None:
            raise InvalidInputError("Say which members to drop: a name, a project, tags or a version.")
        gone = self.matching(name, project=project, tags=tags, version=version)
        if not gone:
            raise self._nothing(name)
        kept = tuple(m for m in self.members if m not in gone)
        return self._edited(kept, [SetEdit("drop", m) for m in gone])

    def to_hold(self, *members: Member) -> VersionSet:
        """With exactly these members, by the edits that lead there: whoever reads the message sees what came and went.

        Raises:
            InvalidInputError: one version is given twice, with different tags.
        """
        wanted = VersionSet(self.name, self.project).add(*members).members
        gone = [m for m in self.members if m not in wanted]
        new = [m for m in wanted if m not in self.members]
        moved: dict[Member, Member] = {}
        for member in gone:
            follows = [m for m in new if m == member.at(m.version)]
            alone = sum(m == member.at(m.version) for m in gone) == 1
            if len(follows) == 1 and alone:
                moved[follows[0]] = member
        edits = [SetEdit("drop", m) for m in gone if m not in moved.values()]
        edits += [SetEdit("repoint", m, moved[m].version) for m in wanted if m in moved]
        edits += [SetEdit("add", m) for m in new if m not in moved]
        return self._edited(wanted, edits)

    def with_tags(self, tags: Mapping[str, Any] | None) -> VersionSet:
        """With other labels of the set itself."""
        return replace(self, tags=check_tags(tags, f"the set {self.name}"), version=None, data_sha=None)

    def matching(
        self,
        name: str | None = None,
        *,
        project: str | None = None,
        tags: Mapping[str, Any] | None = None,
        version: str | None = None,
    ) -> tuple[Member, ...]:
        """The members of this name and project, that carry all these tags, and whose version begins so."""
        wanted = check_tags(tags, "the members asked for")
        return tuple(
            m
            for m in self.members
            if (name is None or m.name == name)
            and (project is None or m.project == project)
            and carries(m.tags, wanted)
            and (version is None or m.version.startswith(names.check_version(version)))
        )

    def find(
        self,
        name: str,
        *,
        project: str | None = None,
        tags: Mapping[str, Any] | None = None,
        version: str | None = None,
    ) -> Member:
        """The one member that fits.

        Args:
            name: of the table or set.
            project: where it is from, if several projects have one of that name.
            tags: labels that it carries.
            version: its version, or the first digits.

        Raises:
            NotFoundError: none fits; says what there is.
            InvalidInputError: more than one does; names each.
        """
        found = self.matching(name, project=project, tags=tags, version=version)
        if not found:
            raise self._nothing(name)
        if len(found) > 1:
            raise InvalidInputError(
                f"{len(found)} members of {self.name} are called {name!r}: {', '.join(map(repr, found))}. Give the "
                "project, tags, or a version.",
                members=tuple(map(str, found)),
            )
        return found[0]

    def listed(self) -> list[dict[str, str | None]]:
        """A row for each member and label: name, project, version, kind, label and value; without labels, one row."""
        return [
            {"name": m.name, "project": m.project, "version": m.version, "kind": m.kind, "label": key, "value": value}
            for m in self.members
            for key, value in _labels(m.tags)
        ]

    def grouped(self, *by: str, missing: str = "untagged") -> dict[str, Any]:
        """The members by the values of their labels, one level for each label.

        Args:
            by: names of labels.
            missing: where members without such a label go.
        """
        if not by:
            raise InvalidInputError("Say by which labels to group the members.")
        return _grouped(self.members, by, missing)

    def message(self) -> str:
        """What was edited, as the text of a commit; `subject` is its first line."""
        lines = "\n".join(map(str, self.edits))
        return f"{self.subject()}\n\n{lines}" if lines else self.subject()

    def subject(self) -> str:
        """What was edited, in a line; a history holds no more."""
        counts = [(action, sum(e.action == action for e in self.edits)) for action in _ACTIONS]
        told = [f"{action} {n} member{'s' if n > 1 else ''}" for action, n in counts if n]
        return f"Update {self.name}" + (f": {', '.join(told)}" if told else "")

    def _nothing(self, name: str | None) -> NotFoundError:
        have = list(dict.fromkeys(m.name for m in self.members))
        hint = did_you_mean(name, have) if name is not None else ""
        named = f" called {name!r}" if name is not None else ""
        return NotFoundError(
            f"{self.name} has no such member{named}; it holds {brief(have) if have else 'none'}.{hint}", set=self.name
        )

    def _edited(self, members: tuple[Member, ...], edits: list[SetEdit]) -> VersionSet:
        if not edits:
            return self
        return replace(self, members=members, version=None, data_sha=None, edits=(*self.edits, *edits))

    def __repr__(self) -> str:
        at = f"@{self.version[:8]}" if self.version else ""
        return f"VersionSet({self.project}/{self.name}{at}, {len(self.members)} members)"


def _members(given: Iterable[object]) -> Iterator[Member]:
    for member in given:
        if not isinstance(member, Member):
            raise InvalidInputError(
                f"A member is a dc.Member, as reader.member(name, version) gives one, not {type(member).__name__}."
            )
        yield member


def _labels(tags: Tags) -> list[tuple[str | None, str | None]]:
    return [(key, value) for key, values in tags.items() for value in values] or [(None, None)]


def _grouped(members: Iterable[Member], by: tuple[str, ...], missing: str) -> dict[str, Any]:
    groups: dict[str, list[Member]] = {}
    for member in members:
        for value in member.tags.get(by[0]) or (missing,):
            groups.setdefault(value, []).append(member)
    return {v: _grouped(found, by[1:], missing) if by[1:] else tuple(found) for v, found in groups.items()}
