"""Git that disagrees with itself, and versions of R's of which storage has only a part."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import datom_core as dc
from tests.resilience.faults.test_writers import RColleague, frame
from tests.resilience.faults.validation.damaging import LEVELS, Study, edit_git, gone, objects


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


def marked(name: str, version: str) -> Callable[[Any], Any]:
    def edit(cuts: Any) -> Any:
        move = {"cut": "lock", "versions": {"ex": version}, "recorded_at": "2026-01-01T00:00:00Z"}
        return {**cuts, "reviews": {name: [move]}}

    return edit


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
    "a review of no version": ({".datom/cuts.json": marked("mine", "f" * 64)}, "in the review mark 'mine'"),
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
