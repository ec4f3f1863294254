"""A table, and what is known about it before it exists."""

# Dagster reads annotations at run time: no `annotations` import.
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

import datom_core as dc
from datom_dagster.assets.comparisons import ComparisonLike, comparing
from datom_dagster.events import GATE, KEY, RULES
from datom_dagster.rules import Compare, TableRules


@dc.fitting
@dataclass(frozen=True)
class TableSpec:
    """A table, and what is known about it before it exists.

    Attributes:
        name: its name.
        columns: what the columns mean, name -> description; or a `dagster.TableSchema`.
        key: columns that together tell its rows apart, so that events say which rows changed.
        description: the table's description.
        metadata, tags: its asset's, besides those of all tables.
        rules: what must hold for it; `datom_checks` checks it. The key of the rules is the table's key.
        gate: refuse data that breaks a rule before anything is written.
        compare, comparison: whether, and how, events say what changed; as for `datom_asset`.

    Raises:
        InvalidInputError: an attribute of the wrong kind, a gate without rules, or two keys.
    """

    name: str
    columns: Mapping[str, str | None] | dg.TableSchema | None = None
    key: Sequence[str] = ()
    description: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    rules: TableRules | None = None
    gate: bool = False
    compare: Compare | None = None
    comparison: ComparisonLike | None = None

    def __post_init__(self) -> None:
        if isinstance(self.key, str):
            object.__setattr__(self, "key", (self.key,))
        problems = list(_odd_attributes(self))
        try:
            comparing(self.compare, self.comparison)
        except dc.InvalidInputError as error:
            problems.append(str(error))
        if problems:
            raise dc.InvalidInputError(f"TableSpec({self.name!r}) cannot be: {'; '.join(problems)}.")
        if self.gate and (self.rules is None or not self.rules.declared):
            raise dc.InvalidInputError(f"{self.name}: gate=True needs rules: nothing could be refused.")
        if self.key and self.rules is not None and self.rules.key not in ((), tuple(self.key)):
            raise dc.InvalidInputError(f"{self.name}: the rules have another key than the table.")

    @property
    def keyed_by(self) -> tuple[str, ...]:
        """The columns of its key."""
        return tuple(self.key) or (self.rules.key if self.rules is not None else ())

    @property
    def settings(self) -> dict[str, Any]:
        """What its asset's metadata says about the key, the rules and the comparison of versions."""
        said: dict[str, Any] = {KEY: list(self.key)} if self.key else {}
        if self.rules is not None:
            said[GATE if self.gate else RULES] = self.rules.to_json()
        return {**said, **comparing(self.compare, self.comparison)}

    @property
    def asset_name(self) -> str:
        """The table's name as Dagster takes it: an underscore for anything that is neither a letter nor a digit."""
        return re.sub(r"\W", "_", self.name, flags=re.ASCII)

    def schema(self, seen: dg.TableSchema | None = None) -> dg.TableSchema | None:
        """The declared columns, with the key; else those that were ``seen``."""
        declared = self.columns
        if isinstance(declared, Mapping):
            declared = dg.TableSchema([dg.TableColumn(name, description=text) for name, text in declared.items()])
        known = {column.name: column for column in (declared or seen or dg.TableSchema([])).columns}
        key = self.keyed_by
        if not known and not key:
            return None
        alone = dg.TableColumnConstraints(nullable=False, unique=len(key) == 1)
        for name in key:
            column = known.get(name, dg.TableColumn(name))
            known[name] = dg.TableColumn(name, column.type, column.description, alone, column.tags)
        constraints = [f"key: {', '.join(key)}"] if key else []
        return dg.TableSchema(list(known.values()), dg.TableConstraints(other=constraints))


def _odd_attributes(spec: TableSpec) -> Iterator[str]:
    given: Mapping[str, Any] = vars(spec)
    name, columns, key = given["name"], given["columns"], given["key"]
    if not isinstance(name, str):
        yield f'the name must be a string, as in TableSpec("dm"), not {type(name).__name__}'
    if not isinstance(columns, Mapping | dg.TableSchema | None):
        yield f"columns is a mapping from name to description, or a TableSchema, not {type(columns).__name__}"
    if not isinstance(key, Sequence) or not all(isinstance(column, str) for column in key):
        yield f"key is a list of column names, not {key!r}"
    if not isinstance(given["rules"], TableRules | None):
        yield f"rules must be a TableRules, not {type(given['rules']).__name__}"
    for field_ in ("metadata", "tags"):
        if not isinstance(given[field_], Mapping):
            yield f"{field_} is a mapping, not {type(given[field_]).__name__}"
