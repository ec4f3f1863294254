"""What a commit changed in a table's history, against each of its parents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datom_core.documents import parse, strings
from datom_core.errors import FormatError

Entry = Mapping[str, Any]

_OPENING = b"[\n"  # of the layout in which we, and R, write a history: a new entry leaves all others as they are
_CORE = ("data_sha", "timestamp", "author", "commit_message", "original_file_sha", "provenance")
_BYTES = ("parquet_sha", "document_sha")


@dataclass(frozen=True)
class HistoryChanges:
    """What is new in a history, and what is gone, against all parents together.

    Attributes:
        added: entries, oldest first.
        again: entries that became current again, with the time, and what is told of it where anything is.
        pinned: entries whose payload has other bytes now, with the SHA-256 before.
        removed, rewritten: entries that are gone, or say something else.
    """

    added: tuple[Entry, ...] = ()
    again: tuple[tuple[Entry, str, Entry | None], ...] = ()
    pinned: tuple[tuple[Entry, str], ...] = ()
    removed: tuple[Entry, ...] = ()
    rewritten: tuple[Entry, ...] = ()


def compare_histories(before: Sequence[bytes | None], after: bytes | None, source: str) -> HistoryChanges:
    """What a commit did to a history.

    Args:
        before: the document in each parent.
        after: the document in the commit.
        source: what it is, for errors.

    Raises:
        FormatError: one of them cannot be read.
    """
    quick = _prepended(before, after, source)
    if quick is not None:
        return HistoryChanges(added=tuple(reversed(quick)))
    known = [_by_version(_entries(text, source)) for text in before if text is not None]
    now = _by_version(_entries(after, source)) if after is not None else {}
    ever = {version: [k[version] for k in known if version in k] for version in {v: None for k in known for v in k}}
    kept = [(entry, ever[version]) for version, entry in now.items() if version in ever]
    return HistoryChanges(
        added=tuple(reversed([entry for version, entry in now.items() if version not in ever])),
        again=tuple(found for entry, was in reversed(kept) for found in _again(entry, was, source))
        + tuple(
            (entry, at, told_of(entry, at))
            for version, entry in now.items()
            if version not in ever
            for at in strings(entry, "reinstated_at", source)
        ),
        pinned=tuple((entry, old) for entry, was in kept if (old := _other_bytes(entry, was)) is not None),
        removed=tuple(was[0] for version, was in ever.items() if version not in now),
        rewritten=tuple(entry for entry, was in kept if all(_differ(entry, w) for w in was)),
    )


def read_entries(text: bytes, source: str) -> list[Entry]:
    """The entries of a history, newest first.

    Raises:
        FormatError: it cannot be read.
    """
    return _entries(text, source)


def _prepended(before: Sequence[bytes | None], after: bytes | None, source: str) -> list[Entry] | None:
    """The entries before all others, where the rest of the text is as it was; ``None`` where it is not.

    A long history is compared, not parsed: that takes a thousandth of the time.
    """
    was = before[0] if len(before) == 1 else None
    if was is None or after is None or not was.startswith(_OPENING) or len(after) <= len(was):
        return None
    rest = was[len(_OPENING) :]
    head = after[: len(after) - len(rest)]
    if not after.endswith(rest) or not head.endswith(b",\n"):
        return None
    try:
        return _entries(head[:-2] + b"\n]", source)
    except FormatError:
        return None


def _entries(text: bytes, source: str) -> list[Entry]:
    found = parse(text, source)
    if not isinstance(found, list) or not all(isinstance(e, dict) and isinstance(e.get("version"), str) for e in found):
        raise FormatError(f"{source} should be an array of versions.", source=source)
    return found


def _by_version(entries: Iterable[Entry]) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for entry in entries:
        found.setdefault(entry["version"], entry)
    return found


def _again(entry: Entry, was: Sequence[Entry], source: str) -> list[tuple[Entry, str, Entry | None]]:
    known = {at for w in was for at in strings(w, "reinstated_at", source)}
    return [(entry, at, told_of(entry, at)) for at in strings(entry, "reinstated_at", source) if at not in known]


def told_of(entry: Entry, at: str) -> Entry | None:
    """What is told of a time that a version became current again."""
    told = entry.get("reinstated")
    return (
        next((d for d in told if isinstance(d, dict) and d.get("at") == at), None) if isinstance(told, list) else None
    )


def _other_bytes(entry: Entry, was: Sequence[Entry]) -> str | None:
    """The SHA-256 before, if the payload of an entry is another one in every parent."""
    for key in _BYTES:
        if entry.get(key) is not None and all(w.get(key) not in (None, entry[key]) for w in was):
            return str(was[0][key])
    return None


def _differ(entry: Entry, was: Entry) -> bool:
    return any((entry.get(key) or None) != (was.get(key) or None) for key in _CORE)
