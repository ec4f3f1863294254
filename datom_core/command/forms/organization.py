"""Answers of the verbs for an organization's register, for buckets, and for the end or the move of a project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from datom_core.command.forms.base import Answer


@dataclass(frozen=True)
class ProjectLine:
    """A project of the register.

    Attributes:
        name: its name.
        location: where its data lies; empty if the registration cannot be read.
        registered_at, registered_by: unknown without the register's git repository.
        tables, versions, last_write: from its data; ``None`` if they were not asked for, or that cannot be read.
        note: anything unusual.
    """

    name: str
    location: str
    registered_at: str | None
    registered_by: str | None
    tables: int | None
    versions: int | None
    last_write: str | None
    note: str


@dataclass(frozen=True)
class ProjectsAnswer(Answer):
    """``datom projects``.

    Attributes:
        register: where the register lies.
        projects: all of them, by name.
    """

    form = "datom-projects/1"
    register: str
    projects: tuple[ProjectLine, ...]


@dataclass(frozen=True)
class RegisterAnswer(Answer):
    """``datom register init``.

    Attributes:
        location, remote: where the register lies, and its git repository.
        projects: how many it has.
        file: the settings file that says so.
    """

    form = "datom-register-init/1"
    location: str
    remote: str | None
    projects: int
    file: str | None


@dataclass(frozen=True)
class FormerPlaceLine:
    """A place that a project's data has left.

    Attributes:
        location: the place.
        migrated_at: when it was left.
        sunset_at: until when it is kept.
    """

    location: str
    migrated_at: str | None
    sunset_at: str | None


@dataclass(frozen=True)
class EventLine:
    """Something that happened to a project.

    Attributes:
        kind: what it was.
        at, by: when, and who did it.
        source, target: from where, to where.
        reason: why.
    """

    kind: str
    at: str | None
    by: str | None
    source: str | None
    target: str | None
    reason: str | None


@dataclass(frozen=True)
class RecordAnswer(Answer):
    """``datom register show``.

    Attributes:
        name, location: of the project.
        registered_at, registered_by: unknown without the register's git repository.
        decommissioned_at: when its decommission began.
        previous: where its data lay before, most recent first.
        events: what happened to it, most recent first.
    """

    form = "datom-register-show/1"
    name: str
    location: str
    registered_at: str | None
    registered_by: str | None
    decommissioned_at: str | None
    previous: tuple[FormerPlaceLine, ...]
    events: tuple[EventLine, ...]


@dataclass(frozen=True)
class RepairAnswer(Answer):
    """``datom register repair``.

    Attributes:
        project: its name.
        commit: the commit that completed the registration, if anything was missing.
        mirrored: keys that were put into the register's storage.
        left: what remains to be done, and how.
    """

    form = "datom-register-repair/1"
    project: str
    commit: str | None
    mirrored: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True)
class AttachAnswer(Answer):
    """``datom attach``.

    Attributes:
        project: its name.
        register: where the register lies.
        file: the settings file that names the register now.
    """

    form = "datom-attach/1"
    project: str
    register: str
    file: str | None


@dataclass(frozen=True)
class CheckLine:
    """What was found of a bucket.

    Attributes:
        what: what was looked at.
        result: ``yes``, ``no``, ``unknown``, or what was found.
        detail: why, and what it means.
        denied: whether access is lacking.
    """

    what: str
    result: str
    detail: str
    denied: bool


@dataclass(frozen=True)
class PreflightAnswer(Answer):
    """``datom preflight``.

    Attributes:
        location: the bucket, and the prefix in it.
        checks: what was found.
    """

    form = "datom-preflight/1"
    location: str
    checks: tuple[CheckLine, ...]


@dataclass(frozen=True)
class PolicyAnswer(Answer):
    """``datom policy``.

    Attributes:
        location: what it is about.
        role, scope: for whom, and for how much of it.
        policy: the policy document of IAM.
    """

    form = "datom-policy/1"
    location: str
    role: str
    scope: str
    policy: dict[str, Any]


@dataclass(frozen=True)
class UpgradeAnswer(Answer):
    """``datom upgrade``.

    Attributes:
        project: its name.
        schema: before.
        dry_run: whether nothing was done.
        commit: the commit that was made; ``None`` when the project had schema 2 already.
    """

    form = "datom-upgrade/1"
    project: str
    schema: int
    dry_run: bool
    commit: str | None


@dataclass(frozen=True)
class MigrateAnswer(Answer):
    """``datom migrate``.

    Attributes:
        project, source, target: what was moved, from where, to where.
        dry_run: whether nothing was done.
        objects, size_bytes: what belongs in the new place.
        present: how many of the objects were there already.
        commit: the commit that recorded the new place.
        late: objects that others wrote to the old place meanwhile.
        deleted: objects removed from the old place.
        left: keys in the old place that are not this project's, and stay.
        file: the settings file that names the new place now.
    """

    form = "datom-migrate/1"
    project: str
    source: str
    target: str
    dry_run: bool
    objects: int
    size_bytes: int
    present: int
    commit: str | None
    late: int
    deleted: int
    left: tuple[str, ...]
    file: str | None


@dataclass(frozen=True)
class DecommissionAnswer(Answer):
    """``datom decommission``.

    Attributes:
        project: its name.
        dry_run: whether nothing was done.
        location: where its data lies, or lay.
        objects, size_bytes: how much there is, or was.
        repository: its git repository, and what becomes of it.
        registration: where it is registered, if it is.
        note: what stays behind anyway.
        kept: keys next to the data that datom did not write; they stay.
        keys: what goes from storage.
    """

    form = "datom-decommission/1"
    project: str
    dry_run: bool
    location: str
    objects: int
    size_bytes: int
    repository: str
    registration: str
    note: str
    kept: tuple[str, ...]
    keys: tuple[str, ...]
