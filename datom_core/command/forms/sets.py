"""Answers of the verbs for sets, citations, and what came of a version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from datom_core.command.forms.base import Answer


@dataclass(frozen=True)
class SetLine:
    """A set of the project.

    Attributes:
        name: its name.
        version, data_sha: what is current.
        members: how many it holds; ``None`` where its writer did not say.
        versions: how many versions there are.
        last_updated: when it was last written.
    """

    name: str
    version: str | None
    data_sha: str | None
    members: int | None
    versions: int
    last_updated: str | None


@dataclass(frozen=True)
class SetsAnswer(Answer):
    """``datom set list``.

    Attributes:
        project: name of the project.
        sets: all of them, in order of first write.
    """

    form = "datom-set-list/1"
    project: str
    sets: tuple[SetLine, ...]


@dataclass(frozen=True)
class MemberLine:
    """A member of a set.

    Attributes:
        project, name, kind, version: which version of what.
        tags: its labels: name -> values.
    """

    project: str
    name: str
    kind: str
    version: str
    tags: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class SetAnswer(Answer):
    """``datom set show``.

    Attributes:
        project, name, version, data_sha: which version of which set.
        recorded_at, author, message: when, by whom and why it was recorded.
        tags: labels of the set: name -> values.
        members: what it holds.
    """

    form = "datom-set-show/1"
    project: str
    name: str
    version: str
    data_sha: str
    recorded_at: str | None
    author: str
    message: str
    tags: Mapping[str, tuple[str, ...]]
    members: tuple[MemberLine, ...]


@dataclass(frozen=True)
class SetWriteAnswer(Answer):
    """``datom set write``.

    Attributes:
        project, name: which set.
        dry_run: whether nothing was written.
        action: ``created``, ``unchanged`` or ``repaired``.
        version, data_sha: what is current now.
        members: how many it holds.
        commit: the commit, if one was needed.
        allowed: members that contradict others, which was let pass, in words.
        unread: members of other projects that could not be looked at.
    """

    form = "datom-set-write/1"
    project: str
    name: str
    dry_run: bool
    action: str
    version: str
    data_sha: str
    members: int
    commit: str | None
    allowed: tuple[str, ...]
    unread: tuple[str, ...]


@dataclass(frozen=True)
class MemberStateLine:
    """How a member, or what could be one, stands.

    Attributes:
        project, name, kind: what it is.
        listed: the version that the set lists; ``None`` if it lists none.
        current: the version that is current; ``None`` if that is not known.
        status: new, changed, unchanged, ambiguous, gone, excluded or not_checked.
    """

    project: str
    name: str
    kind: str
    listed: str | None
    current: str | None
    status: str


@dataclass(frozen=True)
class SetStatusAnswer(Answer):
    """``datom set status``.

    Attributes:
        project, name, version: which version of which set.
        level: whether every member is the current version, and every project was looked at.
        members: all of them, then what else the projects have.
    """

    form = "datom-set-status/1"
    project: str
    name: str
    version: str
    level: bool
    members: tuple[MemberStateLine, ...]


@dataclass(frozen=True)
class CiteAnswer(Answer):
    """``datom cite``.

    Attributes:
        id: the id, with some digits of the version.
        full_id: the id with the whole version.
        text, bibtex, csl_json, datacite_json: how to cite it.
    """

    form = "datom-cite/1"
    id: str
    full_id: str
    text: str
    bibtex: str
    csl_json: str
    datacite_json: str


@dataclass(frozen=True)
class FindAnswer(Answer):
    """``datom find``.

    Attributes:
        id: what was asked.
        project, name, kind, version, data_sha: what it stands for.
        location: where the project's data lies now.
        recorded_at, author, message: when, by whom and why it was recorded.
    """

    form = "datom-find/1"
    id: str
    project: str
    name: str
    kind: str
    version: str
    data_sha: str
    location: str
    recorded_at: str | None
    author: str
    message: str


@dataclass(frozen=True)
class AffectedLine:
    """A version that was derived from the one in question, or a set that holds one.

    Attributes:
        project, name, kind, version: which one.
        generation: 1 for what was derived from the version itself.
        through: the version that it was derived from, or that it holds.
        recorded_at: when it was recorded.
        current: whether it is current.
        cuts: the cuts that stand for it.
    """

    project: str
    name: str
    kind: str
    version: str
    generation: int
    through: str
    recorded_at: str | None
    current: bool
    cuts: tuple[str, ...]


@dataclass(frozen=True)
class ImpactAnswer(Answer):
    """``datom impact``.

    Attributes:
        project, table: whose version.
        versions: the version, and others of the same content.
        affected: everything that was derived from them, nearest first.
        projects: those that were looked at.
        unread: project or version -> why it could not be.
        complete: whether everything in those projects was looked at.
    """

    form = "datom-impact/1"
    project: str
    table: str
    versions: tuple[str, ...]
    affected: tuple[AffectedLine, ...]
    projects: tuple[str, ...]
    unread: Mapping[str, str]
    complete: bool
