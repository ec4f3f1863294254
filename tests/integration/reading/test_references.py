"""How a person names a table at a state: `lb@2026-02`."""

from __future__ import annotations

import pandas as pd
import pytest

import datom_core as dc


def dm(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"AGE": range(rows)})


@pytest.mark.parametrize(
    ("text", "table", "state"),
    [("lb", "lb", None), ("lb@2026-02", "lb", "2026-02"), ("@lock", None, "lock"), ("lb (v2)@a@b", "lb (v2)", "a@b")],
)
def test_what_is_named(text: str, table: str | None, state: str | None) -> None:
    found = dc.Reference.parse(text)
    assert (found.table, found.state, str(found)) == (table, state, text)


@pytest.mark.parametrize("text", ["", "@", "lb@", "1b@x", "a/b"])
def test_what_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(dc.InvalidInputError):
        dc.Reference.parse(text)


def test_digits_are_of_a_version_or_else_of_a_content_that_one_version_has(project: dc.Project) -> None:
    first = project.write("dm", dm(1))
    second = project.write("dm", dm(2))
    reader = project.reader
    for digits in (first.version[:6], first.data_sha[:6], first.data_sha):
        assert reader.version_at("dm", digits).version == first.version
    project.write("dm", dm(2), custom={"source": "EDC"})
    with pytest.raises(
        dc.InvalidInputError, match=f"the content hash of several versions of dm: .*{second.version[:8]}"
    ):
        reader.version_at("dm", second.data_sha[:8])
    with pytest.raises(dc.NotFoundError, match="no cut of STUDY_001, no version of dm and no date"):
        reader.version_at("dm", "zz")
