"""Every kind of damage is noticed by the level that must, by none below; what git has comes back, and nothing else."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import datom_core as dc
from datom_core.testing import FailingStore, StoreCall
from tests.conftest import GOLDEN
from tests.faults.test_writers import RColleague, StallingStore, frame

LEVELS = ("quick", "deep", "full")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ME = "Test Author <test@example.org>"
Change = Callable[[bytes], bytes | None]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks follow one another at once."""
    monkeypatch.setattr("datom_core.maintenance.validation._PAUSES", (0.0,))


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def sv1(member: Mapping[str, str]) -> str:
    """The content hash of a set of this one member without tags, spelled out (docs/format.md, "Set hash")."""

    def h(kind: int, *parts: bytes) -> bytes:
        return hashlib.sha256(bytes([kind]) + b"".join(parts)).digest()

    labels = [part for key in sorted(member) for part in (h(1, key.encode()), h(2, h(1, member[key].encode())))]
    return h(6, b"datom-sv1", h(5, h(3), h(4, h(3, *labels), h(3)))).hex()


def git(remote: Path, *args: str) -> str:
    return subprocess.run(["git", "-C", remote, *args], check=True, capture_output=True, text=True).stdout


def edit_git(remote: Path, edits: Mapping[str, Callable[[Any], Any]]) -> None:
    """Change JSON files in the data repo, or remove them, by hand."""
    work = remote.with_name(f"work-{len(list(remote.parent.iterdir()))}")
    git(remote.parent, "clone", "-q", str(remote), str(work))
    for path, edit in edits.items():
        file = work / path
        after = edit(json.loads(file.read_text()) if file.exists() else None)
        file.parent.mkdir(exist_ok=True)
        if after is None:
            file.unlink()
        else:
            file.write_text(after if isinstance(after, str) else json.dumps(after, indent=2) + "\n")
    git(work, "add", "-A")
    git(work, "-c", "user.name=X", "-c", "user.email=x@example.org", "commit", "-qm", "By hand")
    git(work, "push", "-q")


def push_set(remote: Path, members: str) -> tuple[str, str, bytes]:
    """Record a version of the set ``spec`` as R 0.2 does: its version, its content hash, and its payload."""
    member = {"id": {"kind": "table", "name": members, "project": "STUDY_001", "version": "a" * 64}}
    payload = json.dumps({"members": [member]}, indent=2) + "\n"
    data_sha, document_sha = sv1(member["id"]), sha(payload)
    version = sha(f'{{"data_sha":"{data_sha}","hash_algo":"datom-sv1","kind":"set"}}')
    at = "2026-03-01T12:00:00Z"
    document = {"schema_version": 2, "kind": "set", "data_sha": data_sha, "hash_algo": "datom-sv1"}
    document |= {"document_sha": document_sha, "created_at": at, "datom_version": "0.2.0", "project": "STUDY_001"}
    entry = {"version": version, "data_sha": data_sha, "timestamp": at, "author": "R", "commit_message": "Update spec"}
    entry |= {"document_sha": document_sha}

    def list_it(manifest: Any) -> Any:
        row = {"kind": "set", "current_version": version, "current_data_sha": data_sha, "last_updated": at}
        versions = (manifest["artifacts"].get("spec") or {}).get("version_count", 0) + 1
        manifest["artifacts"]["spec"] = {**row, "member_count": 1, "version_count": versions}
        return manifest

    edit_git(
        remote,
        {
            "spec/set.json": lambda _: payload,
            "spec/metadata.json": lambda _: document,
            "spec/version_history.json": lambda old: [entry, *(old or [])],
            ".datom/manifest.json": list_it,
        },
    )
    return version, data_sha, payload.encode()


