"""What a reader finds without git: each kind of damage by its name, at the level that promises it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import datom_core as dc
from tests.conftest import GOLDEN
from tests.resilience.faults.test_writers import frame
from tests.resilience.faults.validation.damaging import (
    CURRENT,
    LEVELS,
    OLD,
    Change,
    Prepared,
    emptied,
    flipped,
    gone,
    other_hash,
    replaced,
    sha,
    truncated,
    without_newest,
)

MANIFEST, CUTS = ".metadata/manifest.json", ".metadata/cuts.json"
POINTER, HISTORY = "dm/.metadata/metadata.json", "dm/.metadata/version_history.json"
NOW_DATA, OLD_DATA, SET_DATA = "dm/{dm4_data}.parquet", "dm/{dm1_data}.parquet", "spec/{spec1_data}.json"


class Place:
    """A copy of the sound project's objects, and a reader of it."""

    def __init__(self, prepared: Prepared) -> None:
        self.store, self.ids = dc.MemoryStore(), prepared.ids
        for key, data in prepared.objects.items():
            self.store.create(key, data)
        self.reader = dc.ProjectReader.open(self.store)

    def damage(self, template: str, change: Change) -> str:
        key = template.format(**self.ids)
        data = change(bytes(self.store.get(key).data))
        self.store.delete(key)
        if data is not None:
            self.store.create(key, data)
        return key

    def edit(self, template: str, change: Callable[[Any], Any]) -> str:
        return self.damage(template, lambda data: json.dumps(change(json.loads(data))).encode())

    def found(self, depth: Any = "quick", **only: Any) -> list[tuple[str, str | None, str | None, str]]:
        report = self.reader.verify(depth, **only)
        assert report.ok == (not report.problems)
        return [(p.kind, p.table, p.version, p.key) for p in report.problems]


@pytest.fixture
def place(prepared: Prepared) -> Place:
    return Place(prepared)


def test_a_sound_project_is_sound_at_every_level(place: Place) -> None:
    counts = []
    for depth in LEVELS:
        steps: list[dc.Progress] = []
        report = place.reader.verify(depth, on_progress=steps.append)  # type: ignore[arg-type]
        assert (report.ok, report.depth, report.unproven) == (True, depth, ())
        assert (report.tables, report.versions) == (3, 7)
        counts.append((report.payloads, {s.what for s in steps}))
    assert counts == [
        (3, {"documents"}),
        (6, {"documents", "snapshots"}),
        (6, {"documents", "snapshots", "payloads"}),
    ]
    assert repr(report).startswith("VerificationReport\n  project   STUDY_001")


@pytest.mark.parametrize("depth", LEVELS)
def test_what_r_wrote_is_sound(tmp_path: Path, depth: Any) -> None:
    shutil.copytree(GOLDEN / "solo/storage", tmp_path / "solo")
    report = dc.ProjectReader.open(dc.LocalStore(tmp_path / "solo")).verify(depth)
    assert (report.problems, report.tables, report.versions) == ((), 16, 39)
    # R hashed the units of a difftime, which its file does not have: nobody can tell, and it is no alarm.
    assert [key.partition("/")[0] for key in report.unproven] == (["kinds"] if depth == "full" else [])


#: What is done to which object; what it is called, with which table and versions; the first level that tells.
DAMAGE: dict[str, tuple[str, Change, str, str | None, tuple[str | None, ...], str]] = {
    "no pointer": (POINTER, gone, "missing", "dm", (None,), "quick"),
    "no history": (HISTORY, gone, "missing", "dm", (None,), "quick"),
    "half a pointer": (POINTER, truncated, "damaged", "dm", (None,), "quick"),
    "an empty history": (HISTORY, emptied, "damaged", "dm", (None,), "quick"),
    "half of the cuts": (CUTS, truncated, "damaged", None, (None,), "quick"),
    "a pointer that says other columns": (POINTER, replaced("USUBJID", "SUBJECT"), "damaged", "dm", ("dm4",), "quick"),
    "no current payload": (NOW_DATA, gone, "lost", "dm", ("dm4",), "quick"),
    "an empty current payload": (NOW_DATA, emptied, "altered", "dm", ("dm4",), "quick"),
    "a current payload of another size": (NOW_DATA, lambda d: d + b"x", "altered", "dm", ("dm4",), "quick"),
    "no document of a version": (OLD, gone, "missing", "dm", ("dm2",), "deep"),
    "half a document of a version": (OLD, truncated, "damaged", "dm", ("dm2",), "deep"),
    "the document of another version": (
        OLD, replaced('"nrow": 3', '"nrow": 2'), "damaged", "dm", ("dm2",), "deep"
    ),
    "a document with another hash of the bytes": (OLD, other_hash, "damaged", "dm", ("dm2",), "deep"),
    "no earlier payload": (OLD_DATA, gone, "lost", "dm", ("dm1",), "deep"),
    "no earlier payload of a set": (SET_DATA, gone, "lost", "spec", ("spec1",), "deep"),
    "an earlier payload of another size": (OLD_DATA, lambda d: d + b"x", "altered", "dm", ("dm1",), "deep"),
    "a bit of a payload": (OLD_DATA, flipped, "altered", "dm", ("dm1",), "full"),
    "a bit of a current payload": (NOW_DATA, flipped, "altered", "dm", ("dm4",), "full"),
    "a word of a set": (SET_DATA, replaced("table", "xable"), "altered", "spec", ("spec1",), "full"),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGE)
