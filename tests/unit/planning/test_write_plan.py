"""What a write makes of a project's documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

import datom_core as dc
from datom_core.documents import Origin, Parent
from datom_core.planning import (
    Payload,
    ProjectState,
    TableState,
    TableWrite,
    apply,
    changed_files,
    plan_write,
    repin,
)
from datom_core.writing.document_edits import upgraded
from tests.unit.states import at, current_of, empty, metadata_of, payload_of, sha, stamp, table, with_rows, written

A, B = table("dm", "a"), table("dm", "b", rows=4)
REVIEWED = table("dm", "a", custom={"reviewed": True})


@dataclass(frozen=True)
class Case:
    """Writes that happened, the next one, and what it does.

    Attributes:
        before: the writes, each with its cut.
        write, cut: the next one.
        action, change: what is told of it.
        versions: how many the table has then.
        reinstated: how often the version that is current then became current again.
        recorded: whether the cut has to be recorded.
        nothing: whether there is nothing to commit.
    """

    before: Sequence[tuple[TableWrite, str | None]]
    write: TableWrite
    action: str
    change: str
    cut: str | None = None
    versions: int = 1
    reinstated: int = 0
    recorded: bool = False
    nothing: bool = False


CASES = {
    "created": Case([], A, "created", "first version"),
    "created in a cut": Case([], A, "created", "first version", cut="c1", recorded=True),
    "other content": Case([(A, None)], B, "created", "+1 row", versions=2),
    "the same": Case([(A, None)], A, "unchanged", "same shape", nothing=True),
    "the same in its cut": Case([(A, "c1")], A, "unchanged", "same shape", cut="c1", nothing=True),
    "the same in a new cut": Case([(A, None)], A, "unchanged", "same shape", cut="c1", recorded=True),
    "metadata alone": Case([(A, None)], REVIEWED, "metadata_only", "same shape", versions=2),
    "back to a version": Case([(A, None), (B, None)], A, "created", "-1 row", versions=2, reinstated=1),
    "back to its metadata": Case([(REVIEWED, None), (A, None)], REVIEWED, "metadata_only", "same shape", None, 2, 1),
    "back once more": Case([(A, None), (B, None), (A, None), (B, None)], A, "created", "-1 row", None, 2, 2),
    "an old cut once more": Case([(A, "c1"), (B, "c2")], A, "unchanged", "same shape", "c1", 2, nothing=True),
    "an old cut, new content": Case([(A, "c1"), (B, "c2")], REVIEWED, "created", "-1 row", "c1", 3, recorded=True),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("schema", [1, 2])
def test_what_a_write_does(name: str, schema: int) -> None:
    case, state = CASES[name], empty(schema)
    for minute, (write, cut) in enumerate(case.before):
        state = written(state, write, cut=cut, minute=minute)
    plan = plan_write(state, [case.write], case.cut)
    assert (plan.tables[0].action, str(plan.tables[0].change)) == (case.action, case.change)
    assert (plan.recordings, plan.nothing_new) == (("dm",) if case.recorded else (), case.nothing)

    after = apply(plan, {"dm": payload_of("whatever")}, stamp(30))
    current = current_of(after, "dm")
    assert len(after.table("dm").history) == case.versions == after.manifest.entries["dm"].version_count
    assert len(current.reinstated_at) == case.reinstated
    assert after.manifest.entries["dm"].version == current.version
    if case.cut is not None:
        assert after.cuts[case.cut]["dm"] == plan.tables[0].version
    if case.action != "unchanged":
        assert current.version == plan.tables[0].version
        assert metadata_of(after, "dm").data_sha == case.write.data_sha
    if case.nothing:
        assert changed_files(state, after) == {}


def test_files_that_change() -> None:
    state = empty()
    after = written(state, A, cut="c1")
    documents = {"dm/metadata.json", "dm/version_history.json"}
    assert set(changed_files(state, after)) == {*documents, ".datom/cuts.json", ".datom/manifest.json"}
    assert set(changed_files(after, written(after, table("ae", "e")))) == {
        "ae/metadata.json",
        "ae/version_history.json",
        ".datom/manifest.json",
    }
    assert set(changed_files(after, upgraded(written(empty(1), A), at(9)))) >= {".datom/project.yaml"}


def test_a_cut_alone_changes_the_manifest_too() -> None:
    """It is written last, and so proves that storage has everything."""
    before = written(empty(), A)
    after = written(before, A, cut="c1", minute=5)
    assert set(changed_files(before, after)) == {".datom/cuts.json", ".datom/manifest.json"}
    assert after.manifest.updated_at == at(5)


def test_the_first_time_of_a_version_stays_when_it_comes_back() -> None:
    state = empty()
    for minute, write in enumerate((A, B, A), start=1):
        state = written(state, write, minute=minute)
    current = current_of(state, "dm")
    assert (metadata_of(state, "dm").created_at, current.timestamp, current.reinstated_at) == (at(1), at(1), (at(3),))
    assert [r.message for r in current.reinstatements] == ["why"]


def test_a_revert_by_r_is_written_down_before_it_is_lost() -> None:
    """R notes it in the metadata document alone, which the next write replaces."""
    state = written(written(empty(), A, minute=1), B, minute=2)
    first = metadata_of(written(empty(), A, minute=1), "dm")
    reverted = TableState(first.with_fields(created_at=at(3)), state.table("dm").history)
    after = written(replace(state, tables={"dm": reverted}), B, minute=4)
    assert {v.data_sha: v.reinstated_at for v in after.table("dm").history} == {
        sha("a"): (at(3),),
        sha("b"): (at(4),),
    }


def test_a_project_that_was_upgraded_makes_no_version_of_the_same_data() -> None:
    old = written(empty(1), A)
    new = upgraded(old, at(5))
    plan = plan_write(new, [A])
    assert (plan.nothing_new, plan.tables[0].version) == (True, old.manifest.entries["dm"].version)
    after = written(new, B, minute=6)
    assert metadata_of(after, "dm").raw["schema_version"] == 2
    assert len(after.table("dm").history) == 2


class TestLineage:
    def parent(self, state: ProjectState, **other: Any) -> Parent:
        current = current_of(state, "dm")
        return replace(Parent("STUDY_001", "dm", current.version, current.data_sha), **other)

    def test_parents_make_the_version(self) -> None:
        state = written(empty(), A)
        child = table("adsl", "x", parents=(self.parent(state),))
        after = written(state, child)
        assert [str(p) for p in metadata_of(after, "adsl").parents or ()] == [str(self.parent(state))]
        assert plan_write(after, [table("adsl", "x")]).tables[0].action == "metadata_only"
        assert plan_write(after, [child]).nothing_new

    def test_an_imported_table_is_its_own_source(self) -> None:
        after = written(empty(), table("dm", "a", table_type="imported", origin=Origin(sha("file"), "xpt")))
        metadata, entry = metadata_of(after, "dm"), current_of(after, "dm")
        assert [(s.project, s.table, s.data_sha) for s in metadata.lineage or ()] == [("STUDY_001", "dm", sha("a"))]
        assert (entry.original_file_sha, metadata.raw["original_format"]) == (sha("file"), "xpt")

    @pytest.mark.parametrize("other", [{"version": sha("x")}, {"data_sha": sha("x")}, {"table": "ae"}])
    def test_a_parent_that_is_not_there(self, other: dict[str, str]) -> None:
        state = written(empty(), A)
        with pytest.raises(dc.NotFoundError, match="these parents are not versions in this project"):
            plan_write(state, [table("adsl", "x", parents=(self.parent(state, **other),))])

    def test_a_parent_in_another_project_is_taken_as_it_is(self) -> None:
        parent = Parent("STUDY_002", "dm", sha("v"), sha("d"))
        assert plan_write(empty(), [table("adsl", "x", parents=(parent,))]).tables[0].action == "created"


REFUSED: dict[str, tuple[Callable[[ProjectState], ProjectState], TableWrite, type[dc.DatomError], str]] = {
    "a file": (
        lambda s: replace(s, root_files=frozenset({"NOTES"})),
        table("NOTES", "a"),
        dc.InvalidInputError,
        "file",
    ),
    "a set": (lambda s: with_rows(s, spec={"kind": "set"}), table("spec", "a"), dc.InvalidInputError, "is a set"),
    "a twin": (lambda s: s, table("DM", "a"), dc.InvalidInputError, "differ only in case"),
    "a row of a newer release": (lambda s: with_rows(s, dm={"sealed": True}), A, dc.FormatError, "newer release"),
    "a document of a newer release": (
        lambda s: replace(
            s, tables={"dm": TableState(metadata_of(s, "dm").with_fields(sealed=True), s.table("dm").history)}
        ),
        A,
        dc.FormatError,
        "sealed",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    harm, write, error, said = REFUSED[name]
    with pytest.raises(error, match=said):
        plan_write(harm(written(empty(), A)), [write])


def test_two_tables_of_one_write_that_differ_only_in_case() -> None:
    with pytest.raises(dc.InvalidInputError, match="LB and lb differ only in case"):
        plan_write(empty(), [table("LB", "a"), table("lb", "a")])


def test_a_cut_needs_a_name() -> None:
    with pytest.raises(dc.InvalidInputError):
        plan_write(empty(), [A], " ")


def test_a_payload_that_was_written_anew_is_recorded_wherever_its_content_is() -> None:
    """Of versions that share the content, all name the new bytes; of others, none does."""
    state = written(written(written(empty(), B, minute=1), A, minute=2), REVIEWED, minute=3)
    after = repin(state, "dm", sha("a"), Payload(sha("anew"), 77), at(9))
    assert [(v.data_sha == sha("a"), v.payload_sha == sha("anew")) for v in after.table("dm").history] == [
        (True, True),
        (True, True),
        (False, False),
    ]
    metadata, row = metadata_of(after, "dm"), after.manifest.entries["dm"]
    assert (metadata.payload_sha, metadata.size_bytes, row.size_bytes) == (sha("anew"), 77, 77)
    older = repin(state, "dm", sha("b"), Payload(sha("anew"), 77), at(9))
    assert older.table("dm").metadata == state.table("dm").metadata
    assert older.manifest.entries["dm"].size_bytes == 100
