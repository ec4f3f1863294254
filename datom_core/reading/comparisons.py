"""What changed: from version to version, from cut to cut, in one row; and a whole study at one moment."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from datom_core import comparing, tables
from datom_core.common import Moment, did_you_mean
from datom_core.documents import Change, Version, compare_shapes
from datom_core.errors import InvalidInputError
from datom_core.reading.pairs import TablePair, read_pair
from datom_core.reading.states import (
    StateLike,
    StudyState,
    TableState,
    Versions,
    find_state,
    find_study,
    named_study,
)
from datom_core.reading.stored_documents import StoredDocuments
from datom_core.reading.version_choice import choose
from datom_core.tables import Verification

if TYPE_CHECKING:
    from datom_core.comparing import ComparisonSettings, KeyLike, KeyOrigins, NaturalKeys, StudyChanges, TableChanges
    from datom_core.reading.row_history import RowHistory
    from datom_core.tables import RowChange

#: The key sequence of each table, as a study's define.xml gives it (`keys_of_define`).
DefineKeys = Mapping[str, Sequence[str]]
_T = TypeVar("_T")


class Comparisons(Versions):
    """The half of `ProjectReader` that compares what its other half reads."""

    _documents: StoredDocuments

    def compare(self, table: str, before: str | Version, after: str | Version | None = None) -> Change:
        """What changed from one version of a table to another (the current one by default), by shape."""
        old, new = (v if isinstance(v, Version) else self.resolve(table, v) for v in (before, after))
        then, now = self._documents.proven(table, old), self._documents.proven(table, new)
        return compare_shapes(then, old.version, rows=now.rows or 0, column_names=now.column_names)

    def diff(
        self,
        table: str,
        before: str | Version,
        after: str | Version | None = None,
        key: str | Sequence[str] | None = None,
    ) -> RowChange:
        """As `compare`, row by row: which rows came and went, and by ``key`` which changed. Reads both versions.

        It shows the first rows of each kind; `changes` finds the key and gives all of them.

        Raises:
            InvalidInputError: ``key`` is not in both versions, or does not tell their rows apart.
        """
        return tables.diff(self.read_arrow(table, before), self.read_arrow(table, after), key)

    def study(self, *, cut: str | None = None, as_of: Moment | None = None) -> StudyState:
        """All tables at one moment: a mapping from name to frame, each of which is read when it is asked for.

        Args:
            cut: name of a cut.
            as_of: a moment, as for `ProjectReader.read`. Without either, the study as it is now.

        Raises:
            NotFoundError: no such cut, or no table yet at that moment.
        """
        return find_study(self, cut=cut, as_of=as_of)

    def version_at(self, table: str, state: StateLike | None = None) -> Version:
        """The version of a table at a state, which may be a version id or its first digits, the name of a cut or of a
        review mark, or a date or time; ``None`` is now.

        Raises:
            InvalidInputError: the text names a cut or mark and begins a version too, or begins several versions.
            NotFoundError: no such table, or nothing of it has such a version, cut or moment.
        """
        return find_state(self, table, state).version

    def study_at(self, state: Moment | None = None) -> StudyState:
        """As `study`, at the name of a cut or of a review mark, or at a date or time; ``None`` is now."""
        return named_study(self, state)

    def changes(
        self,
        table: str,
        before: StateLike,
        after: StateLike | None = None,
        key: KeyLike | None = None,
        *,
        rules: KeyLike | None = None,
        define: DefineKeys | None = None,
        natural_keys: NaturalKeys | None = None,
        settings: ComparisonSettings | None = None,
        verify: Verification = "bytes",
    ) -> TableChanges:
        """Everything that changed in a table from one state to another: rows, cells, columns, labels, by which key.

        Args:
            table: its name.
            before, after: each a version id or its first digits, an entry of `history`, the name of a cut or of a
                review mark, or a date or time; ``after`` is the current version by default.
            key: columns that tell rows apart. Without it, the first of these that is unique in both: ``rules``,
                ``define``, the key sequence that the data carries, a natural key of the table's domain; else whole
                rows are compared. The result says which one it was, and why.
            rules: the key that the table's rules declare (`TableRules.key`).
            define: key sequences from `keys_of_define`.
            natural_keys: more natural keys, tried before those that are shipped.
            settings: tolerances, folding, columns to ignore or to mask. By default, equality as the content hash has
                it.
            verify: what is proven of both versions before they are compared, as for `ProjectReader.read`.

        Raises:
            NotFoundError: no such table, version or cut, or none at that moment.
            InvalidInputError: the key, or a setting, does not fit both versions; names everything that does not.
            IntegrityError: stored bytes are not those that were recorded.
        """
        settings, define = comparing.checked_settings(settings), _by_table(define, "define")
        old, new = find_state(self, table, before), find_state(self, table, after)
        origins = comparing.KeyOrigins(key, rules, define, natural_keys, tuple(settings.ignore))
        return self._changes(table, old, new, origins, settings, verify)

    def changes_between(
        self,
        before: Moment,
        after: Moment | None = None,
        *,
        tables: Collection[str] | None = None,
        keys: Mapping[str, KeyLike] | None = None,
        rules: Mapping[str, KeyLike] | None = None,
        define: DefineKeys | None = None,
        natural_keys: NaturalKeys | None = None,
        settings: ComparisonSettings | None = None,
        verify: Verification = "bytes",
    ) -> StudyChanges:
        """As `changes`, for every table of a study between two of its states; tables that came or went are there too.

        Args:
            before, after: each the name of a cut or of a review mark (`ProjectReader.reviews`), or a date or time;
                ``after`` is now by default.
            tables: only these.
            keys, rules: table -> columns.
            define, natural_keys, settings, verify: as for `changes`. A setting for a column counts in the tables that
                have it.

        Raises:
            NotFoundError: no such cut, or nothing at that moment.
            InvalidInputError: a table that neither state has, or a key or setting that fits no table; names each.
            IntegrityError: stored bytes are not those that were recorded.
        """
        settings, define = comparing.checked_settings(settings), _by_table(define, "define")
        keys, rules = _by_table(keys, "keys"), _by_table(rules, "rules")
        old, new = named_study(self, before), named_study(self, after)
        chosen = _chosen(old, new, tables, {**keys, **rules})
        # Only who names columns has to know which tables have them: it takes two documents of each.
        columns = {t: self._columns(t, old, new) if settings.columns else () for t in chosen}
        unknown = sorted(settings.columns.difference(*columns.values()))
        if unknown:
            hint = "".join(did_you_mean(c, {c for found in columns.values() for c in found}) for c in unknown)
            raise InvalidInputError(f"No table has {', '.join(map(repr, unknown))}, which the settings name.{hint}")
        found = {}
        for table in chosen:
            own = settings.only(columns[table])
            origins = comparing.KeyOrigins(keys.get(table), rules.get(table), define, natural_keys, own.ignore)
            first, second = (TableState(s.versions[table], s.cut) if table in s else None for s in (old, new))
            found[table] = self._changes(table, first, second, origins, own, verify)
        return comparing.StudyChanges(self.project, old.name, new.name, found)

    def row_history(self, table: str, key: Mapping[str, Any]) -> RowHistory:
        """Every value that the cells of one row ever had: with version, cuts, author, message, commit and time.

        Args:
            table: its name.
            key: column -> value; the columns that identify the row. Text is read as of the column's type, as `as_text`
                writes it. ``None`` is a missing value; NaN, as which pandas shows a missing number, means both.

        Raises:
            InvalidInputError: a value is of its column's type in no version, or several rows of some version share the
                key.
            NotFoundError: no such table, or no version has such columns, or such a row.
        """
        from datom_core.reading.row_history import row_history

        current, _ = choose(self._documents, table, None, None, None)
        return row_history(self, table, key, self._documents.history(table).recordings(current, table))

    def _changes(
        self,
        table: str,
        before: TableState | None,
        after: TableState | None,
        origins: KeyOrigins,
        settings: ComparisonSettings,
        verify: Verification,
    ) -> TableChanges:
        old, new = (None if s is None else s.version for s in (before, after))
        if verify == "bytes":
            pair = read_pair(self._documents, table, old, new)
        else:
            first, second = (None if v is None else self.read_arrow(table, v, verify=verify) for v in (old, new))
            pair = TablePair(first, second)
        return comparing.find_changes(
            pair.before,
            pair.after,
            table=table,
            origins=origins,
            settings=settings,
            versions=(old, new),
            cuts=(None if before is None else before.cut, None if after is None else after.cut),
            same_columns=pair.same,
        )

    def _columns(self, table: str, *states: StudyState) -> tuple[str, ...]:
        """The columns that a table has in any of the states."""
        versions = [s.versions[table] for s in states if table in s]
        return tuple({c: None for v in versions for c in self._documents.proven(table, v).column_names})


def _by_table(given: Mapping[str, _T] | None, what: str) -> Mapping[str, _T]:
    found: object = {} if given is None else given
    if not isinstance(found, Mapping) or not all(isinstance(table, str) for table in found):
        how = "what keys_of_define() returns" if what == "define" else "a mapping from table to columns"
        raise InvalidInputError(f"{what} is {how}, not {given!r}.")
    return found


def _chosen(old: StudyState, new: StudyState, tables: Collection[str] | None, keys: Mapping[str, Any]) -> list[str]:
    """The tables to compare, in the order of the older state, then of the newer.

    Raises:
        InvalidInputError: names every one that neither state has.
    """
    known = list(dict.fromkeys([*old, *new]))
    if isinstance(tables, str):
        raise InvalidInputError(f"tables is a list; write [{tables!r}].")
    given: object = tables
    if given is not None and not (isinstance(given, Collection) and all(isinstance(t, str) for t in given)):
        raise InvalidInputError(f"tables is a list of names, not {tables!r}.")
    unknown = [t for t in dict.fromkeys([*(tables or ()), *keys]) if t not in known]
    if unknown:
        hint = "".join(dict.fromkeys(did_you_mean(t, known) for t in unknown))
        raise InvalidInputError(
            f"Neither {old.name} nor {new.name} has a table {', '.join(map(repr, unknown))}; they have "
            f"{', '.join(known) or 'none'}.{hint}",
            tables=tuple(unknown),
        )
    return [t for t in known if tables is None or t in tables]
