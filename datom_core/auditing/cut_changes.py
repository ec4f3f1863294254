"""What a commit changed in cuts.json: recordings of cuts, moves of review marks, approvals."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datom_core.auditing.events import AuditKind
from datom_core.errors import FormatError

Record = Mapping[str, Any]

_KNOWN = {"schema_version", "cuts", "reviews", "approvals"}
#: The meaning of an approval that holds a cut where it is.
LOCKED = "locked"


@dataclass(frozen=True)
class CutFact:
    """Something that cuts.json says.

    Attributes:
        kind, action: as of an event.
        cut: the cut.
        table, version: for which it stands.
        previous: for which it stood before.
        told: the record that says so: who, when, why.
        detail: what else.
    """

    kind: AuditKind
    action: str
    cut: str | None
    table: str | None
    version: str | None
    previous: str | None
    told: Record
    detail: str = ""


def compare_cuts(before: Sequence[Record], after: Record, source: str) -> tuple[list[CutFact], bool]:
    """What is new in the document, and gone from it, against all parents together; and whether it is more than that.

    Args:
        before: the document in each parent; empty where there is none.
        after: the document in the commit. What is the same in all of them may be left out.
        source: what it is, for errors.

    Raises:
        FormatError: one of them says what no such document says.
    """
    known, now = [facts_of(raw, source) for raw in before], facts_of(after, source)
    ever = {_key(fact) for facts in known for fact in facts}
    there = {_key(fact) for fact in now}
    gone = {_key(f): f for facts in known for f in facts if _key(f) not in there}
    lost = [
        CutFact("alteration", "removed", f.cut, f.table, f.version, None, f.told, f"a recorded {f.kind} is gone")
        for f in gone.values()
    ]
    return [f for f in now if _key(f) not in ever] + lost, all(_rest(after) != _rest(raw) for raw in before)


def facts_of(raw: Record, source: str) -> list[CutFact]:
    """All that the document says, oldest first for each name.

    Raises:
        FormatError: it says what no such document says.
    """
    return [*_cuts(raw, source), *_reviews(raw, source), *_approvals(raw, source)]


def _rest(raw: Record) -> Record:
    return {key: value for key, value in raw.items() if key not in _KNOWN}


def _key(fact: CutFact) -> tuple[object, ...]:
    record = json.dumps({k: v for k, v in fact.told.items() if k != "versions"}, sort_keys=True)
    return (fact.kind, fact.cut, fact.table, fact.version, record, fact.kind == "review" and fact.action)


def _cuts(raw: Record, source: str) -> Iterator[CutFact]:
    for name, cut in _mapping(raw, "cuts", source).items():
        for table, entries in _mapping(cut, "tables", source).items():
            previous = None
            for entry in reversed(_records(entries, source)):
                version = _string(entry, "version", source)
                yield CutFact("cut", "moved" if previous else "recorded", name, table, version, previous, entry)
                previous = version


def _reviews(raw: Record, source: str) -> Iterator[CutFact]:
    for name, moves in _mapping(raw, "reviews", source).items():
        previous: Record = {}
        for move in reversed(_records(moves, source)):
            versions, cut = _mapping(move, "versions", source), move.get("cut")
            for table, version in versions.items():
                yield CutFact("review", name, cut, table, version, previous.get(table), move)
            previous = versions


def _approvals(raw: Record, source: str) -> Iterator[CutFact]:
    for record in reversed(_records(raw.get("approvals") or [], source)):
        meaning, withdrawn = str(record.get("meaning") or ""), record.get("kind") == "withdrawal"
        kinds: tuple[AuditKind, AuditKind] = ("lock", "unlock") if meaning == LOCKED else ("approval", "withdrawal")
        signer = record.get("signer")
        key = signer.get("key") if isinstance(signer, dict) else None
        detail = f"signed by {key}" if key else ""
        versions = _mapping(record, "versions", source)
        for table, version in versions.items() or [(None, None)]:
            yield CutFact(kinds[withdrawn], meaning, record.get("cut"), table, version, None, record, detail)


def _mapping(raw: Any, key: str, source: str) -> dict[str, Any]:
    return _checked(_checked(raw, dict, "record", source, bool).get(key), dict, key, source) or {} if raw else {}


def _records(raw: Any, source: str) -> list[Record]:
    found = _checked(raw, list, "records", source) or []
    return [_checked(record, dict, "record", source, lambda r: r is not None) for record in found]


def _string(raw: Record, key: str, source: str) -> str:
    return str(_checked(raw.get(key), str, key, source, bool))


def _checked(value: Any, kind: type, key: str, source: str, needed: Callable[[Any], bool] | None = None) -> Any:
    if (value is None and needed is None) or (isinstance(value, kind) and (needed is None or needed(value))):
        return value
    raise FormatError(f"{source}: {key!r} should be {kind.__name__}, not {str(value)[:60]!r}.", source=source)
