"""Documents that are small and cost much: each is refused at its first sign, by an error of ours, in no time."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import datom_core as dc
from tests.long import paired, sampled
from tests.resilience.hostile.test_documents import commit

SECONDS = 5.0  # of the processor; what is refused in time takes a few milliseconds

HEAD = b"project_name: STUDY_001\nstorage:\n  data: {type: local, root: /x}\n"


def laughs(levels: int, opening: str = "[", closing: str = "]") -> bytes:
    """Nine times as many at each level."""
    lines = [f"a0: &a0 {opening}{','.join(['lol'] * 9)}{closing}"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines).encode()


YAML: dict[str, tuple[bytes, str]] = {
    "billion laughs, 320 bytes": (HEAD + laughs(6), "anchors and aliases"),
    "billion laughs": (HEAD + laughs(30), "anchors and aliases"),
    "billion laughs before anything else": (laughs(9) + b"\n" + HEAD, "anchors and aliases"),
    "billion laughs of mappings": (
        HEAD + b"\n".join([b"b0: &b0 {k: v}"] + [f"b{n}: &b{n} {{x: *b{n - 1}, y: *b{n - 1}}}".encode()
                                                 for n in range(1, 40)]), "anchors and aliases"),
    "a list in itself": (HEAD + b"x: &x [*x]\n", "anchors and aliases"),
    "an anchor alone": (HEAD + b"x: &x 1\n", "anchors and aliases"),
    "an anchor at a key": (HEAD + b"&x y: 1\n", "anchors and aliases"),
    "merged mappings": (HEAD + b"x:\n  <<: {a: 1}\n", "merged mappings"),
    "deep flow": (HEAD + b"x: " + b"[" * 20_000, "levels deep"),
    "deep mappings": (HEAD + b"x: " + b"{a: " * 10_000, "levels deep"),
    "deep blocks": (HEAD + b"x:\n" + b"- " * 20_000, "levels deep"),
    "deep keys": (HEAD + b"? " * 20_000, "not accepted|levels deep|plain value|expected"),
    "long": (HEAD + b"x: " + b"y" * 100_000, "bytes, where at most"),
    "many lines": (HEAD + b"".join(b"k%d: 1\n" % n for n in range(20_000)), "bytes, where at most"),
    "a number of many digits": (HEAD + b"x: " + b"9" * 60_000, "a number of 60000 characters"),
    "a number of many sixtieths": (HEAD + b"x: 1" + b":59" * 20_000, "a number of 60001 characters"),
    "a key twice": (HEAD + b"project_name: ANOTHER\n", "'project_name' occurs twice"),
    "a key twice further in": (HEAD + b"sync: {a: 1, a: 2}\n", "'a' occurs twice"),
    "a program": (HEAD + b"x: !!python/object/apply:os.system ['true']\n", "tag"),
    "R's program": (HEAD + b"x: !expr system('true')\n", "tag"),
    "a set": (HEAD + b"x: !!set {a, b}\n", "tag"),
    "bytes": (HEAD + b"x: !!binary aGVsbG8=\n", "tag"),
    "two documents": (HEAD + b"---\n" + HEAD, "single document"),
    "a list as a key": (HEAD + b"? [a, b]\n: 1\n", "plain value"),
    "a NUL": (HEAD + b"x: a\0b\n", "not a readable YAML"),
    "no UTF-8": (HEAD + b"x: \xff\n", "not a readable YAML"),
    "half of a pair": (HEAD + b'x: "\\ud800"\n', "not a readable YAML"),
    "a schema without end": (b"schema_version: .inf\n" + HEAD, "whole number"),
    "a schema that is none": (b"schema_version: .nan\n" + HEAD, "whole number"),
}  # fmt: skip


def test_a_project_file(store: dc.LocalStore, remote: Path) -> None:
    dc.Project.init("STUDY_001", store, remote=remote)
    for name, (data, said) in YAML.items():
        commit(remote, "main", ".datom/project.yaml", data)
        started = time.process_time()
        with pytest.raises(dc.FormatError, match=said) as caught:
            dc.Project.open(store, remote=remote)
        assert time.process_time() - started < SECONDS, name
        assert "project.yaml" in str(caught.value), name
        assert len(str(caught.value)) < 1000, name


ADDED = [
    *("description: 2026-01-31", "period: 2026-01", "batch: 2026_01", "x: .na", "x: .inf", "y: yes", "z: ~", "t: ="),
    *("text: !!str 007", "a: [1, 2]", "n: 0x1F", "time: 2026-01-31T10:00:00Z"),
]


@pytest.mark.parametrize("line", sampled(ADDED, 2))
def test_what_people_add_to_a_project_file_stays(line: str, store: dc.LocalStore, remote: Path, tmp_path: Path) -> None:
    dc.Project.init("STUDY_001", store, remote=remote)
    before = committed(remote, ".datom/project.yaml")
    commit(remote, "main", ".datom/project.yaml", before + line.encode() + b"\n")
    project = dc.Project.open(store, remote=remote)
    project.write("dm", pd.DataFrame({"x": [1]}))
    moved = dc.migrate(project, dc.LocalStore(tmp_path / "elsewhere"))
    assert moved
    key, _, value = line.partition(": ")
    after = committed(remote, ".datom/project.yaml").decode()
    (kept,) = [one for one in after.splitlines() if one.startswith(f"{key}:")] if value[0] != "[" else [after]
    text = {"0x1F": "31", "!!str 007": "007"}.get(value, value)
    assert text in kept or value[0] == "["


@pytest.mark.parametrize("prefix", ["2026_01", "1_000", "007", "1:30", "2026-01-31", "0x1A", "1e5", "no"])
def test_a_prefix_that_looks_like_a_number(prefix: str, tmp_path: Path, remote: Path) -> None:
    store = dc.LocalStore(tmp_path / "data", prefix)
    dc.Project.init("STUDY_001", store, remote=remote).write("dm", pd.DataFrame({"x": [1]}))
    assert dc.Project.open(store, remote=remote).reader.list()[0].name == "dm"


def test_a_prefix_as_r_writes_it(tmp_path: Path, remote: Path) -> None:
    """R's yaml leaves 2026_01 without quotes, because to R it is text."""
    store = dc.LocalStore(tmp_path / "data", "2026_01")
    dc.Project.init("STUDY_001", store, remote=remote)
    before = committed(remote, ".datom/project.yaml")
    assert b"'2026_01'" in before
    commit(remote, "main", ".datom/project.yaml", before.replace(b"'2026_01'", b"2026_01"))
    assert dc.Project.open(store, remote=remote).name == "STUDY_001"


