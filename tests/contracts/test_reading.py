"""What a project's reader promises, over every store and both schemas."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pandas as pd
import pyarrow as pa
import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.contracts.looking import Frame


class TestReading:
    def test_prefix_of_a_version(self, project: dc.Project, dm: Frame) -> None:
        version = project.write("dm", dm(3)).version
        assert len(project.reader.read("dm", version=version[:6])) == 3
        assert len(project.reader.read("dm", version=version[:1])) == 3

    def test_as_of_across_reverts(self, project: dc.Project, dm: Frame, clock: Clock) -> None:
        moments = []
        for n in (3, 4, 3, 5):
            project.write("dm", dm(n))
            moments.append((clock.now, n))
        for moment, n in moments:
            assert len(project.reader.read("dm", as_of=moment)) == n, moment
            assert len(project.reader.read("dm", as_of=moment.isoformat())) == n

    def test_as_of_a_date_is_its_end(self, project: dc.Project, dm: Frame, clock: Clock) -> None:
        clock.now = datetime(2026, 2, 27, 23, 50, tzinfo=UTC)
        project.write("dm", dm(3))
        clock.now = datetime(2026, 2, 28, 23, 50, tzinfo=UTC)
        project.write("dm", dm(4))
        reader = project.reader
        assert [len(reader.read("dm", as_of=d)) for d in ("2026-02-27", "2026-02-28", date(2026, 3, 1))] == [3, 4, 4]
        assert len(reader.read("dm", as_of=datetime(2026, 2, 28, 12, 0))) == 3  # noqa: DTZ001 - naive means UTC
        assert len(reader.read("dm", as_of="2026-02-28T03:00:00+02:00")) == 3
        with pytest.raises(dc.NotFoundError, match="2026-02-26"):
            reader.read("dm", as_of="2026-02-26")

    def test_as_of_does_not_trust_clocks(self, project: dc.Project, dm: Frame, clock: Clock) -> None:
        project.write("dm", dm(3))
        clock.now = datetime(2025, 1, 1, tzinfo=UTC)  # the next writer's clock is a year behind
        project.write("dm", dm(4))
        assert len(project.reader.read("dm", as_of="2026-12-31")) == 4

    def test_selected_columns_in_the_order_asked_for(self, project: dc.Project, dm: Frame) -> None:
        project.write("dm", dm(3))
        assert list(project.reader.read("dm", columns=["SEX", "USUBJID"])) == ["SEX", "USUBJID"]
        assert project.reader.read_arrow("dm", columns=["AGE"]).column_names == ["AGE"]

    def test_text_as_categories_is_the_same_content(self, project: dc.Project, dm: Frame) -> None:
        written = project.write("dm", dm(3).assign(SEX=["F", None, "F"]))
        frame = project.reader.read("dm", categories=True)
        assert (frame["SEX"].dtype, frame["AGE"].dtype) == ("category", pd.Int64Dtype())
        table = project.reader.read_arrow("dm", columns=["SEX"], dictionaries=True)
        assert pa.types.is_dictionary(table["SEX"].type)
        assert table["SEX"].to_pylist() == ["F", None, "F"]
        for again in (frame, project.reader.read_arrow("dm", dictionaries=True)):
            assert project.write("dm", again).action == "unchanged"
        assert dc.hash_table(frame).data_sha == written.data_sha

    def test_missing_values_stay_apart_in_arrow(self, project: dc.Project) -> None:
        table = pa.table({"x": pa.array([1.0, None, float("nan")])})
        project.write("t", table)
        found = project.reader.read_arrow("t")["x"]
        assert (found.null_count, str(found[2].as_py())) == (1, "nan")

    def test_integers_with_missing_values_stay_integers(self, project: dc.Project) -> None:
        project.write("t", pa.table({"x": pa.array([2**53 + 1, None])}))
        frame = project.reader.read("t")
        assert frame["x"].dtype == pd.Int64Dtype()
        assert frame["x"][0] == 2**53 + 1

    def test_list_by_pattern(self, project: dc.Project, dm: Frame) -> None:
        for name in ("dm", "adsl", "adlb"):
            project.write(name, dm(2))
        assert [t.name for t in project.reader.list("ad*")] == ["adsl", "adlb"]

    def test_records_print_as_tables_and_convert(self, project: dc.Project, dm: Frame) -> None:
        project.write("dm", dm(3), message="first\nsecond line")
        text = repr(project.reader.history("dm"))
        assert "first" in text
        assert "second line" not in text
        frame = project.reader.history("dm").to_pandas()
        assert frame["message"][0] == "first\nsecond line"
        assert "dm" in project.reader.list()._repr_html_()
        assert repr(project.reader.list("nope*")) == "(no rows)"
        for thing in (project.reader, project.reader.summary(), project.status(), project.reader.cuts()):
            assert repr(thing)