@dataclass(frozen=True)
class Prepared:
    """A sound project: its remote, its objects, and the ids of its versions by label."""

    remote: Path
    objects: Mapping[str, bytes]
    ids: Mapping[str, str]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("prepared")
    store, remote = dc.MemoryStore(), folder / "remote.git"
    project = dc.Project.init(
        "STUDY_001", store, remote=remote, author=ME, cache_dir=folder / "cache", branch="main", clock=lambda: NOW
    )
    ids: dict[str, str] = {}

    def add(label: str, version: str, data_sha: str) -> None:
        ids.update({label: version, f"{label}_data": data_sha})

    for label, rows, more in (
        ("dm1", 2, {}),
        ("dm2", 3, {"cut": "interim"}),
        ("dm3", 3, {"custom": {"clean": True}}),
        ("dm4", 4, {"cut": "lock"}),
    ):
        result = project.write("dm", frame(rows), **more)  # type: ignore[arg-type]
        add(label, result.version, result.data_sha)
    result = project.write("ex", frame(4, "y"), cut="lock")
    add("ex1", result.version, result.data_sha)
    for label, members in (("spec1", "dm"), ("spec2", "dm and ex")):
        version, data_sha, payload = push_set(remote, members)
        store.create(f"spec/{data_sha}.json", payload)
        project.mirror()
        add(label, version, data_sha)
    return Prepared(remote, objects(store), ids)


def objects(store: dc.ObjectStore) -> dict[str, bytes]:
    return {o.key: bytes(store.get(o.key).data) for o in store.list()}


class Study:
    """A copy of the prepared project that may be damaged."""

    def __init__(self, prepared: Prepared, folder: Path, store: dc.ObjectStore | None = None) -> None:
        self.ids, self.sound = prepared.ids, dict(prepared.objects)
        self.store = dc.MemoryStore() if store is None else store
        for key, data in self.sound.items():
            self.store.create(key, data)
        self.remote = folder / "remote.git"
        shutil.copytree(prepared.remote, self.remote)
        self.project = dc.Project.open(self.store, remote=self.remote, author=ME)

    def key(self, template: str) -> str:
        return template.format(**self.ids)

    def put(self, key: str, data: bytes | None) -> None:
        self.store.delete(key)
        if data is not None:
            self.store.create(key, data)

    def damage(self, template: str, change: Change) -> None:
        key = self.key(template)
        self.put(key, change(bytes(self.store.get(key).data)))

    def problems(self, level: str, *, fix: bool = False) -> dc.ValidationReport:
        with pytest.raises(dc.IntegrityError) as caught:
            self.project.validate(level, fix=fix)  # type: ignore[arg-type]
        report = caught.value.report
        assert isinstance(report, dc.ValidationReport)
        assert not report.ok
        for problem in report.problems[:10]:
            assert str(problem) in str(caught.value)
        return report


@pytest.fixture
def study(prepared: Prepared, tmp_path: Path) -> Study:
    return Study(prepared, tmp_path)


def gone(_: bytes) -> None:
    return None


def emptied(_: bytes) -> bytes:
    return b""


def truncated(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    return data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]


def replaced(*parts: str) -> Change:
    """Another text in place of each of the odd ones, as a hand would do it."""

    def change(data: bytes) -> bytes:
        text = data.decode()
        for old, new in zip(parts[::2], parts[1::2], strict=True):
            assert old in text
            text = text.replace(old, new)
        return text.encode()

    return change


def without_newest(data: bytes) -> bytes:
    return json.dumps(json.loads(data)[1:]).encode()


def other_hash(data: bytes) -> bytes:
    return json.dumps({**json.loads(data), "parquet_sha": "0" * 64}).encode()


