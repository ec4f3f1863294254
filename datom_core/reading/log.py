"""When each version of each table became current, by whom and why: of one table, or of a whole study."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from datom_core.common import Moment, Progress, beginning_of, moment_of, watcher
from datom_core.documents import Author, Cuts, Provenance, Recording, Version, timestamp
from datom_core.errors import InvalidInputError
from datom_core.reading.states import NOW, StateLike, Versions, find_state, named_study
from datom_core.reading.stored_documents import StoredDocuments
from datom_core.reading.version_choice import choose

READERS = 16  # documents that are fetched at a time: a bucket far away takes long for each


@dataclass(frozen=True)
class LogEntry:
    """A time that a version of a table became current.

    Attributes:
        recorded_at: when (ISO 8601, UTC); empty where R recorded no time.
        table, version: which one.
        author, message: who, and why. For a version that R made current again, both are unknown.
        reinstated: whether it had been current before.
        current: whether it is current now.
        cuts: the cuts that stand for this version now.
        commit_sha: the commit that recorded it; known for the first time alone.
        provenance: who asked and who wrote, in which run and from which file, as far as it was recorded.
    """

    recorded_at: str
    table: str
    version: str
    author: Author
    message: str
    reinstated: bool
    current: bool
    cuts: tuple[str, ...]
    commit_sha: str | None = field(default=None, repr=False)
    provenance: Provenance | None = field(default=None, repr=False)


@dataclass(frozen=True)
class LogFilter:
    """Which entries are asked for.

    Attributes:
        since, until: moments, both included; a date means its beginning, or its end.
        author, grep: text that the author (name or address) or the message holds, in any case.
    """

    since: datetime | None
    until: datetime | None
    author: str
    grep: str

    @classmethod
    def of(cls, since: Moment | None, until: Moment | None, author: str | None, grep: str | None) -> LogFilter:
        """From what a caller gives.

        Raises:
            InvalidInputError: no moment, or no text.
        """
        for name, text in (("author", author), ("grep", grep)):
            given: object = text
            if given is not None and not isinstance(given, str):
                raise InvalidInputError(f"{name} is a part of a text, not {given!r}.")
        return cls(
            None if since is None else beginning_of(since, "since"),
            None if until is None else moment_of(until, "until"),
            (author or "").casefold(),
            (grep or "").casefold(),
        )

    def fits(self, entry: LogEntry) -> bool:
        if self.author not in str(entry.author).casefold() or self.grep not in entry.message.casefold():
            return False
        if self.since is None and self.until is None:
            return True
        if not entry.recorded_at:
            return False
        at = timestamp(entry.recorded_at, f"the history of {entry.table}")
        return (self.since is None or self.since <= at) and (self.until is None or at <= self.until)


class _Limit(NamedTuple):
    """Up to where a history is told: the last time that a version was current, at a moment if one is given."""

    version: str
    moment: datetime | None


def log_of_table(of: Versions, documents: StoredDocuments, table: str, state: StateLike | None) -> list[LogEntry]:
    """Every entry of a table up to a state, newest first.

    Raises:
        As `ProjectReader.version_at`.
    """
    cuts, limit = documents.cuts(), None
    if state is not None:
        version = find_state(of, table, state).version
        limit = _Limit(version.version, _moment_of(cuts, table, state, version.version))
    return _entries(documents, table, _standing(cuts), limit)


def log_of_study(of: Versions, documents: StoredDocuments, state: Moment | None) -> list[LogEntry]:
    """Every entry of all tables and sets up to a state, newest first.

    Those of one second are in the order in which tables were first written.

    Raises:
        As `ProjectReader.study_at`.
    """
    cuts = documents.cuts()
    limits: dict[str, _Limit | None] = {e.name: None for e in documents.manifest()}
    if state is not None:
        held = named_study(of, state).versions
        limits = {t: _Limit(v.version, _moment_of(cuts, t, state, v.version)) for t, v in held.items()}
    standing, told, found = _standing(cuts), watcher(), []
    with ThreadPoolExecutor(READERS, thread_name_prefix="datom-log") as pool:
        of_each = pool.map(lambda t: _entries(documents, t, standing, limits[t]), limits)
        for done, (table, entries) in enumerate(zip(limits, of_each, strict=True), 1):
            found.append(entries)
            told(Progress("histories", done, len(limits), 0, 0, table))
    return sorted((e for entries in found for e in entries), key=lambda e: e.recorded_at, reverse=True)


def _entries(
    documents: StoredDocuments, table: str, standing: Mapping[tuple[str, str], Sequence[str]], limit: _Limit | None
) -> list[LogEntry]:
    current, _ = choose(documents, table, None, None, None, sets=True)
    recordings = documents.history(table).recordings(current, table)
    last = len(recordings) - 1
    made: list[LogEntry] = []
    seen: set[str] = set()
    for place, (version, recording) in enumerate(recordings):
        made.append(
            LogEntry(
                recorded_at=recording.recorded_at,
                table=table,
                version=version.version,
                author=recording.author,
                message=recording.message,
                reinstated=version.version in seen,
                current=place == last,
                cuts=tuple(standing.get((table, version.version), ())),
                commit_sha=None if version.version in seen else version.commit_sha,
                provenance=recording.provenance,
            )
        )
        seen.add(version.version)
    return made[_end(recordings, limit) :: -1] if made else []


def _end(recordings: Sequence[tuple[Version, Recording]], limit: _Limit | None) -> int:
    """The place of the newest entry to tell."""
    if limit is None:
        return len(recordings) - 1
    places = [n for n, (version, _) in enumerate(recordings) if version.version == limit.version]
    if limit.moment is not None:
        # A clock that ran behind must not hide the version itself.
        places = list(_until(recordings, places, limit.moment)) or places[:1]
    return places[-1]


def _until(recordings: Sequence[tuple[Version, Recording]], places: Iterable[int], moment: datetime) -> Iterator[int]:
    for n in places:
        at = recordings[n][1].recorded_at
        if at and timestamp(at, "a history") <= moment:
            yield n


def _standing(cuts: Cuts) -> dict[tuple[str, str], list[str]]:
    """(table, version) -> the cuts that stand for it."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, cut in cuts.items():
        for table, version in cut.items():
            found.setdefault((table, version), []).append(name)
    return found


def _moment_of(cuts: Cuts, table: str, state: StateLike, version: str) -> datetime | None:
    """When a state was named, or which moment it is; ``None`` for a version."""
    if isinstance(state, Version):
        return None
    if isinstance(state, str):
        if state in cuts:
            return timestamp(cuts[state].recordings[table][0].recorded_at, f"the cut {state!r}")
        if state in cuts.reviews:
            return timestamp(cuts.reviews[state].latest.recorded_at, f"the review mark {state!r}")
        if version.startswith(state) or state == NOW:
            return None
    return moment_of(state)
