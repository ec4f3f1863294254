"""What storage should hold, given what git holds and what storage holds now."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

import datom_core as dc
from datom_core.common import names
from datom_core.documents import GovernanceFile, History, Manifest, Metadata, ReviewMove
from datom_core.planning import (
    Payload,
    StorageView,
    TableState,
    lagging_tables,
    least_sizes,
    lost_versions,
    nothing_there,
    payload_key,
    pinned_payloads,
    projected_lists,
    read_snapshot,
    readers_know,
    repin,
    same_cuts,
    same_lists,
    same_snapshot,
    same_table,
    snapshot_document,
    snapshot_fault,
    versions_to_snapshot,
)
from datom_core.writing.document_edits import upgraded
from tests.unit.states import (
    BEFORE,
    PLACE,
    TIP,
    WHO,
    at,
    current_of,
    documents_of,
    empty,
    metadata_of,
    seen,
    sha,
    table,
    written,
)

LEVEL = documents_of(TIP)

#: What storage holds -> whether dm's documents, the manifest, and the cuts say what git says.
REVIEW = ReviewMove({"dm": sha("x")}, at(3), WHO, "looked at")
SEEN: dict[str, tuple[dict[str, bytes], tuple[bool, bool, bool]]] = {
    "all": (LEVEL, (True, True, True)),
    "nothing": ({}, (False, False, False)),
    "what was before": (documents_of(BEFORE), (False, False, False)),
    "no pointer": ({k: v for k, v in LEVEL.items() if k != names.pointer("dm")}, (False, True, True)),
    "a damaged pointer": ({**LEVEL, names.pointer("dm"): b"{"}, (False, True, True)),
    "an old history": (
        {**LEVEL, names.history("dm"): documents_of(BEFORE)[names.history("dm")]},
        (False, True, True),
    ),
    "a damaged history": ({**LEVEL, names.history("dm"): b""}, (False, True, True)),
    "a damaged manifest": ({**LEVEL, names.MANIFEST_KEY: b"[]"}, (True, False, True)),
    "damaged cuts": ({**LEVEL, names.CUTS_KEY: b"["}, (True, True, False)),
    "a review that git has not": (
        {**LEVEL, names.CUTS_KEY: TIP.cuts.with_review("mine", REVIEW).to_json()},
        (True, True, False),
    ),
    "another layout": (
        {key: json.dumps(json.loads(data), indent=None).encode() for key, data in LEVEL.items()},
        (True, True, True),
    ),
    "commits in the history": (
        {**LEVEL, names.history("dm"): TIP.table("dm").history.with_commits({sha("x"): "c" * 40}).to_json()},
        (True, True, True),
    ),
}


@pytest.mark.parametrize("name", SEEN)
def test_whether_storage_is_level(name: str) -> None:
    documents, expected = SEEN[name]
    view = seen(documents)
    assert (
        same_table(TIP.table("dm"), view, "dm"),
        same_lists(TIP, view, cuts=False),
        same_cuts(TIP.cuts, view),
    ) == expected
    assert same_lists(TIP, view) == (expected[1] and expected[2])


def test_where_there_never_was_a_cut_there_is_no_document() -> None:
    state = written(empty(), table("dm", "a"))
    assert same_lists(state, seen(documents_of(state)))
    assert not same_lists(state, seen({**documents_of(state), names.CUTS_KEY: TIP.cuts.to_json()}))


NEWER = {
    names.MANIFEST_KEY: {"schema_version": 3},
    names.CUTS_KEY: {"schema_version": 2, "cuts": {}},
    names.LINE_KEY: {"schema_version": 2},
    names.pointer("dm"): {"schema_version": 3},
}


@pytest.mark.parametrize("key", NEWER)
def test_what_a_newer_release_wrote_is_never_taken_for_damage(key: str) -> None:
    view = seen({**LEVEL, key: json.dumps(NEWER[key]).encode()})
    with pytest.raises(dc.FormatError, match="schema"):
        view.refuse_newer()


def test_a_view_parses_what_git_has_whole_and_passes_over_damage() -> None:
    view = seen(dict.fromkeys(LEVEL, b"{"))
    view.refuse_newer()
    found = (view.manifest(), view.cuts(), view.line(), view.pointer("dm"), view.history("dm"), view.governance())
    assert found == (None,) * 6
    register = GovernanceFile.new("gov.git", PLACE, at(0))
    assert seen({names.GOVERNANCE_KEY: register.to_json()}).governance() == register


class TestWaiting:
    """Tables whose payload is not there yet: their readers keep what they have."""

    def test_the_row_and_the_cut_stay_as_they_are(self) -> None:
        view = seen(documents_of(BEFORE))
        shown = projected_lists(TIP, view, ["dm"])
        assert shown.manifest.rows() == BEFORE.manifest.rows()
        assert list(shown.cuts) == ["c1"]
        assert projected_lists(TIP, view, ["ae"]).manifest.rows() == TIP.manifest.rows()
        assert projected_lists(TIP, view, []) is TIP

    def test_a_table_that_storage_never_heard_of_is_not_listed(self) -> None:
        shown = projected_lists(TIP, seen({}), ["dm"])
        assert (list(shown.manifest.rows()), list(shown.cuts["c1"])) == (["ae"], ["ae"])
        assert list(shown.cuts) == ["c1"]

    def test_a_row_of_schema_1_is_kept_in_that_of_the_project(self) -> None:
        old = written(empty(1), table("dm", "a"))
        new = written(upgraded(old, at(2)), table("dm", "b"), minute=3)
        kept = projected_lists(new, seen(documents_of(old)), ["dm"]).manifest
        assert (kept.schema, kept.rows()["dm"]) == (2, {"kind": "table", **old.manifest.rows()["dm"]})

    def test_readers_know_the_content_that_the_pointer_names(self) -> None:
        dm = TIP.table("dm")
        assert readers_know("dm", dm, seen(LEVEL))
        assert not readers_know("dm", dm, seen(documents_of(BEFORE)))
        assert not readers_know("dm", dm, seen({}))


LAGGING: dict[str, tuple[Manifest | None, list[str]]] = {
    "nothing there": (None, ["dm", "ae"]),
    "level": (TIP.manifest, []),
    "a table behind": (BEFORE.manifest, ["dm"]),
    "a table unknown": (written(empty(), table("dm", "b", rows=4), minute=2).manifest, ["dm", "ae"]),
}


@pytest.mark.parametrize("name", LAGGING)
def test_which_tables_lag_behind(name: str) -> None:
    stored, expected = LAGGING[name]
    assert lagging_tables(TIP.manifest, stored) == expected


def test_a_manifest_of_schema_1_that_says_the_same_does_not_lag() -> None:
    old = written(empty(1), table("dm", "a"))
    assert lagging_tables(upgraded(old, at(1)).manifest, old.manifest) == []


def test_payloads_that_versions_name() -> None:
    state = written(TIP, table("dm", "a", custom={"n": 1}), minute=3)
    of_a = pinned_payloads(state)[names.payload("dm", sha("a"))]
    assert (of_a.table, len(of_a.versions), of_a.sha256) == ("dm", 2, sha(f"the bytes of {sha('a')}"))
    assert set(pinned_payloads(state)) == {
        names.payload("dm", sha("a")),
        names.payload("dm", sha("b")),
        names.payload("ae", sha("e")),
    }
    lost = lost_versions(state, [names.payload("dm", sha("b")), names.payload("ae", sha("e"))])
    assert lost == sorted(f"dm@{version[:8]}" for version in of_a.versions)


def test_the_payload_of_a_set_is_a_document() -> None:
    metadata = Metadata.from_document({"schema_version": 2, "kind": "set", "data_sha": sha("s")}, "here")
    assert payload_key("spec", metadata) == names.set_payload("spec", sha("s"))
    assert payload_key("dm", metadata_of(TIP, "dm")) == names.payload("dm", sha("b"))


def test_no_layout_of_a_document_is_shorter_than_its_least_size() -> None:
    dm = TIP.table("dm")
    least = least_sizes("dm", dm)
    assert set(least) == {names.history("dm"), names.snapshot("dm", current_of(TIP, "dm").version)}
    assert 0 < least[names.history("dm")] <= len(dm.history.to_json())


#: What is done to a snapshot -> what is told of it.
FAULTS: dict[str, tuple[Callable[[Metadata], Metadata | None], str | None]] = {
    "none": (lambda m: m, None),
    "unreadable": (lambda m: None, "cannot be read"),
    "another content": (lambda m: metadata_of(BEFORE, "dm"), f"describes the content {sha('a')[:8]}"),
    "another payload": (lambda m: m.with_fields(parquet_sha=sha("x")), "another SHA-256"),
    "no payload": (lambda m: m.with_fields(parquet_sha=None), None),
    "another version": (lambda m: m.with_fields(custom={"n": 1}), "describes the version"),
    "a later clock": (lambda m: m.with_fields(created_at=at(59)), None),
}


class TestSnapshots:
    def stored(self, **fields: object) -> Metadata:
        return metadata_of(TIP, "dm").with_fields(**fields)

    def test_which_may_be_lacking(self) -> None:
        dm, before = TIP.table("dm"), BEFORE.table("dm").history
        everything = {v.version for v in dm.history}
        assert versions_to_snapshot(dm, None) == everything
        assert versions_to_snapshot(dm, History()) == everything
        assert versions_to_snapshot(dm, before) == {current_of(TIP, "dm").version}
        assert versions_to_snapshot(dm, dm.history) == set()
        anew = repin(TIP, "dm", sha("a"), Payload(sha("anew"), 1), at(3)).table("dm")
        assert versions_to_snapshot(anew, dm.history) == {current_of(BEFORE, "dm").version}

    def test_it_names_the_payload_that_holds_today(self) -> None:
        anew = repin(TIP, "dm", sha("b"), Payload(sha("anew"), 1), at(3)).table("dm")
        assert snapshot_document(self.stored(), anew).payload_sha == sha("anew")
        assert snapshot_document(self.stored(), TIP.table("dm")) == self.stored()
        unrecorded = self.stored(parquet_sha=None)
        assert snapshot_document(unrecorded, anew) is unrecorded

    @pytest.mark.parametrize("name", FAULTS)
    def test_what_is_wrong_with_one(self, name: str) -> None:
        harm, said = FAULTS[name]
        fault = snapshot_fault(harm(self.stored()), current_of(TIP, "dm"), TIP.table("dm").history)
        assert fault is None if said is None else said in str(fault)

    def test_the_first_one_stays_whatever_a_later_clock_would_write(self) -> None:
        assert same_snapshot(self.stored(created_at=at(59), datom_version="py-9"), self.stored())
        assert not same_snapshot(self.stored(custom={"n": 1}), self.stored())
        assert not same_snapshot(self.stored(parquet_sha=sha("x")), self.stored())

    def test_reading(self) -> None:
        assert read_snapshot(self.stored().to_json(), "key") == self.stored()
        assert read_snapshot(b"{", "key") is None
        with pytest.raises(dc.FormatError, match="schema"):
            read_snapshot(b'{"schema_version": 3}', "key")


def test_an_empty_store_is_named_with_what_to_look_at() -> None:
    error = nothing_there(TIP, PLACE)
    assert isinstance(error, dc.NotFoundError)
    assert "local:/data holds nothing of STUDY_001, which has 2 tables" in str(error)


def test_a_table_without_documents_is_level() -> None:
    assert same_table(TableState(), StorageView({}), "vs")
