"""version_history.json: every version of a table, newest first (docs/format.md, "version_history.json")."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any

from datom_core.common import check_version, did_you_mean, is_sha
from datom_core.documents import canonical
from datom_core.documents.author import Author, read_author
from datom_core.documents.metadata import Metadata
from datom_core.documents.parsing import (
    Buffer,
    format_timestamp,
    parse,
    strings,
    timestamp,
)
from datom_core.documents.provenance import Provenance
from datom_core.documents.recording import Recording
from datom_core.documents.version import Version
from datom_core.errors import FormatError, InvalidInputError, NotFoundError

_SOURCE = "version_history.json"
_OPENING = b"[\n  {"  # of the layout in which we, and R, write a history


def _plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry as git holds it, without a commit."""
    return {k: v for k, v in entry.items() if k != "commit_sha"}


@dataclass(frozen=True, repr=False)
class History:
    """The versions of one table, newest first. Every edit returns a new history.

    ``raw`` keeps each entry as it was read, so that fields of other writers survive.
    """

    raw: tuple[Mapping[str, Any], ...] = ()

    @cached_property
    def versions(self) -> tuple[Version, ...]:
        """Every entry as a `Version`; parsed on first use, because a history may be long."""
        return tuple(Version.from_document(e, _SOURCE) for e in self.raw)

    @classmethod
    def from_json(cls, data: Buffer, source: str) -> History:
        """Read a stored document.

        Raises:
            FormatError: not an array of version entries.
        """
        entries = parse(data, source)
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            raise FormatError(f"{source} should be an array of objects.", source=source)
        versions = [Version.from_document(e, source) for e in entries]
        return cls._of([MappingProxyType(e) for e in entries], versions, bytes(data))

    @classmethod
    def _of(cls, raw: Iterable[Mapping[str, Any]], versions: Iterable[Version], text: bytes) -> History:
        """A history whose versions and document are known."""
        history = cls(tuple(raw))
        history.__dict__.update(versions=tuple(versions), _text=text)
        return history

    def __repr__(self) -> str:
        return f"History({len(self)} versions)"

    def to_json(self) -> bytes:
        """The document: as it was read, or as it is written."""
        return self._text

    @cached_property
    def _text(self) -> bytes:
        return canonical.dump([dict(e) for e in self.raw])

    def _preceded_by(self, entry: dict[str, Any]) -> History:
        """With an entry at the head. The others keep their text, so that a long history is not serialised again."""
        raw = (MappingProxyType(entry), *self.raw)
        if not self.raw or not self._text.startswith(_OPENING):
            return History(raw)
        text = canonical.dump([entry]).removesuffix(b"\n]\n") + b",\n" + self._text.removeprefix(b"[\n")
        return History._of(raw, (Version.from_document(entry, _SOURCE), *self.versions), text)

    def __len__(self) -> int:
        return len(self.raw)

    def __iter__(self) -> Iterator[Version]:
        return iter(self.versions)

    def find(self, version: str) -> Version | None:
        """The entry with exactly this id."""
        return next((v for v in self.versions if v.version == version), None)

    def resolve(self, version: str, table: str) -> Version:
        """The entry whose id is, or begins with, ``version``.

        Raises:
            InvalidInputError: not hex, or more than one version begins with it (each is named).
            NotFoundError: no version begins with it.
        """
        check_version(version)
        found = [v for v in self.versions if v.version.startswith(version)]
        if not found:
            known = ", ".join(v.version[:8] for v in self.versions[:5])
            raise NotFoundError(
                f"{table} has no version {version}; the newest are {known or 'none'}."
                + did_you_mean(version, (v.version[: len(version)] for v in self.versions)),
                table=table,
                version=version,
            )
        if len(found) > 1:
            raise InvalidInputError(
                f"{version} begins {len(found)} versions of {table}: {', '.join(v.version[:16] for v in found)}. "
                "Give more digits.",
                table=table,
                version=version,
            )
        return found[0]

    def of_file(self, file_sha: str) -> Version | None:
        """The newest version that was imported from a file of these bytes."""
        return next((v for v in self.versions if v.original_file_sha == file_sha), None)

    def payload_sha(self, data_sha: str) -> str | None:
        """The recorded SHA-256 of the stored object of this content."""
        return next((v.payload_sha for v in self.versions if v.data_sha == data_sha and v.payload_sha), None)

    def current(self, metadata: Metadata) -> Version | None:
        """The entry that ``metadata`` describes (docs/format.md, "version_history.json").

        Entries of its content are told apart by the id that the document hashes to, then by its time. The
        id alone would not do: R does not compute the same id again for some custom metadata. Nor would the
        time alone: when R reverts, it writes a new time into the document and none into the history.
        """
        same = [v for v in self.versions if v.data_sha == metadata.data_sha]
        if len(same) > 1:
            computed = metadata.version()
            by_id = [v for v in same if v.version == computed]
            by_time = [v for v in same if metadata.created_at is not None and v.timestamp == metadata.created_at]
            same = by_id or by_time or same
        return same[0] if same else None

    def with_version(
        self,
        version: str,
        *,
        data_sha: str,
        at: str,
        author: Author,
        message: str,
        payload_sha: str | None,
        file_sha: str | None = None,
        provenance: Provenance | None = None,
    ) -> History:
        """The history with one more version at its head; ``file_sha`` is of the file that it was imported from."""
        entry: dict[str, Any] = {"version": version, "data_sha": data_sha, "timestamp": at}
        entry |= {"author": author.to_json(), "commit_message": message}
        told = provenance and provenance.to_json()
        more = {"parquet_sha": payload_sha, "original_file_sha": file_sha, "provenance": told}
        entry |= {key: value for key, value in more.items() if value is not None}
        return self._preceded_by(entry)

    def with_set(
        self,
        version: str,
        *,
        data_sha: str,
        at: str,
        author: Author,
        message: str,
        document_sha: str,
        provenance: Provenance | None,
        allowed: Mapping[str, Any] | None,
    ) -> History:
        """As `with_version`, of a set; ``allowed`` tells what contradicts itself in it, and why that was let pass."""
        entry: dict[str, Any] = {"version": version, "data_sha": data_sha, "timestamp": at}
        entry |= {"author": author.to_json(), "commit_message": message, "document_sha": document_sha}
        if provenance is not None:
            entry["provenance"] = provenance.to_json()
        return self._preceded_by(entry if allowed is None else {**entry, "allowed": dict(allowed)})

    def with_reinstated(self, version: str, at: str, by: Recording | None = None) -> History:
        """The history after ``version`` became current again; no second entry, which R would call ambiguous."""

        def add(entry: Mapping[str, Any]) -> Mapping[str, Any]:
            if entry["version"] != version:
                return entry
            times = [*strings(entry, "reinstated_at", _SOURCE), at]
            if by is None:
                return {**entry, "reinstated_at": times}
            told: dict[str, Any] = {"at": at, "author": by.author.to_json(), "message": by.message}
            if by.provenance is not None:
                told["provenance"] = by.provenance.to_json()
            return {**entry, "reinstated_at": times, "reinstated": [*(entry.get("reinstated") or []), told]}

        return self._edit(add)

    def with_payload_sha(self, data_sha: str, payload_sha: str) -> History:
        """The history after the object of this content had to be written anew with other bytes."""
        return self._edit(
            lambda e: {**e, "parquet_sha": payload_sha} if e["data_sha"] == data_sha and "parquet_sha" in e else e
        )

    def with_commits(self, commits: Mapping[str, str], stored: History | None = None) -> History:
        """The history as storage holds it: each entry names the commit that recorded it, last.

        Args:
            commits: by version.
            stored: what storage holds now; all the commits that it names are kept.
        """

        def annotate(entry: Mapping[str, Any]) -> Mapping[str, Any]:
            plain = _plain(entry)
            commit = commits.get(entry["version"])
            return {**plain, "commit_sha": commit} if commit else plain

        if stored is not None and len(stored) == len(self) - 1 and History(self.raw[1:]).same_as(stored):
            known = stored.commits()
            if all(known.get(v.version) == commits.get(v.version) for v in stored):
                return stored._preceded_by(dict(annotate(self.raw[0])))
        return self._edit(annotate)

    def _edit(self, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> History:
        return History(tuple(MappingProxyType(dict(change(e))) for e in self.raw))

    def commits(self) -> dict[str, str]:
        """The commits that the entries name, by version."""
        return {v.version: v.commit_sha for v in self.versions if v.commit_sha and is_sha(v.version)}

    def same_as(self, other: History) -> bool:
        """Whether both say the same, apart from commits (git's copy names none)."""
        return len(self) == len(other) and all(_plain(a) == _plain(b) for a, b in zip(self.raw, other.raw, strict=True))

    def as_of(self, moment: datetime, metadata: Metadata, table: str) -> Version:
        """The version that was current at ``moment``, even if it was an older one, reinstated.

        What counts is the order in which versions were recorded, whatever the clocks said; ``metadata`` tells
        which event came last. Recorded times are whole seconds.

        Raises:
            NotFoundError: the table did not exist yet.
        """
        events = self._events(metadata, table)
        for at, version in reversed(events):
            if at <= moment:
                return version
        first = min((at for at, _ in events), default=None)
        raise NotFoundError(
            f"{table} has no version as of {format_timestamp(moment)}; "
            + (f"the first is of {format_timestamp(first)}." if first else "it has none at all."),
            table=table,
        )

    def recordings(self, metadata: Metadata, table: str) -> list[tuple[Version, Recording]]:
        """Each time that a version became current, oldest first, with who and why; in the order of `as_of`.

        The last one is the current version, also where R reverted to it, which records nobody for it.
        """
        firsts = [(v, v.first) for v in reversed(self.versions)]
        left = {v.version: [*([first] if v.timestamp else []), *v.reinstatements] for v, first in firsts}
        found = [(v, first) for v, first in firsts if not v.timestamp]
        for at, version in self._events(metadata, table):
            if left[version.version]:
                recording = left[version.version].pop(0)
            else:
                recording = Recording(version.version, format_timestamp(at), read_author(None), "")
            found.append((version, recording))
        return found

    def _events(self, metadata: Metadata, table: str) -> list[tuple[datetime, Version]]:
        """When each version became current, oldest first."""
        source = f"the history of {table}"
        events = [(timestamp(v.timestamp, source), v) for v in reversed(self.versions) if v.timestamp]
        again = sorted(
            ((timestamp(at, source), v) for v in self.versions for at in v.reinstated_at), key=lambda e: e[0]
        )
        for at, version in again:
            place = next((i for i in range(len(events), 0, -1) if events[i - 1][0] <= at), 0)
            events.insert(place, (at, version))
        current = self.current(metadata)
        if current is not None:
            last = next((i for i in range(len(events) - 1, -1, -1) if events[i][1] is current), None)
            times = [] if last is None else [events[last][0]]
            # R rewrites created_at when it reverts and leaves the history alone.
            times += [timestamp(metadata.created_at, source)] if metadata.created_at else []
            if last is not None and (last == len(events) - 1 or max(times) == events[last][0]):
                events.pop(last)  # it is the last one itself
            if times:
                events.append((max(times), current))
        return events
