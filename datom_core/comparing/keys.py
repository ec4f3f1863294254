"""Find the key of a table: given, declared, told by the data, natural for its domain, or none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from datom_core.common import did_you_mean
from datom_core.comparing import matching
from datom_core.comparing.changes import KeyDecision, KeySource, RejectedKey
from datom_core.comparing.classes import is_sequence
from datom_core.comparing.natural_keys import candidates, domain_of
from datom_core.comparing.origins import KeyLike, KeyOrigins, NaturalKeys
from datom_core.comparing.prepared import Prepared
from datom_core.errors import InvalidInputError

_KEY_SEQUENCE = b"keySequence"
_PLACE = re.compile("[0-9]{1,9}")


def resolve_key(
    before: object | None,
    after: object | None,
    *,
    table: str = "",
    given: KeyLike | None = None,
    rules: KeyLike | None = None,
    data: KeyLike | Mapping[str, Sequence[str]] | None = None,
    natural: NaturalKeys | None = None,
    ignore: tuple[str, ...] = (),
) -> KeyDecision:
    """The columns by which the rows of two states of a table are told apart.

    They are, in this order: ``given``; ``rules``; ``data``, then what the columns' own metadata says (``keySequence``),
    if it is unique in both; ``natural`` and the natural keys that are shipped for the table's domain, the first one
    that is unique in both; none. A key of the first two need not be unique: rows that share one are reported.

    Args:
        before, after: tables as `compare_tables` takes them.
        table: its name, which tells the domain where the column DOMAIN does not.
        given, rules, data, natural, ignore: as in `KeyOrigins`.

    Raises:
        InvalidInputError: ``given`` is no key of these tables; names every column that is missing or whose type
            changed, and rows without any value of the key. ``natural`` is not domains with lists of columns.
        UnsupportedColumnsError: a column has no content hash.
    """
    return decide(Prepared(before, after), table, KeyOrigins(given, rules, data, natural, ignore))


def decide(prepared: Prepared, table: str, origins: KeyOrigins) -> KeyDecision:
    """As `resolve_key`, of tables that are prepared."""
    natural = _checked_natural(origins.natural)
    if origins.given is not None:
        columns = _columns(origins.given, "key")
        problems = _problems(prepared, columns)
        if problems:
            raise InvalidInputError(f"The key cannot tell rows apart: {'; '.join(problems)}.", key=columns)
        return KeyDecision(columns, "given", f"The key {_shown(columns)} was given.")
    rejected: list[RejectedKey] = []
    tried: set[tuple[str, ...]] = set()
    for proposal in _proposals(prepared, table, origins, natural):
        if proposal.columns in tried:
            continue
        tried.add(proposal.columns)
        reason = _reason(prepared, proposal, origins.ignore)
        if reason is None:
            return KeyDecision(proposal.columns, proposal.source, proposal.why, tuple(rejected))
        rejected.append(RejectedKey(proposal.columns, proposal.source, reason))
    return KeyDecision((), "rows", _why_rows(prepared, table, rejected), tuple(rejected))


@dataclass(frozen=True)
class _Proposal:
    columns: tuple[str, ...]
    source: KeySource
    why: str
    must_be_unique: bool = True


def _proposals(prepared: Prepared, table: str, origins: KeyOrigins, natural: NaturalKeys) -> Iterator[_Proposal]:
    if not _is_empty(origins.rules):
        columns = _columns(origins.rules, "the key of the rules")
        yield _Proposal(columns, "rules", f"The table's rules declare the key {_shown(columns)}.", must_be_unique=False)
    data = origins.data
    if isinstance(data, Mapping):
        data = {str(name).lower(): columns for name, columns in data.items()}.get(table.lower())
    if not _is_empty(data):
        columns = _columns(data, "the key of the data")
        yield _Proposal(columns, "data", f"The study's define.xml gives the key sequence {_shown(columns)}.")
    for columns, which in _of_metadata(prepared):
        yield _Proposal(columns, "data", f"The metadata of {which} gives the key sequence {_shown(columns)}.")
    domain = domain_of(table, prepared.tables)
    if domain is None:
        return
    usable = [c for c in prepared.tables.shared if c not in origins.ignore]
    named = f"{domain.code} ({domain.name})" if domain.name else domain.code
    for candidate in candidates(domain, prepared.tables, natural):
        columns = candidate.of(usable)
        why = f"The key {_shown(columns)} is natural for {named}: {candidate.source}; it is unique in both versions."
        numbers = [c for c in columns if is_sequence(c)]
        if numbers:
            why += f" {_shown(tuple(numbers))} is in it because the standard tells these rows apart by nothing else."
        yield _Proposal(columns, "domain", why)


def _of_metadata(prepared: Prepared) -> Iterator[tuple[tuple[str, ...], str]]:
    """The key sequences that the columns' own metadata gives, the newer one first."""
    for side, which in reversed(prepared.tables.sides):
        places: dict[str, int] = {}
        for field in side.table.schema:
            said = (field.metadata or {}).get(_KEY_SEQUENCE, b"").decode(errors="replace").strip()
            if _PLACE.fullmatch(said):
                places[field.name] = int(said)
        if places:
            yield tuple(sorted(places, key=places.__getitem__)), which


