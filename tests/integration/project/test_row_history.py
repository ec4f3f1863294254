"""What a project knows of a row beside what a reader knows: the runs, from the commits."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import datom_core as dc
from datom_core.git.cache import CloneCache


def frame(age: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": ["s1", "s2"], "AGE": [age, 7]})


KEY = {"USUBJID": "s1"}


def run(name: str) -> dict[str, str]:
    return {"Dagster-Run": name, "Dagster-Job": "load"}


def test_the_run_of_each_value(project: dc.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    told = "First\n\nDagster-Run: no trailer, as lines follow\n\nThe end."
    project.write("dm", frame(40), message=told, trailers=run("run-1"))
    project.write("dm", frame(41), message="by hand")
    project.write("ae", frame(1), trailers=run("of another table"))
    project.write("dm", frame(40), message="back", trailers=run("run-3"))
    project.cut("c", {"dm": frame(42), "vs": frame(1)}, trailers=run("run-4"))
    asked: list[Any] = []
    real = CloneCache.run
    project.row_history("dm", KEY)  # the history is in the clone from now on

    def counted(self: CloneCache, *args: Any, **kwargs: Any) -> bytes:
        asked.append(args[0])
        return real(self, *args, **kwargs)

    monkeypatch.setattr(CloneCache, "run", counted)
    found = project.row_history("dm", KEY)
    assert asked.count("rev-list") == 1
    assert len(asked) <= 2, asked
    ages = found.of("AGE")
    assert [(c.value, c.run) for c in ages] == [("40", "run-1"), ("41", None), ("40", "run-3"), ("42", "run-4")]
    plain = project.reader.row_history("dm", KEY).of("AGE")
    assert [c.run for c in plain] == [None] * 4
    assert [c.commit_sha for c in plain[:2]] == [c.commit_sha for c in ages[:2]]
    assert (plain[2].commit_sha, len(ages[2].commit_sha or "")) == (None, 40), "git knows who set it back"
    with pytest.raises(dc.NotFoundError, match="no table 'dn'"):
        project.row_history("dn", KEY)
