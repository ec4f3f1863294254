"""Which version of a table an input, a run or an asset asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import datom_core as dc
from datom_dagster.events import AS_OF, CUT, SET, SET_PROJECT, SET_VERSION, VERSION, VERSION_OF, check_run_tags, plain


@dataclass(frozen=True)
class SetChoice:
    """A set that lists the version to load.

    Attributes:
        name: of the set.
        version: its id, or the first digits.
        project: the project that has it, by default that of the input.
    """

    name: str
    version: str | None = None
    project: str | None = None

    def __str__(self) -> str:
        head = self.name if self.project is None else f"{self.project}/{self.name}"
        return head if self.version is None else f"{head}@{self.version}"


@dataclass(frozen=True)
class VersionChoice:
    """A request for a version.

    Attributes:
        by: who asks, for the log.
        version, cut, as_of: as for `datom_core.ProjectReader.resolve`; with a set, they choose the version of the set.
        set: the set that lists the version.
    """

    by: str
    version: str | None = None
    cut: str | None = None
    as_of: dc.Moment | None = None
    set: SetChoice | None = None

    @property
    def names_one(self) -> bool:
        """Whether it names a single version; a moment alone says what each partition stood for then."""
        return self.version is not None or self.cut is not None or self.set is not None

    def __str__(self) -> str:
        given = (("set", self.set), ("version", self.version), ("cut", self.cut), ("as of", self.as_of))
        return f"{', '.join(f'{name} {value}' for name, value in given if value is not None)}, by {self.by}"


def choice_for(table: str, settings: Mapping[str, Any], by: str) -> VersionChoice | None:
    """What ``settings`` ask for of this table; a setting for this table takes precedence over one for all tables.

    Args:
        table: name of the table.
        settings: metadata, or the tags of a run.
        by: who asks.

    Raises:
        InvalidInputError: a value that cannot choose a version, or a version together with something else.
    """
    check_choices(settings)
    version = plain(settings.get(VERSION_OF + table, settings.get(VERSION)))
    if version is not None:
        return VersionChoice(by, version=version)
    cut, as_of = plain(settings.get(CUT)), plain(settings.get(AS_OF))
    if SET in settings:
        name, of, project = (plain(settings.get(key)) for key in (SET, SET_VERSION, SET_PROJECT))
        return VersionChoice(by, cut=cut, as_of=as_of, set=SetChoice(name, of, project))
    return None if cut is None and as_of is None else VersionChoice(by, cut=cut, as_of=as_of)


def check_choices(settings: Mapping[str, Any]) -> None:
    """Refuse values that cannot choose a version.

    Raises:
        InvalidInputError: names the key.
    """
    for key, value in settings.items():
        check = _check_of(key)
        if check is not None:
            try:
                check(plain(value))
            except dc.InvalidInputError as error:
                raise dc.InvalidInputError(f"{key}: {error}") from error
    _check_together(settings)


def _check_together(settings: Mapping[str, Any]) -> None:
    """Refuse settings that exclude each other, or say nothing by themselves."""
    if VERSION in settings and settings.keys() & {CUT, AS_OF, SET}:
        raise dc.InvalidInputError(f"{VERSION} names one version by itself; leave out {CUT}, {AS_OF} and {SET}.")
    alone = sorted(settings.keys() & {SET_VERSION, SET_PROJECT})
    if alone and SET not in settings:
        raise dc.InvalidInputError(f"{', '.join(alone)}: say which set, with {SET}.")
    if len(settings.keys() & {SET_VERSION, CUT, AS_OF}) > 1 and SET in settings:
        raise dc.InvalidInputError(f"A set's version is chosen by one of {SET_VERSION}, {CUT} and {AS_OF}.")


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    VERSION: dc.check_version,
    CUT: dc.check_cut_name,
    AS_OF: dc.moment_of,
    SET: dc.check_name,
    SET_VERSION: dc.check_version,
    SET_PROJECT: dc.check_name,
}


def _check_of(key: str) -> Any:
    if key.startswith(VERSION_OF):
        dc.check_name(key.removeprefix(VERSION_OF))
        return dc.check_version
    return _CHECKS.get(key)


def check_tags(tags: Mapping[str, str], open_reader: Callable[[], dc.ProjectReader]) -> None:
    """Refuse a run whose tags ask for what cannot be loaded, before any of its steps begins.

    Raises:
        InvalidInputError: datom does not know the tag, or its value cannot choose a version.
        NotFoundError: the project does not have the table, or that version of it.
    """
    check_run_tags(tags)
    check_choices(tags)
    asked = {key.removeprefix(VERSION_OF): version for key, version in tags.items() if key.startswith(VERSION_OF)}
    reader = open_reader() if asked else None
    for table, version in asked.items():
        assert reader is not None
        reader.resolve(table, version)
