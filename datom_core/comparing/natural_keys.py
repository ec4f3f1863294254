"""The natural keys that are shipped: which domain a table is of, and the candidates for its key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from datom_core.comparing.origins import NaturalKeys

if TYPE_CHECKING:
    from datom_core.tables import TwoTables

_TOPICS = {"TESTCD": "findings", "TERM": "events", "TRT": "interventions"}
_OF_RELATIONS = {"SUPPQUAL": ("RDOMAIN", "QNAM"), "RELREC": ("RDOMAIN", "RELID"), "RELSUB": ("RSUBJID", "SREL")}
_ANALYSIS = re.compile(r"AD[A-Z0-9]{2,6}(?=$|[^A-Z0-9])")
_SUPPLEMENT = re.compile(r"(SUPP|SQ)[A-Z0-9]{2,6}(?=$|[^A-Z0-9])")
_SPLIT = re.compile(r"([A-Z]{2})([A-Z]{1,2}|[0-9]{1,2})?(?=$|[^A-Z0-9])")
_OF_ANALYSIS = frozenset("PARAMCD AVAL AVALC CNSR ADT ADTM ASTDT ASTDTM TRTP TRTA TRT01P TRT01A TRTSDT ANL01FL".split())


@dataclass(frozen=True)
class Domain:
    """What a table is.

    Attributes:
        code: of the domain (``LB``, ``SUPPQUAL``) or structure (``BDS``).
        name: in words; empty for a domain that is not in the table of keys.
        prefix: what ``--`` stands for.
    """

    code: str
    name: str
    prefix: str


@dataclass(frozen=True)
class Candidate:
    """A key that may be one.

    Attributes:
        columns: as written; with ``?`` for those that may be absent.
        source: where it comes from, for a person.
    """

    columns: tuple[str, ...]
    source: str

    def of(self, columns: Sequence[str]) -> tuple[str, ...]:
        """The columns, of those that both tables have; one that has to be there stays."""
        return tuple(c.rstrip("?") for c in self.columns if not c.endswith("?") or c.rstrip("?") in columns)


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, Any]:
    """The table of natural keys, as written."""
    text = files("datom_core.comparing").joinpath("natural_keys.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def domain_of(table: str, tables: TwoTables) -> Domain | None:
    """The domain or structure of a table, by its columns, its column DOMAIN, or its name."""
    name, columns = table.upper(), set(tables.both)
    constant = _constant(tables, "DOMAIN")
    if _ANALYSIS.match(name) and (columns & _OF_ANALYSIS or name.startswith("ADSL")):
        return _structure(name, columns, constant)
    for code, telling in _OF_RELATIONS.items():
        if columns.issuperset(telling):
            return _named(code)
    if constant:
        # A split domain may have its own name in DOMAIN, such as FACE for findings about clinical events.
        whole = constant in shipped()["domains"] or constant[:2] not in shipped()["domains"]
        return _named(constant if whole else constant[:2])
    if _SUPPLEMENT.match(name):
        return _named("SUPPQUAL")
    first = re.split(r"[^A-Z0-9]", name, maxsplit=1)[0]
    if first in shipped()["domains"]:
        return _named(first)
    split = _SPLIT.match(name)
    return _named(split[1]) if split and split[1] in shipped()["domains"] else None


def candidates(domain: Domain, tables: TwoTables, natural: NaturalKeys) -> Iterator[Candidate]:
    """The candidates for the key of a domain, the user's before those that are shipped."""
    for columns in natural.get(domain.code, ()):
        yield Candidate(tuple(columns), f"natural_keys gives it for {domain.code}")
    known = shipped()
    entry = known["structures"].get(domain.code) or known["domains"].get(domain.code) or {}
    kind = entry.get("class") or _class_of(domain, tables)
    for key in [*entry.get("keys", ()), *known["classes"].get(kind, {}).get("keys", ())]:
        columns = tuple(c.replace("--", domain.prefix) for c in key["columns"].split())
        source = known["sources"].get(key["source"], key["source"])
        yield Candidate(columns, source)


def _named(code: str) -> Domain:
    return Domain(code, shipped()["domains"].get(code, {}).get("name", ""), code)


def _structure(name: str, columns: set[str], constant: str) -> Domain:
    if name.startswith("ADSL"):
        code = "ADSL"
    elif "PARAMCD" in columns:
        code = "ADTTE" if "CNSR" in columns else "BDS"
    else:
        code = "OCCDS"
    return Domain(code, shipped()["structures"][code]["name"], constant or name[2:4])


def _class_of(domain: Domain, tables: TwoTables) -> str:
    """The class of a domain that is not in the table of keys, by the column of its topic."""
    if domain.code in shipped()["structures"] or domain.code in shipped()["domains"]:
        return ""
    return next((kind for topic, kind in _TOPICS.items() if f"{domain.prefix}{topic}" in tables.both), "")


def _constant(tables: TwoTables, column: str) -> str:
    """The one value of a column of text in both tables; empty if there is none."""
    if column not in tables.shared or tables.tag(column) != "chr":
        return ""
    found: set[str | None] = set()
    for side, _ in tables.sides:
        values = side.table.column(column)
        if pa.types.is_dictionary(values.type):
            values = values.cast(pa.string())
        found.update(pc.unique(values).to_pylist())
    one = found.pop() if len(found) == 1 else None
    return one.strip().upper() if one else ""
