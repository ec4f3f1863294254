"""What only a terminal sees: colours, widths, a pager, bars, keys that are typed; and pipes that close."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from rich.cells import cell_len

import datom_core as dc
from tests.command.conftest import ROOT, Datom, Study
from tests.command.terminals import in_terminal
from tests.patience import PATIENCE

SHOW = ("show", "lb results (v2)")


@pytest.mark.parametrize(
    ("arguments", "variables", "coloured"),
    [
        ([], {}, True),
        ([], {"NO_COLOR": "1"}, False),
        ([], {"TERM": "dumb"}, False),
        (["--no-color"], {}, False),
    ],
)
def test_colours(in_shared_study: Study, arguments: list[str], variables: dict[str, str], coloured: bool) -> None:
    answer = in_terminal(*SHOW, *arguments, variables=variables)
    assert (answer.code, answer.coloured) == (0, coloured)
    assert "ÄST" in answer.shown
    # Bars move, so that they need a terminal that does more than print; their colours can be switched off.
    bars = in_terminal("verify", "full", *arguments, variables=variables)
    assert (bars.code, bars.coloured, "━" in bars.shown) == (0, coloured, variables != {"TERM": "dumb"})


@pytest.mark.parametrize("width", [60, 200])
def test_every_line_fits(in_shared_study: Study, width: int) -> None:
    for call in (["status"], ["list"], ["log"], ["cuts"], SHOW, ["diff", "2026-01", "2026-02"], ["log", "--oneline"]):
        screen = in_terminal(*call, width=width)
        assert screen.code in (0, 1), screen
        assert max(map(cell_len, screen.lines)) <= width, screen.shown
        if call == ["log"]:
            # Narrow, an entry is a block of lines; wide, it is one line.
            assert any(re.match(r"recorded +table +version", line) for line in screen.lines) == (width == 200)


def test_a_long_answer_is_paged_on_a_terminal_alone(in_shared_study: Study) -> None:
    pager = {"PAGER": "sed s/^/PAGED:/"}
    assert in_terminal(*SHOW, height=10, variables=pager).shown.count("PAGED:") > 10
    for answer in (
        in_terminal(*SHOW, height=60, variables=pager),
        in_terminal(*SHOW, "--no-pager", height=10, variables=pager),
        in_terminal(*SHOW, "--json", height=10, variables=pager),
        in_terminal(*SHOW, height=10, variables=pager, pipe=True),
    ):
        assert (answer.code, "PAGED" in answer.shown + answer.piped) == (0, False)


def test_a_pager_that_is_left_early_is_no_mistake(in_shared_study: Study) -> None:
    answer = in_terminal(*SHOW, height=10, variables={"PAGER": "head -n 1"})
    assert (answer.code, answer.lines[-1].split()) == (0, ["table", "lb", "results", "(v2)"])


def test_bars_are_for_the_terminal_and_gone_at_the_end(in_shared_study: Study, datom: Datom) -> None:
    shown = in_terminal("verify", "full", pipe=True)
    assert "━" in shown.shown
    assert shown.shown.endswith("\x1b[2K"), "nothing is left of them"
    assert (shown.piped.splitlines()[-1], "\x1b" in shown.piped) == ("Nothing is wrong.", False)
    assert in_terminal("verify", "full", "-q", pipe=True).shown == ""
    assert in_terminal("verify", "full", "--json", pipe=True).shown == ""
    assert datom("verify", "full").err == "", "in a pipe"


class TestCtrlC:
    def test_in_the_middle_of_a_write(self, study: Study, datom: Datom) -> None:
        before = datom("status", "--json").json()
        screen = in_terminal("write", "dm", "-", typed=[("\x1b[?25l", "USUBJID,AGE\n\x03")])
        assert (screen.code, screen.lines[-1].removeprefix("^C")) == (130, "datom: Interrupted.")
        assert "Traceback" not in screen.shown
        assert "\x1b[?25h" in screen.shown, "the cursor is there again"
        assert datom("status", "--json").json() == before

    def test_at_a_question(self, in_shared_study: Study) -> None:
        screen = in_terminal("decommission", typed=[("Type STUDY_001 to go on", "\x03")])
        assert (screen.code, screen.lines[-1]) == (130, "datom: Interrupted.")
        assert "Traceback" not in screen.shown


def test_the_end_of_a_study_is_typed(study: Study, datom: Datom) -> None:
    asked = "Type STUDY_001 to go on"
    for typed, code, told in (
        ("STUDY_01\n", 2, "datom: 'STUDY_01' is not 'STUDY_001'. Nothing was done."),
        ("\n", 2, "datom: '' is not 'STUDY_001'. Nothing was done."),
        ("\x04", 130, "datom: Interrupted."),
    ):
        screen = in_terminal("decommission", width=200, typed=[(asked, typed)])
        assert (screen.code, screen.lines[-1]) == (code, told)
        assert re.search(r"This takes STUDY_001 away for good: \d+ objects in .*/data, .*/history.git", screen.shown)
    refused = datom("decommission")
    assert (refused.code, "Give --confirm" in refused.err) == (2, True), "there is no terminal to ask on"
    assert datom("verify").code == 0
    # Who pipes the answer is asked on the terminal all the same.
    screen = in_terminal("decommission", typed=[(asked, "STUDY_001\n")], pipe=True)
    assert (screen.code, screen.piped.splitlines()[0].split()) == (0, ["project", "STUDY_001"])
    assert not list(Path("data").rglob("*.parquet"))


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that fills more than a pipe holds."""
    project = dc.Project.init("S", dc.LocalStore(tmp_path / "data"), remote=tmp_path / "history.git")
    project.write("large", pd.DataFrame({"USUBJID": [f"subject-{n:06d}" for n in range(20_000)]}))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("arguments", "read"), [(["read", "large"], 1), (["list", "--json"], 0)])
def test_a_pipe_that_closes(large: None, arguments: list[str], read: int) -> None:
    """In the middle of a long answer, and before the first word of a short one."""
    program = [sys.executable, "-c", "from datom_core.command import main; main()", *arguments, "-p", "data"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = [process.stdout.readline() for _ in range(read)]
        process.stdout.close()
        said = process.stderr.read()
        assert (process.wait(PATIENCE), said) == (141, b"")
    assert lines == [b"USUBJID\n"] * read
