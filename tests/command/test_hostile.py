"""What hostile and clumsy calls come to: a sentence, an exit code, and nothing half done."""

from __future__ import annotations

import ast
import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import datom_core as dc
from datom_core.command.app import command
from datom_core.command.output import printable
from datom_core.command.wording import in_commands
from tests.command.conftest import Datom, Study

CORE = Path(dc.__file__).parent


def every_usage() -> Iterator[tuple[str, str]]:
    whole = command()
    context = whole.make_context("datom", [], resilient_parsing=True)
    for name in whole.commands:
        verb = whole.commands[name]
        for path, one in [(name, verb)] if not hasattr(verb, "commands") else verb.commands.items():
            yield path, one.get_usage(type(context)(one, info_name=path))


def test_a_usage_names_what_to_type_in_capitals_and_without_braces() -> None:
    for path, usage in every_usage():
        words = usage.removeprefix(f"Usage: {path}").replace("'NAME <EMAIL>'", "").split()
        assert words[-1] == "[OPTIONS]"
        assert all(w == w.upper() and "{" not in w for w in words), usage


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "dm", "-n"),
        ("read", "dm", "--head"),
        ("log", "-n"),
        ("diff", "2026-01", "2026-02", "--limit"),
    ],
)
def test_a_number_beyond_all_bounds_means_all(datom: Datom, in_shared_study: Study, arguments: tuple[str, ...]) -> None:
    assert datom(*arguments, "9" * 30).out == datom(*arguments, "1000").out


def test_an_empty_word_is_a_mistake_wherever_it_stands(datom: Datom, study: Study) -> None:
    before = sorted(Path().rglob("*"))
    for arguments in (("sync", ""), ("export", "@2026-01", "", "--as", "csv"), ("diff", "2026-01", "")):
        ran = datom(*arguments)
        assert (ran.code, ran.out) == (2, "")
        assert "One of the words is empty" in ran.err
    assert "What follows -o is empty" in datom("show", "dm", "-o", "").err
    assert sorted(Path().rglob("*")) == before


def test_options_before_the_verb_are_told_where_they_belong(datom: Datom) -> None:
    ran = datom("-p", "somewhere", "list")
    assert (ran.code, ran.out) == (2, "")
    assert "Options come after the verb" in ran.err


def test_now_is_the_state_of_everything_unless_a_cut_is_called_so(datom: Datom, study: Study) -> None:
    assert datom("show", "dm@now").out == datom("show", "dm").out
    assert datom("log", "dm@now").out == datom("log", "dm").out
    assert datom("show", "@now").out == datom("show").out
    assert datom("diff", "2026-01", "now").out == datom("diff", "2026-01").out
    assert datom("diff", "dm", "dm@2026-01", "--stat").code == 1
    assert datom("cut", "now", "@2026-01", "--author", "Ada <ada@example.org>").code == 0
    assert datom("read", "dm@now").out == datom("read", "dm@2026-01").out != datom("read", "dm").out
    assert json.loads(datom("show", "@now", "--json").out)["cut"] == "now"


def test_a_cut_may_be_written_with_its_at(datom: Datom, in_shared_study: Study) -> None:
    assert datom("cuts", "@2026-01").out == datom("cuts", "2026-01").out
    assert datom("review", "@2026-01", "--dry-run").out == datom("review", "2026-01", "--dry-run").out


def test_a_cut_of_two_versions_of_a_table_is_refused_and_a_table_goes_before_a_study(
    datom: Datom, in_shared_study: Study
) -> None:
    ran = datom("cut", "x", "dm@2026-01", "dm@2026-02", "--dry-run")
    assert ran.code == 2
    assert "dm is named at two" in ran.err
    older = datom("cut", "x", "@2026-02", "dm@2026-01", "--dry-run", "--json").json()["versions"]
    assert older == datom("cut", "x", "dm@2026-01", "@2026-02", "--dry-run", "--json").json()["versions"]
    assert older["dm"] == in_shared_study.reader.version_at("dm", "2026-01").version


def test_two_levels_are_no_table(datom: Datom, in_shared_study: Study) -> None:
    assert "Two levels are given, deep and full" in datom("verify", "deep", "--depth", "full").err


