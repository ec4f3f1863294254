"""A reader written from docs/format.md alone, without anything of datom's. What it cannot do, the page does not say.

In a bag of evidence, ``python reader.py FOLDER`` proves the id and the content hash of each version.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

LISTED = "colnames custom data_sha hash_algo kind ncol nrow original_file_sha parents source_lineage table_type".split()
LEFT_OUT = "created_at datom_version parquet_sha column_hashes size_bytes".split()
MISSING, NAN = bytes.fromhex("a20700000000f07f"), bytes.fromhex("000000000000f87f")
TICKS = {"day": 1.0, "s": 1.0, "ms": 1e3, "us": 1e6}
TIMES = {"date32": "date", "timestamp": "time", "time32": "drtn", "time64": "drtn", "duration": "drtn"}


def h(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def number(v: float) -> str:
    size = abs(float(v))
    if not 0.00001 < size < 2147483647:
        return f"{v:.{math.ceil(min(15, max(1, math.log10(size) if size else -math.inf) + 4))}g}"
    w, t = int(size), (size - int(size)) * 10000
    f = int(t) + (t % 1 > 0.5 or (t % 1 == 0.5 and int(t) % 2))
    w, f = (w + 1, 0) if f == 10000 else (w, f)
    return ("-" if v < 0 else "") + str(w) + (f".{f:04d}".rstrip("0") if f else "")


def compact(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{compact(k)}:{compact(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return number(value)
    return json.dumps(value, ensure_ascii=False).replace("</", "<\\/")


def version_id(document: dict[str, Any]) -> str:
    kept = [k for k in document if (k in LISTED if "kind" in document else k not in LEFT_OUT)]
    return h(compact({k: document[k] for k in sorted(kept, key=str.encode)}).encode()).hex()


def f64(v: float | None) -> bytes:
    return MISSING if v is None else NAN if v != v else struct.pack("<d", v + 0.0)


def payload(column: pa.ChunkedArray, integer64: bool = False) -> tuple[str, bytes]:
    kind, unit = re.split(r"[\[,\]]", f"{column.type}[")[:2]
    if kind in TIMES:
        ticks = column.cast(pa.int32() if "32" in kind else pa.int64()).to_pylist()
        doubles = b"".join(f64(None if v is None else v / TICKS[unit]) for v in ticks)
        return TIMES[kind], doubles + (b"\0secs" if TIMES[kind] == "drtn" else b"")
    values = column.to_pylist()
    if "string" in kind or kind.startswith("dictionary"):
        return "chr", bytes(v is None for v in values) + b"".join((v or "").encode() + b"\0" for v in values)
    if kind == "int64" and (integer64 or any(abs(v) > 2147483647 for v in values if v is not None)):
        return "i64", b"".join(struct.pack("<q", -(2**63) if v is None else v) for v in values)
    return "num", b"".join(map(f64, values))


def content_hash(table: pa.Table, integer64: bool = False) -> str:
    named = zip(table.column_names, (payload(column, integer64) for column in table.columns), strict=True)
    hashes = [h(tag.encode(), name.encode(), b"\0", values).hex().encode() for name, (tag, values) in named]
    return h(b"datom-cv1", f64(table.num_rows), f64(table.num_columns), *hashes).hex()


def texts(v: str | list[str]) -> bytes:
    return h(b"\2", *(h(b"\1", s) for s in sorted({s.encode() for s in ([v] if isinstance(v, str) else v)})))


def tags(m: dict[str, Any]) -> bytes:
    return h(b"\3", *(h(b"\1", k.encode()) + texts(m[k]) for k in sorted(m, key=str.encode)))


def set_hash(p: dict[str, Any]) -> str:
    members = {h(b"\4", tags(m["id"]), tags(m.get("tags") or {})) for m in p["members"]}
    return h(b"\6", b"datom-sv1", h(b"\5", tags(p.get("tags") or {}), *sorted(members))).hex()


class Stranger:
    """Reads the project in a folder that holds ``.metadata``; `open` collects what R left open of what was read."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.open = folder, set[str]()
        manifest = self.json(".metadata/manifest.json")
        assert manifest.get("schema_version", 1) in (1, 2)
        self.rows: dict[str, Any] = manifest["artifacts" if "schema_version" in manifest else "tables"]
        self.histories = {name: self.json(f"{name}/.metadata/version_history.json") for name in self.rows}

    def json(self, key: str) -> Any:
        return json.loads((self.folder / key).read_bytes())

    def cuts(self) -> dict[str, dict[str, str]]:
        """The cuts, and the review marks."""
        held = self.json(".metadata/cuts.json") if (self.folder / ".metadata/cuts.json").exists() else {"cuts": {}}
        marks = {name: moves[0]["versions"] for name, moves in held.get("reviews", {}).items()}
        return marks | {n: {t: v[0]["version"] for t, v in cut["tables"].items()} for n, cut in held["cuts"].items()}

    def current(self, name: str) -> Any:
        pointer = self.json(f"{name}/.metadata/metadata.json")
        same = [e for e in self.histories[name] if e["data_sha"] == pointer["data_sha"]]
        by_id = [e for e in same if e["version"] == version_id(pointer)]
        by_time = [e for e in same if e["timestamp"] == pointer["created_at"]]
        return (by_id or by_time or same or [{}])[0].get("version")

    def insist(self, what: str, proven: bool, excuse: bool = False) -> None:
        if not (proven or excuse):
            raise ValueError(f"{what}: not what its name says")
        self.open |= set() if proven else {what}

    def read(self, name: str, version: str | None) -> Any:
        """A version, proven: a table, or what a set's payload holds."""
        entry = next(e for e in self.histories[name] if e["version"] == version)
        document, sha = self.json(f"{name}/.metadata/{version}.json"), entry["data_sha"]
        by_r = not document["datom_version"].startswith("py-")
        excuse = by_r and ("custom" in document or "hash_algo" not in document)
        self.insist(f"document of {name}@{version}", version_id(document) == version, excuse)
        self.insist(f"content in the history of {name}@{version}", document["data_sha"] == sha)
        is_set = document.get("kind") == "set"
        data = (self.folder / name / (f"{sha}.json" if is_set else f"{sha}.parquet")).read_bytes()
        recorded = entry.get("document_sha" if is_set else "parquet_sha") or None
        self.insist(f"bytes of {name}@{version}", recorded in (None, h(data).hex()))
        if is_set:
            self.insist(f"content of {name}@{version}", set_hash(json.loads(data)) == sha)
            return json.loads(data)
        table = pq.read_table(pa.BufferReader(data))
        kinds = [f"{c.type} with missing" if c.null_count else str(c.type) for c in table.columns]
        lost = "date32|timestamp|time32|duration|double with" + "|int32" * (b"r" in (table.schema.metadata or {}))
        excuse = by_r and (document.get("hash_algo") != "datom-cv1" or any(re.match(lost, kind) for kind in kinds))
        proven = sha == content_hash(table) or (by_r and sha == content_hash(table, integer64=True))
        self.insist(f"content of {name}@{version}", proven, excuse)
        return table

    def read_all(self) -> Iterator[tuple[str, str, Any]]:
        """Every version of everything; that manifest, cuts and marks agree with the histories is insisted on."""
        versions = {name: [e["version"] for e in entries] for name, entries in self.histories.items()}
        for cut in self.cuts().values():
            self.insist("versions of a cut", all(version in versions[name] for name, version in cut.items()))
        for name, row in self.rows.items():
            self.insist(f"current version of {name}", self.current(name) == row["current_version"])
            self.insist(f"number of versions of {name}", len(versions[name]) == row["version_count"])
            yield from ((name, version, self.read(name, version)) for version in versions[name])


def main(bag: Path) -> int:
    """Prove every version that a bag of evidence is about; how many are not what their names say."""
    stranger, failures = Stranger(bag / "data" / "datom"), 0
    for line in (bag / "data" / "state.tsv").read_text("utf-8").splitlines()[1:]:
        name, version, _, _, path, _ = line.split("\t")
        stranger.open = set()
        try:
            stranger.read(name, version)
        except (ValueError, LookupError, OSError, StopIteration, pa.ArrowException) as error:
            failures += 1
            print(f"FAIL {path}: {name}@{version}: {error}")
        else:
            print(f"OPEN {path}: R leaves it open for {what}" if (what := ", ".join(stranger.open)) else f"OK   {path}")
    return failures


if __name__ == "__main__":
    sys.exit(1 if main(Path(sys.argv[1] if len(sys.argv) > 1 else ".")) else 0)
