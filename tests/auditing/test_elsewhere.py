"""The audit table from storage alone, with a register, from a terminal; and what storage says that git does not."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

import datom_core as dc
from tests.auditing.conftest import ADA, GRACE, frame, told


@pytest.fixture
def study(project: dc.Project) -> dc.Project:
    project.cut("c1", {"dm": frame(2), "ex": frame(1)}, message="One", author=ADA)
    project.write("dm", frame(3), message="Two", author=GRACE)
    project.write("dm", frame(2), message="Back", author=ADA)
    project.mark_reviewed("c1", message="Seen")
    return project


def test_storage_tells_the_same_of_versions_cuts_and_marks(study: dc.Project) -> None:
    in_git = [e for e in study.audit() if e.kind in ("write", "cut", "review")]
    stored = study.reader.audit()
    assert {e.source for e in stored} == {"storage"}
    known = ("kind", "action", "table", "version", "previous", "cut", "author", "message", "recorded_at")

    def facts(events: list[dc.AuditEvent]) -> list[tuple[object, ...]]:
        return sorted(tuple(getattr(e, name) or "" for name in known) for e in events)  # type: ignore[type-var]

    assert [str(f) for f in facts(list(stored))] == [str(f) for f in facts(in_git)]
    assert [e.at for e in stored] == sorted(e.at for e in stored)
    assert told(study.reader.audit(kind="review", table="ex")) == [("review", "reviewed", "ex", "c1")]
    first = stored[0]
    assert first.commit == study.reader.history("dm")[-1].commit_sha
    with pytest.raises(dc.InvalidInputError, match="kind of event"):
        study.reader.audit(kind="cuts")


def test_what_storage_says_and_git_does_not_is_unexplained(study: dc.Project, store: dc.LocalStore) -> None:
    assert not study.audit(kind=["unexplained", "unreadable"])
    key = "dm/.metadata/version_history.json"
    found = store.get(key)
    entries = json.loads(bytes(found.data))
    forged = {**entries[0], "version": "f" * 64, "commit_message": "Never happened"}
    entries[-1]["author"] = {"name": "Mallory", "email": "m@example.org"}
    store.replace(key, json.dumps([forged, *entries]).encode(), found.etag)
    odd = study.audit(kind="unexplained")
    assert sorted((e.version, e.author.name, e.source) for e in odd) == sorted(
        [("f" * 64, "Grace Hopper", "storage"), (entries[-1]["version"], "Mallory", "storage")]
    )
    assert all(e.detail.startswith("storage says this write (") and e.detail.endswith("git does not") for e in odd)
    assert not study.audit(kind="unexplained", storage=False)
    for damaged in (key, "dm/.metadata/metadata.json", ".metadata/cuts.json", ".metadata/manifest.json"):
        there = store.get(damaged)
        store.replace(damaged, b"{", there.etag)
        bad = [e for e in study.audit(kind="unreadable") if e.files == (damaged,)]
        assert [e.detail[:18] for e in bad] == ["could not be read:"]
        assert study.reader.audit(kind="unreadable")


def test_a_register_tells_of_moves(study: dc.Project, tmp_path: Path) -> None:
    governance = dc.Governance.init(dc.LocalStore(tmp_path / "register"), remote=tmp_path / "g.git", author=ADA)
    member = governance.attach(study)
    assert told(member.audit(kind="attach")) == [("attach", "recorded", None, None)]
    target = dc.LocalStore(tmp_path / "elsewhere")
    dc.migrate(member, target, message="The disk is full")
    moved = dc.Project.open(target, remote=study.remote, governance=governance)
    by_git, by_register = moved.audit(kind="move", governance=governance)
    assert (by_git.source, by_register.source) == ("git", "register")
    assert by_git.detail == f"from {study.store.location} to {target.location}"
    assert by_register.detail.startswith(f"{by_git.detail}; ")
    assert (by_register.message, by_register.author.name) == ("The disk is full", "test@example.org")
    for known in (governance, governance.store):
        assert [e.at for e in moved.reader.audit(kind="move", governance=known)] == [by_register.at]
    with pytest.raises(dc.InvalidInputError, match="governance is the register"):
        moved.reader.audit(governance=7)  # type: ignore[arg-type]


def test_a_table_for_any_program(study: dc.Project, tmp_path: Path) -> None:
    trail = study.audit()
    for name in ("audit.csv", "audit.xlsx", "audit.json"):
        assert dc.write_table(trail.to_arrow(), tmp_path / name, name="audit").rows == len(trail)
    lines = list(csv.DictReader((tmp_path / "audit.csv").read_text().splitlines()))
    assert [line["commit"] for line in lines] == [e.commit for e in trail]
    assert "unknown" in repr(type(trail)([replace(trail[0], author=dc.Author("unknown", ""))]))
