"""Documents of governance as others wrote them, or will: nothing of theirs is lost, and nothing newer is touched."""

from __future__ import annotations

import json
from typing import Any

import pytest

import datom_core as dc
from datom_core.documents import Events, GovernanceFile, Ref

PLACE = {"type": "s3", "root": "bucket", "prefix": "p"}


def ref(**fields: Any) -> Ref:
    return Ref.from_json(json.dumps({"current": PLACE, **fields}).encode(), "ref.json")


def test_a_newer_schema_is_refused() -> None:
    with pytest.raises(dc.FormatError, match="is of schema 2"):
        ref(schema_version=2)
    note = {"gov_repo_url": "https://example.org/g.git", "gov_storage": PLACE, "schema_version": 2}
    with pytest.raises(dc.FormatError, match="is of schema 2"):
        GovernanceFile.from_json(json.dumps(note).encode(), "governance.json")


@pytest.mark.parametrize("nothing", [None, "", {}, []])
def test_a_place_without_prefix(nothing: object) -> None:
    assert ref(current={**PLACE, "prefix": nothing}).current == dc.Location("s3", "bucket", "", "us-east-1")


@pytest.mark.parametrize("nothing", [None, {}, []])
def test_no_former_place(nothing: object) -> None:
    moved = ref(previous=nothing).moved(dc.Location("local", "/new"), "2026-01-01T00:00:00Z", None)
    assert [f.location.root for f in moved.previous] == ["bucket"]


def test_unknown_fields_survive_a_move() -> None:
    before = ref(current={**PLACE, "owner": "them"}, tier="gold", previous=[{**PLACE, "root": "older", "why": "x"}])
    after = json.loads(before.moved(dc.Location("local", "/new"), "2026-01-01T00:00:00Z", "2027-01-01").to_json())
    assert after["tier"] == "gold"
    assert after["current"] == {"type": "local", "root": "/new"}
    left, older = after["previous"]
    assert (left["owner"], left["migrated_at"], left["sunset_at"]) == ("them", "2026-01-01T00:00:00Z", "2027-01-01")
    assert older == {**PLACE, "root": "older", "why": "x"}


def test_events_of_other_writers_stay_as_they_are() -> None:
    theirs = [{"timestamp": "2025-01-01T00:00:00Z", "actor": "them", "strange": [1, {"a": None}]}]
    events = Events.from_json(json.dumps(theirs).encode(), "migration_history.json")
    after = json.loads(events.with_event("data_migration", "2026-01-01T00:00:00Z", None, {}).to_json())
    assert after[1:] == theirs
    assert [e.at for e in events] == ["2025-01-01T00:00:00Z"]


def test_a_former_place_that_nobody_understands_keeps_nobody_from_the_present() -> None:
    strange = {"type": "gcs", "root": "theirs"}
    read = ref(previous=[strange, {**PLACE, "root": "old", "sunset_date": "2027-01-01"}])
    assert [(f.location.root, f.sunset_at) for f in read.previous] == [("old", "2027-01-01")]
    assert strange in read.moved(dc.Location("local", "/new"), "2026-01-01T00:00:00Z", None).raw["previous"]


@pytest.mark.parametrize("root", ["", " ", "data", "~/data", "./x"])
def test_a_folder_that_would_be_another_one_for_everybody(root: str) -> None:
    with pytest.raises(dc.FormatError, match="absolute path"):
        ref(current={"type": "local", "root": root})
