"""What a reader tells of changes: between states of a table, and of a study."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import datom_core as dc
from tests.integration.reading.alone import alone


def ae(*rows: tuple[str, int, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["USUBJID", "AESEQ", "AEDECOD", "AESEV"])


FIRST = ae(("s1", 1, "HEADACHE", "MILD"), ("s1", 2, "NAUSEA", "MILD"), ("s2", 1, "RASH", "MILD"))
# A row before the others: the standard's sequence numbers move on, and one severity was corrected.
SECOND = ae(("s1", 1, "COUGH", "MILD"), ("s1", 2, "HEADACHE", "MILD"), ("s1", 3, "NAUSEA", "SEVERE"),
            ("s2", 1, "RASH", "MILD"))  # fmt: skip


def recorded(project: dc.Project) -> dc.Project:
    """Two cuts: ae changes, dm stays, ex goes, and vs comes."""
    dm, ex = pd.DataFrame({"USUBJID": ["s1", "s2"], "AGE": [40, 41]}), pd.DataFrame({"USUBJID": ["s1"], "EXDOSE": [5]})
    project.cut("2026-01", {"ae": FIRST, "dm": dm, "ex": ex}, message="January")
    project.cut(
        "2026-02", {"ae": SECOND, "dm": dm, "vs": ex.rename(columns={"EXDOSE": "VSSTRESN"})}, message="February"
    )
    return project


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> dc.Project:
    """For those who read alone."""
    return recorded(alone(tmp_path_factory.mktemp("study")))


@pytest.fixture
def own_study(project: dc.Project) -> dc.Project:
    """For one who changes something."""
    return recorded(project)


class TestATable:
    def test_by_its_natural_key_a_renumbering_is_no_change(self, study: dc.Project) -> None:
        found = study.reader.changes("ae", "2026-01", "2026-02", natural_keys={"AE": [["USUBJID", "AEDECOD"]]})
        assert (found.key.columns, found.key.source) == (("USUBJID", "AEDECOD"), "domain")
        assert (found.unchanged, found.changed, found.renumbered.num_rows, found.added.num_rows) == (1, 1, 1, 1)
        assert found.cells.select(["AEDECOD", "column", "before", "after"]).to_pylist() == [
            {"AEDECOD": "NAUSEA", "column": "AESEQ", "before": "2", "after": "3"},
            {"AEDECOD": "NAUSEA", "column": "AESEV", "before": "MILD", "after": "SEVERE"},
        ]
        assert found.before is not None
        assert found.after is not None
        assert (found.before.cut, found.after.cut) == ("2026-01", "2026-02")
        assert found.after.version == study.reader.resolve("ae")

    @pytest.mark.parametrize("how", ["digits", "id", "entry", "cut", "time", "text of a time"])
    def test_a_state_is_named_in_any_way(self, study: dc.Project, how: str) -> None:
        old, new = study.reader.history("ae")[::-1]
        assert new.timestamp is not None
        just_before = datetime.fromisoformat(new.timestamp) - timedelta(seconds=1)
        state: Any = {
            "digits": old.version[:8], "id": old.version, "entry": old, "cut": "2026-01", "time": just_before,
            "text of a time": just_before.isoformat(),
        }[how]  # fmt: skip
        found = study.reader.changes("ae", state, key=["USUBJID", "AEDECOD"])
        assert found.before is not None
        assert found.before.version == old
        assert found.before.cut == ("2026-01" if how == "cut" else None)
        assert found.after is not None
        assert found.after.version == new

    def test_a_name_that_is_a_cut_and_begins_a_version(self, own_study: dc.Project) -> None:
        version = own_study.reader.history("ae")[0].version
        own_study.cut(version[:6], {"ae": SECOND})
        with pytest.raises(dc.InvalidInputError, match=r"is the name of a cut, and begins the version .*more digits"):
            own_study.reader.changes("ae", version[:6])
        assert own_study.reader.changes("ae", version[:7]).fate == "unchanged"

    @pytest.mark.parametrize(
        ("state", "error", "said"),
        [
            ("2026-1", dc.NotFoundError, r"no cut of STUDY_001, no version of ae and no date.*Did you mean '2026-01'"),
            ("", dc.NotFoundError, "no cut"),
            ("2020-01-01", dc.NotFoundError, "ae"),
            (datetime(2020, 1, 1, tzinfo=UTC), dc.NotFoundError, "ae"),
        ],
    )  # fmt: skip
    def test_a_state_that_is_none(self, study: dc.Project, state: Any, error: type[Exception], said: str) -> None:
        with pytest.raises(error, match=said):
            study.reader.changes("ae", state)

    def test_no_such_table(self, study: dc.Project) -> None:
        with pytest.raises(dc.NotFoundError, match=r"no table 'aex'.*'ae'"):
            study.reader.changes("aex", "2026-01")

    def test_a_key_that_does_not_fit(self, study: dc.Project) -> None:
        with pytest.raises(dc.InvalidInputError, match=r"'AETERM' is in neither table"):
            study.reader.changes("ae", "2026-01", key=["USUBJID", "AETERM"])

    def test_labels_that_changed_alone(self, project: dc.Project) -> None:
        for label in ("Age", "Age in years"):
            field = pa.field("AGE", pa.int64(), metadata={"label": label})
            project.write("dm", pa.table([pa.array([40])], schema=pa.schema([field])), custom={"label": label})
        old = project.reader.history("dm")[-1]
        found = project.reader.changes("dm", old)
        assert found.fate == "unchanged", "a version of the same content shares its payload, and with it the labels"

    @pytest.mark.parametrize("verify", ["bytes", "content"])
    def test_what_was_tampered_with_is_not_compared(self, own_study: dc.Project, verify: Any) -> None:
        entry = own_study.reader.history("ae")[0]
        key = f"ae/{entry.data_sha}.parquet"
        data = bytes(own_study.store.get(key).data)
        own_study.store.delete(key)
        own_study.store.create(key, bytes([*data[:-20], data[-20] ^ 1, *data[-19:]]))
        with pytest.raises(dc.IntegrityError):
            own_study.reader.changes("ae", "2026-01", verify=verify)

    def test_the_same_by_content(self, study: dc.Project) -> None:
        one, other = (study.reader.changes("ae", "2026-01", verify=v) for v in ("bytes", "content"))
        assert (one.key, one.cells, one.added, one.by_column) == (other.key, other.cells, other.added, other.by_column)


class TestAStudy:
    def test_every_table_and_what_became_of_it(self, study: dc.Project) -> None:
        found = study.reader.changes_between("2026-01", "2026-02")
        assert (found.project, found.before, found.after) == ("STUDY_001", "2026-01", "2026-02")
        assert {t: c.fate for t, c in found.items()} == {
            "ae": "changed", "dm": "unchanged", "ex": "went", "vs": "came",
        }  # fmt: skip
        assert found["ex"].after is None
        assert found["ex"].removed.num_rows == 1
        assert found["vs"].before is None
        assert found["vs"].added.num_rows == 1
        versions = [side.version for c in found.values() for side in (c.before, c.after) if side is not None]
        assert {v.message for v in versions if v is not None} == {"January", "February"}
        assert all(v is not None and v.commit_sha is not None for v in versions)

    def test_to_now_and_from_a_moment(self, study: dc.Project) -> None:
        entry = study.reader.history("ae")[-1]
        assert entry.timestamp is not None
        found = study.reader.changes_between(entry.timestamp)
        assert (found.before, found.after) == (entry.timestamp, "now")
        assert found["ae"].added.num_rows == study.reader.changes_between("2026-01")["ae"].added.num_rows
        assert found["ex"].fate == "unchanged", "nothing is ever gone, but a cut may leave it out"

    def test_only_some_with_a_key_each(self, study: dc.Project) -> None:
        found = study.reader.changes_between("2026-01", tables=["ae"], keys={"ae": ["USUBJID", "AEDECOD"]})
        assert list(found) == ["ae"]
        assert found["ae"].key.source == "given"
        ruled = study.reader.changes_between("2026-01", tables=["ae"], rules={"ae": ["USUBJID", "AESEQ"]})
        assert (ruled["ae"].key.source, ruled["ae"].renumbered.num_rows) == ("rules", 1)

    def test_a_setting_counts_where_the_column_is(self, study: dc.Project) -> None:
        settings = dc.ComparisonSettings(ignore=("AESEV",), masked=("USUBJID", "AGE"))
        found = study.reader.changes_between("2026-01", settings=settings)
        assert found["ae"].by_column.get("AESEV") is None
        assert (found["ae"].settings.ignore, found["ae"].settings.masked) == (("AESEV",), ("USUBJID",))
        assert (found["dm"].settings.ignore, found["dm"].settings.masked) == ((), ("USUBJID", "AGE"))

    @pytest.mark.parametrize(
        ("ask", "said"),
        [
            (lambda r: r.changes_between("2026-1"), "no cut '2026-1', and that is no date. Did you mean '2026-01'"),
            (lambda r: r.changes_between("2026-01", "lock"), "no cut 'lock'"),
            (lambda r: r.changes_between("2020-01-01"), "had no table yet at 2020-01-01"),
            (lambda r: r.changes_between("2026-01", tables=["aex"]), "has a table 'aex'; they have ae.*Did you mean"),
            (lambda r: r.changes_between("2026-01", tables="ae"), r"write \['ae'\]"),
            (lambda r: r.changes_between("2026-01", keys={"xx": ["A"]}), "has a table 'xx'"),
            (lambda r: r.changes_between("2026-01", settings=dc.ComparisonSettings(ignore=("AESER",))), "'AESER'"),
            (lambda r: r.changes_between("2026-01", settings=dc.ComparisonSettings(ignore="AGE")), "in a tuple"),
            (lambda r: r.changes_between("2026-01", settings={"ignore": ["AGE"]}), "settings are a Comparison"),
            (lambda r: r.changes_between("2026-01", tables=5), "tables is a list of names, not 5"),
            (lambda r: r.changes_between("2026-01", keys=["USUBJID"]), "keys is a mapping from table to columns"),
            (lambda r: r.changes_between("2026-01", rules="USUBJID"), "rules is a mapping from table to columns"),
            (lambda r: r.changes_between("2026-01", define="define.xml"), r"define is what keys_of_define\(\) returns"),
            (lambda r: r.changes("ae", "2026-01", define="define.xml"), r"define is what keys_of_define\(\) returns"),
            (lambda r: r.changes("ae", "2026-01", settings="AGE"), "settings are a ComparisonSettings"),
            (lambda r: r.changes("ae", 5), "5 is no state; it may be an entry of history"),
            (lambda r: r.changes("ae", r.history("dm")[0]), "ae has no version .* another table's history"),
            (lambda r: r.changes_between(5), "5 is no state; it may be the name of a cut"),
            (lambda r: r.study(cut=["2026-01"]), "cut is the name of a cut"),
        ],
    )  # fmt: skip
    def test_what_is_refused(self, study: dc.Project, ask: Callable[[Any], Any], said: str) -> None:
        with pytest.raises(dc.DatomError, match=said):
            ask(study.reader)


class TestAStudyAtOneMoment:
    def test_of_a_cut(self, study: dc.Project) -> None:
        found = study.reader.study(cut="2026-01")
        assert (list(found), found.cut, len(found)) == (["ae", "dm", "ex"], "2026-01", 3)
        pd.testing.assert_frame_equal(found["ae"], study.reader.read("ae", cut="2026-01"))
        assert found.read_arrow("ae", ["AESEV"]).column_names == ["AESEV"]
        assert found.versions["ae"] == study.reader.history("ae")[-1]
        assert "vs" not in found

    def test_of_a_moment_and_of_now(self, study: dc.Project) -> None:
        entry = study.reader.history("ae")[-1]
        assert list(study.reader.study(as_of=entry.timestamp)) == ["ae", "dm", "ex"]
        assert sorted(study.reader.study()) == ["ae", "dm", "ex", "vs"]

    def test_nothing_is_read_before_it_is_asked_for(self, own_study: dc.Project) -> None:
        for info in list(own_study.store.list("ae/")):
            if info.key.endswith(".parquet"):
                own_study.store.delete(info.key)
        found = own_study.reader.study(cut="2026-02")
        assert len(found["dm"]) == 2
        with pytest.raises(dc.NotFoundError, match="data of ae"):
            found["ae"]

    def test_what_is_not_there(self, study: dc.Project) -> None:
        found = study.reader.study(cut="2026-01")
        with pytest.raises(KeyError):
            found["vs"]
        with pytest.raises(dc.NotFoundError, match=r"had no table 'aee' at 2026-01\. Did you mean 'ae'"):
            found.read("aee")
        with pytest.raises(dc.InvalidInputError, match="not by both"):
            study.reader.study(cut="2026-01", as_of="2026-01-01")
        with pytest.raises(dc.NotFoundError, match="2026-03"):
            study.reader.study(cut="2026-03")

    def test_two_of_them_are_told_apart_without_reading(self, study: dc.Project) -> None:
        one, other = study.reader.study(), study.reader.study()
        assert one == one
        assert one != other
        assert len({one, other}) == 2
