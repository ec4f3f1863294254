"""The log, a version at one look, and what is up and down of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import datom_core as dc
from datom_core.testing import memory_project


def dm(age: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": ["01", "02"], "AGE": [age, 50]})


@pytest.fixture(scope="module")
def logged() -> Iterator[dc.Project]:
    """dm: 40, 41, 40 again, 42; ae between; each a minute later."""
    with memory_project() as project:
        project.write("dm", dm(40), message="First", cut="a")
        project.write("ae", dm(1), message="Events", author="Bo Å <bo@example.org>")
        project.write("dm", dm(41), message="Slipped", cut="b")
        project.mark_reviewed("b", name="seen")
        project.write("dm", dm(40), message="Back")
        project.write("dm", dm(42), message="Corrected", cut="c")
        yield project


class TestLog:
    def messages(self, logged: dc.Project, *args: Any, **options: Any) -> list[str]:
        return [e.message for e in logged.reader.log(*args, **options)]

    def test_of_a_table_newest_first(self, logged: dc.Project) -> None:
        found = logged.reader.log("dm")
        assert [(e.message, e.reinstated, e.current, e.cuts) for e in found] == [
            ("Corrected", False, True, ("c",)),
            ("Back", True, False, ("a",)),
            ("Slipped", False, False, ("b",)),
            ("First", False, False, ("a",)),
        ]
        assert found[1].version == found[3].version
        assert (found[1].commit_sha, found[3].commit_sha is None) == (None, False)
        assert found[0].recorded_at > found[3].recorded_at

    def test_of_a_study_by_time(self, logged: dc.Project) -> None:
        found = logged.reader.log()
        assert [e.message for e in found] == ["Corrected", "Back", "Slipped", "Events", "First"]
        assert [e.table for e in found] == ["dm", "dm", "dm", "ae", "dm"]
        assert sorted((e.recorded_at for e in found), reverse=True) == [e.recorded_at for e in found]

    def test_up_to_a_state(self, logged: dc.Project) -> None:
        first, second = logged.reader.history("dm")[-1], logged.reader.history("dm")[-2]
        assert self.messages(logged, "dm", "a") == ["First"], "the cut, not the later return of its version"
        assert self.messages(logged, "dm", first) == ["Back", "Slipped", "First"], "the last time it was current"
        assert self.messages(logged, "dm", second.version[:9]) == ["Slipped", "First"]
        for state in ("b", "seen", second.timestamp):
            assert self.messages(logged, "dm", state) == ["Slipped", "First"]
        assert self.messages(logged, None, "seen") == ["Slipped", "First"], "a cut without ae"
        assert self.messages(logged, None, second.timestamp) == ["Slipped", "Events", "First"]
        with pytest.raises(dc.NotFoundError, match="no cut 'd'"):
            logged.reader.log(None, "d")
        with pytest.raises(dc.NotFoundError, match="no table 'dn'"):
            logged.reader.log("dn")

    def test_what_is_asked_for(self, logged: dc.Project) -> None:
        assert self.messages(logged, author="bo å") == ["Events"]
        assert self.messages(logged, author="BO@EXAMPLE") == ["Events"]
        assert self.messages(logged, "dm", grep="SLIP") == ["Slipped"]
        assert self.messages(logged, limit=2) == ["Corrected", "Back"]
        assert self.messages(logged, limit=0) == []
        when = {e.message: e.recorded_at for e in logged.reader.log()}
        assert self.messages(logged, since=when["Events"], until=when["Back"]) == ["Back", "Slipped", "Events"]
        day = when["Events"][:10]
        assert len(self.messages(logged, since=day, until=day)) == 5, "from the day's beginning to its end"
        assert self.messages(logged, since="2999-01-01") == self.messages(logged, until="2000-01-01") == []

    @pytest.mark.parametrize(
        "options",
        [{"limit": -1}, {"limit": "2"}, {"since": "yesterday"}, {"until": 5}, {"author": 5}, {"grep": b"x"}],
        ids=repr,
    )
    def test_what_does_not_fit_is_named(self, logged: dc.Project, options: dict[str, Any]) -> None:
        with pytest.raises(dc.InvalidInputError, match=next(iter(options))):
            logged.reader.log(**options)


class TestDescribe:
    def test_a_version_at_one_look(self, project: dc.Project) -> None:
        labelled = pa.field("AGE", pa.int64(), metadata={"label": "Alter in Jahren (§)"})
        table = pa.table(
            [pa.array(["01", "02", None]).dictionary_encode(), pa.array([1, 2, None])],
            schema=pa.schema([pa.field("SEX", pa.dictionary(pa.int32(), pa.string())), labelled]),
        )
        project.write("dm", table, message="First", cut="a", custom={"source": "EDC"})
        project.mark_reviewed("a", name="seen")
        project.write("dm", dm(40), message="Second")
        found = project.reader.describe("dm", "a", rows=2)
        assert (found.rows, found.current, found.cuts, found.reviews) == (3, False, ("a",), ("seen",))
        assert [(c.name, c.type, c.label) for c in found.columns] == [
            ("SEX", "category", None),
            ("AGE", "int64", "Alter in Jahren (§)"),
        ]
        assert found.head_as_text() == [["01", "1"], ["02", "2"]]
        assert found.head_as_text(1) == [["01"], ["02"]]
        assert found.custom["source"] == "EDC"
        assert found.version.message == "First"
        assert found.size_bytes == project.reader.metadata("dm", cut="a").size_bytes
        assert "Alter in Jahren" in repr(found)
        now = project.reader.describe("dm")
        assert (now.current, now.version.message, now.head.num_rows) == (True, "Second", 2)
        assert project.reader.describe("dm", rows=0).head_as_text() == []

    def test_only_the_first_rows_are_decoded(self, project: dc.Project, monkeypatch: pytest.MonkeyPatch) -> None:
        project.write("lb", pd.DataFrame({"A": range(10)}))
        monkeypatch.setattr("datom_core.tables.parquet._decoded", lambda *_: pytest.fail("it was read whole"))
        assert project.reader.describe("lb", rows=3).head.column("A").to_pylist() == [0, 1, 2]

    def test_bytes_that_were_altered_are_not_shown(self, project: dc.Project) -> None:
        project.write("dm", dm(40))
        key = next(o.key for o in project.store.list() if o.key.endswith(".parquet"))
        stored = project.store.get(key)
        project.store.replace(key, bytes(stored.data[:-1]) + b"x", stored.etag)
        with pytest.raises(dc.IntegrityError):
            project.reader.describe("dm")

    @pytest.mark.parametrize("rows", [-1, True, "5", 1.0])
    def test_a_number_of_rows_is_a_number(self, project: dc.Project, rows: Any) -> None:
        with pytest.raises(dc.InvalidInputError, match="rows is how many"):
            project.reader.describe("dm", rows=rows)


class TestLineage:
    @pytest.fixture
    def project(self, project: dc.Project) -> dc.Project:
        """dm -> adsl -> adae, and ae -> adae; adsl twice."""
        for table in ("dm", "ae"):
            project.write(table, dm(40), table_type="imported")
        project.write("adsl", dm(41), parents=[project.parent("dm")])
        elsewhere = dc.Parent("OTHER", "x", "a" * 64, "b" * 64)
        project.write("adae", dm(42), parents=[project.parent("adsl"), project.parent("ae"), elsewhere])
        return project

    def test_up_through_all_generations(self, project: dc.Project) -> None:
        root = project.reader.upstream("adae")
        assert (root.table, root.known, root.table_type) == ("adae", "read", "derived")
        assert root.parents is not None
        adsl, ae, other = root.parents
        assert [(p.project, p.table, p.known) for p in root.parents] == [
            ("STUDY_001", "adsl", "read"),
            ("STUDY_001", "ae", "read"),
            ("OTHER", "x", "elsewhere"),
        ]
        assert adsl.parents is not None
        assert [(p.table, p.table_type, p.parents) for p in adsl.parents] == [("dm", "imported", None)]
        assert [s.table for s in root.sources or ()] == ["dm", "ae"]
        assert (ae.parents, other.parents, other.sources) == (None, None, None)

    def test_it_is_that_of_the_state(self, project: dc.Project) -> None:
        first = project.reader.resolve("adsl").version
        project.write("dm", dm(60), table_type="imported")
        project.write("adsl", dm(61), parents=[project.parent("dm"), project.parent("ae")])
        assert [p.table for p in project.reader.upstream("adsl").parents or ()] == ["dm", "ae"]
        assert [p.table for p in project.reader.upstream("adsl", first).parents or ()] == ["dm"]

    def test_what_is_told_already_is_not_told_again(self, project: dc.Project) -> None:
        names = ["adsl"]
        for n in range(12):
            both = [project.parent(names[-1]), project.parent(names[max(0, len(names) - 2)])]
            project.write(f"t{n}", dm(100 + n), parents=both)
            names.append(f"t{n}")

        def count(node: dc.LineageNode) -> int:
            return 1 + sum(map(count, node.parents or ()))

        assert count(project.reader.upstream("t11")) < 30, "and not 2 ** 12"

    def test_a_parent_that_storage_lost_is_missing(self, project: dc.Project) -> None:
        version = project.reader.resolve("ae").version
        project.store.delete(f"ae/.metadata/{version}.json")
        found = project.reader.upstream("adae").parents or ()
        assert [p.known for p in found] == ["read", "missing", "elsewhere"]

    def test_down_to_current_versions(self, project: dc.Project) -> None:
        down = project.reader.downstream
        assert [(d.table, d.level) for d in down("dm")] == [("adsl", True)]
        assert down("dm")[0].version == project.reader.resolve("adsl").version
        project.write("dm", dm(70), table_type="imported")
        assert [(d.table, d.level) for d in down("dm")] == [("adsl", False)]
        assert list(down("adae")) == []
        with pytest.raises(dc.NotFoundError, match="Did you mean 'adsl'"):
            down("adsk")


ROW = pa.table(
    {
        "whole": pa.array([12]),
        "real": pa.array([1.5]),
        "flag": pa.array([True]),
        "text": pa.array(["a=b"]),
        "day": pa.array([dt.date(2026, 2, 28)]),
        "time": pa.array([dt.time(10, 30)]),
        "instant": pa.array([dt.datetime(2026, 2, 28, 10, tzinfo=dt.UTC)], pa.timestamp("us", "UTC")),
        "length": pa.array([dt.timedelta(seconds=90)]),
    }
)


@pytest.fixture(scope="module")
def typed() -> Iterator[dc.ProjectReader]:
    with memory_project() as project:
        project.write("t", ROW)
        yield project.reader


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("whole", "12"),
        ("real", "1.50"),
        ("flag", "true"),
        ("text", "a=b"),
        ("day", "2026-02-28"),
        ("time", "10:30"),
        ("instant", "2026-02-28T10:00"),
        ("instant", "2026-02-28T12:00+02:00"),
        *((c, dc.as_text(ROW.column(c))[0]) for c in ROW.column_names),
    ],
)
def test_a_row_is_named_by_text_of_its_columns_types(typed: dc.ProjectReader, column: str, text: str) -> None:
    assert len(typed.row_history("t", {column: text}).cells) == len(ROW.column_names)


@pytest.mark.parametrize("column", [c for c in ROW.column_names if c != "text"])
def test_text_of_another_type_is_refused_with_the_type(typed: dc.ProjectReader, column: str) -> None:
    kind = str(ROW.schema.field(column).type).partition("[")[0]
    with pytest.raises(dc.InvalidInputError, match=rf"{column} holds {kind}.*'soon' is no such value"):
        typed.row_history("t", {column: "soon"})
