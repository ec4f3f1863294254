"""docs/format.md shows what is written today, and its worked examples come out as it says."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

import datom_core as dc
from tests.compatibility.format import study
from tests.compatibility.format.conftest import Made
from tests.compatibility.format.page import PAGE, files, masked, matching, paths, plain, shown, written
from tests.compatibility.format.stranger import (
    compact,
    content_hash,
    f64,
    h,
    number,
    payload,
    set_hash,
    tags,
    texts,
    version_id,
)
from tests.conftest import GOLDEN

SHOWN = shown()
SOLO = GOLDEN / "solo" / "storage" / "datom"
DOCUMENTS = [what for what in SHOWN if what.partition(" ")[0] in ("storage", "git", "register")]


def groups(what: str, size: int) -> Iterator[tuple[str, ...]]:
    """The lines of a block, some at a time, without their indent."""
    lines = [line.strip() for line in SHOWN[what].splitlines()]
    assert len(lines) % size == 0
    return zip(*[iter(lines)] * size, strict=True)


def rows(what: str) -> dict[str, str]:
    """The lines of a block of two columns."""
    return dict(re.split(r" {2,}", line) for line in SHOWN[what].splitlines())


def test_the_page_shows_much() -> None:
    assert len(DOCUMENTS) >= 9
    assert len(SHOWN) >= 20


@pytest.mark.parametrize("what", DOCUMENTS)
def test_documents_are_those_that_are_written(made: Made, what: str) -> None:
    assert masked(SHOWN[what]) == masked(written(what, made.folder, study.PREFIX))


def test_what_is_masked_is_no_hash_of_content() -> None:
    history = SHOWN["storage visits/.metadata/version_history.json"]
    left = masked(history)
    assert json.loads(history)[0]["version"] in left
    assert json.loads(history)[0]["data_sha"] in left
    assert json.loads(history)[0]["parquet_sha"] not in left


def test_claims(made: Made) -> None:
    assert masked(SHOWN["claims"]) == masked("".join(made.claims))


def test_the_document_of_schema_1_is_the_one_that_r_wrote() -> None:
    assert SHOWN["R onecol/.metadata/metadata.json"] == (SOLO / "onecol/.metadata/metadata.json").read_text()


@pytest.mark.parametrize(
    ("place", "elsewhere"),
    [
        ("storage", {".metadata/claim.json", "{table}/{data_sha}.json"}),  # gone again; R's
        ("git", {"{table}/set.json", ".datom/allowed_signers"}),  # R's; of a project that is signed
        ("register", set()),
    ],
)
def test_each_file_has_its_place_in_the_tree(made: Made, place: str, elsewhere: set[str]) -> None:
    there = files(place, made.folder, study.PREFIX)
    drawn = {path.removeprefix("datom/") for path in paths(SHOWN[f"tree {place}"])}
    assert [file for file in there if not any(matching(path).fullmatch(file) for path in drawn)] == []
    assert {path for path in drawn if not any(matching(path).fullmatch(file) for file in there)} == elsewhere


def keys(document: Any) -> Iterator[str]:
    """The fields of a document, at all levels; not the names that a writer gave to something."""
    if isinstance(document, list):
        for value in document:
            yield from keys(value)
    elif isinstance(document, dict):
        for key, value in document.items():
            named = key in ("artifacts", "tables", "cuts", "reviews", "versions")
            yield key
            yield from () if key in ("custom", "methods") else keys(list(value.values()) if named else value)


def test_every_field_of_every_document_is_on_the_page(made: Made) -> None:
    """Of ours, and of what R wrote, in schema 1, with a register, and in its oldest documents."""
    folders = [made.storage, made.folder / "register", GOLDEN / "solo" / "storage", GOLDEN / "governed" / "snapshots"]
    documents = [p for folder in folders for p in folder.rglob("*.json") if "tree" not in p.name]
    assert len(documents) > 80
    explained = "".join(re.split(r"^```\w*$", PAGE.read_text(), flags=re.MULTILINE)[::2])  # without the examples
    named = {word for span in re.findall(r"`([^`]+)`", explained) for word in re.findall(r"\w+", span)}
    rows = {
        word for cell in re.findall(r"^\| ([^|]+) \|", explained, re.MULTILINE) for word in re.findall(r"\w+", cell)
    }
    for path in documents:
        document = json.loads(path.read_text())
        assert set(keys(document)) - named - {"note"} == set(), path
        if path.name not in ("migration_history.json", "dispatch.json"):
            outermost = document if isinstance(document, list) else [document]
            assert {key for entry in outermost for key in entry} - rows == set(), path


def test_the_content_hash() -> None:
    table = study.visits(None)
    assert json.loads(SHOWN["table"]) == {n: list(map(plain, values)) for n, values in table.to_pydict().items()}
    *columns, whole = groups("content hash", 3)
    hashes = b""
    for (title, values, sha), column in zip(columns, table.columns, strict=True):
        tag, name = title.split()
        assert payload(column) == (tag, bytes.fromhex(values))
        assert h(tag.encode(), name.encode(), b"\0", bytes.fromhex(values)).hex() == sha
        hashes += sha.encode()
    assert bytes.fromhex(whole[1]) == f64(table.num_rows) + f64(table.num_columns)
    assert h(b"datom-cv1", bytes.fromhex(whole[1]), hashes).hex() == whole[2]
    assert whole[2] == content_hash(table) == dc.hash_table(table).data_sha
    assert [sha for _, _, sha in columns] == [column.sha for column in dc.hash_table(table).column_hashes]
    assert whole[2] == json.loads(SHOWN["storage visits/.metadata/version_history.json"])[1]["data_sha"]


def test_version_ids() -> None:
    sites, r, listed = groups("version ids", 2)
    assert all(hashlib.sha256(line.encode()).hexdigest() == sha for line, sha in (sites, r, listed))
    for what, (line, sha) in (
        ("storage sites/.metadata/metadata.json", sites),
        ("R onecol/.metadata/metadata.json", r),
    ):
        document = json.loads(SHOWN[what])
        assert version_id(document) == sha
        assert compact(json.loads(line)) == line
    assert json.loads(SHOWN["storage .metadata/manifest.json"])["artifacts"]["sites"]["current_version"] == sites[1]
    assert json.loads(listed[0])["data_sha"] == rows("set hashes")["data_sha"]


def test_texts_and_numbers() -> None:
    given, hashed = SHOWN["texts"].splitlines()
    assert compact(json.loads(given)) == hashed
    assert {given: number(json.loads(given)) for given in rows("numbers")} == rows("numbers")


def test_the_set() -> None:
    listed = json.loads(SHOWN["set"])
    assert rows("set hashes") == {
        'text("a")': h(b"\1", b"a").hex(),
        "texts([])": texts([]).hex(),
        "map({})": tags({}).hex(),
        "data_sha": set_hash(listed),
        "document_sha": hashlib.sha256(SHOWN["set"].encode()).hexdigest(),
    }
    current = json.loads(SHOWN["storage .metadata/manifest.json"])["artifacts"]
    assert all(m["id"]["version"] == current[m["id"]["name"]]["current_version"] for m in listed["members"])


def test_hashes_of_bytes() -> None:
    assert SHOWN["original file"] == study.CSV
    sha = hashlib.sha256(SHOWN["original file"].encode()).hexdigest()
    assert SHOWN["original hash"] == f"{sha}\n"
    assert json.loads(SHOWN["storage .metadata/manifest.json"])["artifacts"]["dm"]["original_file_sha"] == sha