def test_lists_show_names_of_people_and_json_their_addresses(datom: Datom, in_shared_study: Study) -> None:
    for arguments in (("cuts",), ("cuts", "2026-01"), ("log",), ("show", "@2026-01")):
        ran = datom(*arguments)
        assert "Ada Müller" in ran.out
        assert "ada@example.org" not in ran.out
        assert "Ada Müller <ada@example.org>" in datom(*arguments, "--json").out


def test_a_pattern_that_nothing_fits_is_told_on_standard_error(datom: Datom, in_shared_study: Study) -> None:
    ran = datom("list", "dmm")
    assert (ran.code, ran.err) == (0, "No table fits 'dmm'. Did you mean 'dm'?\n")
    assert datom("list", "dmm", "--json").json()["tables"] == []


def test_status_without_git_is_storage_alone_and_verify_says_how(
    datom: Datom, in_shared_study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(self: object, **how: object) -> None:
        raise dc.NotFoundError("Writing to a project needs the git program.", program="git")

    monkeypatch.setattr(dc.ProjectSettings, "open_project", none)
    ran = datom("status", "--json")
    assert (ran.code, ran.json()["level"]) == (0, None)
    assert "Storage alone" in ran.err
    ran = datom("verify", "--json")
    assert ran.code == 3
    assert "--storage-only" in json.loads(ran.err)["message"]  # the hint is in the JSON, not beside it
    assert datom("verify", "--storage-only").code == 0


def test_an_error_of_the_system_is_a_sentence_with_its_exit_code(
    datom: Datom, in_shared_study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, code in ((errno.EACCES, 4), (errno.EROFS, 4), (errno.ENOENT, 3), (errno.EIO, 6)):
        error = OSError(number, os.strerror(number), "some/file")
        monkeypatch.setattr(dc.ProjectReader, "list", lambda self, pattern, e=error: (_ for _ in ()).throw(e))
        ran = datom("list")
        assert (ran.code, ran.out) == (code, "")
        assert ran.err == f"datom: some/file: {os.strerror(number)}.\n"


def test_a_folder_or_disk_that_takes_nothing_leaves_no_part_of_a_page(
    datom: Datom, in_shared_study: Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    for arguments in (("show", "dm", "-o"), ("report", "2026-01", "-o"), ("export", "dm", "--as", "csv")):
        ran = datom(*arguments, str(tmp_path / "page.html"))
        assert (ran.code, ran.out) == (6, "")
        assert "No space left" in ran.err
        assert not [*tmp_path.glob("*page*"), *tmp_path.glob(".*.part")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_streams_that_are_full_closed_or_of_another_encoding(shared_study: Study) -> None:
    start = "from datom_core.command import main; main()"

    def run(arguments: str, **how: str) -> subprocess.CompletedProcess[bytes]:
        called = f'"$0" -c "{start}" {arguments}'
        environment = {**os.environ, **how}
        return subprocess.run(
            ["bash", "-c", called, sys.executable], capture_output=True, cwd=shared_study.folder, env=environment
        )

    ran = run("list > /dev/full")
    assert (ran.returncode, ran.stderr) == (6, b"datom: The answer could not be written: No space left on device.\n")
    assert run("list -p nowhere 2> /dev/full").returncode == 3
    assert (ran := run("list >&- 2>&-")).returncode == 0, ran
    assert run("write dm - --dry-run <&-").returncode == 2
    ran = run("list --json", PYTHONIOENCODING="ascii")
    assert json.loads(ran.stdout)["project"] == "STUDY_001"
    ran = run("read '\N{LATIN SMALL LETTER E WITH ACUTE}'; exit $?", PYTHONIOENCODING="ascii")
    assert (ran.returncode, b"Traceback" in ran.stderr) == (2, False)


def test_what_changed_in_a_row_comes_first_and_the_rest_is_folded(datom: Datom, study: Study) -> None:
    ran = datom("history", "dm", "USUBJID=01-002", "--offline")
    lines = ran.out.splitlines()
    assert [line.split()[1:3] for line in lines[1:3]] == [["AGE", "71"], ["AGE", "72"]]
    assert lines[3:] == ["", "2 columns never changed; --all shows them."]
    every = datom("history", "dm", "USUBJID=01-002", "--offline", "--all").out
    assert "SEX" in every
    assert every.startswith("\n".join(lines[:3]))
    assert {c["column"] for c in datom("history", "dm", "USUBJID=01-002", "--json").json()["cells"]} == {
        "USUBJID", "AGE", "SEX",
    }  # fmt: skip
    assert "SEX" in datom("history", "dm", "USUBJID=01-002", "-c", "SEX").out


def test_a_row_that_went_and_came_back_is_told_once_for_all_columns(study: Study) -> None:
    project = dc.find_settings(str(study.folder)).open_project()
    whole = study.reader.read("dm")
    older = whole.assign(AGE=whole["AGE"] + 1)
    for frame in (whole.iloc[:2], older):
        project.write("dm", frame, author="Ada <ada@example.org>")
    found = study.reader.row_history("dm", {"USUBJID": "01-003"})
    assert [(c.column, c.present) for c in found.changed if not c.present] == [("USUBJID", False)]
    assert found.changed[-1].present
    assert {c.column for c in found.unchanged} == {"SEX"}


def test_the_settings_of_a_project_keep_their_remote(datom: Datom, study: Study) -> None:
    assert datom("use", "data").code == 0
    assert dc.ProjectSettings.from_file("datom.toml").remote == "history.git"


def test_data_that_was_moved_by_hand_is_recorded_where_it_is(datom: Datom, study: Study) -> None:
    (study.folder / "data").rename(study.folder / "elsewhere")
    (study.folder / "datom.toml").unlink()
    ran = datom("use", "elsewhere", "--remote", "history.git")
    assert ran.code == 2
    assert "datom use WHERE --moved" in ran.err
    assert datom("use", "elsewhere", "--moved").code == 2
    ran = datom("use", "elsewhere", "--remote", "history.git", "--moved", "--author", "Ada <ada@example.org>")
    assert ran.code == 0, ran.err
    assert datom("status").code == 0


#: What a user of Python is told to call or to give.
_PYTHON = re.compile(
    r"(?<![\w.])[a-z_]+=(?:True|False|None|\.\.\.|[.,)\s]|$)|\b(?:project|Project|ProjectReader|Governance|GitHub|Remote)"
    r"\.?[a-z_]*\([a-z_=., ]*\)|\bhistory\(\)|\bmirror\(\)|\battach\(|\bor None\b"
)
#: Said only to who calls Python: about frames, open files, objects, arguments that no verb has.
_ONLY_PYTHON = (
    "credentials", "documents/lineage.py", "exports/writing.py", "extracts/formats/reading.py", "reports/markdown.py",
    "storage/places.py", "storage/s3/backend.py", "tables", "testing", "project/open_project.py:governance",
    "reading/comparisons.py", "writing/init_project.py:# {}", "command",
)  # fmt: skip


def said_by_the_core() -> Iterator[tuple[str, str]]:
    """Every text with a blank in it, docstrings aside; what is filled in is ``{}``."""
    for file in sorted(CORE.rglob("*.py")):
        tree = ast.parse(file.read_text())
        bodies = (n.body for n in ast.walk(tree) if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef))
        aside = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                aside |= {id(part) for part in node.values}
                text = "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in aside:
                text = node.value
            else:
                continue
            if " " in text:
                yield str(file.relative_to(CORE)), text


def test_whatever_the_core_tells_to_call_is_told_as_a_command() -> None:
    left = [
        (file, text)
        for file, text in said_by_the_core()
        if _PYTHON.search(in_commands(text)) and not any(f"{file}:{text}".startswith(known) for known in _ONLY_PYTHON)
    ]
    assert left == []


def test_messages_and_notes_command_no_terminal(datom: Datom, in_shared_study: Study) -> None:
    ran = datom("show", "dm@\x1b[31m\x9b2J")
    assert ran.code == 3
    assert "\x1b" not in ran.err
    assert "\x9b" not in ran.err
    assert printable("a\x1b\x9b\u202e") == "a\\x1b\\x9b\\u202e"


def test_in_a_pipe_a_row_is_a_line(datom: Datom, study: Study) -> None:
    Path("sv.csv").write_text("A\n1\n")
    assert datom("write", "sv", "sv.csv", "-m", "Two\nlines", "--author", "Ada <ada@example.org>").code == 0
    assert "Two\\nlines" in datom("log", "sv").out.splitlines()[1]
