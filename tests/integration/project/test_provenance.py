"""Who asked, who wrote, in which run, from which file and why: recorded with each version, in storage."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.r_colleague import RColleague

ADA = "Ada Lovelace <ada@example.org>"
SECRET = "hunter2-do-not-show"
RUN = dc.Run("r-1", "nightly", "dm", "2026-01", "7", "c" * 40)
SOURCE = dc.SourceSystem("Rave", "2026-01-01T06:00:00+01:00")
SAID = dc.Provenance(tool="wrapper 1", run=RUN, source=SOURCE, reason="Query 17")
MACHINE = dc.Machine("Test Author", "test@example.org", socket.gethostname())
Frames = Callable[[int], pd.DataFrame]


def people(remote: Path) -> list[str]:
    log = ["git", "-C", str(remote), "log", "--format=%an <%ae>|%cn <%ce>"]
    return subprocess.run(log, check=True, capture_output=True, text=True).stdout.splitlines()


def test_a_write_says_all_of_it(project: dc.Project, remote: Path, dm: Frames) -> None:
    done = project.write("dm", dm(2), author=ADA, provenance=SAID, cut="c1")
    (version,) = project.reader.history("dm")
    told = version.provenance
    assert told is not None
    assert (told.asked_by, told.run, told.reason) == (dc.Author("Ada Lovelace", "ada@example.org"), RUN, "Query 17")
    assert told.source == dc.SourceSystem("Rave", "2026-01-01T05:00:00Z")
    assert told.tool == f"py-{dc.__version__} (wrapper 1)"
    assert told.written_by is not None
    assert replace(told.written_by, user=None) == MACHINE
    assert told.written_by.user
    assert done.recording.provenance == told
    assert project.reader.log("dm")[0].provenance == told
    assert project.reader.cuts()["c1"].latest.provenance is None  # the history says it
    assert people(remote)[0] == f"{ADA}|Test Author <test@example.org>"


def test_nothing_of_it_is_part_of_the_version(project: dc.Project, store: dc.LocalStore, dm: Frames) -> None:
    first = project.write("dm", dm(2), provenance=SAID)
    again = project.write("dm", dm(2), provenance=dc.Provenance(reason="another one"))
    assert (again.version, again.action) == (first.version, "unchanged")
    assert again.recording.provenance is not None
    assert again.recording.provenance.reason == "Query 17"
    snapshot = store.get(f"dm/.metadata/{first.version}.json").data
    assert b"provenance" not in bytes(snapshot)


def test_a_version_that_comes_back_says_who_brought_it(project: dc.Project, dm: Frames) -> None:
    first = project.write("dm", dm(2), provenance=dc.Provenance(reason="first"))
    project.write("dm", dm(3))
    project.write("dm", dm(2), provenance=dc.Provenance(reason="back"))
    entry = project.reader.resolve("dm", first.version)
    assert [r.provenance.reason for r in (entry.first, entry.latest) if r.provenance] == ["first", "back"]
    assert [e.provenance.reason for e in project.reader.log("dm") if e.provenance] == ["back", None, "first"]


def test_a_cut_and_a_mark_say_who_recorded_them(project: dc.Project, dm: Frames) -> None:
    project.write("dm", dm(2))
    project.record_cut("lock", ["dm"], author=ADA, provenance=SAID)
    project.write("dm", dm(2), cut="again", provenance=dc.Provenance(reason="same data"))
    project.mark_reviewed("lock", provenance=dc.Provenance(reason="looked at"))
    cuts = project.reader.cuts()
    assert cuts["lock"].latest.provenance is not None
    assert cuts["lock"].latest.provenance.run == RUN
    assert cuts["again"].latest.provenance is not None
    assert cuts["again"].latest.provenance.reason == "same data"
    mark = cuts.reviews["reviewed"].latest.provenance
    assert mark is not None
    assert (mark.reason, mark.asked_by) == ("looked at", None)


def test_the_file_of_an_extract(project: dc.Project, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "ae.csv").write_text("USUBJID,AGE\n01,5\n")
    os.utime(drop / "ae.csv", (1_767_225_600, 1_767_225_600))
    project.sync(drop, provenance=dc.Provenance(source=dc.SourceSystem("Rave")))
    extract = project.read_extract("cm", drop / "ae.csv")
    project.write_all({"cm": replace(extract, source=dc.SourceSystem("Inform")), "vs": pd.DataFrame({"A": [1]})})
    told = {t: project.reader.history(t)[0].provenance for t in ("ae", "cm", "vs")}
    sha = project.reader.history("ae")[0].original_file_sha
    file = dc.SourceFile("ae.csv", 17, "2026-01-01T00:00:00Z", sha)
    assert [t and t.file for t in told.values()] == [file, file, None]
    assert [t and t.source and t.source.name for t in told.values()] == ["Rave", "Inform", None]


def test_a_hostile_file_name_fails_nothing_and_shows_no_login(project: dc.Project) -> None:
    extract = dc.Extract(
        pa.table({"A": [1]}),
        dc.Origin("a" * 64, "csv"),
        f"https://u:{SECRET}@h/a\n.csv?sig={SECRET}",
    )
    project.write("ae", extract)
    told = project.reader.history("ae")[0].provenance
    assert told is not None
    assert told.file == dc.SourceFile("https://h/a\ufffd.csv", None, None, "a" * 64)


def test_no_secret_gets_in(
    project: dc.Project, store: dc.LocalStore, dm: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTED", SECRET)
    held = dc.Secret("known-to-this-process")
    said = dc.Provenance(
        run=dc.Run(f"https://u:{SECRET}@dagster/runs/1?token={SECRET}"),
        source=dc.SourceSystem(f"https://u:{SECRET}@rave/x"),
        reason=f"see https://u:{SECRET}@jira/1?id=2 and {held.reveal()}",
    )
    project.write("dm", dm(2), provenance=said)
    told = project.reader.history("dm")[0].provenance
    assert told is not None
    assert (told.run, told.source) == (dc.Run("https://dagster/runs/1"), dc.SourceSystem("https://rave/x"))
    assert told.reason == "see https://jira/1?id=2 and ****"
    everything = b"".join(bytes(store.get(o.key).data) for o in store.list())
    assert SECRET.encode() not in everything
    assert held.reveal().encode() not in everything


BAD = [
    ("not one", "provenance is a Provenance"),
    (dc.Provenance(asked_by="Ada"), "must look like"),  # type: ignore[arg-type]
    (dc.Provenance(asked_by=7), "must be text or an Author"),  # type: ignore[arg-type]
    (dc.Provenance(asked_by=dc.Author("a\nb", "")), "cannot be part of an author"),
    (dc.Provenance(asked_by=dc.Author("Grace", "g@example.org")), "says that Grace <g@example.org> asked"),
    (dc.Provenance(written_by=MACHINE, file=dc.SourceFile("x")), "written_by: leave it out"),
    (dc.Provenance(run="r"), "run: give a Run"),  # type: ignore[arg-type]
    (dc.Provenance(run=dc.Run(id="a\nb", job="\x1b", asset="\ud800", partition=" ")), "run.asset: "),
    (dc.Provenance(run=dc.Run(id="x" * 10_000_000)), "10,000,000 characters"),
    (dc.Provenance(run=dc.Run(id=7)), "run.id: give text, not int"),  # type: ignore[arg-type]
    (dc.Provenance(tool="a\nb"), "tool: "),
    (dc.Provenance(reason=" "), "reason: it is empty"),
    (dc.Provenance(reason="a\0"), "NUL"),
    (dc.Provenance(reason="x" * 10_001), "10,001 characters"),
    (dc.Provenance(reason=7), "reason: give text"),  # type: ignore[arg-type]
    (dc.Provenance(source=dc.SourceSystem(extracted_at="2026-01-01T00:00:00")), "no time zone"),
    (dc.Provenance(source=dc.SourceSystem(extracted_at="2026-01-01")), "is not a time"),
    (dc.Provenance(source=dc.SourceSystem(extracted_at="soon")), "is not a time"),
    (dc.Provenance(source=dc.SourceSystem(extracted_at=datetime(2026, 1, 1))), "no time zone"),  # type: ignore[arg-type]  # noqa: DTZ001
    (dc.Provenance(source=dc.SourceSystem(extracted_at="2999-01-01T00:00:00Z")), "still to come"),
]


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> dc.Project:
    """A project that nothing is written to."""
    folder = tmp_path_factory.mktemp("standing")
    return dc.Project.init(
        "S", dc.LocalStore(folder), remote=folder / "r.git", cache_dir=folder / "c", author="A <a@b>"
    )


@pytest.mark.parametrize(("given", "said"), BAD, ids=[said for _, said in BAD])
def test_what_cannot_be_kept_is_refused_before_anything_happens(standing: dc.Project, given: object, said: str) -> None:
    before = standing.status().commit
    for write in (
        lambda: standing.write("dm", pd.DataFrame({"A": [1]}), author=ADA, provenance=given),  # type: ignore[arg-type]
        lambda: standing.record_cut("c", ["dm"], author=ADA, provenance=given),  # type: ignore[arg-type]
        lambda: standing.mark_reviewed(versions=["dm"], author=ADA, provenance=given),  # type: ignore[arg-type]
    ):
        with pytest.raises(dc.InvalidInputError, match=said):
            write()
    assert standing.status().commit == before


def test_everything_wrong_is_named_at_once(standing: dc.Project) -> None:
    given = dc.Provenance(run=dc.Run(id="a\nb", job="c\nd"), reason="", source=dc.SourceSystem(extracted_at="never"))
    with pytest.raises(dc.InvalidInputError) as error:
        standing.write("dm", pd.DataFrame({"A": [1]}), provenance=given)
    assert [name for name in ("run.id", "run.job", "reason", "source.extracted_at") if name in str(error.value)] == [
        "run.id", "run.job", "reason", "source.extracted_at",
    ]  # fmt: skip


def test_an_aware_datetime_is_a_time(project: dc.Project, dm: Frames) -> None:
    at = dc.SourceSystem(extracted_at=datetime(2026, 1, 1, tzinfo=UTC))  # type: ignore[arg-type]
    project.write("dm", dm(1), provenance=dc.Provenance(source=at))
    told = project.reader.history("dm")[0].provenance
    assert told is not None
    assert told.source == dc.SourceSystem(None, "2026-01-01T00:00:00Z")


def test_a_move_keeps_it(project: dc.Project, tmp_path: Path, dm: Frames) -> None:
    project.write("dm", dm(2), provenance=SAID)
    told = project.reader.history("dm")[0].provenance
    there = dc.LocalStore(tmp_path / "elsewhere")
    dc.migrate(project, there)
    assert dc.ProjectReader.open(there, "STUDY_001").history("dm")[0].provenance == told


def test_what_is_recovered_keeps_it(project: dc.Project, remote: Path, dm: Frames) -> None:
    project.write("dm", dm(2))
    back = project.status().commit
    project.write("dm", dm(3), author=ADA, provenance=SAID, cut="lost")
    project.record_cut("later", ["dm"], provenance=dc.Provenance(reason="named later"))
    told, cut = project.reader.history("dm")[0].provenance, project.reader.cuts()["later"].latest.provenance
    subprocess.run(["git", "-C", remote, "update-ref", "refs/heads/main", str(back)], check=True)
    anew = dc.Project.open(project.store, remote=remote, clock=Clock())
    assert len(anew.recover_versions(author="Grace <g@example.org>")) == 1
    assert anew.reader.history("dm")[0].provenance == told
    assert anew.reader.cuts()["later"].latest.provenance == cut
    assert people(remote)[0].startswith("Grace <g@example.org>|Test Author")
    assert anew.validate("deep").ok


def test_r_goes_on_beside_it(project: dc.Project, remote: Path, tmp_path: Path, dm: Frames) -> None:
    first = project.write("dm", dm(2), provenance=SAID)
    project.write("dm", dm(3))
    colleague = RColleague(remote, tmp_path / "clone")
    colleague.revert("dm", first.version, hours_later=48)
    project.mirror()
    project.write("dm", dm(4))
    entry = project.reader.resolve("dm", first.version)
    assert entry.provenance is not None
    assert entry.provenance.run == RUN
    assert entry.latest.provenance is None  # R says nothing of it


def test_malformed_ones_of_others_harm_nothing(project: dc.Project, remote: Path, tmp_path: Path, dm: Frames) -> None:
    done = project.write("dm", dm(2), provenance=SAID)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", remote, clone], check=True)
    path = clone / "dm" / "version_history.json"
    path.write_text(path.read_text().replace('"run": {', '"later": [1], "run": {"more": 5, ').replace('"r-1"', "17"))
    subprocess.run(["git", "-C", clone, "commit", "-qam", "by hand"], check=True)
    subprocess.run(["git", "-C", clone, "push", "-q"], check=True)
    project.mirror()
    reader = project.reader
    assert len(reader.read("dm", version=done.version)) == 2
    told = reader.history("dm")[0].provenance
    assert told is not None
    assert told.run == replace(RUN, id=None)
    project.write("dm", dm(3))
    text = bytes(project.store.get("dm/.metadata/version_history.json").data)
    assert b'"later": [1]' in text
    assert b'"more": 5' in text
    assert reader.verify("deep").ok


def test_whoever_is_named_when_it_is_opened_asked_too(
    store: dc.LocalStore, project: dc.Project, remote: Path, dm: Frames
) -> None:
    dc.Project.open(store, remote=remote, author=ADA).write("dm", dm(1))
    project.write("ae", dm(1))
    told = [project.reader.history(t)[0].provenance for t in ("dm", "ae")]
    assert [t and str(t.asked_by) for t in told] == [ADA, "None"]
    assert people(remote)[:2] == [
        "Test Author <test@example.org>|Test Author <test@example.org>",
        f"{ADA}|Test Author <test@example.org>",
    ]
