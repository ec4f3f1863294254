"""The metadata keys with which a user steers datom, and where each of them belongs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import dagster as dg

import datom_core as dc
from datom_dagster.rules import TableRules, check_compare, comparison_of

TABLE = "datom/table"
TABLE_TYPE = "datom/table_type"
COMMIT_MESSAGE = "datom/commit_message"
ON_EMPTY = "datom/on_empty"
PARENTS = "datom/parents"
CUSTOM = "datom/custom"
VERSION = "datom/version"
#: The version of one of the tables that a run, or an asset, loads: followed by the table's name.
VERSION_OF = "datom/version/"
CUT = "datom/cut"
AS_OF = "datom/as_of"
#: The set that lists the versions to load; which version of it, and the project that has it.
SET = "datom/set"
SET_VERSION = "datom/set_version"
SET_PROJECT = "datom/set_project"
COLUMNS = "datom/columns"
#: Columns that tell rows apart, so that events say which changed.
KEY = "datom/key"
#: Whether events say what changed, and how values are compared for that: `ComparisonSettings` as JSON.
COMPARE = "datom/compare"
COMPARISON = "datom/comparison"
#: `TableRules` as JSON: what must hold; those under the second key are checked before anything is written.
RULES = "datom/rules"
GATE = "datom/gate"
#: Says that a version outside every cut is intended, if an asset with partitions is run without one.
NO_CUT = "datom/no_cut"
#: Says that what an asset returns is intended for an IO manager that is not a `DatomIOManager`.
OTHER_IO_MANAGER = "datom/other_io_manager"
#: Who asks for a run, "Name <email>"; and why, where it is not what the commit message says.
AUTHOR = "datom/author"
REASON = "datom/reason"
#: The system that the data comes from, and when it was taken from there.
SOURCE_SYSTEM = "datom/source_system"
EXTRACTED_AT = "datom/extracted_at"
#: What triggered a run: assets that others wrote to, or a study that was registered.
OUTSIDE = "datom/outside"
STUDY = "datom/study"
#: An option of Dagster's own IO managers, taken over with its meaning.
ALLOW_MISSING = "allow_missing_partitions"

#: Shown for an output that has one, so that its branch finds its own version.
MAPPING_KEY = "datom/mapping_key"
#: Dagster's own tag for the data version of an observation.
DATA_VERSION_TAG = "dagster/data_version"
#: Dagster's own key for the columns of a table.
COLUMN_SCHEMA = "dagster/column_schema"
#: Dagster's own key for the columns that a table's columns were made from.
COLUMN_LINEAGE = "dagster/column_lineage"

TableType = Literal["derived", "imported"]
#: What to do with a frame without rows, which datom refuses.
OnEmpty = Literal["fail", "skip", "keep"]

#: Where a key may stand: in the metadata of an asset's definition, of an output or of an input, or among a run's tags.
Place = Literal["definition", "output", "input", "run"]

_OURS = "datom/"
#: Every key that steers datom or says why a run exists, and its places. Code that sets or checks keys takes them here.
PLACES: Mapping[str, frozenset[Place]] = {
    TABLE: frozenset({"definition"}),
    TABLE_TYPE: frozenset({"definition"}),
    COMMIT_MESSAGE: frozenset({"definition", "output", "run"}),
    ON_EMPTY: frozenset({"definition"}),
    PARENTS: frozenset({"definition", "output"}),
    CUSTOM: frozenset({"definition", "output"}),
    KEY: frozenset({"definition"}),
    COMPARE: frozenset({"definition"}),
    COMPARISON: frozenset({"definition"}),
    RULES: frozenset({"definition"}),
    GATE: frozenset({"definition"}),
    NO_CUT: frozenset({"definition", "run"}),
    OTHER_IO_MANAGER: frozenset({"definition"}),
    VERSION: frozenset({"input"}),
    VERSION_OF: frozenset({"definition", "run"}),
    CUT: frozenset({"definition", "input", "run"}),
    AS_OF: frozenset({"definition", "input", "run"}),
    SET: frozenset({"definition", "input", "run"}),
    SET_VERSION: frozenset({"definition", "input", "run"}),
    SET_PROJECT: frozenset({"definition", "input", "run"}),
    COLUMNS: frozenset({"input"}),
    AUTHOR: frozenset({"run"}),
    REASON: frozenset({"output", "run"}),
    SOURCE_SYSTEM: frozenset({"definition", "output"}),
    EXTRACTED_AT: frozenset({"output"}),
    OUTSIDE: frozenset({"run"}),
    STUDY: frozenset({"run"}),
}
# How the values of some settings are read.
_READ: Mapping[str, Callable[[Any], Any]] = {
    KEY: lambda given: TableRules(key=given).key,
    COMPARE: check_compare,
    COMPARISON: comparison_of,
    RULES: TableRules.from_json,
    GATE: TableRules.from_json,
}
# Keys for what an asset loads, which say nothing about how it is stored.
_OF_LOADING = frozenset({VERSION_OF, CUT, AS_OF, SET, SET_VERSION, SET_PROJECT})


def plain(value: Any) -> Any:
    """The value behind Dagster's metadata types."""
    if isinstance(value, dg.TimestampMetadataValue):
        return datetime.fromtimestamp(value.value, UTC)
    return value.value if isinstance(value, dg.MetadataValue) else value


