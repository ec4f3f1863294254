"""One suite that every object store passes."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import threading
from pathlib import Path
from typing import Any

import pytest

import datom_core as dc
from tests.long import LONG
from tests.s3.server import S3Server

STORES = ["memory", "local", "local with prefix", "s3", "s3 with prefix", "sqlite", "sqlite with prefix"]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "extending.md"


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> dc.ObjectStore:
    if request.param == "memory":
        return dc.MemoryStore()
    if request.param.startswith("s3"):
        server: S3Server = request.getfixturevalue("s3_server")
        return server.store(server.bucket(), "a/b" if "prefix" in request.param else "")
    if request.param.startswith("sqlite"):
        return of_the_page("SqliteStore", tmp_path / "objects.db", "a/b" if "prefix" in request.param else "")
    return dc.LocalStore(tmp_path, "a/b" if "prefix" in request.param else "")


def of_the_page(name: str, path: Path, prefix: str) -> dc.ObjectStore:
    """The store that docs/extending.md shows, which a stranger has written."""
    names: dict[str, Any] = {"__name__": "page"}
    exec(PAGE.read_text().partition("```python\n")[2].partition("```")[0], names)
    made: dc.ObjectStore = names[name](path, prefix)
    return made


def keys(store: dc.ObjectStore, prefix: str = "") -> list[str]:
    return [o.key for o in store.list(prefix)]


def test_satisfies_the_protocol(store: dc.ObjectStore) -> None:
    assert isinstance(store, dc.ObjectStore)
    assert str(store.location.root) in repr(store)


def test_create_then_get(store: dc.ObjectStore) -> None:
    assert store.create("dm/x.parquet", b"\x00data") is True
    assert store.get("dm/x.parquet").data == b"\x00data"
    info = store.head("dm/x.parquet")
    assert info is not None
    assert (info.key, info.size) == ("dm/x.parquet", 5)


def test_the_hash_of_the_bytes_comes_with_them(store: dc.ObjectStore) -> None:
    store.create("k", b"data")
    assert store.get("k").sha256 == hashlib.sha256(b"data").hexdigest()


def test_an_empty_object(store: dc.ObjectStore) -> None:
    store.create("k", b"")
    assert (store.get("k").data, store.get("k").sha256) == (b"", hashlib.sha256(b"").hexdigest())


def test_create_takes_a_memoryview(store: dc.ObjectStore) -> None:
    store.create("k", memoryview(b"abcdef")[2:4])
    assert store.get("k").data == b"cd"


def test_a_file_is_stored_without_being_read_as_a_whole(store: dc.ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "large.parquet").write_bytes(b"from a disk" * 1000)
    with open(tmp_path / "large.parquet", "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        view = memoryview(mapped)
        store.create("k", view)
        view.release()
    assert store.get("k").data == b"from a disk" * 1000


def test_create_never_touches_what_is_there(store: dc.ObjectStore) -> None:
    store.create("k", b"first")
    assert store.create("k", b"second") is False
    assert store.get("k").data == b"first"


def test_of_many_creators_one_wins(store: dc.ObjectStore) -> None:
    outcomes: list[tuple[bool, bytes]] = []
    gate = threading.Barrier(8)

    def run(mine: bytes) -> None:
        gate.wait()
        outcomes.append((store.create("race", mine), mine))

    threads = [threading.Thread(target=run, args=(bytes([65 + i]) * 1000,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [mine for won, mine in outcomes if won]
    assert len(winners) == 1
    assert store.get("race").data == winners[0]


def test_replace_needs_the_current_tag(store: dc.ObjectStore) -> None:
    store.create("k", b"1")
    first = store.get("k")
    second = store.replace("k", b"2", first.etag)
    assert store.get("k").data == b"2"
    assert store.get("k").etag == second
    with pytest.raises(dc.ConflictError):
        store.replace("k", b"3", first.etag)
    assert store.get("k").data == b"2"


def test_equal_bytes_written_twice_have_two_tags(store: dc.ObjectStore) -> None:
    # A, B, A: a writer that stalled since the first A must notice. Documents alone are ever replaced.
    store.create("k.json", b"[1]")
    store.replace("k.json", b"[1]", store.replace("k.json", b"[2]", store.get("k.json").etag))
    first = store.get("k.json")
    store.replace("k.json", b"[1]", store.replace("k.json", b"[2]", first.etag))
    with pytest.raises(dc.ConflictError):
        store.replace("k.json", b"[3]", first.etag)
    assert json.loads(store.get("k.json").data) == [1]


def test_replace_of_nothing_is_a_conflict(store: dc.ObjectStore) -> None:
    with pytest.raises(dc.ConflictError):
        store.replace("k", b"1", "tag")
    assert store.head("k") is None


def test_swaps_are_not_lost(store: dc.ObjectStore) -> None:
    store.create("counter", b"0")
    each = 8 if isinstance(store, dc.S3Store) and not LONG else 25  # what a request takes leaves room for races

    def add(times: int) -> None:
        done = 0
        while done < times:
            seen = store.get("counter")
            try:
                store.replace("counter", str(int(seen.data) + 1).encode(), seen.etag)
            except dc.ConflictError:
                continue
            done += 1

    threads = [threading.Thread(target=add, args=(each,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get("counter").data == str(4 * each).encode()


def test_what_is_missing(store: dc.ObjectStore) -> None:
    assert store.head("nope/x") is None
    with pytest.raises(dc.NotFoundError, match="nope/x"):
        store.get("nope/x")
    store.delete("nope/x")


def test_list_is_sorted_and_by_prefix(store: dc.ObjectStore) -> None:
    for key in ["b", "a/2", "a/1", "ab/1", "My Table (v1)/x.json", "a/.metadata/m.json"]:
        store.create(key, b"")
    assert keys(store) == ["My Table (v1)/x.json", "a/.metadata/m.json", "a/1", "a/2", "ab/1", "b"]
    assert keys(store, "a/") == ["a/.metadata/m.json", "a/1", "a/2"]
    assert keys(store, "a") == ["a/.metadata/m.json", "a/1", "a/2", "ab/1"]
    assert keys(store, "a/.metadata/") == ["a/.metadata/m.json"]
    assert keys(store, "zz/") == []


def test_delete(store: dc.ObjectStore) -> None:
    store.create("k", b"1")
    store.delete("k")
    assert store.head("k") is None
    assert store.create("k", b"2") is True


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "datom/x", "a\x00b", "a\\b"])
def test_keys_that_leave_the_namespace_are_refused(store: dc.ObjectStore, key: str) -> None:
    with pytest.raises(dc.InvalidInputError):
        store.get(key)
    with pytest.raises(dc.InvalidInputError):
        store.create(key, b"x")


class TestLocal:
    """What only a folder can get wrong."""

    def test_layout_is_the_one_that_r_uses(self, tmp_path: Path) -> None:
        dc.LocalStore(tmp_path, "/p/q/").create("dm/x.parquet", b"x")
        assert (tmp_path / "p" / "q" / "datom" / "dm" / "x.parquet").read_bytes() == b"x"

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(dc.NotFoundError, match="is not there"):
            dc.LocalStore(tmp_path / "nope").check()

    def test_a_relative_path_becomes_absolute(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert dc.LocalStore("x").location.root == str(tmp_path / "x")

    def test_nothing_temporary_stays(self, tmp_path: Path) -> None:
        store = dc.LocalStore(tmp_path)
        store.create("k", b"1")
        store.create("k", b"2")
        store.replace("k", b"3", store.get("k").etag)
        with pytest.raises(dc.ConflictError):
            store.replace("k", b"4", "wrong")
        assert [p.name for p in (tmp_path / "datom").iterdir()] == ["k"]

    def test_remains_of_a_killed_writer_are_not_listed(self, tmp_path: Path) -> None:
        store = dc.LocalStore(tmp_path)
        store.create("dm/k", b"1")
        (tmp_path / "datom" / "dm" / ".datom-tmp-0123").write_bytes(b"half")
        assert keys(store) == ["dm/k"]

    def test_a_file_system_without_hard_links(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
        store = dc.LocalStore(tmp_path)
        assert store.create("k", b"1") is True
        assert store.create("k", b"2") is False
        assert store.get("k").data == b"1"

    def test_files_are_for_others_to_read_and_not_to_write(self, tmp_path: Path) -> None:
        old = os.umask(0)
        try:
            dc.LocalStore(tmp_path).create("dm/k", b"1")
        finally:
            os.umask(old)
        assert (tmp_path / "datom" / "dm" / "k").stat().st_mode & 0o777 == 0o664
        assert not (tmp_path / "datom" / "dm").stat().st_mode & 0o002

    def test_a_folder_that_may_not_be_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # Root may write everywhere, so the refusal has to come from a stand-in.
        def refuse(path: object, *_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(Path, "mkdir", refuse)
        with pytest.raises(dc.AccessDeniedError, match="create") as caught:
            dc.LocalStore(tmp_path / "s").create("k", b"1")
        assert caught.value.resource == str(tmp_path / "s")

    def test_a_disk_that_fails(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        store = dc.LocalStore(tmp_path)
        with pytest.raises(dc.StorageError, match="No space left on device"):
            store.create("k", b"1")
        assert keys(store) == []
