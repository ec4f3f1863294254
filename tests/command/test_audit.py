"""`datom audit`: for a person, in JSON and as files; from git, or from storage, and it says which."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pyarrow.csv as pacsv

import datom_core as dc
from tests.command.conftest import Datom, Study


def test_for_a_person_and_for_a_script(datom: Datom, in_shared_study: Study) -> None:
    ran = datom("audit")
    assert (ran.code, ran.err) == (0, "From git, compared with storage.\n")
    lines = ran.out.splitlines()
    assert lines[0].split() == ["when", "what", "table", "version", "cut", "author", "message", "detail"]
    assert "project created" in lines[1]
    (cut,) = [line for line in lines if "cut recorded" in line and "2026-02 " in line]
    assert "dm, lb results (v2)" in cut, "what it did to several tables is a line"
    answer = datom("audit", "--kind", "cut", "--cut", "2026-02", "--json").json()
    assert (answer["source"], answer["findings"]) == ("git", 0)
    assert sorted(e["table"] for e in answer["events"]) == ["dm", "lb results (v2)"], "and a row for each"
    assert {e["author"] for e in answer["events"]} == {"Ada Müller <ada@example.org>"}
    assert all(e["committer"] for e in answer["events"]), "the machine that wrote it"


def test_from_storage_it_says_so(datom: Datom, in_shared_study: Study) -> None:
    ran = datom("audit", "--offline", "--json")
    assert ran.err.startswith("From storage, as asked.")
    stored, in_git = ran.json(), datom("audit", "--json").json()
    kinds = ("write", "cut", "review")
    assert stored["source"] == "storage"
    assert len(stored["events"]) == len([e for e in in_git["events"] if e["kind"] in kinds])


def test_a_file_has_all_of_it(datom: Datom, in_shared_study: Study, tmp_path: Path) -> None:
    file = tmp_path / "audit.csv"
    for _ in range(2):  # which is replaced
        ran = datom("audit", "-o", str(file), "--table", "dm")
        assert (ran.code, ran.out) == (0, f"{file}\n")
    table = pacsv.read_csv(file)
    assert set(table.column("table").to_pylist()) == {"dm"}
    assert set(table.column("source").to_pylist()) == {"git"}
    none = datom("audit", "-o", str(tmp_path / "none.csv"), "--table", "no")
    assert "No event fits" in none.err
    assert not (tmp_path / "none.csv").exists()
    bad = datom("audit", "--kind", "cuts")
    assert (bad.code, "Did you mean 'cut'?" in bad.err) == (2, True)


def test_findings_are_exit_code_1(datom: Datom, study: Study) -> None:
    clone = study.folder / "clone"
    subprocess.run(["git", "clone", "-q", study.folder / "history.git", clone], check=True, capture_output=True)
    history = clone / "dm/version_history.json"
    history.write_text(json.dumps(json.loads(history.read_text())[1:]))
    for words in (["commit", "-qam", "Tidy up"], ["push", "-q"]):
        subprocess.run(["git", "-C", clone, *words], check=True, capture_output=True)
    ran = datom("audit", "--kind", "alteration", "--json")
    assert (ran.code, ran.json()["findings"]) == (1, 1)
    assert "alteration removed" in datom("audit").out


def test_holds_of_a_cut(datom: Datom, in_shared_study: Study) -> None:
    told = datom("cuts", "2026-01", "--holds")
    assert (
        told.out.splitlines()[-1]
        == f"{dc.LocalStore('data').location} knows no legal holds; a bucket with object lock does."
    )
    assert "knows no legal holds" in datom("cuts", "2026-01", "--holds", "--json").json()["hold"]
    assert datom("cuts", "--holds").code == 2
