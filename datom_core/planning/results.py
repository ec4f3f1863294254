"""What calls return: frozen values that print well and hold no secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from datom_core.documents import Author, Change, Recording, Rows, block, rows

#: What a write did to a table.
Action = Literal["created", "metadata_only", "unchanged", "repaired"]

#: How closely to examine a project.
Depth = Literal["quick", "deep", "full"]


@dataclass(frozen=True)
class WriteResult:
    """What a write did to one table.

    Attributes:
        table: its name.
        version: the version that holds what was written. It is the current one now, except where a cut stood
            for it already and later versions have come since: delivering an old cut again does not go back to it.
        data_sha: its content hash.
        action: ``created`` (new content is current), ``metadata_only`` (same content, new metadata),
            ``unchanged`` (nothing to do), ``repaired`` (unchanged, but something was missing and is back).
        commit_sha: the commit that this call made, or ``None`` when none was needed.
        rows: number of rows.
        bytes: size of the stored payload.
        cut: the cut that stands for this version now, if one was asked for.
        change: difference to what was current before; none when nothing changed.
        recording: who made the version current, when and why; for an unchanged one, who did so last.
    """

    table: str
    version: str
    data_sha: str
    action: Action
    commit_sha: str | None
    rows: int
    bytes: int
    cut: str | None
    change: Change = field(repr=False)
    recording: Recording = field(repr=False)

    @property
    def changed(self) -> bool:
        """Whether this call made another version current."""
        return self.action in ("created", "metadata_only")


@dataclass(frozen=True)
class PlannedWrite:
    """What a write would do to one table, as things are now: see `WriteResult`.

    Attributes:
        table, version, data_sha, rows, change: as of the result.
        action: ``created``, ``metadata_only`` or ``unchanged``.
        cut: the cut that would be recorded for this version; ``None`` if it stands for it already.
    """

    table: str
    version: str
    data_sha: str
    action: Action
    rows: int
    cut: str | None
    change: Change = field(repr=False)


@dataclass(frozen=True, eq=False)
class CutResult(Mapping[str, WriteResult]):
    """What recording a cut did: a mapping from table to `WriteResult`.

    Attributes:
        name: name of the cut.
        commit_sha: the one commit that this call made, or ``None`` when none was needed.
    """

    name: str
    commit_sha: str | None
    results: Mapping[str, WriteResult]

    def __getitem__(self, table: str) -> WriteResult:
        return self.results[table]

    def __iter__(self) -> Iterator[str]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def __repr__(self) -> str:
        commit = self.commit_sha[:8] if self.commit_sha else "none"
        return f"Cut {self.name!r}, commit {commit}\n{rows(self.results.values())!r}"


@dataclass(frozen=True)
class TableInfo:
    """One table or set of a project.

    Attributes:
        name, kind: ``kind`` is ``"table"`` or ``"set"``.
        version, data_sha: what is current.
        versions: how many versions there are.
        size_bytes: payload of the current version; ``None`` for a set.
        last_updated: when it was last written (ISO 8601, UTC).
    """

    name: str
    kind: str
    version: str | None
    data_sha: str | None
    versions: int
    size_bytes: int | None
    last_updated: str | None


@dataclass(frozen=True)
class SetInfo:
    """One set of a project.

    Attributes:
        name: its name.
        version, data_sha: what is current.
        members: how many it holds now; ``None`` where its writer did not say.
        versions: how many versions there are.
        last_updated: when it was last written (ISO 8601, UTC).
    """

    name: str
    version: str | None
    data_sha: str | None
    members: int | None
    versions: int
    last_updated: str | None


@dataclass(frozen=True)
class Summary:
    """A project at a glance, as its readers see it."""

    project: str
    backend: str
    root: str
    prefix: str
    schema: int
    tables: int
    sets: int
    versions: int
    cuts: int
    size_bytes: int
    last_updated: str | None

    def __repr__(self) -> str:
        return block(self)


@dataclass(frozen=True)
class Status:
    """A project as its writers see it.

    Attributes:
        project, location, remote, branch: which project, and where.
        commit: the newest commit in git.
        schema: 1 or 2.
        tables, cuts: how many there are.
        governed: whether the project is registered in a governance repo.
        behind: tables whose documents in storage differ from git; `Project.mirror` brings them level.
        lists_behind: whether the manifest or the cuts in storage differ from git.
        waiting: tables whose current payload is not in storage.
        diverged: whether storage shows a history that the branch does not have; nothing can be written then.
    """

    project: str
    location: str
    remote: str
    branch: str
    commit: str
    schema: int
    tables: int
    cuts: int
    governed: bool
    behind: tuple[str, ...]
    lists_behind: bool
    waiting: tuple[str, ...]
    diverged: bool = False

    @property
    def level(self) -> bool:
        """Whether storage has everything that git has."""
        return not self.behind and not self.lists_behind and not self.waiting and not self.diverged

    def __repr__(self) -> str:
        return block(self)


@dataclass(frozen=True)
class MirrorReport:
    """What `Project.mirror` did.

    Attributes:
        written: keys that were put into storage.
        waiting: tables whose payload is not in storage; readers keep what they have.
    """

    written: tuple[str, ...]
    waiting: tuple[str, ...]


@dataclass(frozen=True)
class LostVersion:
    """A version that storage shows, and that git no longer has.

    Attributes:
        table, version: which one.
        recorded_at: when it was recorded first (ISO 8601, UTC).
        author, message: by whom, and why.
        commit_sha: the commit that recorded it; ``None`` when storage does not say.
    """

    table: str
    version: str
    recorded_at: str
    author: Author
    message: str
    commit_sha: str | None

    def __str__(self) -> str:
        commit = f" (commit {self.commit_sha[:12]})" if self.commit_sha else ""
        return f"{self.table}@{self.version} of {self.recorded_at}, by {self.author}: {self.message}{commit}"


@dataclass(frozen=True)
class Problem:
    """Something in storage that is not as git says, or in storage or git that cannot be right.

    Attributes:
        kind: of a document, ``missing``, ``damaged`` (cannot be read, or belongs elsewhere) or ``stale`` (says
            something else than git); of a payload, ``lost``, ``waiting`` (storage never had it: not uploaded yet, or
            lost on the way), ``altered`` (other bytes than were recorded) or ``forged`` (another content than its name
            says, though its bytes are those that were recorded, if any were); of documents that contradict each
            other, ``inconsistent``; ``foreign`` for the manifest of another project; and ``diverged`` for what storage
            shows of a history that git does not have, or of another branch.
        table, version: whose; ``None`` for a document of the project, or of all versions.
        key: in storage; of what is inconsistent, the path in git.
        message: what is wrong with it, and what to do where git cannot help.
        fixable: whether git can give it, so that ``validate(fix=True)`` or ``mirror()`` puts it back; storage alone
            cannot tell, and says so only of a list that is ``stale``.
    """

    kind: str
    table: str | None
    version: str | None
    key: str
    message: str
    fixable: bool

    @property
    def grave(self) -> bool:
        """Whether neither git nor an upload that may still come can put it right: stop, and find out."""
        return not self.fixable and self.kind != "waiting"

    def __str__(self) -> str:
        at = f"@{self.version[:8]}" if self.version else ""
        return f"{self.table}{at}: {self.key} {self.message}" if self.table else f"{self.key} {self.message}"


@dataclass(frozen=True)
class ValidationReport:
    """What `Project.validate` found.

    Attributes:
        project, depth, location: what was looked at, how closely, and where.
        commit: the commit that storage was compared with.
        tables, versions: in git.
        objects, bytes: in storage.
        problems: what is wrong, and was not put right.
        fixed: what was wrong and has been put right.
        strangers: keys in storage that nothing in git explains, such as a payload that a broken-off write left.
            They do no harm and are never removed.
        unproven: keys of payloads that ``full`` found with the recorded bytes, and whose content hash cannot be
            computed again: R hashed what parquet does not keep, such as units of durations or the bits of missing
            numbers, or hashed by an older rule.
    """

    project: str
    depth: str
    location: str
    commit: str
    tables: int
    versions: int
    objects: int
    bytes: int
    problems: Rows[Problem] = field(repr=False)
    fixed: Rows[Problem] = field(repr=False)
    strangers: tuple[str, ...] = field(repr=False)
    unproven: tuple[str, ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong, or everything was put right."""
        return not self.problems

    def __repr__(self) -> str:
        counts = f"\n  problems {len(self.problems)}, fixed {len(self.fixed)}, strangers {len(self.strangers)}"
        counts += f", unproven {len(self.unproven)}" if self.unproven else ""
        found = [(name, getattr(self, name)) for name in ("problems", "fixed")]
        return block(self) + counts + "".join(f"\n\n{name}:\n{rows_!r}" for name, rows_ in found if rows_)


@dataclass(frozen=True)
class VerificationReport:
    """What `ProjectReader.verify` found, by storage alone.

    Attributes:
        project, depth, location: what was looked at, how closely, and where.
        tables, versions: how many were looked at.
        payloads, bytes: of how many payloads it was seen whether they are there, and how large those are.
        problems: what is wrong.
        unproven: keys of documents and payloads that may be what their names say, as only R could tell.
    """

    project: str
    depth: str
    location: str
    tables: int
    versions: int
    payloads: int
    bytes: int
    problems: Rows[Problem] = field(repr=False)
    unproven: tuple[str, ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def __repr__(self) -> str:
        counts = f"\n  problems {len(self.problems)}, unproven {len(self.unproven)}"
        return block(self) + counts + (f"\n\nproblems:\n{self.problems!r}" if self.problems else "")