POINTER, HISTORY = "dm/.metadata/metadata.json", "dm/.metadata/version_history.json"
MANIFEST, CUTS = ".metadata/manifest.json", ".metadata/cuts.json"
OLD, CURRENT = "dm/.metadata/{dm2}.json", "dm/.metadata/{dm4}.json"
#: Damage -> key, what happens to it, the level that notices, and the problem: kind, versions, whether git can give it.
DAMAGES: dict[str, tuple[str, Change, str, str, tuple[str | None, ...], bool]] = {
    "pointer missing": (POINTER, gone, "quick", "missing", (None,), True),
    "pointer emptied": (POINTER, emptied, "quick", "damaged", (None,), True),
    "pointer truncated": (POINTER, truncated, "deep", "damaged", (None,), True),
    "pointer of another type": (POINTER, lambda _: b"[]", "deep", "damaged", (None,), True),
    "pointer stale": (POINTER, replaced('"nrow": 4', '"nrow": 5'), "deep", "stale", (None,), True),
    "history missing": (HISTORY, gone, "quick", "missing", (None,), True),
    "history emptied": (HISTORY, emptied, "quick", "damaged", (None,), True),
    "history truncated": (HISTORY, truncated, "deep", "damaged", (None,), True),
    "history stale": (HISTORY, without_newest, "deep", "stale", (None,), True),
    "history rewritten": (HISTORY, replaced("Test Author", "Somebody"), "deep", "stale", (None,), True),
    "snapshot missing": (OLD, gone, "quick", "missing", ("dm2",), True),
    "snapshot emptied": (OLD, emptied, "quick", "damaged", ("dm2",), True),
    "snapshot truncated": (OLD, truncated, "deep", "damaged", ("dm2",), True),
    "snapshot of another version": (OLD, replaced('"nrow": 3', '"nrow": 9'), "deep", "damaged", ("dm2",), True),
    "snapshot with another hash": (OLD, other_hash, "deep", "damaged", ("dm2",), True),
    "current snapshot missing": (CURRENT, gone, "quick", "missing", ("dm4",), True),
    "current snapshot truncated": (CURRENT, truncated, "deep", "damaged", ("dm4",), True),
    "manifest missing": (MANIFEST, gone, "quick", "missing", (None,), True),
    "manifest emptied": (MANIFEST, emptied, "quick", "damaged", (None,), True),
    "manifest truncated": (MANIFEST, truncated, "quick", "damaged", (None,), True),
    "manifest stale": (MANIFEST, replaced('"version_count": 4', '"version_count": 3'), "quick", "stale", (None,), True),
    "cuts missing": (CUTS, gone, "quick", "missing", (None,), True),
    "cuts truncated": (CUTS, truncated, "quick", "damaged", (None,), True),
    "cuts stale": (CUTS, replaced('"lock"', '"look"'), "quick", "stale", (None,), True),
    "current payload missing": ("dm/{dm4_data}.parquet", gone, "quick", "lost", ("dm4",), False),
    "current payload emptied": ("dm/{dm4_data}.parquet", emptied, "quick", "altered", ("dm4",), False),
    "current payload truncated": ("dm/{dm4_data}.parquet", truncated, "deep", "altered", ("dm4",), False),
    "old payload missing": ("dm/{dm2_data}.parquet", gone, "deep", "lost", ("dm2", "dm3"), False),
    "old payload emptied": ("dm/{dm2_data}.parquet", emptied, "deep", "altered", ("dm2", "dm3"), False),
    "old payload too long": ("dm/{dm1_data}.parquet", lambda d: d + b"x", "deep", "altered", ("dm1",), False),
    "a bit of a payload": ("dm/{dm2_data}.parquet", flipped, "full", "altered", ("dm2", "dm3"), False),
    "set's payload missing": ("spec/{spec2_data}.json", gone, "quick", "lost", ("spec2",), True),
    "set's old payload missing": ("spec/{spec1_data}.json", gone, "deep", "lost", ("spec1",), True),
    "a bit of a set's payload": ("spec/{spec1_data}.json", flipped, "full", "altered", ("spec1",), False),
}  # fmt: skip


@pytest.mark.parametrize("level", LEVELS)
def test_a_sound_project_passes(study: Study, level: Any) -> None:
    seen: list[dc.Progress] = []
    report = study.project.validate(level, on_progress=seen.append)
    assert (report.ok, report.tables, report.versions, report.objects) == (True, 3, 7, len(study.sound))
    assert (report.problems, report.fixed, report.strangers) == ((), (), ())
    assert report.bytes == sum(map(len, study.sound.values()))
    assert report.commit == git(study.remote, "rev-parse", "HEAD").strip()
    assert {p.what for p in seen} == {"quick": set(), "deep": {"snapshots"}, "full": {"snapshots", "payloads"}}[level]
    assert objects(study.store) == study.sound


