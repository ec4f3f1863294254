"""What a caller means by a state of a table or of a study: a version, a cut, a moment, or how it is now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, Protocol

from datom_core import tables
from datom_core.common import Moment, brief, did_you_mean, moment_of, names
from datom_core.documents import Cuts, Review, Rows, Version
from datom_core.errors import InvalidInputError, NotFoundError
from datom_core.planning import TableInfo
from datom_core.tables import Verification

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: A state of a table: an entry of its history, a version id or its first digits, the name of a cut or of a review mark,
#: a moment, or "now".
StateLike = Version | Moment


#: The state that everything is in, where a word is needed for it; a cut of this name goes before.
NOW = "now"


class Versions(Protocol):
    """The versions of a project's tables, as `ProjectReader` reads them."""

    @property
    def project(self) -> str: ...

    def list(self, pattern: str | None = None) -> Rows[TableInfo]: ...

    def history(self, table: str) -> Rows[Version]: ...

    def cuts(self) -> Cuts: ...

    def resolve(
        self, table: str, version: str | None = None, cut: str | None = None, as_of: Moment | None = None
    ) -> Version: ...

    def read_arrow(
        self,
        table: str,
        version: str | Version | None = None,
        *,
        columns: Sequence[str] | None = None,
        dictionaries: bool = False,
        verify: Verification | None = None,
    ) -> pa.Table: ...


@dataclass(frozen=True)
class Reference:
    """A table, a state, or a table at a state, as a person writes it: ``lb``, ``@2026-02``, ``lb@2026-02``.

    Attributes:
        table: its name; ``None`` for the whole study.
        state: a version id or its first digits, the name of a cut or of a review mark, a date or time; ``None`` is now,
            and so is ``"now"``, unless a cut is called so.
    """

    table: str | None
    state: str | None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """From text. The first ``@`` is the one that counts: no table has one in its name, a cut may.

        Raises:
            InvalidInputError: nothing is named, or something is missing beside the ``@``, or no table can be named so.
        """
        table, at, state = text.partition("@")
        if (at and not state) or not (table or state):
            raise InvalidInputError(f"{text!r} names nothing; write TABLE, @STATE or TABLE@STATE, as in lb@2026-02.")
        return cls(names.check_name(table) if table else None, state or None)

    def __str__(self) -> str:
        return (self.table or "") + (f"@{self.state}" if self.state is not None else "")


@dataclass(frozen=True)
class TableState:
    """A table at one of its states.

    Attributes:
        version: which version it was.
        cut: the cut that it was named by, if any; also by way of a review mark.
    """

    version: Version
    cut: str | None = None


def find_state(of: Versions, table: str, state: StateLike | None) -> TableState:
    """What ``state`` means for a table; ``None`` is the current version.

    A text is the name of a cut or of a review mark, the beginning of a version id, ``"now"``, a date, or the beginning
    of a content hash, in this order.

    Raises:
        InvalidInputError: the text names a cut or mark and begins a version too, or begins several versions, or the
            content hash of several.
        NotFoundError: no such table, or nothing of it has such a version, cut or moment.
    """
    if isinstance(state, Version):
        if state.is_set:
            of.resolve(table)  # says that it is no table
        if all(v.version != state.version for v in of.history(table)):
            raise NotFoundError(
                f"{table} has no version {state.version[:12]}; is it an entry of another table's history?", table=table
            )
        return TableState(state)
    if state is None:
        return TableState(of.resolve(table))
    if not isinstance(state, str):
        _check_moment(state, "an entry of history(), a version id or its first digits, the name of a cut")
        return TableState(of.resolve(table, as_of=state))
    cuts, history = of.cuts(), of.history(table)
    begun = [v for v in history if state and v.version.startswith(state)]
    what = _named(cuts, state)
    if what is not None and begun:
        raise InvalidInputError(
            f"{state!r} is the name of a {what}, and begins the version {begun[0].version[:12]} of {table}. Give more "
            "digits of the version, or an entry of history().",
            table=table,
        )
    if what == "cut":
        return TableState(of.resolve(table, cut=state), state)
    if what is not None:
        mark = cuts.reviews[state]
        if table not in mark:
            raise NotFoundError(
                f"The review mark {state!r} does not hold {table}; it holds {', '.join(mark)}.", mark=state, table=table
            )
        return TableState(of.resolve(table, mark[table]), _cut_of(cuts, mark, table))
    if begun:
        return TableState(of.resolve(table, version=state))
    if state == NOW:
        return TableState(of.resolve(table))
    if _is_moment(state):
        return TableState(of.resolve(table, as_of=state))
    return TableState(_with_content(history, table, state) or _refuse(of, table, state, cuts, history))


