"""Somebody who may write to the store alone makes it lie: what is recorded, and what who pinned gets, is not his."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import datom_core as dc
from tests.long import paired
from tests.resilience.faults.test_writers import frame

TABLE = frame(3)
FORGERY = frame(3, "forged")


def parquet(table: pd.DataFrame | pa.Table, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(dc.normalise(table), sink, **options)
    return sink.getvalue().to_pybytes()


def key(table: pd.DataFrame) -> str:
    return f"dm/{dc.hash_table(table).data_sha}.parquet"


class Talkative(dc.MemoryStore):
    """Says of every payload what it was told to say, as anybody's object metadata may."""

    said: str | None = None

    def head(self, key: str) -> dc.ObjectInfo | None:
        info = super().head(key)
        if info is None or self.said is None or not key.endswith(".parquet"):
            return info
        return dc.ObjectInfo(info.key, info.size, {"sha256": self.said})


@pytest.fixture
def talkative(remote: Path) -> tuple[Talkative, dc.Project]:
    store = Talkative()
    return store, dc.Project.init("STUDY_001", store, remote=remote)


CLAIMS: dict[str, Callable[[bytes], str | None]] = {
    "hello": lambda _: "hello",
    "its own": lambda data: hashlib.sha256(data).hexdigest(),
    "another": lambda _: "0" * 64,
    "what ours would have": lambda _: hashlib.sha256(parquet(TABLE, version="2.4", compression="snappy")).hexdigest(),
    "nothing": lambda _: None,
}
#: What lies under the key before the first write.
FORGERIES: dict[str, bytes] = {
    "other values": parquet(FORGERY),
    "other rows": parquet(frame(4)),
    "more columns": parquet(TABLE.assign(extra=1)),
    "another name": parquet(TABLE.rename(columns={TABLE.columns[0]: "other"})),
    "no rows": parquet(TABLE)[:-9] + b"PAR1",
    "no parquet": b"PAR1 hello PAR1",
    "nothing": b"",
}


@pytest.mark.parametrize(("forgery", "said"), paired(list(FORGERIES), list(CLAIMS)))
def test_a_payload_that_lies_there_before_the_first_write(
    talkative: tuple[Talkative, dc.Project], forgery: str, said: str
) -> None:
    store, project = talkative
    data = FORGERIES[forgery]
    store.create(key(TABLE), data)
    store.said = CLAIMS[said](data)
    before = project.status().commit
    with pytest.raises(dc.IntegrityError, match=r"is not what its name says: it .*Restore it from a backup, or remove"):
        project.write("dm", TABLE)
    assert project.status().commit == before
    assert store.get(key(TABLE)).data == data
    store.delete(key(TABLE))
    store.said = None
    assert project.write("dm", TABLE).action == "created"
    assert project.validate("full").ok


@pytest.mark.parametrize("said", CLAIMS)
def test_the_right_content_in_other_bytes_is_recorded_as_it_is(
    talkative: tuple[Talkative, dc.Project], said: str
) -> None:
    store, project = talkative
    data = parquet(TABLE, compression="zstd")
    store.create(key(TABLE), data)
    store.said = CLAIMS[said](data)
    result = project.write("dm", TABLE)
    assert project.reader.resolve("dm").payload_sha == hashlib.sha256(data).hexdigest()
    assert len(project.reader.read("dm", result.version, verify="content")) == 3
    assert project.validate("full").ok


@pytest.mark.parametrize("said", CLAIMS)
def test_a_recorded_payload_that_says_of_itself_what_was_recorded(
    talkative: tuple[Talkative, dc.Project], said: str
) -> None:
    """Going back to it reads it: a forgery of another size does not become current because it says the right thing."""
    store, project = talkative
    first = project.write("dm", TABLE)
    project.write("dm", frame(5))
    recorded = project.reader.history("dm")[-1].payload_sha
    data = parquet(FORGERY)
    store.delete(key(TABLE))
    store.create(key(TABLE), data)
    for claim in (CLAIMS[said](data), recorded):
        store.said = claim
        with pytest.raises(dc.IntegrityError, match="is not what its name says"):
            project.write("dm", TABLE)
    assert project.reader.resolve("dm").version != first.version


def forge(store: dc.ObjectStore, edits: dict[str, Callable[[Any], Any] | bytes]) -> None:
    for name, edit in edits.items():
        found = store.get(name)
        data = edit if isinstance(edit, bytes) else json.dumps(edit(json.loads(bytes(found.data)))).encode()
        store.delete(name)
        store.create(name, data)


def with_sha(sha: str) -> Callable[[Any], Any]:
    def edit(document: Any) -> Any:
        if isinstance(document, list):
            return [edit(e) for e in document]
        return {**document, "parquet_sha": sha} if "parquet_sha" in document else document

    return edit


