"""Every value that a row's cells ever had."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import datom_core as dc
from tests.integration.reading.alone import alone


def lb(value: float | None, unit: str = "g/L", *, more: bool = False) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"USUBJID": ["s1", "s2"], "LBSEQ": [1, 1], "LBSTRESN": [value, 7.0], "LBSTRESU": [unit, "g/L"]}
    )
    return frame.assign(LBNRIND=["HIGH", "LOW"]) if more else frame


KEY = {"USUBJID": "s1", "LBSEQ": 1}


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> dc.Project:
    project = alone(tmp_path_factory.mktemp("followed"))
    project.write("lb", lb(5.0), message="First", cut="2026-01")
    project.write("lb", lb(50.0), message="Slipped", cut="2026-02")
    project.write("lb", lb(5.0), message="Back", cut="2026-03")
    project.write("lb", lb(5.0, more=True), message="Flagged")
    project.write("lb", lb(5.0, more=True).iloc[1:], message="Withdrawn")
    return project


def test_each_value_with_who_when_and_why(followed: dc.Project) -> None:
    found = followed.reader.row_history("lb", KEY)
    assert [(c.value, c.present, c.message, c.cuts) for c in found.of("LBSTRESN")] == [
        ("5", True, "First", ("2026-01", "2026-03")),
        ("50", True, "Slipped", ("2026-02",)),
        ("5", True, "Back", ("2026-01", "2026-03")),
        (None, False, "Withdrawn", ()),
    ]
    first, slipped, back, _ = found.of("LBSTRESN")
    assert (first.version, first.typed) == (back.version, 5.0)
    assert first.recorded_at < slipped.recorded_at < back.recorded_at
    assert slipped.author == dc.Author("Test Author", "test@example.org")
    assert slipped.commit_sha == followed.reader.resolve("lb", cut="2026-02").commit_sha
    assert back.commit_sha is None, "storage only knows the commit that recorded it first"
    assert found.versions == 5


def test_columns_that_come_later(followed: dc.Project) -> None:
    found = followed.reader.row_history("lb", KEY)
    assert [(c.value, c.message) for c in found.of("LBNRIND")] == [("HIGH", "Flagged"), (None, "Withdrawn")]
    assert [c.column for c in found.cells] == sorted(
        (c.column for c in found.cells), key=["USUBJID", "LBSEQ", "LBSTRESN", "LBSTRESU", "LBNRIND"].index
    )
    assert "LBSTRESN" in repr(found)
    with pytest.raises(dc.NotFoundError, match=r"never had a column 'LBNRIN'.*'LBNRIND'"):
        found.of("LBNRIN")


def test_a_content_that_was_current_twice_is_read_once(followed: dc.Project) -> None:
    reader, read = followed.reader, []
    real = reader.read_arrow

    def counted(table: str, version: Any, **options: Any) -> pa.Table:
        read.append(version.data_sha)
        return real(table, version, **options)

    reader.read_arrow = counted  # type: ignore[method-assign,assignment]
    reader.row_history("lb", KEY)
    assert len(read) == len(set(read)) == 4


def test_a_missing_value_is_a_value(project: dc.Project) -> None:
    project.write("lb", lb(None))
    project.write("lb", lb(1.0))
    found = project.reader.row_history("lb", {"USUBJID": "s1"})
    assert [(c.value, c.present) for c in found.of("LBSTRESN")] == [(None, True), ("1", True)]
    assert len(project.reader.row_history("lb", {"LBSTRESN": None}).cells) == 8, "there, and then no longer"


@pytest.mark.parametrize(
    ("key", "error", "said"),
    [
        ({}, dc.InvalidInputError, "key says which row"),
        ("s1", dc.InvalidInputError, "key says which row"),
        ({"LBSEQ": 1}, dc.InvalidInputError, r"2 rows of lb@\w{8} have this key; name more of the columns"),
        ({"LBSEQ": "one"}, dc.InvalidInputError, "LBSEQ holds int64; 'one' is no such value"),
        ({"USUBJID": "s9"}, dc.NotFoundError, "No version of lb has a row with USUBJID='s9'"),
        ({"SUBJID": "s1"}, dc.NotFoundError, "has a column 'SUBJID'.*'USUBJID'"),
    ],
)
def test_what_is_no_row(followed: dc.Project, key: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        followed.reader.row_history("lb", key)


def test_categories_dates_and_far_times(project: dc.Project) -> None:
    data = pa.table(
        {
            "USUBJID": pa.array(["s1", "s2"]).dictionary_encode(),
            "DTHDT": pa.array([0, 1], pa.date32()),
            "FAR": pa.array([-(10**17), 0], pa.timestamp("us")),
        }
    )
    project.write("dm", data)
    found = project.reader.row_history("dm", {"USUBJID": "s1"})
    assert [(c.column, c.value) for c in found.cells][:2] == [("USUBJID", "s1"), ("DTHDT", "1970-01-01")]
    assert found.of("FAR")[0].value is not None


def test_a_column_of_the_key_whose_type_changed(project: dc.Project) -> None:
    for number, site in enumerate((1, "1", "01-1")):
        project.write("dm", pa.table({"SUBJID": [site], "AGE": [40 + number]}))
    found = project.reader.row_history("dm", {"SUBJID": "01-1"})
    assert [(c.value, c.present) for c in found.of("AGE")] == [("42", True)]
    assert [c.value for c in project.reader.row_history("dm", {"SUBJID": 1}).of("AGE")] == ["40", "41", None]


@pytest.mark.parametrize("key", [{"LBSEQ": 2**70}, {"USUBJID": 2**70}, {"LBSEQ": 1.5}, {"LBSEQ": object()}])
def test_a_value_that_no_version_can_hold(followed: dc.Project, key: Any) -> None:
    with pytest.raises(dc.InvalidInputError, match="is no such value"):
        followed.reader.row_history("lb", key)


@pytest.mark.parametrize("missing", [math.nan, np.float64("nan"), pd.NA, None], ids=str)
def test_a_missing_number_as_a_frame_shows_it(project: dc.Project, missing: Any) -> None:
    project.write("lb", lb(None))
    found = project.reader.row_history("lb", {"USUBJID": "s1", "LBSEQ": np.int64(1), "LBSTRESN": missing})
    assert [c.value for c in found.of("LBSTRESU")] == ["g/L"]
    project.write("lb", pa.table({"K": [1, 2], "V": [math.nan, 1.0]}))
    asked = project.reader.row_history
    assert asked("lb", {"V": math.nan}).of("K")[0].value == "1"
    with pytest.raises(dc.NotFoundError):
        asked("lb", {"V": None})


def test_what_was_recorded_within_one_second_keeps_its_order(store: dc.LocalStore, remote: Path) -> None:
    project = dc.Project.init("STUDY_001", store, remote=remote, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    for value, why in ((5.0, "First"), (50.0, "Slipped"), (5.0, "Back")):
        project.write("lb", lb(value), message=why)
    cells = project.reader.row_history("lb", KEY).of("LBSTRESN")
    assert [(c.value, c.message, c.commit_sha is None) for c in cells] == [
        ("5", "First", False),
        ("50", "Slipped", False),
        ("5", "Back", True),
    ]


def test_a_version_that_r_reverted_to_is_the_last_one_and_still_the_first(project: dc.Project, store: Any) -> None:
    project.write("lb", lb(5.0), message="First")
    project.write("lb", lb(50.0), message="Slipped")
    first = project.reader.history("lb")[-1]
    pointer = "lb/.metadata/metadata.json"
    old = json.loads(store.get(f"lb/.metadata/{first.version}.json").data)
    later = "2099-01-01T00:00:00Z"
    store.replace(pointer, json.dumps(old | {"created_at": later}).encode(), store.get(pointer).etag)
    reader = dc.ProjectReader.open(store, "STUDY_001")
    assert [(c.value, c.message, c.author.name, c.recorded_at) for c in reader.row_history("lb", KEY).of("LBSTRESN")][
        1:
    ] == [("50", "Slipped", "Test Author", reader.history("lb")[0].timestamp), ("5", "", "unknown", later)]
    assert reader.resolve("lb", as_of=first.timestamp) == first
    assert reader.study(as_of=later).versions["lb"] == first
