"""Approvals of cuts, and their withdrawals. A part of cuts.json (docs/format.md, "cuts.json").

A record names the versions that the cut stood for: of what a name stands for later, it says nothing. It comes in by a
commit that its signer signed; what is read here is what a document says, which `Project.verify_signatures` proves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, overload

from datom_core.common import fitting
from datom_core.documents import canonical
from datom_core.documents.parsing import objects, optional, required, required_sha
from datom_core.errors import FormatError, InvalidInputError

#: The meaning of an approval that holds its cut in place.
LOCKED = "locked"
#: The line of a commit's message that names the record that it brings.
TRAILER = "Datom-Approval"

_NOT_OF_THE_ID = ("id", "time_stamp")


@fitting
@dataclass(frozen=True)
class Signer:
    """Who signed: name, address, and the fingerprint of the key."""

    name: str
    email: str
    key: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


@fitting
@dataclass(frozen=True)
class Approval:
    """A record: somebody approved a cut, or took that back.

    Attributes:
        id: SHA-256 over what it says.
        kind: ``"approval"`` or ``"withdrawal"``.
        cut: name of the cut.
        meaning: of the approval, for example ``"reviewed"``, ``"approved"`` or ``"locked"``.
        reason: why.
        signer: who signed it.
        recorded_at: when (ISO 8601, UTC).
        versions: table -> the version that the cut stood for.
        withdraws: of a withdrawal, the id of the approval.
        time_stamp: server and token (base64) of a time stamp, if there is one.
        withdrawn_by: of an approval, the id of its withdrawal.
        outdated: tables of which the cut stands for another version now, or for none, or for one more.
        intact: whether its id is that of what it says.
    """

    id: str
    kind: Literal["approval", "withdrawal"]
    cut: str
    meaning: str
    reason: str
    signer: Signer
    recorded_at: str
    versions: Mapping[str, str]
    withdraws: str | None = None
    time_stamp: Mapping[str, str] | None = None
    withdrawn_by: str | None = None
    outdated: tuple[str, ...] = ()
    intact: bool = True

    @property
    def stands(self) -> bool:
        """Whether it is an approval that nobody took back; it may be of older versions."""
        return self.kind == "approval" and self.withdrawn_by is None

    @property
    def is_current(self) -> bool:
        """Whether it stands, and is of the versions that the cut stands for now."""
        return self.stands and not self.outdated

    def __str__(self) -> str:
        what = self.meaning if self.kind == "approval" else f"{self.meaning} withdrawn"
        state = " (withdrawn)" if self.withdrawn_by else " (of older versions)" if self.stands and self.outdated else ""
        return f"{self.cut}: {what} by {self.signer}, {self.recorded_at}{state}: {self.reason}"


@dataclass(frozen=True, eq=False)
class Approvals(Sequence[Approval]):
    """All records of a project, newest first."""

    records: tuple[Approval, ...] = field(default=())

    @classmethod
    def from_document(cls, raw: Mapping[str, Any], held: Mapping[str, Mapping[str, str]], source: str) -> Approvals:
        """Read what a document holds.

        Args:
            raw: the document.
            held: the cuts: name -> table -> version.
            source: names it in errors.

        Raises:
            FormatError: it holds something else.
        """
        found = objects(raw, "approvals", source) or ()
        where = f"{source}, approvals"
        taken_back = {
            (r.get("withdraws"), r.get("cut"), r.get("meaning")): r.get("id")
            for r in found
            if r.get("kind") == "withdrawal"
        }
        return cls(tuple(_read(r, taken_back, held, where) for r in found))

    @overload
    def __getitem__(self, at: int) -> Approval: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Approval, ...]: ...
    def __getitem__(self, at: int | slice) -> Approval | tuple[Approval, ...]:
        return self.records[at]

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Approval]:
        return iter(self.records)

    def of(self, cut: str) -> Approvals:
        """Those of one cut."""
        return Approvals(tuple(r for r in self.records if r.cut == cut))

    def standing(self, meaning: str | None = None) -> tuple[Approval, ...]:
        """The approvals that nobody took back; with ``meaning``, of that meaning."""
        return tuple(r for r in self.records if r.stands and meaning in (None, r.meaning))

    def find(self, record: str) -> Approval | None:
        """The record of this id."""
        return next((r for r in self.records if r.id == record), None)

    def __repr__(self) -> str:
        return "Approvals(\n" + "".join(f"  {record},\n" for record in self.records) + ")"


def new_record(
    kind: Literal["approval", "withdrawal"],
    cut: str,
    meaning: str,
    reason: str,
    signer: Signer,
    at: str,
    versions: Mapping[str, str],
    withdraws: str | None = None,
) -> dict[str, Any]:
    """A record as documents hold it."""
    told: dict[str, Any] = {"kind": kind, "cut": cut, "meaning": meaning, "reason": reason}
    told |= {"signer": {"name": signer.name, "email": signer.email, "key": signer.key}}
    told |= {"recorded_at": at, "versions": dict(versions)}
    told |= {} if withdraws is None else {"withdraws": withdraws}
    return {"id": record_id(told), **told}


def record_id(record: Mapping[str, Any]) -> str:
    """SHA-256 of the compact JSON of a record without its id and time stamp, keys sorted by their bytes."""
    return hashlib.sha256(record_text(record).encode()).hexdigest()


def record_text(record: Mapping[str, Any]) -> str:
    """The text whose SHA-256 is the record's id."""
    return canonical.canonical(_sorted({key: value for key, value in record.items() if key not in _NOT_OF_THE_ID}))


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value, key=lambda key: str(key).encode())}
    return [_sorted(v) for v in value] if isinstance(value, list) else value


