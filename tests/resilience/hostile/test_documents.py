"""Documents from outside are not trusted: every field of every one is replaced by everything that it should not be.

A reader, or a writer, says what is wrong or is not disturbed; it never crashes, and never shows a wrong table. The
fields are those of documents as they are written, so that a new one cannot be forgotten.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

import datom_core as dc
from tests.long import LONG
from tests.resilience.hostile.fuzz import places

# What fits in no field, tries to get out of the namespace, or is too much.
BAD: tuple[Any, ...] = (
    *(None, True, -1, 10**30, 1e308, [], {}, ["x"]),
    *("x", "../../x", "\ud800", "9999-99-99T99:99:99Z", "a" * 70),
)


def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"s{i}" for i in range(n)]})


def changed(document: Any, at: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at one place."""
    if not at:
        return value
    copy = document.copy()
    copy[at[0]] = changed(document[at[0]], at[1:], value)
    return copy


def harmed(document: Any, step: int) -> Iterator[tuple[str, Any]]:
    """The document with every field replaced by every bad value, or in the short version by some for each."""
    for number, at in enumerate(places(document, most=2)):
        for value in BAD if LONG else BAD[number % step :: step]:
            yield f"{'/'.join(map(str, at))} = {value!r}", changed(document, at, value)


@pytest.fixture
def written(project: dc.Project) -> dc.Project:
    project.write("dm", frame(2))
    project.write("dm", frame(3), cut="lock", custom={"source": "EDC"})
    project.write("adsl", frame(1), parents=[project.parent("dm")], cut="lock")
    project.mark_reviewed("lock")
    return project


def check(what: str, use: Callable[[], Any], problems: list[str]) -> None:
    try:
        use()
    except dc.DatomError:
        pass
    except Exception as error:
        problems.append(f"{what}: {type(error).__name__}: {error}")


def read_all(store: dc.ObjectStore, known: dict[str, list[Any]]) -> None:
    """All that a reader can ask for; a table is one of those that were written."""
    reader = dc.ProjectReader.open(store, "STUDY_001")
    print(reader.list(), reader.summary(), reader.cuts(), reader.reviews())
    print(reader.changes_between("reviewed"))
    for table, tables in known.items():
        print(reader.history(table), reader.resolve(table), reader.parents(table), reader.lineage(table))
        for version in reader.history(table):
            assert any(reader.read_arrow(table, version.version).equals(one) for one in tables)
        for choice in ({}, {"as_of": "2030-01-01"}, {"cut": "lock"}):
            assert any(reader.read_arrow(table, **choice).equals(one) for one in tables)


@pytest.mark.filterwarnings("ignore::datom_core.GovernanceWarning")
def test_in_storage(written: dc.Project, capsys: pytest.CaptureFixture[str]) -> None:
    reader = written.reader
    known = {t: [reader.read_arrow(t, v.version) for v in reader.history(t)] for t in ("dm", "adsl")}
    objects = {o.key: bytes(written.store.get(o.key).data) for o in written.store.list()}
    problems: list[str] = []
    for key in sorted(k for k in objects if k.endswith(".json")):
        for what, document in harmed(json.loads(objects[key]), 12):
            store = dc.MemoryStore()
            for name, data in {**objects, key: json.dumps(document).encode()}.items():
                store.create(name, data)
            check(f"{key}: {what}", lambda store=store: read_all(store, known), problems)  # type: ignore[misc]
    capsys.readouterr()
    assert not problems, "\n".join(problems[:20])


def commit(remote: Path, parent: str, path: str, data: bytes) -> None:
    """Put a file on the branch, on top of ``parent``, whatever came after it."""
    stream = (
        f"commit refs/heads/main\ncommitter x <x@example.org> 1772366400 +0000\ndata 1\nx\nfrom {parent}\n"
        f"M 100644 inline {path}\ndata {len(data)}\n"
    ).encode()
    subprocess.run(["git", "-C", remote, "fast-import", "--quiet", "--force"], input=stream + data + b"\n", check=True)


def test_in_git(written: dc.Project, store: dc.LocalStore, remote: Path) -> None:
    tip = subprocess.run(["git", "-C", remote, "rev-parse", "main"], capture_output=True, text=True).stdout.strip()
    listed = ["git", "-C", str(remote), "ls-tree", "-r", "--name-only", tip]
    objects = {o.key: bytes(store.get(o.key).data) for o in store.list()}
    problems: list[str] = []
    for path in subprocess.run(listed, capture_output=True, text=True).stdout.split():
        text = subprocess.run(["git", "-C", remote, "show", f"{tip}:{path}"], capture_output=True, text=True).stdout
        if not path.endswith((".json", ".yaml")):
            continue
        load, dump = (json.loads, json.dumps) if path.endswith(".json") else (yaml.safe_load, yaml.safe_dump)
        for what, document in harmed(load(text), 63):
            commit(remote, tip, path, dump(document).encode("utf-8", "surrogatepass"))

            def use() -> None:
                project = dc.Project.open(store, remote=remote)
                project.status()
                project.write("ex", frame(1))
                project.write("dm", frame(4))

            check(f"{path}: {what}", use, problems)
            _restore(store, objects)
    assert not problems, "\n".join(problems[:20])


def _restore(store: dc.LocalStore, objects: dict[str, bytes]) -> None:
    for info in list(store.list()):
        if info.key not in objects or bytes(store.get(info.key).data) != objects[info.key]:
            store.delete(info.key)
    for key, data in objects.items():
        store.create(key, data)


def test_of_a_register(written: dc.Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mirror, remote = dc.LocalStore(tmp_path / "gov"), tmp_path / "gov.git"
    dc.Governance.init(mirror, remote=remote).attach(written)
    objects = {o.key: bytes(mirror.get(o.key).data) for o in mirror.list()}
    problems: list[str] = []
    for key in sorted(k for k in objects if k.endswith(".json")):
        for what, document in harmed(json.loads(objects[key]), 4):
            _restore(mirror, {**objects, key: json.dumps(document).encode()})

            def use() -> None:
                register = dc.Governance.open(mirror)
                print(register.projects(), register.project("STUDY_001"))
                print(dc.locate("STUDY_001", governance=mirror))

            check(f"{key}: {what}", use, problems)
            check(
                f"{key}: {what}, a reader",
                lambda: print(dc.ProjectReader.find("STUDY_001", governance=mirror).list()),
                problems,
            )
    capsys.readouterr()
    assert not problems, "\n".join(problems[:20])