def test_each_kind_of_damage_is_named_at_its_level(place: Place, what: str) -> None:
    template, change, kind, table, labels, first = DAMAGE[what]
    key = place.damage(template, change)
    expected = [(kind, table, place.ids[label] if label else None, key) for label in labels]
    for depth in LEVELS:
        found = place.found(depth)
        assert found == (expected if LEVELS.index(depth) >= LEVELS.index(first) else []), depth
    report = place.reader.verify("full")
    assert all(p.grave and not p.fixable for p in report.problems)
    assert all(" backup" in p.message or "git may have it: " in p.message for p in report.problems)


def test_two_versions_of_one_payload_are_both_named(place: Place) -> None:
    key = place.damage("dm/{dm2_data}.parquet", gone)
    assert {(k, v, at) for k, _, v, at in place.found("deep")} == {("lost", place.ids[d], key) for d in ("dm2", "dm3")}


def test_documents_that_contradict_each_other(place: Place) -> None:
    key = place.damage(HISTORY, without_newest)
    found = place.found()
    assert ("inconsistent", "dm", None, key) in found, "the pointer names what it does not have"
    assert ("inconsistent", "dm", None, MANIFEST) in found, "the manifest counts more versions"
    assert ("inconsistent", "dm", place.ids["dm4"], CUTS) in found
    assert all(p.grave for p in place.reader.verify().problems)


def test_a_list_that_is_only_behind_is_not_grave(place: Place) -> None:
    def behind(manifest: Any) -> Any:
        row = manifest["artifacts"]["dm"]
        row |= {"current_version": place.ids["dm1"], "current_data_sha": place.ids["dm1_data"], "version_count": 1}
        return manifest

    place.edit(MANIFEST, behind)
    report = place.reader.verify("full")
    assert {(p.kind, p.table, p.key, p.grave) for p in report.problems} == {("stale", "dm", MANIFEST, False)}


def test_what_the_manifest_lists_must_be_a_name(place: Place) -> None:
    place.edit(MANIFEST, lambda m: {**m, "artifacts": {**m["artifacts"], "../x": m["artifacts"]["dm"]}})
    assert place.found() == [("inconsistent", None, None, MANIFEST)]
    assert "'../x'" in place.reader.verify().problems[0].message


def forgery(place: Place) -> str:
    """Another table under the name of the first version's, and its hash and size wherever they are recorded."""
    sink = pa.BufferOutputStream()
    pq.write_table(dc.normalise(frame(2, "forged")), sink, version="2.4")
    data = sink.getvalue().to_pybytes()
    key = place.damage(OLD_DATA, lambda _: data)
    stored = dc.MemoryStore()
    stored.create("x", data)

    def entry(old: Any) -> Any:
        return {**old, "parquet_sha": stored.get("x").sha256, **({"size_bytes": len(data)} if "nrow" in old else {})}

    place.edit(HISTORY, lambda h: [entry(e) if e["version"] == place.ids["dm1"] else e for e in h])
    place.edit("dm/.metadata/{dm1}.json", entry)
    return key


def test_a_forged_payload_whose_hash_is_recorded_is_found_by_its_content(place: Place) -> None:
    key = forgery(place)
    assert [place.found(depth) for depth in ("quick", "deep")] == [[], []]
    assert place.found("full") == [("forged", "dm", place.ids["dm1"], key)]
    assert place.reader.verify("full").problems[0].message.startswith("is not what its name says: it holds the content")


