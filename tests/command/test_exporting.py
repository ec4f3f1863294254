"""`datom read` and `datom export`: data for other programs."""

from __future__ import annotations

import hashlib
import io
import sys
from pathlib import Path

import pandas as pd
import pytest

import datom_core as dc
from datom_core.command.run import run
from tests.command.conftest import Datom, Study

LB = "lb results (v2)"


def test_a_table_is_printed_as_text(datom: Datom, in_shared_study: Study) -> None:
    assert datom("read", "dm@2026-01").out == "USUBJID,AGE,SEX\n01-001,63,F\n01-002,71,M\n01-003,55,\n"
    ran = datom("read", "dm", "--as", "tsv", "--columns", "AGE, USUBJID", "--head", "2")
    assert (ran.code, ran.out, ran.err) == (0, "AGE\tUSUBJID\n63\t01-001\n72\t01-002\n", "")
    first = in_shared_study.reader.history("dm")[-1].version
    assert datom("read", f"dm@{first[:6]}", "--verify", "content").out == datom("read", "dm@2026-01").out


def test_as_json_it_is_an_answer_about_the_table(datom: Datom, in_shared_study: Study) -> None:
    answer = datom("read", f"{LB}@2026-02", "--json").json()
    dataset = answer.pop("dataset")
    version = in_shared_study.reader.resolve(LB).version
    assert answer == {
        "form": "datom-read/1", "project": "STUDY_001", "table": LB, "state": "2026-02", "version": version,
    }  # fmt: skip
    assert dataset["rows"] == [["01-001", "ALT", 1.5], ["01-002", "ÄST", None]]
    assert (dataset["name"], dataset["records"]) == (LB, 2)
    lines = datom("read", LB, "--as", "ndjson").out.splitlines()
    assert lines[1:] == ['["01-001", "ALT", 1.5]', '["01-002", "ÄST", null]']


