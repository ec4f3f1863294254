"""Every kind of damage is noticed by the level that must, by none below; what git has comes back, and nothing else."""

from __future__ import annotations

import json
import pickle
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

import datom_core as dc
from tests.conftest import GOLDEN
from tests.resilience.faults.test_writers import frame
from tests.resilience.faults.validation.damaging import (
    CURRENT,
    LEVELS,
    OLD,
    Change,
    Study,
    edit_git,
    emptied,
    flipped,
    git,
    gone,
    objects,
    other_hash,
    replaced,
    truncated,
    without_newest,
)

POINTER, HISTORY = "dm/.metadata/metadata.json", "dm/.metadata/version_history.json"
MANIFEST, CUTS = ".metadata/manifest.json", ".metadata/cuts.json"
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
    with pytest.raises(dc.InvalidInputError, match="depth is one of quick, deep, full, not 'all'"):
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
