"""The example does what the README says of it."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

import datom_core as dc
from tests.command.conftest import run
from tests.compatibility.format.comparing import assert_read_alike
from tests.compatibility.format.stranger import Stranger
from tests.long import LONG, long

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATOM_EXAMPLE_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("DATOM_EXAMPLE_REMOTE", str(tmp_path / "study.git"))
    monkeypatch.setenv("DATOM_EXAMPLE_GOVERNANCE_STORE", str(tmp_path / "governance"))
    monkeypatch.setenv("DATOM_EXAMPLE_GOVERNANCE_REMOTE", str(tmp_path / "governance.git"))
    monkeypatch.setenv("DATOM_EXAMPLE_DROPS", str(tmp_path / "drops"))
    monkeypatch.setenv("DATOM_EXAMPLE_DAGSTER_HOME", str(tmp_path / "dagster"))


CUTS = ("2012-12", "2013-03", "2013-06", "2013-12") if LONG else ("2012-12", "2013-12")
#: Rows of lb in the first cut and in the last, of vs in the last, and of what is derived from vs.
ROWS = (7433, 42894, 22236, 1302) if LONG else (349, 1244, 710, 48)


def demo(name: str = "demo") -> str:
    """What it prints; the short run records the first cut and the last, of fewer subjects: each goes the same way."""
    fewer = "from tests.dagster.fewer import fewer_subjects; fewer_subjects()"
    short = f"{fewer}; from example_project import demo; demo.CUTS = {CUTS}; demo.main()"
    command = [sys.executable, *(("-m", f"example_project.{name}") if LONG or name != "demo" else ("-c", short))]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=dict(os.environ)).stdout


def test_the_demo(tmp_path: Path) -> None:
    first = demo()
    early, late, signs, last = ROWS
    assert re.search(rf"lb +{early} rows +first version", first)
    assert f'lb as of the cut "2012-12" has {early} rows; as of "2013-12" it has {late}' in first
    assert f"EDC extract through the end of {CUTS[-2]}" in first
    assert "make ui" in first
    reader = dc.ProjectReader.open(dc.LocalStore(tmp_path / "store"), "STUDY_001")
    the_product(tmp_path, first, reader)
    own = dict.fromkeys(("dm", "ex", "lb", "ae", "lb_abnormal"), len(CUTS))
    assert {t.name: t.versions for t in reader.list()} == own | {"vs": 2, "vs_last": 1, "sites": 1}
    for text in (
        "check ranges of vs failed and blocks: VSSTRESN: 1 row with a value out of range\n      the run failed",
        f"vs        {signs:>5} rows   1 row changed by USUBJID, VSTESTCD, VISITNUM, VSTPTNUM since the cut as it was",
        f"vs_last   {last:>5} rows   first version\n      the run succeeded",
        "sites was written by Grace Hopper <grace@example.org>",
    ):
        assert text in first
    assert {p.table for p in reader.parents("lb_abnormal") or ()} == {"lb", "dm"}
    assert f"What changed in the cut 2013-12: 5 of 5 tables: ae, dm, ex, lb, lb_abnormal since {CUTS[-2]}" in first
    kept = list((tmp_path / "reports" / "STUDY_001" / "2013-12").iterdir())
    assert sorted(path.suffix for path in kept) == [".html", ".xlsx"]
    assert all(str(path) in first.partition("What changed in the cut")[2] for path in kept)
    assert_read_alike(Stranger(tmp_path / "store" / "datom"), reader)
    the_session_of_the_readme(tmp_path)

    if LONG:  # that of a register moves to S3 too
        head = (tmp_path / "study.git" / "refs" / "heads" / "main").read_text()
        second = demo()
        assert second.count("no change") == 26
        assert "No extract file is new or changed." in second
        assert "Nothing new from outside." in second
        assert (tmp_path / "study.git" / "refs" / "heads" / "main").read_text() == head
        on_s3(reader)


def the_product(folder: Path, said: str, study: dc.ProjectReader) -> None:
    """Two cuts are released as sets in a project of its own, and a wrong extract can be followed there."""
    product = dc.ProjectReader.open(dc.LocalStore(folder / "adam"), "STUDY_001_ADAM")
    assert [(s.name, s.members, s.versions) for s in product.sets()] == [("adam", 5, 2)]
    released = product.set("adam", tags={"cut": CUTS[-1]})
    inputs = {m.name: m.version for m in released.matching(tags={"type": "input"})}
    cut = study.cuts()[CUTS[-1]]
    assert inputs == {name: cut[name] for name in ("dm", "ex", "lb")}
    adsl = product.read("adsl", cut=CUTS[-1])
    assert set(adsl["TRT01P"]) == {"Placebo", "Xanomeline High Dose", "Xanomeline Low Dose"}
    adlb = product.read("adlb", cut=CUTS[-1])
    assert (adlb.loc[adlb["ABLFL"] == "Y", "CHG"] == 0).all()
    for text in (
        "adam             the set   first version: 5 members",
        f"adam             the set   5 repointed of 5 members since the cut {CUTS[0]}",
        f"Which data made that release: {product.cite('adam', released.version).id}",
        f"  STUDY_001_ADAM/adam@{str(released.version)[:8]}         set    through STUDY_001/lb@{cut['lb'][:8]}",
    ):
        assert text in said


def the_session_of_the_readme(folder: Path) -> None:
    """Its twelve commands answer on the demo's project: 1 where they find a difference, else 0."""
    commands = commands_of("README.md", "```console\n", 12)
    commands += commands_of("docs/auditor.md", "```console demo\n", 5)
    with contextlib.chdir(folder):
        for words in commands:
            said = io.BytesIO()
            with contextlib.redirect_stdout(io.TextIOWrapper(said, encoding="utf-8", write_through=True)):
                assert run(words) == (words[0] == "diff"), words
                assert said.getvalue().strip(), words
    recipe = subprocess.run(["sh", "verify.sh"], cwd=folder / "evidence-2013-12", capture_output=True, text=True)
    assert recipe.returncode == 0, recipe.stdout
    assert (folder / "changes.html").is_file()
    assert len([*(folder / "cut-2012-12").glob("*.xpt")]) == 5