class Attack:
    """A sound project of one version, and what somebody with rights on its storage makes of it."""

    def __init__(self, project: dc.Project, table: pd.DataFrame, forgery: pd.DataFrame) -> None:
        self.project, self.store = project, project.store
        result = project.write("dm", table, custom={"cut": "interim"})
        self.version, self.old, self.forgery = result.version, result.data_sha, parquet(forgery)
        self.sha, self.new = hashlib.sha256(self.forgery).hexdigest(), dc.hash_table(forgery).data_sha
        self.pointer, self.history = "dm/.metadata/metadata.json", "dm/.metadata/version_history.json"
        self.snapshot = f"dm/.metadata/{self.version}.json"

    def payload(self) -> None:
        forge(self.store, {f"dm/{self.old}.parquet": self.forgery})

    def bytes_recorded(self) -> None:
        """Its SHA-256 is in every document of storage."""
        self.payload()
        forge(self.store, dict.fromkeys((self.pointer, self.history, self.snapshot), with_sha(self.sha)))

    def everything(self) -> None:
        """A payload of its own under its own content hash, and documents that lead to it, under the old version."""
        self.store.create(f"dm/{self.new}.parquet", self.forgery)

        def edit(document: Any) -> Any:
            if isinstance(document, list):
                return [edit(e) for e in document]
            return {**document, "data_sha": self.new, "parquet_sha": self.sha}

        def rows(manifest: Any) -> Any:
            manifest["artifacts"]["dm"]["current_data_sha"] = self.new
            return manifest

        forge(self.store, dict.fromkeys((self.pointer, self.history, self.snapshot), edit))
        forge(self.store, {".metadata/manifest.json": rows})

    def history_alone(self) -> None:
        """The history leads to a forged payload; the version's document is the true one."""
        self.store.create(f"dm/{self.new}.parquet", self.forgery)
        forge(self.store, {self.history: lambda d: [{**d[0], "data_sha": self.new, "parquet_sha": self.sha}]})

    def without_hashes(self) -> None:
        """As if from before hashes were recorded."""
        self.payload()

        def edit(document: Any) -> Any:
            if isinstance(document, list):
                return [edit(e) for e in document]
            return {k: v for k, v in document.items() if k != "parquet_sha"}

        forge(self.store, dict.fromkeys((self.pointer, self.history, self.snapshot), edit))


ATTACKS = ("payload", "bytes_recorded", "everything", "history_alone", "without_hashes")
#: Of attacks that forge documents too, who trusts storage alone knows nothing.
FOOLED = ("bytes_recorded", "everything", "without_hashes")
TABLES: dict[str, tuple[pd.DataFrame, pd.DataFrame]] = {
    "text": (TABLE, FORGERY),
    "integers": (pd.DataFrame({"AGE": [40, 41]}), pd.DataFrame({"AGE": [80, 81]})),
    "missing numbers": (pd.DataFrame({"AVAL": [1.5, None]}), pd.DataFrame({"AVAL": [2.5, None]})),
    "times": (
        pd.DataFrame({"at": pd.to_datetime(["2026-01-01"]).astype("datetime64[us]")}),
        pd.DataFrame({"at": pd.to_datetime(["2026-01-02"]).astype("datetime64[us]")}),
    ),
}


@pytest.mark.parametrize(("attack", "kind"), paired(list(ATTACKS), list(TABLES)))
def test_a_reader_who_holds_a_full_version_is_not_fooled(project: dc.Project, attack: str, kind: str) -> None:
    made = Attack(project, *TABLES[kind])
    entry = project.reader.history("dm")[0]
    reader = project.reader
    assert len(reader.read("dm", made.version)) == len(TABLES[kind][0])
    getattr(made, attack)()
    for verify in (None, "content"):
        # What an entry from before the attack says is true, wherever the history leads by now.
        kept = () if attack == "history_alone" else (entry,)
        for version in (made.version, reader.history("dm")[0], *kept):
            for columns in (None, list(TABLES[kind][0].columns)):
                with pytest.raises(dc.IntegrityError):
                    reader.read("dm", version, columns=columns, verify=verify)  # type: ignore[arg-type]
                with pytest.raises(dc.IntegrityError):
                    reader.read_arrow("dm", version, dictionaries=True, verify=verify)  # type: ignore[arg-type]
    with pytest.raises(dc.IntegrityError):
        reader.read("dm", made.version[:8], verify="content")
    with pytest.raises(dc.IntegrityError):
        reader.diff("dm", made.version)
    if attack in FOOLED:  # what each level is for
        assert dc.ProjectReader.open(project.store).read("dm").equals(dc.to_pandas(dc.normalise(TABLES[kind][1])))
        reader.read("dm", made.version, verify="bytes")
    if attack == "everything":
        with pytest.raises(dc.IntegrityError, match="it is the document of the version"):
            reader.metadata("dm", made.version)
        with pytest.raises(dc.IntegrityError):
            reader.parents("dm", made.version)


@pytest.mark.parametrize("attack", ATTACKS)
def test_git_tells_of_every_forgery(project: dc.Project, attack: str) -> None:
    made = Attack(project, TABLE, FORGERY)
    getattr(made, attack)()
    with pytest.raises(dc.IntegrityError) as caught:
        project.validate("full")
    found = {(p.kind, p.key) for p in caught.value.report.problems}
    if attack in ("payload", "bytes_recorded", "without_hashes"):
        assert ("altered", f"dm/{made.old}.parquet") in found
    if attack != "payload":
        assert ("stale", made.history) in found


