"""A study of a thousand tables, one of a thousand columns, names that need quoting: what a verb asks of storage."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import pytest

import datom_core as dc
from datom_core.documents.recording import Recording
from tests.command.conftest import Datom
from tests.long import LONG

pytestmark = pytest.mark.xdist_group("command-many")

FEW, MANY = 3, 1000 if LONG else 40  # a thousand take seconds to make, and are asked for in one way
WIDE, NAMED = "wide", "lb results (v2)"


def make(folder: Path, tables: int) -> Path:
    """A study of small tables, in one commit; two of them are odd."""
    project = dc.Project.init(
        "S",
        dc.LocalStore(folder / "data"),
        remote=folder / "history.git",
        author="Ada Müller <ada@example.org>",
        cache_dir=folder / "cache",
    )
    frames = {f"t{n:04d}": pd.DataFrame({"USUBJID": ["01"], "N": [n]}) for n in range(tables - 2)}
    frames[WIDE] = pd.DataFrame({f"COLUMN {n} (ÄÖ)": [n] for n in range(1000)})
    frames[NAMED] = pd.DataFrame({"USUBJID": ["01", "02"], "LBTEST (µmol/l)": ["Größe", "温度"]})
    project.cut("2026-01", frames, message="Über 1,000 Tabellen")
    frames[NAMED].loc[0, "LBTEST (µmol/l)"] = "Größer"
    project.cut("2026-02", {NAMED: frames[NAMED]}, message="Nachtrag")
    (folder / "datom.toml").write_text('project = "S"\nremote = "history.git"\nstorage.path = "data"\n')
    return folder


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """By how many tables they have."""
    return {tables: make(tmp_path_factory.mktemp(f"tables-{tables}"), tables) for tables in (FEW, MANY)}


@contextmanager
def counted() -> Iterator[list[str]]:
    """What is asked of storage in the block."""
    asked: list[str] = []

    def spied(name: str) -> Any:
        real = getattr(dc.LocalStore, name)

        def call(store: dc.LocalStore, key: str = "") -> object:
            asked.append(f"{name} {key}")
            return real(store, key)

        return mock.patch.object(dc.LocalStore, name, call)

    with ExitStack() as stack:
        for name in ("get", "head", "list"):
            stack.enter_context(spied(name))
        yield asked


@pytest.mark.parametrize(
    ("call", "most"),
    [
        (["list"], 3),
        (["list", "lb*"], 3),
        (["status", "--offline"], 4),
        (["cuts"], 3),
        (["log", NAMED], 5),
        (["show", NAMED], 8),
        (["show", f"{NAMED}@2026-01"], 12),
        (["show", WIDE], 8),
        (["read", f"{NAMED}@2026-01"], 9),
        (["history", NAMED, "USUBJID=01", "--offline"], 7),
        (["lineage", NAMED], 6),
        (["verify", NAMED], 13),
        (["diff", "2026-01", "2026-02", NAMED], 15),
    ],
)
def test_what_is_asked_does_not_grow_with_the_study(
    datom: Datom, studies: dict[int, Path], monkeypatch: pytest.MonkeyPatch, call: list[str], most: int
) -> None:
    found = {}
    for tables, folder in studies.items():
        monkeypatch.chdir(folder)
        with counted() as asked:
            ran = datom(*call)
        assert (ran.code, ran.err) == (int(call[0] == "diff"), "")
        found[tables] = len(asked)
    assert found[MANY] == found[FEW] <= most, asked


def test_every_table_and_column_is_there(
    datom: Datom, studies: dict[int, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(studies[MANY])
    assert len(datom("list", "--json").json()["tables"]) == MANY
    assert len(datom("list").out.splitlines()) == MANY + 1
    assert len(datom("show", "@2026-01", "--json").json()["tables"]) == MANY
    assert len(datom("log", "--json").json()["entries"]) == MANY + 1
    assert len(datom("log", "--oneline", "-n", "7").out.splitlines()) == 7
    assert datom("verify", "--json").json()["tables"] == MANY
    assert datom("diff", "2026-01", "2026-02", "--stat").out.splitlines()[-1].split()[:3] == [
        "all",
        f"{MANY:,}",
        "tables",
    ]
    assert datom("cut", "2026-03", "--dry-run", "--json").json()["versions"].keys() >= {WIDE, NAMED, "t0000"}
    assert datom("export", "@2026-01", tmp_path / "out", "--as", "csv").code == 0
    assert len(list((tmp_path / "out").glob("*.csv"))) == MANY
    shown = datom("show", WIDE, "--json").json()
    assert [c["name"] for c in shown["columns"]] == [f"COLUMN {n} (ÄÖ)" for n in range(1000)]
    (row,) = csv.DictReader(io.StringIO(datom("read", WIDE).out))
    assert (len(row), row["COLUMN 999 (ÄÖ)"]) == (1000, "999")
    assert len(datom("history", WIDE, "COLUMN 0 (ÄÖ)=0", "--json").json()["cells"]) == 1000
    assert datom("history", WIDE, "COLUMN 0 (ÄÖ)=0", "-c", "COLUMN 7 (ÄÖ)").out.splitlines()[1].split()[-1] == "2026-01"


def test_names_with_blanks_and_texts_of_any_script(
    datom: Datom, studies: dict[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(studies[FEW])
    before, now = (datom("read", f"{NAMED}{state}").out for state in ("@2026-01", ""))
    assert before == "USUBJID,LBTEST (µmol/l)\n01,Größe\n02,温度\n"
    assert now == before.replace("Größe", "Größer")
    changed = datom("diff", "2026-01", "2026-02", NAMED)
    assert all(word in changed.out for word in (NAMED, "LBTEST (µmol/l)", "Größe", "Größer"))
    told = datom("history", NAMED, "USUBJID=01", "-c", "LBTEST (µmol/l)", "--json").json()["cells"]
    assert [(c["value"], c["message"]) for c in told] == [("Größe", "Über 1,000 Tabellen"), ("Größer", "Nachtrag")]
    missed = datom("show", NAMED.replace("(v2)", "(v3)"))
    assert (missed.code, f"Did you mean {NAMED!r}?" in missed.err) == (3, True)


def test_a_cut_of_all_tables_reads_each_recording_a_few_times(
    datom: Datom, studies: dict[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(studies[MANY])
    with mock.patch.object(Recording, "from_document", side_effect=Recording.from_document) as read:
        assert datom("cut", "2026-03", "--dry-run").code == 0
    assert read.call_count < 10 * MANY, "not a number that grows with the square"