def test_where_no_hash_is_recorded_the_size_tells_and_the_content(place: Place) -> None:
    def forget(document: Any) -> Any:
        if isinstance(document, list):
            return [forget(entry) for entry in document]
        return {name: value for name, value in document.items() if name != "parquet_sha"}

    for key in (HISTORY, POINTER, *(f"dm/.metadata/{{dm{n}}}.json" for n in (1, 2, 3, 4))):
        place.edit(key, forget)
    assert place.found("full") == []
    key = place.damage(OLD_DATA, lambda data: data + b"x")
    assert place.found("deep") == [("altered", "dm", place.ids["dm1"], key)]
    assert "bytes, not" in place.reader.verify("deep").problems[0].message
    place.damage(OLD_DATA, lambda data: data[:-1])
    place.damage(OLD_DATA, flipped)
    assert place.found("deep") == []
    assert place.found("full") == [("forged", "dm", place.ids["dm1"], key)]


def test_only_some_tables_or_versions(place: Place) -> None:
    history = {v.version: v for v in place.reader.history("dm")}
    first, last = history[place.ids["dm1"]], history[place.ids["dm4"]]
    key = place.damage(OLD_DATA, flipped)
    assert place.found("full", tables=["ex", "spec"]) == []
    assert place.found("full", tables=["dm"]) == [("altered", "dm", first.version, key)]
    assert place.found("full", versions={"dm": last}) == []
    assert place.found("full", versions={"dm": first}) == [("altered", "dm", first.version, key)]
    report = place.reader.verify("full", versions=place.reader.study(cut="lock").versions)
    assert (report.ok, report.tables, report.versions, report.payloads) == (True, 2, 2, 2)
    place.damage(OLD_DATA, gone)
    assert place.found("quick", versions={"dm": first}) == [("lost", "dm", first.version, key)]


def test_a_version_that_the_caller_kept_finds_a_project_that_was_set_back(place: Place) -> None:
    kept = place.reader.resolve("dm")
    earlier = place.ids["dm3"]
    place.damage(HISTORY, without_newest)
    place.damage(POINTER, lambda _: bytes(place.store.get(f"dm/.metadata/{earlier}.json").data))
    place.edit(CUTS, lambda c: {**c, "cuts": {}})

    def back(manifest: Any) -> Any:
        row = manifest["artifacts"]["dm"]
        row |= {"current_version": earlier, "current_data_sha": place.ids["dm3_data"], "version_count": 3}
        return manifest

    place.edit(MANIFEST, back)
    assert place.found("full") == [], "nothing but git can tell"
    assert place.found("full", versions={"dm": kept}) == [("inconsistent", "dm", kept.version, HISTORY)]


def test_what_r_left_open_is_told_and_is_no_problem(place: Place) -> None:
    # R's id for some custom metadata cannot be computed again.
    def by_r(document: Any) -> Any:
        return {**document, "datom_version": "0.1.1", "custom": {"clean": "perhaps"}}

    key = place.edit("dm/.metadata/{dm3}.json", by_r)
    report = place.reader.verify("deep")
    assert (report.ok, report.unproven) == (True, (key,))


def test_what_a_writer_has_not_finished_is_no_problem(place: Place) -> None:
    class Late(dc.MemoryStore):
        """The pointer is there when it is looked for again."""

        looks = 0

        def get(self, key: str) -> dc.StoredObject:
            if key == POINTER:
                self.looks += 1
                if self.looks == 1:
                    raise dc.NotFoundError("not yet")
            return super().get(key)

    late = Late()
    for info in place.store.list():
        late.create(info.key, place.store.get(info.key).data)
    reader = dc.ProjectReader.open(late)
    assert reader.verify("deep").ok
    assert late.looks == 2


def test_an_error_of_the_store_is_raised_as_it_is(place: Place) -> None:
    class Failing(dc.MemoryStore):
        def get(self, key: str) -> dc.StoredObject:
            if key.endswith(".parquet"):
                raise dc.StorageError("no answer")
            return super().get(key)

    failing = Failing()
    for info in place.store.list():
        failing.create(info.key, place.store.get(info.key).data)
    with pytest.raises(dc.StorageError, match="no answer"):
        dc.ProjectReader.open(failing).verify("full")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"depth": "fast"}, "depth is one of quick, deep, full, not 'fast'"),
        ({"tables": "dm"}, "tables is a list of names, not 'dm'"),
        ({"tables": ["spek"]}, r"STUDY_001 has no table 'spek'. Did you mean 'spec'\?"),
        ({"versions": {"dm": sha("x")}}, "versions is a mapping from table to an entry of its history"),
        ({"tables": ["../x"]}, "The table name '../x' is not allowed"),
    ],
)
def test_arguments_that_do_not_fit(place: Place, given: dict[str, Any], said: str) -> None:
    with pytest.raises((dc.InvalidInputError, dc.NotFoundError), match=said):
        place.reader.verify(**given)


def test_the_current_document_of_a_version_is_looked_at_too(place: Place) -> None:
    key = place.damage(CURRENT, gone)
    assert place.found("deep") == [("missing", "dm", place.ids["dm4"], key)]