@pytest.mark.parametrize("level", LEVELS)
def test_what_r_wrote_passes(tmp_path: Path, level: Any) -> None:
    shutil.copytree(GOLDEN / "solo/storage", tmp_path / "moved")
    git(tmp_path, "clone", "-q", "--bare", str(GOLDEN / "solo/data-repo.bundle"), "solo.git")
    store = dc.LocalStore(tmp_path / "moved")
    project = dc.Project.open(store, remote=tmp_path / "solo.git", relocate=True)
    report = project.validate(level)
    assert (report.tables, report.versions, report.strangers) == (16, 39, ())
    # R hashed the units of a difftime, which its file does not have: nobody can tell, and it is no alarm.
    assert [key.partition("/")[0] for key in report.unproven] == (["kinds"] if level == "full" else [])
    if level == "deep":  # every snapshot comes back, also of versions whose id only R computes
        before = objects(store)
        for key in before:
            if ".metadata" in key:
                store.delete(key)
        assert project.validate("deep", fix=True).ok
        names = {"metadata.json", "version_history.json", "manifest.json"}
        after = {k: json.loads(v) for k, v in objects(store).items() if Path(k).name not in names and k.endswith("n")}
        same = ("created_at", "size_bytes", "datom_version")  # R rewrites these in the snapshot when it reverts
        assert after.keys() == {k for k in before if Path(k).name not in names and k.endswith("n")}
        for key, document in after.items():
            assert {k: v for k, v in json.loads(before[key]).items() if k not in same} == {
                k: v for k, v in document.items() if k not in same
            }


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_noticed_and_put_right_where_git_can(study: Study, name: str) -> None:
    template, change, level, kind, labels, fixable = DAMAGES[name]
    study.damage(template, change)
    damaged = objects(study.store)
    for below in LEVELS[: LEVELS.index(level)]:
        assert study.project.validate(below).ok  # type: ignore[arg-type]
    key = study.key(template)
    table = key.partition("/")[0] if not key.startswith(".") else None
    expected = {(kind, table, study.ids.get(str(label)), key, fixable) for label in labels}
    for noticing in LEVELS[LEVELS.index(level) :]:
        found = study.problems(noticing).problems
        assert {(p.kind, p.table, p.version, p.key, p.fixable) for p in found} == expected
    assert objects(study.store) == damaged  # looking changes nothing
    if fixable:
        report = study.project.validate(level, fix=True)  # type: ignore[arg-type]
        assert (set(report.fixed), report.problems) == (set(found), ())
        assert objects(study.store) == study.sound
    else:
        report = study.problems(level, fix=True)
        assert (set(report.problems), report.fixed) == (set(found), ())
        assert objects(study.store) == damaged
        assert "backup" in str(found[0])


def test_payloads_that_were_swapped(study: Study) -> None:
    one, other = (study.key(f"dm/{{dm{n}_data}}.parquet") for n in (1, 4))
    study.put(one, study.sound[other])
    study.put(other, study.sound[one])
    if len(study.sound[one]) != len(study.sound[other]):
        assert {p.key for p in study.problems("deep").problems} == {one, other}
    assert {(p.kind, p.key) for p in study.problems("full").problems} == {("altered", one), ("altered", other)}


def test_everything_that_git_has_comes_back_and_the_rest_is_told_exactly(study: Study) -> None:
    for key in study.sound:
        if not key.endswith(".parquet"):
            study.store.delete(key)
    old = study.key("dm/{dm1_data}.parquet")
    study.store.delete(old)
    report = study.problems("full", fix=True)
    assert [(p.kind, p.table, p.version, p.key) for p in report.problems] == [("lost", "dm", study.ids["dm1"], old)]
    assert {p.key for p in report.fixed} == {k for k in study.sound if not k.endswith(".parquet")}
    assert objects(study.store) == {k: v for k, v in study.sound.items() if k != old}


def test_documents_of_a_table_whose_data_is_lost_come_back_while_readers_know_it(study: Study) -> None:
    payload = study.key("dm/{dm4_data}.parquet")
    for template in (payload, OLD, HISTORY):
        study.damage(template, gone)
    report = study.problems("deep", fix=True)
    assert [p.key for p in report.problems] == [payload]
    assert objects(study.store) == {k: v for k, v in study.sound.items() if k != payload}


def test_a_pointer_is_not_put_back_before_its_data(study: Study) -> None:
    payload = study.key("dm/{dm4_data}.parquet")
    for template in (payload, POINTER, MANIFEST):
        study.damage(template, gone)
    report = study.problems("deep", fix=True)
    assert {(p.kind, p.key, p.fixable) for p in report.problems} == {
        ("missing", POINTER, False),
        ("lost", payload, False),
    }
    assert [p.key for p in report.fixed] == [MANIFEST]
    assert study.project.write("dm", frame(4)).action == "repaired"
    assert study.project.validate("full").ok
    assert objects(study.store) == study.sound