JSON: dict[str, tuple[bytes, str]] = {
    "deep arrays": (b"[" * 100_000 + b"]" * 100_000, "nested|recursion"),
    "deep objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested|recursion"),
    "deep, though Python would parse it": (b'{"a":' * 300 + b"1" + b"}" * 300, "nested more than 100 levels"),
    "deep inside": (b'{"schema_version": 2, "x": ' + b"[" * 500 + b"]" * 500 + b"}", "nested more than 100 levels"),
    "a number of many digits": (b'{"x": ' + b"9" * 1_000_000 + b"}", "digits"),
    "a float that is none": (b'{"x": 1e999999}', "too large"),
    "NaN": (b'{"x": NaN}', "NaN"),
    "a key twice among many": (
        b"{" + b",".join(b'"k%d": 1' % n for n in range(60_000)) + b',"k7": 2}', "these keys occur twice: 'k7'"),
    "all keys twice": (b"{" + b",".join(b'"k%d": 1' % (n // 2) for n in range(60_000)) + b"}", "occur twice: 'k0'"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "key"),
    paired(list(JSON), [".metadata/manifest.json", ".metadata/cuts.json", "dm/.metadata/metadata.json",
                        "dm/.metadata/version_history.json"]),
)  # fmt: skip
def test_a_document_in_storage(key: str, name: str, store: dc.LocalStore, remote: Path) -> None:
    dc.Project.init("STUDY_001", store, remote=remote).write("dm", pd.DataFrame({"x": [1]}), cut="lock")
    assert key in {found.key for found in store.list()}
    data, said = JSON[name]
    store.replace(key, data, store.get(key).etag)
    started = time.process_time()
    with pytest.raises(dc.FormatError, match=said):
        read_all(store)
    assert time.process_time() - started < SECONDS


def test_a_document_that_is_too_long(store: dc.LocalStore, remote: Path) -> None:
    dc.Project.init("STUDY_001", store, remote=remote)
    key = ".metadata/manifest.json"
    store.replace(key, b" " * (256 * 2**20) + b"{}", store.get(key).etag)
    with pytest.raises(dc.FormatError, match=r"has 268,435,458 bytes, where at most 268,435,456 are read"):
        dc.ProjectReader.open(store, "STUDY_001")


@pytest.mark.parametrize("name", JSON)
def test_the_list_of_a_drop(name: str, tmp_path: Path) -> None:
    """It may be on its way, so that it is waited for; it never stops what looks at the drop."""
    (tmp_path / "drop.json").write_bytes(JSON[name][0])
    (tmp_path / "dm.csv").write_text("a\n1\n")
    drop = look_at(tmp_path)
    assert drop.files == ()
    assert "drop.json" in drop.waiting[0]
    assert len(drop.waiting[0]) < 500


def test_the_sizes_in_the_list_of_a_drop(tmp_path: Path) -> None:
    (tmp_path / "drop.json").write_text('{"files": [{"name": "dm.csv", "size": 1e400}]}')
    drop = look_at(tmp_path)
    assert "drop.json" in drop.waiting[0]


def test_the_claim_of_a_place(store: dc.LocalStore, tmp_path: Path, remote: Path) -> None:
    project = dc.Project.init("STUDY_001", store, remote=remote)
    project.write("dm", pd.DataFrame({"x": [1]}))
    target = dc.LocalStore(tmp_path / "elsewhere")
    for make in (lambda: b"[" * 100_000, lambda: b'{"project": ' * 100_000):
        claim: Callable[[], bytes] = make
        target.create(".metadata/claim.json", claim())
        with pytest.raises(dc.AlreadyExistsError, match=r"claim\.json"):
            dc.migrate(project, target)
        target.delete(".metadata/claim.json")


@pytest.mark.parametrize("data", [b"[" * 100_000, json.dumps({"schema_version": 1}).encode() + b"}" * 1000])
def test_a_document_in_git(data: bytes, store: dc.LocalStore, remote: Path) -> None:
    project = dc.Project.init("STUDY_001", store, remote=remote)
    project.write("dm", pd.DataFrame({"x": [1]}))
    commit(remote, "main", ".datom/manifest.json", data)
    with pytest.raises(dc.FormatError, match=r"manifest\.json"):
        dc.Project.open(store, remote=remote).write("dm", pd.DataFrame({"x": [2]}))


def read_all(store: dc.ObjectStore) -> None:
    reader = dc.ProjectReader.open(store, "STUDY_001")
    reader.read("dm", cut="lock")
    reader.read("dm")
    reader.history("dm")


def look_at(folder: Path) -> dc.Drop:
    return dc.DropReader(dc.LocalFolder(folder), manifest="drop.json").inspect()


def committed(remote: Path, path: str) -> bytes:
    shown = subprocess.run(["git", "-C", str(remote), "show", f"main:{path}"], capture_output=True, check=True)
    return shown.stdout