def check_names_no_approval(text: str) -> None:
    """Refuse a line that would say, in a commit, that it brings an approval: whoever signs it would vouch for that.

    Raises:
        InvalidInputError: there is one.
    """
    if any(line.strip().lower().startswith(f"{TRAILER}:".lower()) for line in text.splitlines()):
        raise InvalidInputError(f"A line that begins with {TRAILER}: is only in commits that bring an approval.")


def records_where(raw: Sequence[Any], keep: Callable[[str, str], bool]) -> list[Any]:
    """The records all of whose versions (table, version) are kept: whole, or not at all."""
    return [record for record in raw if all(keep(t, v) for t, v in record["versions"].items())]


def records_united(ours: Sequence[Any], theirs: Sequence[Any]) -> list[Any]:
    """The records of two documents, each once, newest first."""
    there = {record["id"] for record in ours}
    more = [record for record in theirs if record["id"] not in there]
    if not more:
        return list(ours)
    return sorted([*more, *ours], key=lambda record: str(record["recorded_at"]), reverse=True)


def _read(
    raw: Mapping[str, Any], taken_back: Mapping[Any, Any], held: Mapping[str, Mapping[str, str]], where: str
) -> Approval:
    kind, record = required(raw, "kind", str, where), required_sha(raw, "id", where)
    if kind not in ("approval", "withdrawal"):
        raise FormatError(f"{where}: 'kind' is approval or withdrawal, not {kind[:40]!r}.", source=where, field="kind")
    versions = required(raw, "versions", dict, where)
    if not versions:
        raise FormatError(f"{where}: 'versions' should name at least one table.", source=where, field="versions")
    versions = {table: required_sha(versions, table, where) for table in versions}
    cut, who = required(raw, "cut", str, where), required(raw, "signer", dict, where)
    now, stamp = held.get(cut, {}), optional(raw, "time_stamp", dict, where)
    return Approval(
        id=record,
        kind=kind,  # type: ignore[arg-type]  # it was looked at above
        cut=cut,
        meaning=required(raw, "meaning", str, where),
        reason=required(raw, "reason", str, where),
        signer=Signer(*(required(who, part, str, where) for part in ("name", "email", "key"))),
        recorded_at=required(raw, "recorded_at", str, where),
        versions=MappingProxyType(versions),
        withdraws=required_sha(raw, "withdraws", where) if kind == "withdrawal" else None,
        time_stamp=None if stamp is None else {p: required(stamp, p, str, where) for p in ("server", "token")},
        withdrawn_by=taken_back.get((record, cut, raw.get("meaning"))) if kind == "approval" else None,
        outdated=tuple(sorted(t for t in {*versions, *now} if versions.get(t) != now.get(t))),
        intact=record == record_id(raw),
    )