def _reason(prepared: Prepared, proposal: _Proposal, ignore: tuple[str, ...]) -> str | None:
    """Why a key is not taken, as the end of a sentence."""
    ignored = [c for c in proposal.columns if c in ignore]
    if ignored:
        return f"has {_shown(tuple(ignored))}, which is to be ignored"
    problems = _problems(prepared, proposal.columns)
    if problems:
        return f"does not fit: {'; '.join(problems)}"
    if proposal.must_be_unique:
        codes = prepared.values.numbered(proposal.columns)[:2]
        for (_, which), numbers in zip(prepared.tables.sides, codes, strict=True):
            sharing = matching.sharing(numbers)
            if sharing:
                return f"is not unique in {which}: {sharing:,} rows share it with another row"
    return None


def _problems(prepared: Prepared, columns: tuple[str, ...]) -> list[str]:
    """What keeps columns from being a key, uniqueness aside."""
    tables = prepared.tables
    problems = [_absent(c, prepared) for c in columns if c not in tables.both]
    problems += [
        f"{r.column!r} is {r.before} before and {r.after} after" for r in tables.retyped if r.column in columns
    ]
    if problems or not columns:
        return problems
    for place, (_, which) in enumerate(tables.sides):
        empty = prepared.values.all_missing(columns, place)
        if empty:
            rows, have = ("row", "has") if empty == 1 else ("rows", "have")
            problems.append(f"{empty:,} {rows} of {which} {have} no value in any of its columns")
    return problems


def _absent(column: str, prepared: Prepared) -> str:
    lacking = [which for side, which in prepared.tables.sides if column not in side.tags]
    where = "in neither table" if len(lacking) == 2 else f"not in {lacking[0]}"
    return f"{column!r} is {where}.{did_you_mean(column, prepared.tables.both)}".rstrip(".")


def _why_rows(prepared: Prepared, table: str, rejected: list[RejectedKey]) -> str:
    if rejected:
        return "No key that is known for this table tells its rows apart, so whole rows are compared."
    domain = domain_of(table, prepared.tables)
    of = f"the domain {domain.code}" if domain else "this table"
    return f"No key was given, and none is known for {of}, so whole rows are compared."


def _is_empty(key: object) -> bool:
    """Whether no key is given, as by rules that declare none."""
    return key is None or (isinstance(key, Sequence) and not key)


def _columns(key: object, what: str) -> tuple[str, ...]:
    columns = (key,) if isinstance(key, str) else tuple(key) if isinstance(key, Sequence) else ()
    if not columns or len(set(map(str, columns))) != len(columns) or not all(isinstance(c, str) for c in columns):
        raise InvalidInputError(f"{what} is one or more column names, each once; not {key!r}.")
    return columns


def _checked_natural(natural: NaturalKeys | None) -> NaturalKeys:
    """The user's natural keys, by domains in capitals."""
    checked: dict[str, Sequence[Sequence[str]]] = {}
    problems = []
    given: object = natural or {}
    if not isinstance(given, Mapping):
        raise InvalidInputError(f"natural_keys is a mapping from domain to candidates, not {given!r}.")
    for domain, keys in given.items():
        if isinstance(keys, str) or not isinstance(keys, Sequence) or any(isinstance(k, str) for k in keys):
            problems.append(f"{domain!r}: give a list of keys, each a list of columns, not {keys!r}")
            continue
        try:
            checked[str(domain).upper()] = [_columns(k, f"a key of {domain!r}") for k in keys]
        except InvalidInputError as error:
            problems.append(str(error))
    if problems:
        raise InvalidInputError("natural_keys cannot be used:\n  - " + "\n  - ".join(problems))
    return checked


def _shown(columns: tuple[str, ...]) -> str:
    return ", ".join(columns)
