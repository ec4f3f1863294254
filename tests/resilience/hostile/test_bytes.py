"""Bytes that were changed, swapped, cut off or replaced: an error, or the table that was written, never another."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

import datom_core as dc
from tests.resilience.hostile.test_documents import LONG, check, frame, read_all

pytestmark = pytest.mark.filterwarnings("ignore::datom_core.GovernanceWarning")
_REGIONS = 10**9 if LONG else 8  # how many places of each object; in the long version every byte


class Written:
    """A project's objects, and the tables that may be read of them."""

    def __init__(self, project: dc.Project) -> None:
        project.write("dm", frame(2))
        project.write("dm", frame(3), cut="lock")
        project.write("adsl", frame(1), parents=[project.parent("dm")], cut="lock")
        project.mark_reviewed("lock")
        reader = project.reader
        self.known = {t: [reader.read_arrow(t, v.version) for v in reader.history(t)] for t in ("dm", "adsl")}
        self.objects = {o.key: bytes(project.store.get(o.key).data) for o in project.store.list()}

    def read(self, changed: dict[str, bytes]) -> None:
        store = dc.MemoryStore()
        for key, data in {**self.objects, **changed}.items():
            store.create(key, data)
        read_all(store, self.known)


@pytest.fixture
def written(project: dc.Project) -> Written:
    return Written(project)


def flipped(data: bytes, at: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 0x15]) + data[at + 1 :]


def test_every_region_of_every_object(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    problems: list[str] = []
    for key, data in written.objects.items():
        for at in range(0, len(data), max(1, len(data) // _REGIONS)):
            check(f"{key}, byte {at}", partial(written.read, {key: flipped(data, at)}), problems)
    capsys.readouterr()
    assert not problems, "\n".join(problems[:20])


@pytest.mark.parametrize("at", [0, 5, 100, -9, -1])
def test_a_payload_with_another_byte_is_not_parsed(written: Written, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    monkeypatch.setattr("pyarrow.parquet.read_table", lambda *_, **__: pytest.fail("parsed unverified bytes"))
    monkeypatch.setattr("pyarrow.parquet.ParquetFile", lambda *_, **__: pytest.fail("parsed unverified bytes"))
    payload = next(k for k in written.objects if k.startswith("adsl/") and k.endswith(".parquet"))
    store = dc.MemoryStore()
    for key, data in {**written.objects, payload: flipped(written.objects[payload], at)}.items():
        store.create(key, data)
    with pytest.raises(dc.IntegrityError):
        dc.ProjectReader.open(store, "STUDY_001").read("adsl")


def test_two_payloads_that_were_swapped(written: Written) -> None:
    one, two = (k for k in written.objects if k.startswith("dm/") and k.endswith(".parquet"))
    with pytest.raises(dc.IntegrityError):
        written.read({one: written.objects[two], two: written.objects[one]})


@pytest.mark.parametrize(
    "harm",
    [lambda _: b"", lambda data: data[:-1], lambda data: data[: len(data) // 2], lambda _: b"<html>503</html>"],
    ids=["empty", "a byte short", "half", "a page"],
)
def test_each_object_in_turn(
    written: Written, harm: Callable[[bytes], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    problems: list[str] = []
    for key, data in written.objects.items():
        check(key, partial(written.read, {key: harm(data)}), problems)
        if key.endswith(".parquet"):
            with pytest.raises(dc.IntegrityError):
                written.read({key: harm(data)})
    capsys.readouterr()
    assert not problems, "\n".join(problems[:20])
