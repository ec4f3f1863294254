"""What documents tell of an event, before it is known who put them there; and the event that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from datom_core.auditing.commits import Commit
from datom_core.auditing.cut_changes import CutFact
from datom_core.auditing.events import UNKNOWN, AuditEvent, AuditKind, AuditSource
from datom_core.auditing.histories import Entry
from datom_core.documents import Author, read_author, timestamp
from datom_core.errors import FormatError

#: Between what a document says and its commit; R takes the time before it hashes.
_LATE = timedelta(hours=1)
_RECORDED: frozenset[AuditKind] = frozenset({"write", "cut", "review"})


@dataclass(frozen=True)
class Story:
    """An event, as documents tell it.

    Attributes:
        kind, action, table, version, cut, previous, file_sha256, detail: as of an `AuditEvent`.
        author, recorded_at, message: who, when and why, where the document says it.
        provenance: what the document says of run and file.
        commit: the commit that the document names.
        files: files of the repository that the story explains.
        silent: it was told before, when it happened, and the document says it only now.
    """

    kind: AuditKind
    action: str = ""
    table: str | None = None
    version: str | None = None
    cut: str | None = None
    previous: str | None = None
    author: Author | None = None
    recorded_at: str | None = None
    message: str | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    file_sha256: str | None = None
    commit: str | None = None
    files: tuple[str, ...] = ()
    detail: str = ""
    silent: bool = False

    @property
    def key(self) -> tuple[object, ...]:
        """By what git and storage say the same."""
        mark = self.action if self.kind == "review" else None
        said = (self.recorded_at, str(self.author), self.message)
        return (self.kind, self.table, self.version, self.cut, mark, *said)

    def in_commit(self, commit: Commit) -> AuditEvent:
        """The event, as this commit made it."""
        told = self._recovered(commit) if self._is_late(commit) else self
        details = [told.detail]
        if told.kind in _RECORDED and told.author not in (None, UNKNOWN, commit.author):
            details.append(f"recorded as by {told.author}")
        event = told._event("git", "; ".join(filter(None, details)))
        trailers = commit.trailers
        return replace(
            event,
            at=commit.at,
            author=commit.author,
            committer=commit.committer,
            signer=commit.signer,
            commit=commit.sha,
            message=commit.message if told.message is None else told.message,
            run=event.run or trailers.get("Dagster-Run"),
            job=event.job or trailers.get("Dagster-Job"),
            asset=event.asset or trailers.get("Dagster-Asset"),
            partition=event.partition or trailers.get("Dagster-Partition"),
        )

    def in_storage(self) -> AuditEvent:
        """The event, as far as storage tells it."""
        return self._event("storage", self.detail)

    def _event(self, source: AuditSource, detail: str) -> AuditEvent:
        run, file = _part(self.provenance, "run"), _part(self.provenance, "file")
        return AuditEvent(
            at=self.recorded_at or "",
            kind=self.kind,
            action=self.action,
            table=self.table,
            version=self.version,
            cut=self.cut,
            author=self.author or UNKNOWN,
            message=self.message or "",
            previous=self.previous,
            commit=self.commit,
            run=_text(run, "id"),
            job=_text(run, "job"),
            asset=_text(run, "asset"),
            partition=_text(run, "partition"),
            file=_text(file, "name"),
            file_sha256=_text(file, "sha256") or self.file_sha256,
            recorded_at=self.recorded_at,
            files=self.files if self.kind in ("other", "unreadable") else (),
            detail=detail,
            source=source,
        )

    def _is_late(self, commit: Commit) -> bool:
        """Whether the commit records again what was recorded at another time: a write has the time of its commit."""
        if self.kind not in _RECORDED or not self.recorded_at or not commit.at:
            return False
        try:
            apart = abs(timestamp(commit.at, "a commit") - timestamp(self.recorded_at, "a document"))
        except FormatError:
            return False
        return apart > _LATE or (apart > timedelta(0) and self.author not in (None, UNKNOWN, commit.author))

    def _recovered(self, commit: Commit) -> Story:
        by = "" if self.author is None else f" by {self.author}"
        told = f"{self.kind} first recorded{by} at {self.recorded_at}"
        detail = "; ".join(filter(None, (self.detail, told)))
        return replace(self, kind="repair", action="recovered", detail=detail)


def of_entry(table: str, entry: Entry, previous: str | None, *, same_data: bool) -> Story:
    """A version that was recorded for the first time."""
    return Story(
        "write",
        "metadata_only" if same_data else "created",
        table,
        entry["version"],
        previous=previous,
        author=read_author(entry.get("author")),
        recorded_at=_text(entry, "timestamp"),
        message=_text(entry, "commit_message") or "",
        provenance=_part(entry, "provenance"),
        file_sha256=_text(entry, "original_file_sha"),
        commit=_text(entry, "commit_sha"),
    )


def of_reinstatement(table: str, entry: Entry, at: str, told: Entry | None, previous: str | None) -> Story:
    """A version that became current again."""
    known = told or {}
    return Story(
        "write",
        "reinstated",
        table,
        entry["version"],
        previous=previous,
        author=read_author(known.get("author")),
        recorded_at=at,
        message=_text(known, "message") or "",
        provenance=_part(known, "provenance"),
        file_sha256=_text(entry, "original_file_sha"),
    )


def of_cut(fact: CutFact) -> Story:
    """A cut, a review mark or an approval."""
    told = fact.told
    if fact.kind == "alteration":
        return Story(fact.kind, fact.action, fact.table, fact.version, fact.cut, detail=fact.detail)
    signer = told.get("signer")
    return Story(
        fact.kind,
        fact.action,
        fact.table,
        fact.version,
        fact.cut,
        fact.previous,
        author=read_author(signer if isinstance(signer, Mapping) else told.get("author")),
        recorded_at=_text(told, "recorded_at"),
        message=_text(told, "reason") or _text(told, "message") or "",
        provenance=_part(told, "provenance"),
        detail=fact.detail,
    )


def _part(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = raw.get(key)
    return found if isinstance(found, Mapping) else {}


def _text(raw: Mapping[str, Any], key: str) -> str | None:
    found = raw.get(key)
    return found if isinstance(found, str) and found else None