@pytest.mark.parametrize("change", [truncated, flipped])
def test_the_advice_for_an_altered_payload_is_true(study: Study, change: Change) -> None:
    key = study.key("dm/{dm4_data}.parquet")
    study.damage(key, change)
    assert "or remove it and write the same data again" in str(study.problems("full").problems[0])
    damaged = study.store.get(key).data
    # A write does not replace what is there: it refuses what it sees, and does not see bits of the right number.
    if change is truncated:
        with pytest.raises(dc.IntegrityError, match="remove it"):
            study.project.write("dm", frame(4))
    else:
        assert study.project.write("dm", frame(4)).action == "unchanged"
    assert study.store.get(key).data == damaged
    study.store.delete(key)
    assert study.project.write("dm", frame(4)).action == "repaired"
    assert study.project.validate("full").ok
    assert objects(study.store) == study.sound


def test_what_nothing_explains_is_told_and_left_alone(study: Study) -> None:
    strange = ("dm/" + "0" * 64 + ".parquet", "dm/notes.txt", "old/.metadata/metadata.json", "raw.csv")
    for key in strange:
        study.store.create(key, b"x")
    study.store.create(".metadata/governance.json", b"{}")
    study.damage(OLD, gone)
    report = study.project.validate("deep", fix=True)
    assert (report.strangers, len(report.fixed)) == (tuple(sorted(strange)), 1)
    assert all(study.store.get(key).data == b"x" for key in strange)


def drop(path: str) -> Callable[[Any], Any]:
    def edit(manifest: Any) -> Any:
        del manifest["artifacts"][path]
        return manifest

    return edit


def rows_of(table: str, **fields: Any) -> Callable[[Any], Any]:
    def edit(manifest: Any) -> Any:
        manifest["artifacts"][table] |= fields
        return manifest

    return edit


def rows_with(**fields: Any) -> Callable[[Any], Any]:
    return rows_of("ex", **fields)


def entries_with(**fields: Any) -> Callable[[Any], Any]:
    return lambda entries: [{**e, **fields} for e in entries]


def cut_of_nothing(cuts: Any) -> Any:
    cuts["cuts"]["lock"]["tables"]["ex"][0]["version"] = "f" * 64
    return cuts