def _with_content(history: Rows[Version], table: str, digits: str) -> Version | None:
    """The version whose content hash begins so: it stands beside the version in lists, and is easily taken for it."""
    held = [v for v in history if digits and v.data_sha.startswith(digits)]
    if len(held) > 1:
        raise InvalidInputError(
            f"{digits!r} begins the content hash of several versions of {table}: "
            f"{', '.join(v.version[:8] for v in held)}. Give the digits of one.",
            table=table,
        )
    return held[0] if held else None


def _refuse(of: Versions, table: str, state: str, cuts: Cuts, history: Rows[Version]) -> NoReturn:
    newest = ", ".join(v.version[:8] for v in history[:3])
    raise NotFoundError(
        f"{state!r} is no cut of {of.project}, no version of {table} and no date.{_known(cuts, state)} The newest "
        f"versions of {table} are {newest}.",
        table=table,
    )


@dataclass(frozen=True, eq=False)
class StudyState(Mapping[str, "pd.DataFrame"]):
    """All tables of a project at one moment: a mapping from name to frame, each read when it is asked for.

    Attributes:
        project: its name.
        name: how it was asked for: the name of a cut or of a review mark, a moment, or ``"now"``.
        cut: the cut, if it is one.
        versions: table -> the version that it was.
    """

    project: str
    name: str
    cut: str | None
    versions: Mapping[str, Version]
    _of: Versions = field(repr=False)

    def read(
        self, table: str, columns: Sequence[str] | None = None, *, verify: Verification | None = "bytes"
    ) -> pd.DataFrame:
        """The table as a pandas frame; arguments as `ProjectReader.read`."""
        return tables.to_pandas(self.read_arrow(table, columns, verify=verify))

    def read_arrow(
        self, table: str, columns: Sequence[str] | None = None, *, verify: Verification | None = "bytes"
    ) -> pa.Table:
        """The table as a pyarrow Table; arguments as `ProjectReader.read_arrow`.

        Raises:
            NotFoundError: there was no such table.
        """
        if table not in self.versions:
            raise NotFoundError(
                f"{self.project} had no table {table!r} at {self.name}.{did_you_mean(table, self.versions)} It had "
                f"{brief(list(self.versions))}.",
                table=table,
            )
        return self._of.read_arrow(table, self.versions[table], columns=columns, verify=verify)

    def __getitem__(self, table: str) -> pd.DataFrame:
        if table not in self.versions:
            raise KeyError(table)
        return self.read(table)

    def __contains__(self, table: object) -> bool:
        return table in self.versions

    def __iter__(self) -> Iterator[str]:
        return iter(self.versions)

    def __len__(self) -> int:
        return len(self.versions)

    # As mappings they would compare their frames, all of which would be read for it, and which have no one truth value.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        held = ", ".join(f"{table}: {version.version[:8]}" for table, version in self.versions.items())
        return f"StudyState({self.project} at {self.name}, {{{held}}})"