def commands_of(page: str, begin: str, count: int) -> list[list[str]]:
    """The words of each `datom` command in a session of a page."""
    block = (ROOT / page).read_text().partition(begin)[2].partition("```")[0]
    found = [shlex.split(line)[2:] for line in block.splitlines() if line.startswith("$ datom ")]
    assert len(found) == count
    return found


def on_s3(reader: dc.ProjectReader) -> None:
    said = demo("demo_s3")
    for text in (
        "conditional writes yes",
        "has moved to s3:",
        'lb as of the cut "2012-12": 7433 rows',
        "Not allowed: s3:PutObject",
        '"s3:AbortMultipartUpload"',
        "lb            56601 rows   13,707 rows added by USUBJID, LBTESTCD, VISITNUM since the cut 2013-12",
    ):
        assert text in said
    assert re.search(r"copy: (\d\d) of \1 objects", said)
    assert {t.versions for t in reader.list() if t.name in ("lb", "dm")} == {4}, "the demo itself stays as it is"


def test_the_code_location_loads() -> None:
    """As the page and the daemon load it, which look at more than a job that is run by itself."""
    from example_project import adam_definitions, definitions

    for each in (definitions, adam_definitions):
        dg.Definitions.validate_loadable(each.defs)


@long  # the story of an organization's studies goes the same way
def test_the_demo_of_a_register(tmp_path: Path) -> None:
    said = demo("demo_governed")
    for text in (
        "lb    5a50f431 3d453111 created",
        "dm {'cut': '2012-12'}: 65 rows, the first subject is 64",
        "dm as it is now: 65 rows, the first subject is 65",
        "Not allowed: s3:PutObject",
        "A writer who still holds the disk is told: The data of STUDY_001 has moved to s3:",
        "kept until 2030-06-30",
        "(The disk is retired)",
        "problems 0, fixed 0, strangers 0",
        "confirm with its name, not with 'STUDY_02'",
        "On GitHub now: acme/governance, acme/study-001\n",
        "holds no project 'STUDY_002'",
        "Kim Keeper: Unregister project STUDY_002",
    ):
        assert text in said
    assert not (tmp_path / "cache").exists(), "the clones were the demo's own"
    port = re.findall(r"127\.0\.0\.1:(\d+)", (tmp_path / "governed" / "moto.log").read_text())[0]
    assert f"moto_server\0{port}".encode() not in running_commands(), "its servers end with it"


def running_commands() -> bytes:
    found = b""
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found += process.read_bytes()
    return found


def test_an_extract_holds_what_was_known_on_the_day() -> None:
    from example_project.extract import START_DATE, extract

    for name, column in START_DATE.items():
        early, late = (extract(name, day) for day in (date(2012, 12, 31), date(2013, 3, 31)))
        assert 0 < len(early) < len(late)
        assert early[column].str.slice(0, 10).max() <= "2012-12-31"
        assert list(early.index[:2]) == [0, 1]


@pytest.mark.parametrize(
    ("day", "cut"),
    [(datetime(2013, 4, 1, 6, tzinfo=UTC), "2013-03"), (datetime(2026, 4, 1, 6, tzinfo=UTC), "2015-03")],
)
def test_the_schedule_asks_for_the_latest_month_that_is_over(day: datetime, cut: str) -> None:
    from example_project.definitions import monthly_cut

    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(instance=instance, scheduled_execution_time=day)
        request = monthly_cut(context)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == cut


def test_the_schedule_before_the_study() -> None:
    from example_project.definitions import monthly_cut

    with dg.DagsterInstance.ephemeral() as instance:
        day = datetime(2012, 7, 15, tzinfo=UTC)
        assert isinstance(
            monthly_cut(dg.build_schedule_context(instance=instance, scheduled_execution_time=day)), dg.SkipReason
        )


def test_the_workspace_loads() -> None:
    from example_project.definitions import defs

    dg.Definitions.validate_loadable(defs)
    specs = {s.key.to_user_string(): s for s in defs.resolve_all_asset_specs()}
    assert set(specs) == {"dm", "ex", "lb", "ae", "lb_abnormal", "vs", "vs_last", "sites", "change_report"}
    assert all(s.owners and s.kinds and s.description for s in specs.values())
    from example_project.adam_definitions import defs as product

    derived = {s.key.to_user_string(): s for s in product.resolve_all_asset_specs()}
    assert set(derived) == {"dm", "ex", "lb", "adsl", "adlb", "adam"}
    assert all(s.owners and s.kinds for s in derived.values())
    columns = specs["lb"].metadata["dagster/column_schema"].columns
    assert {c.name: c.description for c in columns}["LBTESTCD"] == "Lab Test or Examination Short Name"