def as_if(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> io.BytesIO:
    """What is printed from now on."""
    sink = io.BytesIO()
    out = Terminal(sink, encoding="utf-8", write_through=True)
    out.terminal = terminal
    monkeypatch.setattr(sys, "stdout", out)
    return sink


class Terminal(io.TextIOWrapper):
    terminal = True

    def isatty(self) -> bool:
        return self.terminal


def test_bytes_go_to_a_pipe_and_not_to_a_terminal(
    in_shared_study: Study, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = as_if(monkeypatch, terminal=False)
    assert run(["read", "dm", "--as", "parquet"]) == 0
    found = dc.read_extract(sink.getvalue(), format="parquet")
    assert found.equals(in_shared_study.reader.read_arrow("dm"))
    sink = as_if(monkeypatch, terminal=True)
    assert run(["read", "dm", "--as", "parquet"]) == 2
    assert sink.getvalue() == b""
    assert "parquet is not for a terminal" in capsys.readouterr().err


def test_what_a_table_holds_does_not_command_the_terminal(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    project = dc.find_settings().open_project()
    project.write("cm", pd.DataFrame({"CMTRT": ["\x1b[2J", "Müsli"]}), message="m")
    sink = as_if(monkeypatch, terminal=False)
    assert run(["read", "cm"]) == 0
    assert sink.getvalue().decode() == "CMTRT\n\x1b[2J\nMüsli\n"
    sink = as_if(monkeypatch, terminal=True)
    assert run(["read", "cm"]) == 0
    assert sink.getvalue().decode() == "CMTRT\n\\x1b[2J\nMüsli\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("read", "dmm"), 3, "Did you mean 'dm'"),
        (("read", "dm@2026-03"), 3, "no cut of STUDY_001"),
        (("read", "@2026-01"), 2, "write TABLE@2026-01, or use datom export"),
        (("read", "dm", "--columns", "AGEE"), 2, "Did you mean 'AGE'"),
        (("read", "dm", "--as", "parket"), 2, "Did you mean 'parquet'"),
        (("read", "dm", "--as", "csv", "--json"), 2, "give one of them"),
        (("read", "dm", "--head", "0"), 2, "--head"),
        (("read", "dm", "--verify", "all"), 2, "verify is 'bytes' or 'content'"),
        (("export", "dm", "dm.doc"), 2, "its ending must be one of .csv, .tsv"),
        (("export", "dm", "none/dm.csv"), 3, "does not exist"),
        (("export", "dm", "data"), 2, "does not say which form"),
        (("export", "dm", "data", "--as", "csv"), 2, "data is a folder"),
        (("export", "@2026-02", "out"), 2, "--as FORM"),
        (("export", "@2026-02", "out", "--as", "csv", "--columns", "AGE"), 2, "for one table"),
        (("export", "@2026-03", "out", "--as", "csv"), 3, "no cut '2026-03'"),
        (("export", "@2026-02", "datom.toml", "--as", "csv"), 2, "is a file; name a folder"),
        (("export", LB, "lb.xpt"), 2, "'LBTESTCD': text is not ASCII; form 'xpt8' takes UTF-8 (row 2)"),
        (("export", "@2026-02", "out", "--as", "xpt"), 2, f"{LB} cannot be written as xpt"),
    ],
)
def test_mistakes_are_told_and_leave_nothing(
    datom: Datom, in_shared_study: Study, arguments: tuple[str, ...], code: int, said: str
) -> None:
    before = sorted(in_shared_study.folder.iterdir())
    ran = datom(*arguments)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
    assert sorted(in_shared_study.folder.iterdir()) == before


def test_a_table_goes_into_a_file_once(datom: Datom, in_shared_study: Study, tmp_path: Path) -> None:
    target = tmp_path / "dm.xpt"
    would = datom("export", "dm@2026-01", target, "--dry-run", "--json")
    assert not target.exists()
    assert would.err == "Nothing was done: this was a dry run.\n"
    answer = datom("export", "dm@2026-01", target, "--json").json()
    assert would.json() == {**answer, "dry_run": True}
    data = target.read_bytes()
    [first] = [v for v in in_shared_study.reader.history("dm") if v.message.startswith("Extract")]
    assert answer == {
        "form": "datom-export/1", "project": "STUDY_001", "state": "2026-01", "dry_run": False,
        "files": [{
            "path": str(target), "form": "xpt", "table": "dm", "version": first.version, "rows": 3,
            "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(),
        }],
    }  # fmt: skip
    refused = datom("export", "dm", target)
    assert (refused.code, refused.out) == (2, "")
    assert "is there already" in refused.err
    assert target.read_bytes() == data
    assert datom("export", "dm", target, "--overwrite", "--columns", "AGE", "--label", "Ages").code == 0
    found = dc.read_extract(target)
    assert (found.column_names, found.schema.metadata[b"label"]) == (["AGE"], b"Ages")


def test_a_cut_goes_into_a_folder(datom: Datom, in_shared_study: Study, tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    answer = datom("export", "@2026-02", folder, "--as", "parquet", "--json").json()
    assert [f["table"] for f in answer["files"]] == ["dm", LB]
    assert sorted(p.name for p in folder.iterdir()) == ["dm.parquet", f"{LB}.parquet"]
    for file in answer["files"]:
        table = in_shared_study.reader.read_arrow(file["table"], cut="2026-02")
        assert dc.read_extract(file["path"]).equals(table)
    again = datom("export", "@2026-02", folder, "--as", "parquet")
    assert again.code == 2
    assert "there are already dm.parquet" in again.err
    ran = datom("export", "@2026-02", folder, "--as", "parquet", "--overwrite")
    assert [line.split()[0] for line in ran.out.splitlines()] == ["file", f"{folder}/dm.parquet", f"{folder}/lb"]
    assert datom("export", "@2026-01", tmp_path / "before", "--as", "csv", "-q").code == 0
    assert [p.name for p in (tmp_path / "before").iterdir()] == ["dm.csv"]


def test_a_pipe_that_closes_early_is_the_callers_to_handle(
    in_shared_study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closed(io.BytesIO):
        def write(self, data: object) -> int:  # type: ignore[override]
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(Closed(), encoding="utf-8"))
    with pytest.raises(BrokenPipeError):
        run(["read", "dm"])


def test_evidence_of_a_cut_a_moment_or_tables(datom: Datom, study: Study, tmp_path: Path) -> None:
    would = datom("evidence", "@2026-02", "-o", tmp_path / "bag", "--dry-run", "--json").json()
    assert (would["dry_run"], would["digest"], list(tmp_path.glob("bag*"))) == (True, None, [])
    made = datom("evidence", "2026-02", "-o", tmp_path / "bag", "--copies", "csv", "--json").json()
    assert made["versions"] == would["versions"]
    assert (made["cut"], made["files"]) == ("2026-02", len([p for p in (tmp_path / "bag").rglob("*") if p.is_file()]))
    ran = datom("evidence", "2026-02", "-o", tmp_path / "bag.zip", "--copies", "csv")
    assert (ran.code, ran.err) == (0, "")
    assert made["digest"] in ran.out
    first = study.reader.history("dm")[-1].version
    some = datom("evidence", f"dm@{first[:9]},{LB}", "-o", tmp_path / "some", "--no-history", "--json").json()
    assert [v["version"] for v in some["versions"]] == [first, study.reader.resolve(LB).version]
    assert (some["commit"], some["cut"]) == (None, None)
    then = datom("evidence", "2026-12-31", "-o", tmp_path / "then", "--no-history", "--json").json()
    assert then["state"] == "2026-12-31"
    again = datom("evidence", "2026-02", "-o", tmp_path / "bag")
    assert (again.code, again.out) == (2, "")
    assert "not an empty folder" in again.err
    unknown = datom("evidence", "2026-03", "-o", tmp_path / "none")
    assert (unknown.code, unknown.out) == (3, "")
