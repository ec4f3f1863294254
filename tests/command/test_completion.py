"""What shells are offered while a command is being typed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import datom_core as dc
from datom_core.command.run import run
from datom_core.command.shells import SCRIPTS
from tests.command.conftest import Datom, Study

BREAKS = " \t\n\"'@><=;|&(:"  # bash's own
LB = "lb results (v2)"
QUOTED = r"lb\ results\ \(v2\)"

Typed = Callable[..., list[str]]


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Typed:
    """``typed("datom show d")`` gives the words that may follow; ``bash=True`` as bash has to insert them."""

    def ask(line: str, *, bash: bool = False) -> list[str]:
        capsys.readouterr()
        with monkeypatch.context() as shell:
            shell.setenv("_DATOM_COMPLETE", "complete_bash")
            shell.setenv("COMP_WORDS", line)
            if bash:
                shell.setenv("_DATOM_BREAKS", BREAKS)
            before = dict(os.environ)
            with pytest.raises(SystemExit) as end:
                run([])
            assert (end.value.code, os.environ) == (0, before)
        said = capsys.readouterr()
        assert said.err == ""
        return said.out.splitlines()

    return ask


@pytest.fixture
def versions(in_shared_study: Study) -> list[str]:
    """The first digits of the versions of ``dm``, newest first."""
    return [v.version[:8] for v in in_shared_study.reader.history("dm")]


@pytest.mark.usefixtures("in_shared_study")
class TestOffers:
    def test_tables(self, typed: Typed) -> None:
        assert typed("datom show ") == typed("datom log ") == typed("datom list ") == ["dm", LB]
        assert typed("datom show d") == ["dm"]
        assert typed("datom show x") == []

    def test_states_of_a_table(self, typed: Typed, versions: list[str]) -> None:
        assert typed("datom show dm@") == ["dm@2026-02", "dm@2026-01", *(f"dm@{v}" for v in versions)]
        assert typed("datom show dm@2026-01") == ["dm@2026-01"]
        assert typed(f"datom show '{LB}@2") == [f"{LB}@2026-02"], "no cut without it"

    def test_states_of_the_study(self, typed: Typed) -> None:
        assert typed("datom show @") == ["@2026-02", "@2026-01"]

    def test_states_of_either_and_levels(self, typed: Typed) -> None:
        assert typed("datom diff 2026-01 ") == ["2026-02", "2026-01", "dm", LB]
        assert typed("datom diff @") == ["@2026-02", "@2026-01"]
        assert typed("datom diff 2026-01 2026-02 d") == ["dm"]
        assert typed("datom verify d") == ["deep", "dm"]
        assert typed("datom verify dm@2026-01") == ["dm@2026-01"]

    def test_cuts(self, typed: Typed) -> None:
        assert typed("datom cuts ") == ["2026-02", "2026-01"]

    def test_columns_of_the_table_before(self, typed: Typed) -> None:
        assert typed("datom history dm ") == ["USUBJID=", "AGE=", "SEX="]
        assert typed(f'datom history "{LB}" LB') == ["LBTESTCD=", "LBSTRESN="]
        assert typed("datom history dm USUBJID=01-001 A") == ["AGE="]
        assert typed("datom history dm USUBJID=") == []

    def test_verbs_and_options(self, typed: Typed) -> None:
        assert typed("datom sho") == ["show"]
        assert typed("datom show --ro") == ["--rows"]
        assert typed("datom --show-completion ") == list(SCRIPTS)

    def test_where_the_project_is(
        self, typed: Typed, shared_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert typed("datom show ") == []
        assert typed(f"datom show -p {shared_study.folder} d") == ["dm"]
        monkeypatch.setenv("DATOM_PROJECT", str(shared_study.folder))
        assert typed("datom show d") == ["dm"]

    @pytest.mark.parametrize("error", [dc.AccessDeniedError("no"), OSError("no"), RuntimeError("no")], ids=repr)
    def test_whatever_is_wrong_is_not_said(
        self, typed: Typed, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        def broken(*_: object) -> dc.ProjectReader:
            raise error

        monkeypatch.setattr(dc.ProjectSettings, "open_reader", broken)
        assert typed("datom show ") == typed("datom show dm@") == typed("datom history dm ") == []

    @pytest.mark.parametrize("line", ["", "datom", "datom 'show", "datom show \\", 'datom show "', "datom nothing "])
    def test_any_line_can_be_asked_about(self, typed: Typed, line: str) -> None:
        typed(line)
        typed(line, bash=True)


@pytest.mark.usefixtures("in_shared_study")
class TestBash:
    @pytest.mark.parametrize(
        ("line", "inserted"),
        [
            ("datom show l", [QUOTED]),
            (r"datom show lb\ res", [QUOTED]),
            ('datom show "lb res', [LB]),
            ("datom show 'lb res", [LB]),
            ("datom show dm@2026-02", ["@2026-02"]),
            ("datom show @2026-0", ["@2026-02", "@2026-01"]),
            (rf"datom show {QUOTED}@2", ["@2026-02"]),
            (f'datom show "{LB}@2', [f"{LB}@2026-02"]),
            ("datom history dm US", ["USUBJID="]),
            ("datom --show-completion=z", ["zsh"]),
        ],
    )
    def test_offers_are_quoted_and_begin_where_bash_begins(self, typed: Typed, line: str, inserted: list[str]) -> None:
        assert typed(line, bash=True) == inserted

    def test_by_the_protocol_of_typer(
        self, datom: Datom, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in (("COMP_WORDS", "datom\nshow\ndm@2026"), ("COMP_CWORD", "2")):
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("_DATOM_COMPLETE", "complete_bash")
        with pytest.raises(SystemExit):
            run([])
        assert capsys.readouterr().out.split() == ["dm@2026-02", "dm@2026-01"]

    def test_a_shell_with_the_script(self, in_shared_study: Study, tmp_path: Path) -> None:
        bash = shutil.which("bash")
        if bash is None:
            pytest.skip("there is no bash")
        command = tmp_path / "datom"
        root = Path(dc.__file__).parent.parent
        main = "from datom_core.command import main; main()"
        command.write_text(f'#!/bin/sh\nPYTHONPATH="{root}" exec "{sys.executable}" -c "{main}" "$@"\n')
        command.chmod(0o755)
        script = f"""
            {SCRIPTS["bash"]}
            complete -p datom
            COMP_LINE='datom show l' COMP_POINT=12
            _datom_completion datom
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        variables = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
        ran = subprocess.run(
            [bash, "--norc", "-c", script],
            capture_output=True,
            text=True,
            env=variables,
            check=False,
        )
        assert ran.stdout.splitlines() == ["complete -o default -o nosort -F _datom_completion datom", QUOTED]
        assert ran.stderr == ""


def test_the_script_of_each_shell(datom: Datom) -> None:
    for shell, script in SCRIPTS.items():
        assert datom("--show-completion", shell).out == script + "\n"
        program = shutil.which(shell)
        if program is not None:
            ran = subprocess.run([program, "-n"], input=script, capture_output=True, text=True, check=False)
            assert (ran.returncode, ran.stderr) == (0, ""), "it is no script of that shell"
    ran = datom("--show-completion", "csh")
    assert (ran.code, ran.out) == (2, "")
    assert "bash, zsh, fish" in ran.err
