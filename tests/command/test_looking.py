"""The verbs that look, as a reader of a study uses them: on a terminal, in a pipe, in JSON."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import datom_core as dc
from tests.command.conftest import Datom, Study, new_project

WIDE = 1_000


def _lb(value: float) -> pa.Table:
    label = {"label": "Result in standard units (µg/L)"}
    return pa.table(
        [pa.array(["01-001", "01-002"]), pa.array(["ALT", "ÄST"]), pa.array([value, None])],
        schema=pa.schema(
            [("USUBJID", pa.string()), ("LBTESTCD", pa.string()), pa.field("LBSTRESN", pa.float64(), metadata=label)]
        ),
    )


@pytest.fixture(scope="module")
def long_study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """``lb results (v2)``: 1.5 (a), 15 (b), 1.5 again (no cut), 1.5 with metadata (c); adsl of it; a wide table."""
    folder = tmp_path_factory.mktemp("long-study")
    project = new_project(folder)
    name = "lb results (v2)"
    project.write(name, _lb(1.5), message="First extract", cut="a", table_type="imported")
    project.write(name, _lb(15), message="Décimale\nglissée", cut="b", author="Bo Å <bo@example.org>")
    project.mark_reviewed("b", name="seen", message="Looked at")
    project.write(name, _lb(1.5), message="Back", table_type="imported")
    project.write("adsl", pd.DataFrame({"USUBJID": ["01-001"]}), parents=[project.parent(name)], message="Derived")
    project.write(name, _lb(2.5), message="Corrected \x1b[31mred", cut="c", custom={"vendor": "Laboratoire Élan"})
    project.write(name, _lb(2.5), message="Delivered again", cut="b", custom={"vendor": "Laboratoire Élan"})
    project.write("wide", pd.DataFrame({f"COLUMN_{n:04}": [f"value {n}"] for n in range(WIDE)}), message="Wide")
    return Study(folder)


@pytest.fixture(autouse=True)
def inside(long_study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(long_study.folder)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """``terminal(40)`` makes standard output a terminal of this width."""

    def make(width: int) -> None:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        for name, value in (("COLUMNS", str(width)), ("LINES", "24"), ("TERM", "xterm-256color")):
            monkeypatch.setenv(name, value)

    return make


LB = "lb results (v2)"


class TestStatus:
    def test_level_with_git(self, datom: Datom) -> None:
        ran = datom("status")
        assert ran.code == 0
        assert "level with git" in ran.out
        said = datom("status", "--json").json()
        assert (said["level"], said["behind"], said["tables"], said["cuts"]) == (True, [], 3, 3)
        assert said["branch"] == "main"

    def test_behind_git_is_a_finding(self, datom: Datom, study: Study) -> None:
        (study.folder / "data" / "datom" / "dm" / ".metadata" / "metadata.json").unlink()
        ran = datom("status")
        assert ran.code == 1
        assert "Behind git: dm" in ran.out
        assert "datom mirror" in ran.out
        assert datom("status", "--json").json()["behind"] == ["dm"]
        assert datom("status", "--offline").code == 0

    def test_without_git_only_storage_is_told(self, datom: Datom, monkeypatch: pytest.MonkeyPatch) -> None:
        _no_git(monkeypatch)
        said = datom("status", "--offline", "--json").json()
        assert (said["level"], said["remote"], said["versions"]) == (None, None, 5)
        monkeypatch.setattr(dc.ProjectSettings, "open_project", _refuse)
        ran = datom("status")
        assert (ran.code, ran.out) == (6, "")
        assert "--offline" in ran.err


def _refuse(*_: object) -> dc.Project:
    raise dc.StorageError("git is not there.")


def _no_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """No git on PATH, and none that is remembered."""
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable))
    assert shutil.which("git") is None
    monkeypatch.setattr("datom_core.git.repo.GitRepo.__init__", lambda *_, **__: pytest.fail("git was asked"))


class TestCuts:
    def test_all_of_them_and_the_marks(self, datom: Datom) -> None:
        ran = datom("cuts")
        assert [line.split()[0] for line in ran.out.splitlines() if line] == ["cut", "a", "b", "c", "review", "seen"]
        said = datom("cuts", "--json").json()
        assert [c["name"] for c in said["cuts"]] == ["a", "b", "c"]
        assert said["cuts"][1]["message"] == "Delivered again"
        assert (said["reviews"][0]["name"], said["reviews"][0]["cut"]) == ("seen", "b")

    def test_one_with_what_it_stood_for_before(self, datom: Datom) -> None:
        moves = datom("cuts", "b", "--json").json()["moves"]
        assert [(m["message"], m["stands"]) for m in moves] == [
            ("Delivered again", True),
            ("Décimale\nglissée", False),
        ]
        ran = datom("cuts", "b")
        assert ran.out.index("Delivered again") < ran.out.index("Before:") < ran.out.index("glissée")
        assert "Before:" not in datom("cuts", "a").out

    def test_one_mark(self, datom: Datom) -> None:
        said = datom("cuts", "seen", "--json").json()
        assert (said["kind"], [m["message"] for m in said["moves"]]) == ("review mark", ["Looked at"])

    def test_one_that_does_not_exist(self, datom: Datom) -> None:
        ran = datom("cuts", "d")
        assert (ran.code, ran.out) == (3, "")
        assert "There is no cut 'd'; the latest are 'a', 'b', 'c'" in ran.err


class TestShow:
    def test_a_version(self, datom: Datom) -> None:
        ran = datom("show", f"{LB}@b")
        for said in ("(current)", "Laboratoire Élan", "b, c", "Result in standard units (µg/L)", "\\x1b[31mred", "ÄST"):
            assert said in ran.out
        assert "\x1b" not in ran.out
        said = datom("show", f"{LB}@a", "--json").json()
        assert (said["current"], said["cuts"], said["message"]) == (False, ["a"], "First extract")
        assert [r["message"] for r in said["reinstatements"]] == ["Back"]
        assert said["first_rows"] == [["01-001", "ALT", "1.5"], ["01-002", "ÄST", None]]
        assert said["columns"][2] == {
            "name": "LBSTRESN", "type": "double", "label": "Result in standard units (µg/L)",
        }  # fmt: skip
        assert datom("show", "adsl", "--json").json()["parents"][0]["table"] == LB
        assert datom("show", f"{LB}@seen", "--json").json()["message"] == "Décimale\nglissée"

    def test_as_many_rows_as_asked_for(self, datom: Datom) -> None:
        assert "(1 more row)" in datom("show", LB, "--rows", "1").out
        assert "01-001" not in datom("show", LB, "--rows", "0").out
        assert datom("show", LB, "--rows", "-1").code == 2

    @pytest.mark.parametrize("width", [40, 80, 200])
    def test_a_wide_table_fits_every_terminal(self, datom: Datom, terminal: Callable[[int], None], width: int) -> None:
        terminal(width)
        ran = datom("show", "wide", "--no-pager", "--no-color")
        lines = ran.out.splitlines()
        assert max(map(len, lines)) <= width
        assert sum(line.startswith("COLUMN_") for line in lines) == WIDE + 1, "each is listed, and the preview's head"
        shown = next(n for n, line in enumerate(lines) if line.startswith("value 0"))
        columns = len(re.findall("COLUMN_", lines[shown - 1]))
        assert f"({WIDE - columns:,} more columns)" in lines[shown + 1]
        assert columns == (width + 2) // 13

    def test_a_pipe_has_no_edge(self, datom: Datom) -> None:
        assert "COLUMN_0999" in datom("show", "wide").out.splitlines()[-2]

    @pytest.mark.parametrize("given", [["--no-color"], [], ["NO_COLOR"]])
    def test_colours_only_where_they_are_wanted(
        self, datom: Datom, terminal: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, given: list[str]
    ) -> None:
        assert "\x1b" not in datom("show", LB).out, "in a pipe"
        terminal(80)
        if given == ["NO_COLOR"]:
            monkeypatch.setenv("NO_COLOR", "1")
        ran = datom("show", LB, "--no-pager", *(g for g in given if g.startswith("-")))
        assert ("\x1b" in ran.out) is (given == [])

    def test_the_study_at_a_state(self, datom: Datom) -> None:
        said = datom("show", "@a", "--json").json()
        assert (said["form"], said["cut"], [t["table"] for t in said["tables"]]) == ("datom-show-study/1", "a", [LB])
        assert [t["table"] for t in datom("show", "--json").json()["tables"]] == [LB, "adsl", "wide"]
        assert "STUDY_001 at a" in datom("show", "@a").out

    def test_a_page(self, datom: Datom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "page.html"
        ran = datom("show", LB, "-o", file)
        assert ran.out == f"{file}\n"
        page = file.read_text()
        assert "Laboratoire Élan" in page
        assert "<bdi>ÄST</bdi>" in page
        assert "<i>missing</i>" in page
        assert "<script" not in page
        opened: list[str] = []
        monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) is None)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        said = datom("show", "@a", "--open", "--json").json()
        assert opened == [Path(said["page"]).as_uri()]
        assert "First extract" in Path(said["page"]).read_text()
        monkeypatch.setattr("webbrowser.open", lambda url: False)
        assert "No browser" in datom("show", "@a", "--open").err

    def test_text_of_the_study_is_no_markup_of_a_page(self, datom: Datom, study: Study) -> None:
        project = dc.find_settings().open_project()
        project.write("dm", pd.DataFrame({"<b>": ["<script>alert(1)</script>"]}), message="<i>sly</i>")
        datom("show", "dm", "-o", "page.html")
        page = Path("page.html").read_text()
        assert "<script" not in page
        assert "<b>" not in page
        assert "&lt;i&gt;sly" in page

    @pytest.mark.parametrize(
        ("what", "code", "said"),
        [
            ("lb result (v2)", 3, "Did you mean 'lb results (v2)'?"),
            (f"{LB}@lock", 3, "'lock' is no cut of STUDY_001, no version"),
            ("@2026-13", 3, "no cut '2026-13'"),
            ("@", 2, "names nothing"),
            ("lb@", 2, "names nothing"),
        ],
    )
    def test_what_is_not_there(self, datom: Datom, what: str, code: int, said: str) -> None:
        ran = datom("show", what)
        assert (ran.code, ran.out) == (code, "")
        assert said in ran.err
        assert len(ran.err.splitlines()) == 1


class TestLog:
    def test_of_a_table(self, datom: Datom) -> None:
        entries = datom("log", LB, "--json").json()["entries"]
        assert [(e["message"][:5], e["reinstated"], e["current"], e["cuts"]) for e in entries] == [
            ("Corre", False, True, ["b", "c"]),
            ("Back", True, False, ["a"]),
            ("Décim", False, False, []),
            ("First", False, False, ["a"]),
        ]
        out = datom("log", LB).out
        assert out.count("(again)") == out.count(" * ") == 1
        assert "\x1b" not in out

    def test_long_says_who_asked_and_who_wrote(self, datom: Datom) -> None:
        out = datom("log", LB, "--long").out
        assert out.count("written by") == out.count("asked by") == 4
        assert out.count(f", host {socket.gethostname()}") == 4
        told = datom("log", LB, "--json").json()["entries"][0]["provenance"]
        assert told == datom("show", LB, "--json").json()["provenance"]
        assert told["written_by"]["host"] == socket.gethostname()
        assert datom("log", "--long", "--oneline").code == 2

    def test_of_the_study(self, datom: Datom) -> None:
        out = datom("log", "--oneline").out.splitlines()
        assert [line.split()[-1] for line in out] == ["Wide", "\\x1b[31mred", "Derived", "Back", "Décimale", "extract"]
        assert out[-1].startswith(f"{LB}@")
        assert len(datom("log", "@a").out.splitlines()) == 2

    def test_options_as_git_has_them(self, datom: Datom) -> None:
        def messages(*options: str) -> list[str]:
            return [e["message"] for e in datom("log", *options, "--json").json()["entries"]]

        assert messages("-n", "1") == messages("--max-count", "1") == ["Wide"]
        assert messages("--author", "bo å") == ["Décimale\nglissée"]
        assert messages("--grep", "extract", LB) == ["First extract"]
        assert messages("--until", "2025-12-31") == messages("--since", "2026-01-02") == []
        assert messages(f"{LB}@a") == ["First extract"]

    def test_a_narrow_terminal(self, datom: Datom, terminal: Callable[[int], None]) -> None:
        terminal(40)
        lines = datom("log", "--oneline", "--no-pager").out.splitlines()
        assert len(lines) == 6
        assert max(map(len, lines)) <= 40
        assert any(line.endswith("…") for line in lines)

    @pytest.mark.parametrize("width", [30, 80, 200])
    def test_times_and_versions_stay_whole(self, datom: Datom, terminal: Callable[[int], None], width: int) -> None:
        terminal(width)
        said = datom("log", "--no-pager", "--no-color")
        entries = datom("log", "--json").json()["entries"]
        assert [said.out.count(e["version"][:8]) >= 1 for e in entries] == [True] * 6
        assert len(re.findall(r"2026-01-01T00:\d\d:00Z", said.out)) == 6
        assert said.out.count("recorded") == (1 if width == 200 else 6), "a block each, or a table"
        assert max(map(len, said.out.splitlines())) <= width

    @pytest.mark.parametrize(
        ("options", "code", "said"),
        [
            (["--since", "yesterday"], 2, "since must be a date or a time"),
            (["-n", "-1"], 2, "'--max-count'"),
            (["lb results"], 3, "Did you mean 'lb results (v2)'?"),
        ],
    )
    def test_what_does_not_fit(self, datom: Datom, options: list[str], code: int, said: str) -> None:
        ran = datom("log", *options)
        assert (ran.code, ran.out) == (code, "")
        assert said in ran.err


class TestHistory:
    def test_of_a_row(self, datom: Datom, monkeypatch: pytest.MonkeyPatch) -> None:
        said = datom("history", LB, "USUBJID=01-001", "-c", "LBSTRESN", "--json").json()
        assert [(c["value"], c["message"][:5]) for c in said["cells"]] == [
            ("1.5", "First"), ("15", "Décim"), ("1.5", "Back"), ("2.5", "Corre"),
        ]  # fmt: skip
        assert all(c["commit_sha"] for c in said["cells"]), "git was asked"
        _no_git(monkeypatch)
        said = datom("history", LB, "USUBJID=01-001", "-c", "LBSTRESN", "--offline", "--json").json()
        assert [bool(c["commit_sha"]) for c in said["cells"]] == [True, True, False, True]
        monkeypatch.setattr(dc.ProjectSettings, "open_project", _refuse)
        ran = datom("history", LB, "USUBJID=01-001")
        assert ran.code == 0
        assert "Without the runs, which git knows: git is not there." in ran.err

    @pytest.mark.parametrize(
        ("arguments", "code", "said"),
        [
            ([LB, "USUBJID"], 2, "'USUBJID' is no COLUMN=VALUE"),
            ([LB, "=x"], 2, "'=x' is no COLUMN=VALUE"),
            ([LB, "USUBJID=1", "USUBJID=2"], 2, "USUBJID is given twice"),
            ([LB, "USUBJD=1"], 3, "Did you mean 'USUBJID'?"),
            ([LB, "LBSTRESN=high"], 2, "LBSTRESN holds double; 'high' is no such value"),
            ([LB, "USUBJID=a=b"], 3, "has a row with USUBJID='a=b'"),
            ([f"{LB}@a", "USUBJID=1"], 2, "is no table"),
            ([LB, "USUBJID=01-001", "-c", "LBSTRES"], 3, "Did you mean 'LBSTRESN'?"),
            ([LB], 2, "Missing argument"),
        ],
    )
    def test_what_names_no_row(self, datom: Datom, arguments: list[str], code: int, said: str) -> None:
        ran = datom("history", *arguments, "--offline")
        assert (ran.code, ran.out) == (code, "")
        assert said in ran.err


class TestLineage:
    def test_up(self, datom: Datom) -> None:
        first, second = datom("lineage", "adsl").out.splitlines()
        assert re.fullmatch(r"adsl@[0-9a-f]{8} \(derived\)", first)
        assert re.fullmatch(r"\W*lb results \(v2\)@[0-9a-f]{8} \(imported\)", second)
        said = datom("lineage", "adsl", "--json").json()["lineage"]
        assert [p["table"] for p in said["parents"]] == [LB]

    def test_down(self, datom: Datom) -> None:
        (only,) = datom("lineage", LB, "--down", "--json").json()["dependents"]
        assert (only["table"], only["level"]) == ("adsl", False)
        assert "(not current)" in datom("lineage", LB, "--down").out
        assert datom("lineage", "adsl", "--down").out == "Nothing names adsl as a parent.\n"

    def test_as_a_document_of_prov(self, datom: Datom) -> None:
        reader = dc.ProjectReader.open(dc.LocalStore("data"))
        for what, state, tables in (("@a", "a", None), (LB, None, [LB]), (f"{LB}@a", "a", [LB])):
            said = json.loads(datom("lineage", what, "--prov").out)
            assert said == reader.provenance_document(state, tables=tables)
        for option in ("--json", "--down"):
            ran = datom("lineage", LB, "--prov", option)
            assert (ran.code, ran.out) == (2, "")
            assert "--prov is a document of its own" in ran.err

    def test_what_does_not_fit(self, datom: Datom) -> None:
        assert datom("lineage", f"{LB}@a", "--down").code == 2
        assert datom("lineage", "@a").code == 2
        assert "Did you mean 'adsl'?" in datom("lineage", "adsk").err


def test_a_reader_needs_storage_alone(datom: Datom, long_study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    _no_git(monkeypatch)
    where = ("-p", str(long_study.folder / "data"))
    for arguments in (["list"], ["status"], ["show", LB], ["show", "@a"], ["log"], ["cuts"], ["lineage", "adsl"]):
        ran = datom(*arguments, *where)
        assert (ran.code, ran.err) == (0, "")
    assert datom("history", LB, "USUBJID=01-001", *where).code == 0
