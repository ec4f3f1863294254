"""What can happen to a project, one event a row; and which events are asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

from datom_core.common import Moment, beginning_of, did_you_mean, moment_of
from datom_core.documents import Author, Rows, timestamp
from datom_core.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: What an event can be (docs/reference.md, "The audit table").
AuditKind = Literal[
    "project",
    "write",
    "cut",
    "review",
    "approval",
    "withdrawal",
    "lock",
    "unlock",
    "signers",
    "repair",
    "move",
    "attach",
    "decommission",
    "upgrade",
    "alteration",
    "unreadable",
    "other",
    "unexplained",
]
AuditSource = Literal["git", "storage", "register"]

UNKNOWN = Author("unknown", "")


@dataclass(frozen=True)
class AuditEvent:
    """Something that happened to a project. What concerns several tables is a row for each of them.

    Attributes:
        at: when: the time of the commit, or else what the document says (ISO 8601, UTC); empty where nothing says it.
        kind: what it was.
        action: more exactly: of a write ``created``, ``metadata_only`` or ``reinstated``; of a cut ``recorded`` or
            ``moved``; of a review the mark's name; of an approval its meaning; of a repair ``pinned``, ``recovered`` or
            ``accepted``; of an alteration ``removed`` or ``rewritten``.
        table, version: which one.
        cut: the cut that it is about.
        author: who.
        message: why.
        previous: the version that was current, or that the cut stood for, before.
        committer: who made the commit.
        signer: fingerprint of the key that signed the commit, as the signature says it: it is not verified here.
        commit: the commit.
        run, job, asset, partition: of Dagster, where the commit or the document names them.
        file, file_sha256: the file that the version was imported from.
        recorded_at: when, as the document says.
        files: of the project's repository, if the event is about nothing else.
        detail: what else there is to say.
        source: where this is from: ``git``, ``storage`` or ``register``.
    """

    at: str
    kind: AuditKind
    action: str = ""
    table: str | None = None
    version: str | None = None
    cut: str | None = None
    author: Author = UNKNOWN
    message: str = ""
    previous: str | None = field(default=None, repr=False)
    committer: Author | None = field(default=None, repr=False)
    signer: str | None = field(default=None, repr=False)
    commit: str | None = None
    run: str | None = field(default=None, repr=False)
    job: str | None = field(default=None, repr=False)
    asset: str | None = field(default=None, repr=False)
    partition: str | None = field(default=None, repr=False)
    file: str | None = field(default=None, repr=False)
    file_sha256: str | None = field(default=None, repr=False)
    recorded_at: str | None = field(default=None, repr=False)
    files: tuple[str, ...] = field(default=(), repr=False)
    detail: str = field(default="", repr=False)
    source: AuditSource = field(default="git", repr=False)


class AuditTrail(Rows[AuditEvent]):
    """Events in the order in which they happened, as a tuple that prints as a table."""

    __slots__ = ()

    def to_arrow(self) -> pa.Table:
        """A row per event and a column per field, all of them text: for `write_table`, or whatever reads Arrow."""
        import pyarrow as pa

        columns = [f.name for f in fields(AuditEvent)]
        values = {c: pa.array([_text(getattr(e, c)) for e in self], pa.string()) for c in columns}
        return pa.table(values)

    def to_pandas(self) -> pd.DataFrame:
        """As `to_arrow`, as a pandas frame."""
        from datom_core import tables

        return tables.to_pandas(self.to_arrow())


def _text(value: Any) -> str | None:
    if isinstance(value, tuple):
        value = "; ".join(value)
    return None if value is None else str(value).encode("utf-8", "backslashreplace").decode()


@dataclass(frozen=True)
class AuditFilter:
    """Which events are asked for.

    Attributes:
        since, until: moments, both included; a date means its beginning, or its end.
        kinds, tables, cuts: any of these; all if there are none.
        author: text that the author, the committer or the signer (name or address) holds, in any case.
    """

    since: datetime | None
    until: datetime | None
    kinds: frozenset[str]
    tables: frozenset[str]
    cuts: frozenset[str]
    author: str

    @classmethod
    def of(
        cls,
        since: Moment | None,
        until: Moment | None,
        kind: str | Iterable[str] | None,
        table: str | Iterable[str] | None,
        cut: str | Iterable[str] | None,
        author: str | None,
    ) -> AuditFilter:
        """From what a caller gives.

        Raises:
            InvalidInputError: no moment, no text, or a kind that does not exist.
        """
        kinds = _several("kind", kind)
        known = get_args(AuditKind)
        wrong = sorted(kinds - set(known))
        if wrong:
            raise InvalidInputError(
                f"There is no kind of event {wrong[0]!r}; there are {', '.join(known)}.{did_you_mean(wrong[0], known)}",
                kind=wrong[0],
            )
        given: object = author
        if given is not None and not isinstance(given, str):
            raise InvalidInputError(f"author is a part of a text, not {given!r}.")
        return cls(
            None if since is None else beginning_of(since, "since"),
            None if until is None else moment_of(until, "until"),
            kinds,
            _several("table", table),
            _several("cut", cut),
            (author or "").casefold(),
        )

    def of_all(self, events: Iterable[AuditEvent]) -> AuditTrail:
        """Those events that are asked for."""
        return AuditTrail(e for e in events if self.fits(e))

    def fits(self, event: AuditEvent) -> bool:
        if not (
            _among(event.kind, self.kinds) and _among(event.table, self.tables) and _among(event.cut, self.cuts)
        ):  # fmt: skip
            return False
        people = f"{event.author}\n{event.committer or ''}\n{event.signer or ''}"
        if self.author not in people.casefold():
            return False
        if self.since is None and self.until is None:
            return True
        if not event.at:
            return False
        at = timestamp(event.at, "an event")
        return (self.since is None or self.since <= at) and (self.until is None or at <= self.until)


def _among(value: str | None, asked: Collection[str]) -> bool:
    return not asked or value in asked


def _several(name: str, given: Any) -> frozenset[str]:
    values = [given] if isinstance(given, str) else list(given) if isinstance(given, Iterable) else given
    if values is None:
        return frozenset()
    if not isinstance(values, list) or isinstance(given, Mapping) or not all(isinstance(v, str) for v in values):
        raise InvalidInputError(f"{name} is a name, or several, not {given!r}.")
    return frozenset(values)


#: Asks for every event.
EVERYTHING = AuditFilter(None, None, frozenset(), frozenset(), frozenset(), "")