def find_study(of: Versions, *, cut: str | None = None, as_of: Moment | None = None) -> StudyState:
    """All tables as a cut holds them, as they were at a moment, or as they are now.

    Raises:
        InvalidInputError: both are given, or ``as_of`` is no moment.
        NotFoundError: no such cut, or no table yet at that moment.
    """
    if cut is not None and as_of is not None:
        raise InvalidInputError("Choose a study's state by cut or by as_of, not by both.")
    if cut is not None:
        given: object = cut
        if not isinstance(given, str):
            raise InvalidInputError(f"cut is the name of a cut, not {given!r}.")
        # By version: by the cut, its document would be read again for each of perhaps a thousand tables.
        held = {table: of.resolve(table, version) for table, version in of.cuts().find(cut).items()}
        return StudyState(of.project, cut, cut, held, of)
    if as_of is not None:
        moment_of(as_of)
    found: dict[str, Version] = {}
    for info in of.list():
        if info.kind == "table":
            try:
                found[info.name] = of.resolve(info.name, as_of=as_of)
            except NotFoundError:
                continue  # it came later
    if as_of is not None and not found:
        raise NotFoundError(f"{of.project} had no table yet at {as_of}.")
    return StudyState(of.project, "now" if as_of is None else str(as_of), None, found, of)


def named_study(of: Versions, state: Moment | None) -> StudyState:
    """The study at a cut or a review mark of that name, or at that moment; ``None`` is now.

    Raises:
        NotFoundError: it is none of them; names the cuts that there are.
    """
    if not isinstance(state, str):
        if state is not None:
            _check_moment(state, "the name of a cut")
        return find_study(of, as_of=state)
    cuts = of.cuts()
    what = _named(cuts, state)
    if what == "cut":
        return find_study(of, cut=state)
    if what is not None:
        mark = cuts.reviews[state]
        held = {table: of.resolve(table, version) for table, version in mark.items()}
        whole = all(_cut_of(cuts, mark, table) is not None for table in mark)
        return StudyState(of.project, state, mark.cut if whole else None, held, of)
    if state == NOW:
        return find_study(of)
    if _is_moment(state):
        return find_study(of, as_of=state)
    hint = _known(cuts, state)
    if names.is_name(state) and any(info.name == state for info in of.list()):
        hint = f" It is a table: a state of it is written {state}@STATE."
    elif state and all(c in "0123456789abcdef" for c in state):
        hint = f"{hint} A version is one of a table: name it, too."
    raise NotFoundError(f"{of.project} has no cut {state!r}, and that is no date.{hint}")


def _named(cuts: Cuts, name: str) -> str | None:
    """Whether it is the name of a ``"cut"``, of a ``"review mark"``, or of neither.

    Raises:
        InvalidInputError: of both, as an earlier release could record it.
    """
    if name in cuts and name in cuts.reviews:
        raise InvalidInputError(
            f"{name!r} is the name of a cut, and of a review mark. Give the versions instead, or the moment at which "
            "either was recorded.",
            cut=name,
        )
    return "cut" if name in cuts else "review mark" if name in cuts.reviews else None


def _cut_of(cuts: Cuts, mark: Review, table: str) -> str | None:
    """The cut at which a mark stands, if the cut has not moved on from it since."""
    return mark.cut if mark.cut is not None and cuts.stands_for(mark.cut, table, mark[table]) else None


def _check_moment(state: Moment, others: str) -> None:
    try:
        moment_of(state)
    except InvalidInputError as error:
        raise InvalidInputError(f"{state!r} is no state; it may be {others}, or a date or time.") from error


def _is_moment(text: str) -> bool:
    try:
        moment_of(text)
    except InvalidInputError:
        return False
    return True


def _known(cuts: Cuts, name: str) -> str:
    """The cuts and marks that might have been meant, as a sentence."""
    latest = f" Its latest cuts are {', '.join(list(cuts)[-5:]) or 'none'}."
    return did_you_mean(name, [*cuts, *cuts.reviews]) or latest