def git_believes(made: Attack, remote: Path, sha: str | None, writer: str) -> None:
    """Git records the hash of the forgery, as a release that trusted an object's own metadata did."""
    from tests.resilience.faults.validation.damaging import edit_git

    def edit(document: Any) -> Any:
        if isinstance(document, list):
            return [edit(e) for e in document]
        return {**document, "parquet_sha": sha, **({"datom_version": writer} if "nrow" in document else {})}

    edit_git(remote, {"dm/metadata.json": edit, "dm/version_history.json": edit})
    made.payload()
    forge(made.store, {made.snapshot: edit})
    made.project.mirror()


@pytest.mark.parametrize(("kind", "recorded"), paired(list(TABLES), [True, False]))
def test_a_forgery_that_git_has_recorded_is_named(
    project: dc.Project, remote: Path, kind: str, recorded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datom_core.maintenance.validation._PAUSES", (0.0,))
    made = Attack(project, *TABLES[kind])
    project.write("ex", frame(2))
    git_believes(made, remote, made.sha if recorded else None, "py-0.1.0")
    for level in ("quick", "deep") if recorded else ("quick",):  # another size is noticed where nothing is recorded
        project.validate(level)  # type: ignore[arg-type]
    with pytest.raises(dc.IntegrityError, match=r"(?s)No payload of a table can come from git") as caught:
        project.validate("full", fix=True)
    (problem,) = caught.value.report.problems
    assert (problem.key, problem.version) == (f"dm/{made.old}.parquet", made.version)
    # Without a recorded hash, another size tells before the content does.
    assert problem.kind == "forged" or (problem.kind == "altered" and not recorded)
    assert caught.value.report.unproven == ()
    project.store.delete(problem.key)
    assert project.write("dm", TABLES[kind][0], custom={"cut": "interim"}).action == "repaired"
    assert project.validate("full").ok


def test_what_r_may_have_hashed_is_no_alarm_and_is_told(
    project: dc.Project, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datom_core.writing.writer.WRITER", "0.1.1")
    made = Attack(project, *TABLES["times"])
    git_believes(made, remote, made.sha, "0.1.1")
    assert project.validate("full").unproven == (f"dm/{made.old}.parquet",)
    with pytest.warns(dc.UnprovenWarning, match=r"R may have hashed in 'at' what parquet does not keep"):
        project.reader.read("dm", made.version)
    with pytest.raises(dc.IntegrityError, match=r'cannot be proven .* verify="bytes"'):
        project.reader.read("dm", made.version, verify="content")


def test_text_of_r_cannot_be_forged_either(project: dc.Project, remote: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datom_core.writing.writer.WRITER", "0.1.1")
    made = Attack(project, TABLE, FORGERY)
    git_believes(made, remote, made.sha, "0.1.1")
    with pytest.raises(dc.IntegrityError, match="is not what its name says"):
        project.validate("full")
    with pytest.raises(dc.IntegrityError, match="Storage was altered"):
        project.reader.read("dm", made.version)


def test_a_snapshot_that_is_missing_proves_nothing(project: dc.Project, store: dc.LocalStore) -> None:
    made = Attack(project, TABLE, FORGERY)
    project.write("dm", frame(4))
    store.delete(made.snapshot)
    with pytest.raises(dc.NotFoundError, match=r'snapshot.*verify="bytes" reads without it'):
        project.reader.read("dm", made.version)
    assert len(project.reader.read("dm", made.version, verify="bytes")) == 3
    with pytest.raises(dc.NotFoundError, match="snapshot"):
        project.reader.read("dm", made.version, verify="content")
    project.mirror()
    project.validate("deep", fix=True)
    assert len(project.reader.read("dm", made.version, verify="content")) == 3


def test_every_way_to_choose_a_version_can_be_verified(project: dc.Project) -> None:
    project.write("dm", TABLE, cut="lock")
    version = project.write("dm", frame(4)).version
    reader = project.reader
    for how, rows in (({}, 4), ({"cut": "lock"}, 3), ({"as_of": "2030-01-01"}, 4), ({"version": version[:9]}, 4)):
        assert len(reader.read("dm", verify="content", **how)) == rows  # type: ignore[arg-type]
    for verify in ("Content", "hash", True, 1, ["bytes"], ""):
        with pytest.raises(dc.InvalidInputError, match="verify is 'bytes' or 'content'"):
            reader.read("dm", verify=verify)  # type: ignore[arg-type]


def test_a_schema_1_project_is_proven_too(store: dc.LocalStore, tmp_path: Path) -> None:
    project = dc.Project.init("OLD", store, remote=tmp_path / "old.git", schema=1)
    versions = [project.write("dm", frame(n), custom={"n": n, "sites": ["a"]}).version for n in (2, 3)]
    project.upgrade()
    for n, version in zip((2, 3), versions, strict=True):
        assert len(project.reader.read("dm", version, verify="content")) == n
    shutil.rmtree(tmp_path / "old.git")
