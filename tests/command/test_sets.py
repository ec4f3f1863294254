"""Sets, citations and what came of a version, from a shell."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.command.conftest import Datom, Study


@pytest.fixture
def with_set(study: Study, datom: Datom) -> Study:
    """The study with a set of an old dm and lb."""
    done = datom(
        "set", "write", "analysis", "dm@2026-01", "lb results (v2)", "--tag", "purpose=safety",
        "--member-tag", "dm:type=input", "--member-tag", "dm:type=baseline", "--file", "README.txt=datom.toml",
        "-m", "For the report",
    )  # fmt: skip
    assert done.code == 0, done.err
    return study


def test_a_set_is_written_listed_and_shown(with_set: Study, datom: Datom) -> None:
    listed = datom("set", "list", "--json").json()["sets"]
    assert [(s["name"], s["members"], s["versions"]) for s in listed] == [("analysis", 2, 1)]
    shown = datom("set", "show", "analysis", "--json").json()
    assert (shown["message"], shown["tags"]) == ("For the report", {"purpose": ["safety"]})
    assert [m["name"] for m in shown["members"]] == ["dm", "lb results (v2)"]
    assert shown["members"][0]["tags"] == {"type": ["baseline", "input"]}
    at = datom("set", "show", f"analysis@{shown['version'][:6]}").out
    assert "type=baseline, type=input" in at
    assert datom("set", "list").out.splitlines()[1].startswith("analysis ")
    held = subprocess.run(["git", "-C", "history.git", "show", "HEAD:README.txt"], capture_output=True, text=True)
    assert 'project = "STUDY_001"' in held.stdout


def test_a_set_that_is_behind_is_told_and_brought_level(with_set: Study, datom: Datom) -> None:
    behind = datom("set", "status", "analysis", "--json")
    assert behind.code == 1
    assert [(m["name"], m["status"]) for m in behind.json()["members"]] == [
        ("dm", "changed"), ("lb results (v2)", "unchanged"),
    ]  # fmt: skip
    planned = datom("set", "write", "analysis", "--level", "--dry-run", "--json").json()
    assert (planned["action"], planned["commit"], planned["dry_run"]) == ("created", None, True)
    assert datom("set", "status", "analysis").code == 1
    assert datom("set", "write", "analysis", "--level").code == 0
    assert datom("set", "status", "analysis").code == 0
    shown = datom("set", "show", "analysis", "--json").json()
    assert shown["message"] == "Update analysis: repoint 1 member"
    assert shown["tags"] == {"purpose": ["safety"]}
    assert datom("set", "write", "analysis", "--level", "--json").json()["action"] == "unchanged"


def test_what_came_of_a_version_is_told(study: Study, datom: Datom) -> None:
    nothing = datom("impact", "dm@2026-01")
    assert (nothing.code, nothing.out) == (
        0,
        "Nothing was derived from dm@2026-01, and no set holds it, in STUDY_001.\n",
    )
    assert datom("write", "adsl=datom.toml", "--type", "derived", "--parent", "dm@2026-01").code == 2
    (study.folder / "adsl.csv").write_text("USUBJID,ARM\n01-001,A\n")
    assert datom("write", "adsl=adsl.csv", "--parent", "dm@2026-01", "--cut", "adam").code == 0
    assert datom("set", "write", "analysis", "adsl").code == 0
    found = datom("impact", "dm@2026-01", "--json")
    assert found.code == 1
    told = [(a["name"], a["kind"], a["generation"], a["cuts"]) for a in found.json()["affected"]]
    assert told == [("adsl", "table", 1, ["adam"]), ("analysis", "set", 2, [])]
    assert "STUDY_001/analysis" in datom("impact", "dm@2026-01").out
    assert datom("impact", "dm").code == 0
    cut_short = datom("impact", "dm@2026-01", "--most", "1")
    assert "--most raises the bound" in cut_short.err


def test_a_contradiction_is_named_and_may_be_let_pass(study: Study, datom: Datom) -> None:
    (study.folder / "adsl.csv").write_text("USUBJID,ARM\n01-001,A\n")
    assert datom("write", "adsl=adsl.csv", "--parent", "dm@2026-01").code == 0
    refused = datom("set", "write", "analysis", "dm", "adsl")
    assert refused.code == 2
    assert "adsl@" in refused.err
    assert "was derived from STUDY_001/dm@" in refused.err
    passed = datom("set", "write", "analysis", "dm", "adsl", "--allow", "Nothing of dm's change is used", "--json")
    assert passed.code == 0
    assert len(passed.json()["allowed"]) == 1


def test_a_citation_leads_back(with_set: Study, datom: Datom) -> None:
    cited = datom("cite", "dm@2026-01", "--json").json()
    assert cited["text"].endswith(cited["id"])
    assert json.loads(cited["csl_json"])[0]["type"] == "dataset"
    found = datom("find", cited["id"], "--json").json()
    assert found["version"] == cited["full_id"].partition("@")[2]
    assert datom("find", cited["full_id"]).out.startswith("table     STUDY_001/dm\n")
    assert datom("cite", "analysis", "--form", "bibtex").out.startswith("@dataset{")
    assert datom("cite", "analysis", "--form", "datacite").out.startswith("{")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("set", "show", "dm"), 2, "dm is a table, not a set"),
        (("set", "show", "nosuch"), 3, "nosuch"),
        (("set", "write", "analysis"), 2, "Give the members, or --level"),
        (("set", "write", "analysis", "dm", "--level"), 2, "not both"),
        (("set", "write", "lb results (v2)", "dm"), 2, "is a table"),
        (("set", "write", "analysis", "dm@2099-01"), 3, "2099-01"),
        (("set", "write", "analysis", "dm", "--member-tag", "dm=x"), 2, "TABLE:KEY=VALUE"),
        (("set", "write", "analysis", "dm", "--member-tag", "lb:k=x"), 2, "names no member: lb"),
        (("set", "write", "analysis", "dm", "--file", "../x=datom.toml"), 2, "no path inside"),
        (("set", "write", "analysis", "dm", "--file", "x=nosuch"), 2, "cannot be read"),
        (("cite", "@2026-01"), 2, "names no table or set"),
        (("cite", "dm", "--form", "bibtext"), 2, "bibtex"),
        (("find", "dm"), 2, "An id is like"),
        (("find", "datom:STUDY_001/dm@0000000000"), 3, "0000000000"),
        (("find", "datom:OTHER/dm@0000000000"), 2, "register"),
        (("impact", "@2026-01"), 2, "names no table"),
    ],
)
def test_what_cannot_be_done_says_why(
    in_shared_study: Study, datom: Datom, words: tuple[str, ...], code: int, said: str
) -> None:
    ran = datom(*words)
    assert (ran.code, said in ran.err) == (code, True), ran.err