INCONSISTENT: dict[str, tuple[dict[str, Callable[[Any], Any]], str]] = {
    "no current version": (
        {"ex/version_history.json": lambda e: [{**e[0], "data_sha": "1" * 64}]},
        "no version of the current content",
    ),
    "a version twice": ({"ex/version_history.json": lambda e: e * 2}, "2 times"),
    "two hashes of a payload": (
        {"ex/version_history.json": lambda e: [*e, {**e[0], "version": "2" * 64, "parquet_sha": "3" * 64}]},
        "2 SHA-256 of one payload",
    ),
    "another hash than metadata.json": (
        {"ex/version_history.json": entries_with(parquet_sha="3" * 64)},
        "another SHA-256 of the current payload",
    ),
    "no time": ({"ex/version_history.json": entries_with(timestamp="yesterday")}, "but 'yesterday'"),
    "row of another version": ({".datom/manifest.json": rows_with(current_version="4" * 64)}, "the version 44444444"),
    "row of another content": ({".datom/manifest.json": rows_with(current_data_sha="5" * 64)}, "the content 55555555"),
    "row that counts wrong": ({".datom/manifest.json": rows_with(version_count=7)}, "counts 7 versions"),
    "a cut of no version": ({".datom/cuts.json": cut_of_nothing}, "no such version"),
    "a table that is not listed": ({".datom/manifest.json": drop("ex")}, "does not list it"),
    "a table without documents": (
        {"ex/metadata.json": lambda _: None, "ex/version_history.json": lambda _: None},
        "ex/metadata.json is not there",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", INCONSISTENT)
def test_git_that_disagrees_with_itself(study: Study, name: str) -> None:
    edits, said = INCONSISTENT[name]
    edit_git(study.remote, edits)
    study.project.mirror()
    before = objects(study.store)
    report = study.problems("deep", fix=True)
    found = [p for p in report.problems if p.kind == "inconsistent"]
    assert any(said in p.message for p in found)
    assert {(p.table, p.fixable) for p in report.problems} == {("ex", False)}
    assert objects(study.store) == before


@pytest.mark.parametrize(
    ("path", "edit", "said"),
    [
        ("ex/metadata.json", lambda _: "<<<<<<< HEAD", "is not a readable JSON document"),
        ("ex/metadata.json", lambda m: {**m, "parquet_sha": "hello"}, "'parquet_sha' should be 64 .*; 'hello' is"),
        ("ex/version_history.json", lambda e: [{**e[0], "version": "../../x"}], "'version' should be 64"),
        ("ex/version_history.json", lambda e: [{**e[0], "data_sha": "../y"}], "'data_sha' should be 64"),
        ("ex/version_history.json", lambda e: [{**e[0], "parquet_sha": "A" * 64}], "'parquet_sha' should be 64"),
    ],
)
def test_a_document_in_git_that_cannot_be_read(study: Study, path: str, edit: Callable[[Any], Any], said: str) -> None:
    edit_git(study.remote, {path: edit})
    with pytest.raises(dc.FormatError, match=rf"{path} at commit .*{said}"):
        study.project.validate("deep")


def test_a_payload_that_r_has_pushed_and_not_uploaded(
    project: dc.Project, store: dc.LocalStore, remote: Path, tmp_path: Path
) -> None:
    donor = dc.Project.init("STUDY_001", dc.MemoryStore(), remote=tmp_path / "donor.git")
    colleague = RColleague(remote, tmp_path / "r-clone")
    project.write("dm", frame(2))
    first = colleague.push_version_of("lb", donor, 2)
    study = object.__new__(Study)
    study.project = project
    one, two = (f"lb/{dc.hash_table(frame(n, 'r')).data_sha}.parquet" for n in (2, 4))
    for level in LEVELS:  # storage has never heard of the table
        assert [(p.kind, p.key) for p in study.problems(level, fix=True).problems] == [("waiting", one)]
    store.create(one, first)
    report = project.validate("deep", fix=True)
    assert {p.kind for p in report.fixed} == {"missing", "stale"}
    second = colleague.push_version_of("lb", donor, 4)
    for level in LEVELS:  # storage is where it was, as it should be
        report = study.problems(level, fix=True)
        assert [(p.kind, p.key) for p in report.problems] == [("waiting", two)]
        assert "pushes before it uploads" in report.problems[0].message
    assert len(project.reader.read("lb")) == 2
    store.create(two, second)
    assert project.validate("full", fix=True).ok
    store.delete(two)
    assert [(p.kind, p.key) for p in study.problems("quick").problems] == [("lost", two)]


class CallingStore(FailingStore):
    """Calls back just before it is listed."""

    before: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self) -> None:
        super().__init__(dc.MemoryStore(), self._listed)

    def _listed(self, call: StoreCall) -> None:
        if (call.operation, call.key) == ("list", ""):
            self.before()


def test_storage_that_is_newer_than_the_commit_it_is_compared_with(prepared: Prepared, tmp_path: Path) -> None:
    study = Study(prepared, tmp_path, store := CallingStore())
    other = dc.Project.open(store, remote=study.remote, author=ME)

    def write() -> None:
        store.before = lambda: None
        other.write("dm", frame(7))
        other.write("lb", frame(1))

    store.before = write
    report = study.project.validate("full")
    assert (report.versions, report.strangers) == (9, ())


def test_a_payload_whose_commit_comes_after_the_look_is_no_stranger(study: Study, tmp_path: Path) -> None:
    donor = dc.Project.init("DONOR", dc.MemoryStore(), remote=tmp_path / "donor.git")
    key = f"dm/{donor.write('dm', frame(7)).data_sha}.parquet"
    study.store.create(key, donor.store.get(key).data)
    assert study.project.validate("deep").strangers == (key,)
    commits = []

    def commit(_: dc.Progress) -> None:
        if not commits:
            commits.append(study.project.write("dm", frame(7)).commit_sha)

    assert study.project.validate("deep", on_progress=commit).strangers == ()
    assert commits != [None]


def test_versions_whose_id_only_r_computes(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datom_core.writing.writer.WRITER", "0.1.1")
    first, second = "a" * 64, "b" * 64
    written = study.project.write("lb", frame(4, "y"), cut="lock", custom={"n": 0}).version
    document = json.loads(study.store.get(f"lb/.metadata/{written}.json").data)
    later = {**document, "custom": {"n": 1}, "created_at": "2026-03-02T00:00:00Z"}

    def cut_of_first(cuts: Any) -> Any:
        cuts["cuts"]["lock"]["tables"]["lb"][0]["version"] = first
        return cuts

    def newer(entries: Any) -> Any:
        return [{**entries[0], "version": second, "timestamp": later["created_at"]}, *entries]

    edit_git(
        study.remote,
        {
            "lb/version_history.json": entries_with(version=first),
            ".datom/manifest.json": rows_of("lb", current_version=first),
            ".datom/cuts.json": cut_of_first,
        },
    )
    edit_git(
        study.remote,
        {
            "lb/version_history.json": newer,
            "lb/metadata.json": lambda _: later,
            ".datom/manifest.json": rows_of("lb", current_version=second, version_count=2),
        },
    )
    # R goes back to the first, with a new time in metadata.json that the history does not have.
    edit_git(
        study.remote,
        {
            "lb/metadata.json": lambda _: {**document, "created_at": "2026-03-03T00:00:00Z"},
            ".datom/manifest.json": rows_of("lb", current_version=first),
        },
    )
    study.damage(f"lb/.metadata/{written}.json", gone)
    study.project.mirror()
    assert study.project.validate("full").ok
    for version, custom in ((first, {"n": 0}), (second, {"n": 1})):
        study.damage(f"lb/.metadata/{version}.json", gone)
        assert [p.version for p in study.project.validate("deep", fix=True).fixed] == [version]
        with pytest.warns(dc.UnprovenWarning, match="R does not compute the same id again"):
            assert study.project.reader.metadata("lb", version).custom == custom


def test_storage_that_lags_behind_for_a_moment(
    prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datom_core.maintenance.validation._PAUSES", (0.0, 0.0, 0.0))
    study = Study(prepared, tmp_path, store := CallingStore())
    edit_git(study.remote, {".datom/manifest.json": lambda m: {**m, "updated_at": "2026-03-02T00:00:00Z"}})
    looks = []

    def catch_up() -> None:
        looks.append(0)
        if len(looks) == 3:
            study.project.mirror()

    store.before = catch_up
    assert study.project.validate("deep").ok
    assert len(looks) >= 3


@pytest.mark.parametrize("damaged", [False, True])
def test_writers_that_never_rest(
    prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: bool
) -> None:
    monkeypatch.setattr("datom_core.maintenance.validation._LOOKS", 6)
    study = Study(prepared, tmp_path, store := CallingStore())
    other = dc.Project.open(store, remote=study.remote, author=ME)
    rows = iter(range(10, 99))
    store.before = lambda: void(other.write("ex", frame(next(rows))))
    if damaged:  # what they do not touch is certain all the same
        study.damage(OLD, gone)
        assert [p.key for p in study.problems("deep").problems] == [study.key(OLD)]
    else:
        with pytest.raises(dc.ConflictError, match="Validate again"):
            study.project.validate("deep")


def void(_: object) -> None:
    return None


def test_a_writer_at_work_is_no_false_alarm(
    project: dc.Project, store: dc.LocalStore, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datom_core.maintenance.validation._PAUSES", (0.2, 0.8, 2.0))
    project.write("dm", frame(1))
    failed: list[BaseException] = []

    def write() -> None:
        try:
            writer = dc.Project.open(store, remote=remote)
            for n in range(2, 22):
                writer.write("dm" if n % 3 else "ex", frame(n), cut=f"c{n % 4}")
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    runs = 0
    while thread.is_alive():
        assert project.validate("deep").ok
        runs += 1
    thread.join()
    assert failed == []
    assert runs > 1
    assert project.validate("full").versions == 21


def test_a_writer_that_died_after_its_push(project: dc.Project, store: dc.LocalStore, remote: Path) -> None:
    project.write("dm", frame(2))

    def die() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dc.Project.open(StallingStore(store.location.root, die), remote=remote).write("dm", frame(3), cut="c")
    study = object.__new__(Study)
    study.project = project
    assert {p.kind for p in study.problems("quick").problems} == {"missing", "stale"}
    assert project.validate("deep", fix=True).ok
    assert len(project.reader.read("dm", cut="c")) == 3


@pytest.mark.parametrize("error", [dc.StorageError, dc.AccessDeniedError])
@pytest.mark.parametrize("at", ["list", "manifest.json", ".parquet", "{dm1}.json"])
def test_a_store_that_fails_is_not_a_store_that_lacks_something(
    prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[dc.DatomError], at: str
) -> None:
    study = Study(prepared, tmp_path)
    real = study.store.get

    def get(key: str) -> dc.StoredObject:
        if key.endswith(study.key(at)):
            raise error("no")
        return real(key)

    def fail(_: str = "") -> Iterator[dc.ObjectInfo]:
        raise error("no")

    monkeypatch.setattr(study.store, *(("list", fail) if at == "list" else ("get", get)))
    with pytest.raises(error, match="no"):
        study.project.validate("full", fix=True)


def test_a_store_that_holds_nothing_is_not_filled(study: Study) -> None:
    for key in study.sound:
        study.store.delete(key)
    with pytest.raises(dc.NotFoundError, match="is the disk mounted"):
        study.project.validate(fix=True)
    assert objects(study.store) == {}


def test_the_place_of_another_project_is_left_alone(study: Study, tmp_path: Path) -> None:
    study.damage(MANIFEST, replaced("STUDY_001", "STUDY_002"))
    study.damage(POINTER, gone)
    damaged = objects(study.store)
    report = study.problems("quick", fix=True)
    assert {(p.kind, p.fixable) for p in report.problems} == {("foreign", False), ("missing", False)}
    with pytest.raises(dc.AlreadyExistsError, match="STUDY_002"):
        study.project.mirror()
    assert objects(study.store) == damaged


def test_a_newer_schema_is_neither_judged_nor_overwritten(study: Study) -> None:
    study.damage(OLD, replaced('"schema_version": 2', '"schema_version": 3'))
    damaged = objects(study.store)
    with pytest.raises(dc.FormatError, match="schema 3"):
        study.project.validate("deep", fix=True)
    assert objects(study.store) == damaged


def test_a_size_that_r_recorded_of_another_serialisation_is_no_alarm(study: Study) -> None:
    edit_git(study.remote, {"ex/metadata.json": lambda m: {**m, "size_bytes": m["size_bytes"] + 7}})
    snapshot = study.key("ex/.metadata/{ex1}.json")
    size = json.loads(study.sound[snapshot])["size_bytes"]
    study.damage(snapshot, replaced(f'"size_bytes": {size}', f'"size_bytes": {size + 7}'))
    study.project.mirror()
    assert study.project.validate("deep").ok


def test_a_payload_from_before_hashes_were_recorded(study: Study) -> None:
    def without(document: Any) -> Any:
        return {k: v for k, v in document.items() if k != "parquet_sha"}

    snapshot, payload = study.key("ex/.metadata/{ex1}.json"), "ex/{ex1_data}.parquet"
    study.damage(snapshot, lambda data: json.dumps(without(json.loads(data))).encode())
    edit_git(study.remote, {"ex/metadata.json": without, "ex/version_history.json": lambda e: [without(e[0])]})
    study.project.mirror()
    assert study.project.validate("full").ok
    study.damage(payload, truncated)
    assert study.project.validate("quick").ok
    for level in ("deep", "full"):
        assert [(p.kind, p.key) for p in study.problems(level).problems] == [("altered", study.key(payload))]


def test_few_large_payloads_are_in_memory_at_once(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datom_core.storage.bulk_copy._LARGE", 1)
    lock, running, most, real = threading.Lock(), [0], [0], study.store.get

    def get(key: str) -> dc.StoredObject:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0] if key.endswith(".parquet") else 0)
        threading.Event().wait(0.005)
        with lock:
            running[0] -= 1
        return real(key)

    monkeypatch.setattr(study.store, "get", get)
    assert study.project.validate("full").ok
    assert 1 <= most[0] <= 2


def test_level_is_checked(study: Study) -> None:
    with pytest.raises(dc.InvalidInputError, match="level is one of quick, deep, full, not 'all'"):
        study.project.validate("all")  # type: ignore[arg-type]


def test_a_report_prints_and_crosses_process_boundaries(study: Study) -> None:
    for key in study.sound:
        if ".metadata" in key:
            study.store.delete(key)
    with pytest.raises(dc.IntegrityError, match=r"and \d+ more, in error.report.problems\n\d+ of them can") as caught:
        study.project.validate()
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.report == caught.value.report
    text = repr(again.report)
    assert "STUDY_001" in text
    assert "missing" in text
    assert "nan" not in text
    assert list(again.report.problems.to_pandas().columns) == ["kind", "table", "version", "key", "message", "fixable"]
