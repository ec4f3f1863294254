"""ro-crate-metadata.json: what is in ``data/``, for programs that know research objects (RO-Crate 1.1).

Written here and not by the library of that name, whose documents hold the time and random names, and which copies every
file; the tests have it read them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from datom_core.documents import Author
from datom_core.evidence.bag_files import About
from datom_core.evidence.results import HeldVersion
from datom_core.evidence.workshop import Measured

CRATE = "data/ro-crate-metadata.json"
_FORMATS = {
    "bundle": "application/x-git",
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "tsv": "text/tab-separated-values",
    "txt": "text/plain",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xpt": "application/x-sas-xport",
    "yaml": "application/yaml",
}
_TOLD = {
    "history.bundle": "The git history, with its signatures: git clone history.bundle",
    "state.tsv": "The versions that this is about, and the SHA-256 of their payloads",
    "audit.tsv": "Everything that ever happened to the project: when, by whom, why",
    "prov.json": "Where the versions come from, as W3C PROV in JSON",
    "approvals.tsv": "Approvals and withdrawals, with the commits that are signed",
    "unproven.tsv": "Versions whose id cannot be computed again, and why",
}


def crate(about: About, versions: Iterable[HeldVersion], files: Mapping[str, Measured]) -> bytes:
    """The document."""
    held = {f"datom/{v.key}": v for v in versions}
    inside = {path.removeprefix("data/"): m for path, m in files.items() if path.startswith("data/")}
    people: dict[str, dict[str, Any]] = {}
    parts = [_file(path, inside[path], held.get(path), people) for path in sorted(inside)]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"{about.project} at {about.state}",
        "description": f"Evidence of the project {about.project} at {about.state}: data, documents, history.",
        "identifier": f"{about.project}@{about.state}",
        "datePublished": about.at,
        "license": "No licence is given by this document; ask the project's owner.",
        "author": [{"@id": name} for name in people],
        "hasPart": [{"@id": part["@id"]} for part in parts],
    }
    descriptor = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
    }
    graph = [descriptor, root, *parts, *people.values()]
    whole = {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}
    return (json.dumps(whole, ensure_ascii=False, indent=1) + "\n").encode()


def _file(path: str, measured: Measured, held: HeldVersion | None, people: dict[str, dict[str, Any]]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "@id": quote(path),
        "@type": "File",
        "name": path,
        "contentSize": str(measured.size),
        "sha256": measured.sha256,
        "encodingFormat": _FORMATS.get(path.rpartition(".")[2], "application/octet-stream"),
    }
    if path in _TOLD:
        said["description"] = _TOLD[path]
    if held is not None:
        said["description"] = f"The data of {held.table}@{held.version.version}"
        said["author"] = {"@id": _person(held.version.author, people)}
        if held.version.timestamp:
            said["dateCreated"] = held.version.timestamp
    return said


def _person(author: Author, people: dict[str, dict[str, Any]]) -> str:
    name = f"mailto:{quote(author.email, safe='@+')}" if author.email else f"#{quote(author.name)}"
    people.setdefault(name, {"@id": name, "@type": "Person", "name": author.name})
    return name