def _stray(given: Iterable[str], place: Place) -> tuple[list[str], str]:
    """Datom's keys that mean nothing in that place, and, as text, those that do."""
    known = sorted(key for key, places in PLACES.items() if place in places)
    named = [key for key in known if key != VERSION_OF]
    stray = sorted(
        key
        for key in given
        if key.startswith(_OURS)
        and key not in named
        and not (VERSION_OF in known and key.startswith(VERSION_OF) and key != VERSION_OF)
    )
    *others, last = named + [f"{VERSION_OF}<table>"] * (VERSION_OF in known)
    return stray, f"{', '.join(others)} and {last}" if others else last


def check_keys(metadata: Mapping[str, Any], place: Literal["definition", "output", "input"]) -> None:
    """Refuse keys that datom writes itself, or does not know: a misspelt one would be silently ignored.

    Raises:
        InvalidInputError: names every such key.
    """
    stray, known = _stray(metadata, place)
    if stray:
        raise dc.InvalidInputError(f"The {place} metadata {', '.join(stray)} cannot be set here; known are {known}.")


def check_run_tags(tags: Mapping[str, str]) -> None:
    """Like `check_keys`, for the tags of a run.

    Raises:
        InvalidInputError: names every tag that datom does not know, or a tag's invalid value.
    """
    stray, known = _stray(tags, "run")
    if stray:
        raise dc.InvalidInputError(f"The run tag {', '.join(stray)} means nothing; known are {known}.")
    if NO_CUT in tags:
        _check_flag(NO_CUT, tags[NO_CUT])
    if AUTHOR in tags:
        author_of(tags[AUTHOR])
    if not tags.get(REASON, "why").strip():
        raise dc.InvalidInputError(f"The run tag {REASON} is empty. Say why, or leave it out.")


def author_of(tag: str) -> dc.Author:
    """The person whom the tag `datom/author` names.

    Raises:
        InvalidInputError: it names nobody; says how to write it.
    """
    try:
        return dc.check_author(tag)
    except dc.InvalidInputError as error:
        raise dc.InvalidInputError(f"The run tag {AUTHOR}: {error}") from error


def tagged(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags for a run that a sensor asks for, once they are certain to be accepted.

    Raises:
        InvalidInputError: as `check_run_tags`.
    """
    check_run_tags(tags)
    return dict(tags)


def stores_a_table(metadata: Mapping[str, Any]) -> bool:
    """Whether an asset's metadata says how datom should store it."""
    return any(key in PLACES and key not in _OF_LOADING for key in metadata)


def is_set(value: Any) -> bool:
    """Whether a checked flag is set, as metadata or as the text of a tag."""
    return plain(value) in (True, "true")


def _check_flag(key: str, value: Any) -> None:
    if plain(value) not in (True, False, "true", "false"):
        raise dc.InvalidInputError(f"{key} is true or false, not {plain(value)!r}.")


def settings_of(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The settings among an asset's definition and output metadata, as plain values.

    Raises:
        InvalidInputError: a setting is invalid.
    """
    settings = {k: plain(v) for k, v in metadata.items() if "definition" in PLACES.get(k, ())}
    policy, table_type = settings.setdefault(ON_EMPTY, "fail"), settings.setdefault(TABLE_TYPE, "derived")
    if policy not in get_args(OnEmpty):
        raise dc.InvalidInputError(f"{ON_EMPTY} is one of {', '.join(get_args(OnEmpty))}, not {policy!r}.")
    if table_type not in get_args(TableType):
        raise dc.InvalidInputError(f"{TABLE_TYPE} is one of {', '.join(get_args(TableType))}, not {table_type!r}.")
    if not isinstance(settings.get(CUSTOM, {}), Mapping):
        raise dc.InvalidInputError(f"{CUSTOM} is a mapping, not {settings[CUSTOM]!r}.")
    if COMMIT_MESSAGE in settings and not str(settings[COMMIT_MESSAGE]).strip():
        raise dc.InvalidInputError(f"{COMMIT_MESSAGE} is empty: the message is empty. Say why, or leave it out.")
    if not isinstance(settings.get(SOURCE_SYSTEM, ""), str):
        raise dc.InvalidInputError(f"{SOURCE_SYSTEM} is the name of a system, not {settings[SOURCE_SYSTEM]!r}.")
    for name in settings.keys() & {NO_CUT, OTHER_IO_MANAGER}:
        _check_flag(name, settings[name])
    for name in _READ.keys() & settings.keys():
        try:
            settings[name] = _READ[name](settings[name])
        except dc.InvalidInputError as error:
            raise dc.InvalidInputError(f"{name}: {error}") from error
    return settings


def rules_of(settings: Mapping[str, Any]) -> TableRules | None:
    """The rules among checked settings; those of the gate take precedence."""
    found: TableRules | None = settings.get(GATE) or settings.get(RULES)
    return found


def key_of(settings: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The columns that tell rows apart, if the settings name them."""
    rules = rules_of(settings)
    return settings.get(KEY) or (rules.key if rules is not None else None) or None


def table_of(metadata: Mapping[str, Any], key: dg.AssetKey | None) -> str:
    """The table behind an asset: what its metadata says, else the last part of its key.

    Raises:
        InvalidInputError: neither is a valid table name.
    """
    named = plain(metadata.get(TABLE))
    if named is None and key is None:
        raise dc.InvalidInputError(
            f"An output that is no asset needs the metadata {TABLE!r} to name its table. For what one op hands to "
            'the next inside a graph, choose another IO manager, as in Out(io_manager_key="mem_io_manager").'
        )
    return dc.check_name(named if named is not None else key.path[-1] if key else None)
