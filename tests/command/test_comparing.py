"""What `datom diff` and `datom report` say, and to whom."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest

import datom_core as dc
from tests.command.conftest import Datom, Study


def changes(out: str) -> Any:
    found = json.loads(out)
    jsonschema.validate(found, dc.report_schema())
    return found


def test_a_study_from_cut_to_cut(datom: Datom, in_shared_study: Study) -> None:
    ran = datom("diff", "2026-01", "2026-02")
    assert (ran.code, ran.err) == (1, "")
    lines = ran.out.splitlines()
    assert lines[0] == "STUDY_001: from 2026-01 to 2026-02"
    assert [line.split()[:3] for line in lines[2:5]] == [
        ["dm", "changed", "3"],
        ["lb", "results", "(v2)"],
        ["all", "2", "tables"],
    ]
    assert "USUBJID  column  before  after" in lines
    assert "01-002   AGE     71      72" in lines
    assert "key            USUBJID (a natural key of the domain). The key USUBJID is natural for DM" in ran.out
    assert "+ Added rows: 2 rows" in lines


def test_the_same_is_0_and_what_differs_is_1(datom: Datom, in_shared_study: Study) -> None:
    same = datom("diff", "2026-02")
    assert (same.code, same.out.splitlines()[:2]) == (0, ["STUDY_001: from 2026-02 to now", "Nothing changed."])
    assert datom("diff", "2026-01").code == 1
    assert datom("diff", "2026-01", "2026-02", "dm", "--ignore", "AGE").code == 0
    assert datom("diff", "2026-01", "2026-02", "dm", "--absolute", "AGE=1").code == 0
    assert datom("diff", "2026-01", "2026-02", "dm", "--relative", "AGE=0.001").code == 1


def test_a_state_is_named_in_any_way(datom: Datom, in_shared_study: Study) -> None:
    old, new = (v.version for v in in_shared_study.reader.history("dm")[::-1])
    expected = datom("diff", "2026-01", "2026-02", "dm", "--json")
    cells = changes(expected.out)["tables"][0]["cells"]["rows"]
    assert [(c["column"], c["before"], c["after"]) for c in cells] == [("AGE", 71, 72)]
    for words in (
        ("@2026-01", "@2026-02", "dm"), ("dm@2026-01", "dm@2026-02"), ("dm@2026-01", "2026-02"), ("2026-01", "dm"),
        (f"dm@{old[:6]}", f"dm@{new}"), (old[:8], new[:8], "dm"), (f"dm@{old[:6]}", "dm"), (f"dm@{old[:6]}",),
        ("2026-01-01T00:02:30", "dm"),
    ):  # fmt: skip
        ran = datom("diff", *words, "--json")
        assert ran.code == 1, words
        assert changes(ran.out)["tables"][0]["cells"]["rows"] == cells, words


def test_a_table_that_came(datom: Datom, in_shared_study: Study) -> None:
    found = changes(datom("diff", "2026-01", "2026-02", "lb results (v2)", "--json").out)
    assert [(t["table"], t["fate"], t["counts"]["added"]) for t in found["tables"]] == [("lb results (v2)", "came", 2)]
    ran = datom("diff", "lb results (v2)@2026-01")
    assert (ran.code, ran.out.splitlines()[0]) == (1, "STUDY_001: from 2026-01 to now")


def test_json_has_all_and_with_stat_no_value(datom: Datom, in_shared_study: Study) -> None:
    ran = datom("diff", "2026-01", "2026-02", "--json", "--limit", "1")
    whole = changes(ran.out)
    assert ran.out.encode() == dc.render_report(in_shared_study.reader.changes_between("2026-01", "2026-02"), "json")
    assert whole["tables"][1]["added"]["rows"] is not None
    counts = changes(datom("diff", "2026-01", "2026-02", "--json", "--stat").out)
    assert (counts["totals"], counts["values"]) == (whole["totals"], False)


def test_stat_limit_and_mask(datom: Datom, in_shared_study: Study) -> None:
    stat = datom("diff", "2026-01", "2026-02", "--stat")
    assert (stat.code, len(stat.out.splitlines())) == (1, 5)
    assert datom("diff", "2026-01", "2026-02", "--limit", "0").out == stat.out
    limited = datom("diff", "2026-01", "2026-02", "--limit", "1").out
    assert "+ Added rows: 1 of 2 rows" in limited
    assert ("ALT" in limited, "ÄST" in limited) == (True, False)
    masked = datom("diff", "2026-01", "2026-02", "--mask", "AGE,USUBJID").out
    assert "The values of AGE, USUBJID are not shown." in masked
    assert "01-001" not in masked, "01-002 is in a message, which is no value"
    assert "72" not in masked.partition("~ Changed")[2]


def test_keys_are_given_by_table_or_come_from_a_define(datom: Datom, in_shared_study: Study, tmp_path: Path) -> None:
    def key(*words: str) -> Any:
        return changes(datom("diff", "2026-01", "2026-02", *words, "--json").out)["tables"][0]["key"]

    assert key("dm", "--key", "USUBJID, SEX")["columns"] == ["USUBJID", "SEX"]
    assert key("--key", "dm=USUBJID,AGE")["columns"] == ["USUBJID", "AGE"]
    define = tmp_path / "define.xml"
    define.write_text(
        '<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3"><Study OID="S"><MetaDataVersion OID="M" Name="n">'
        '<ItemGroupDef OID="IG.DM" Name="DM" Repeating="No"><ItemRef ItemOID="IT.AGE" Mandatory="No" KeySequence="1"/>'
        '</ItemGroupDef><ItemDef OID="IT.AGE" Name="AGE" DataType="integer"/></MetaDataVersion></Study></ODM>'
    )
    assert (key("--define", str(define))["source"], key("--define", str(define))["columns"]) == ("data", ["AGE"])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["2026-03"], 3, "has no cut '2026-03', and that is no date. Did you mean '2026-02' or '2026-01'?"),
        (["dm"], 3, "It is a table: a state of it is written dm@STATE."),
        (["abc123"], 3, "A version is one of a table: name it, too."),
        (["2026-01", "2026-02", "lab"], 3, "STUDY_001 has no table 'lab'."),
        (["dm@2026-01", "lb@2026-02"], 2, "Two states of one table are compared, not of dm and lb."),
        (["dm@"], 2, "'dm@' names nothing; write TABLE, @STATE or TABLE@STATE"),
        (["2026-01", "--key", "AGE"], 2, "--key AGE: say of which table, as in --key lb=AGE."),
        (["2026-01", "dm", "--key", "lb=AGE"], 2, "--key lb=AGE is of lb, and dm is compared."),
        (["2026-01", "dm", "--key", "AGEE"], 2, "Did you mean 'AGE'?"),
        (["2026-01", "--mask", "AGEE"], 2, "No table has 'AGEE', which the settings name. Did you mean 'AGE'?"),
        (["2026-01", "--absolute", "AGE"], 2, "--absolute AGE: give a column and a number, as in LBSTRESN=0.001."),
        (["2026-01", "--relative", "AGE=x"], 2, "--relative AGE=x: give a column and a number"),
        (["2026-01", "--define", "nowhere.xml"], 2, "it cannot be read (No such file or directory)"),
        ([], 2, "Missing argument 'A'"),
    ],
)
def test_what_cannot_be_compared(datom: Datom, in_shared_study: Study, words: list[str], code: int, said: str) -> None:
    ran = datom("diff", *words)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_on_a_terminal_what_came_is_green_and_what_went_is_red(
    datom: Datom, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    dm = study.reader.read("dm").iloc[1:]
    project = dc.Project.open(study.store, remote=study.folder / "history.git")
    project.cut("2026-03", {"dm": pd.concat([dm, pd.DataFrame({"USUBJID": ["01-009"], "AGE": [1], "SEX": ["F"]})])})
    for name, value in {"COLUMNS": "100", "LINES": "200", "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    out = datom("diff", "2026-01", "2026-03", "dm", "--no-pager").out
    assert "\x1b[32m01-009" in out
    assert "\x1b[31m01-001" in out
    assert "\x1b[31m71" in out
    assert "\x1b[32m72" in out
    assert "\x1b" not in datom("diff", "2026-01", "2026-03", "dm", "--no-pager", "--no-color").out


def test_what_a_table_holds_does_not_command_the_terminal(datom: Datom, study: Study) -> None:
    project = dc.Project.open(study.store, remote=study.folder / "history.git")
    project.write("evil", pd.DataFrame({"K": ["a"], "V\x1b[2J": ["\x1b]0;x\x07"]}), cut="before")
    project.write("evil", pd.DataFrame({"K": ["a"], "V\x1b[2J": ["b\x1b[31m"]}), cut="after", message="m\x1b[2J")
    out = datom("diff", "before", "after", "evil").out
    assert "changed" in out
    assert "\x1b" not in out
    assert "\x07" not in out


def test_reports_by_their_endings(datom: Datom, in_shared_study: Study, tmp_path: Path) -> None:
    files = [tmp_path / f"changes.{ending}" for ending in ("html", "xlsx", "md", "json")]
    to = [word for file in files for word in ("-o", file)]
    ran = datom("report", "2026-01", "2026-02", *to, "--mask", "AGE", "--json")
    assert ran.code == 0, "it is written, and that is done"
    answer = ran.json()
    assert (answer["table"], answer["before"], answer["after"], answer["differs"]) == (None, "2026-01", "2026-02", True)
    assert answer["files"] == list(map(str, files))
    assert files[0].read_text().startswith("<!DOCTYPE html>")
    assert changes(files[3].read_text())["masked"] == ["AGE"]
    assert datom("report", "dm@2026-01", "-o", files[2], "--preview-rows", "0").out == f"{files[2]}\n"
    assert "this report shows no values" in files[2].read_text()


def test_a_report_that_cannot_be_written_is_refused_before_any_is(
    datom: Datom, in_shared_study: Study, tmp_path: Path
) -> None:
    good = tmp_path / "changes.html"
    ran = datom("report", "2026-01", "-o", good, "-o", "changes.pdf")
    assert (ran.code, good.exists()) == (2, False)
    assert "its ending must be one of .html, .xlsx, .md, .json" in ran.err
    ran = datom("report", "2026-01")
    assert ran.code == 2
    assert "Say where the report goes" in ran.err
    assert datom("report", "2026-01", "-o", tmp_path / "no" / "x.html").code == 3


def test_the_page_is_opened(
    datom: Datom, in_shared_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or True)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    own = tmp_path / "own page.html"
    assert datom("report", "2026-01", "-o", own, "--open").out == f"{own}\n"
    made = Path(datom("report", "2026-01", "--open").out.strip())
    assert opened == [own.as_uri(), made.as_uri()]
    assert made.read_text().startswith("<!DOCTYPE html>")
    assert made.parent.stat().st_mode & 0o077 == 0, "nobody else reads it"
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    assert "There is no browser to open; the page is" in datom("report", "2026-01", "--open").err
