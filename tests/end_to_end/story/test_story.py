"""The studies of an organization, from the register's beginning to the end of one of them; and no secret anywhere."""

from __future__ import annotations

import logging
import re
import subprocess
import sys

import pandas as pd
import pytest

import datom_core as dc
from tests.end_to_end.story.conftest import ENGINEER, KEEPER, Acme
from tests.patience import wait_until

DOMAINS = ("dm", "ex", "lb", "ae")


def extract(subjects: int) -> dict[str, pd.DataFrame]:
    """What an EDC system gives of so many subjects."""
    of = [f"01-{n:03d}" for n in range(1, subjects + 1)]
    same = {"STUDYID": "STUDY_001", "USUBJID": of}
    return {
        "dm": pd.DataFrame({**same, "DOMAIN": "DM", "AGE": range(40, 40 + subjects), "ARM": "A"}),
        "ex": pd.DataFrame({**same, "DOMAIN": "EX", "EXDOSE": 54.0, "EXSTDTC": "2026-01-05"}),
        "lb": pd.DataFrame({**same, "DOMAIN": "LB", "LBTESTCD": "ALT", "LBSTRESN": [n / 2 for n in range(subjects)]}),
        "ae": pd.DataFrame({**same, "DOMAIN": "AE", "AETERM": "HEADACHE", "AESEV": "MILD"}),
    }


def test_the_life_of_an_organizations_studies(
    acme: Acme, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with acme.witness.watching():
        governance = a_register_is_begun(acme)
        one = a_study_is_founded_and_extracted(acme)
        registered(acme, governance, one)
        a_second_study(acme, governance)
        pinned = a_statistician_reads_by_name(acme, one.store)
        an_engineer_corrects_a_table(acme, one.store)
        moved = a_study_moves_to_the_bucket(acme, governance, one.store)
        assert a_statistician_reads_by_name(acme, moved.store, corrected=True) == pinned
        an_auditor_asks(acme, governance, moved)
        a_manager_looks(acme, governance)
        assert acme.witness.shown(caplog, "") == []  # while the second study is still there
        a_study_ends(acme, governance)
        the_other_goes_on(acme, moved)
    assert len(caplog.records) > 1000, "the logs were listened to"
    assert any(b"\0push\0" in command for command in acme.witness.commands), "processes were watched"
    out, err = capfd.readouterr()
    assert acme.witness.shown(caplog, out + err) == []


def a_register_is_begun(acme: Acme) -> dc.Governance:
    remote = acme.keeper.repository("governance")
    governance = dc.Governance.init(
        acme.store("register", "registrar"), remote=remote, create_repo=True, **acme.by_keeper
    )
    assert acme.github.repositories["acme/governance"].private
    assert len(governance.projects()) == 0
    head = acme.github.git("acme/governance", "rev-parse", "main")
    # Once per organization: whoever begins it again changes nothing.
    dc.Governance.init(governance.store, remote=remote, create_repo=False, **acme.by_keeper)
    assert acme.github.git("acme/governance", "rev-parse", "main") == head
    return acme.witness.sees(governance)


def a_study_is_founded_and_extracted(acme: Acme) -> dc.Project:
    """On a disk, by the keeper, who may create repositories; from then on the engineer writes."""
    store = dc.LocalStore(acme.folder / "disk", "studies/001")
    dc.Project.init("STUDY_001", store, remote=acme.keeper.repository("study-001"), create_repo=True, **acme.by_keeper)
    made = acme.github.repositories["acme/study-001"]
    assert (made.private, made.description) == (True, "datom project: STUDY_001")
    project = dc.Project.open(store, remote=acme.engineer.repository("study-001"), **acme.by_engineer)
    cut = acme.witness.sees(project.cut("2026-01", extract(4), message="First extract", table_type="imported"))
    assert {r.action for r in cut.values()} == {"created"}
    assert len(acme.github.git("acme/study-001", "rev-list", "main").split()) == 2, "a cut is one commit"
    return acme.witness.sees(project)


def registered(acme: Acme, governance: dc.Governance, project: dc.Project) -> None:
    """The keeper registers what the engineer writes."""
    opened = dc.Project.open(project.store, remote=acme.keeper.repository("study-001"), **acme.by_keeper)
    attached = acme.witness.sees(governance.attach(opened))
    assert attached.governed
    assert attached.status().level
    assert governance.project("STUDY_001").location == project.store.location


def a_second_study(acme: Acme, governance: dc.Governance) -> None:
    """In the bucket from the first day on."""
    project = dc.Project.init(
        "STUDY_002",
        acme.store("studies/002", "registrar"),
        remote=acme.keeper.repository("study-002"),
        create_repo=True,
        **acme.by_keeper,
    )
    attached = governance.attach(project)
    attached.cut("2026-01", {"dm": extract(2)["dm"]}, message="First extract")
    acme.witness.sees(attached)


def a_statistician_reads_by_name(acme: Acme, lies: dc.ObjectStore, *, corrected: bool = False) -> dict[str, str]:
    """Knows the register's bucket and the study's name, and may read. Returns the version of each table's cut."""
    register = acme.store("register", "statistician")
    reader = acme.witness.sees(dc.ProjectReader.find("STUDY_001", governance=register))
    assert dc.locate("STUDY_001", governance=register).location == lies.location
    assert [t.name for t in acme.witness.sees(reader.list())] == list(DOMAINS)
    cut = acme.witness.sees(reader.cuts())["2026-01"]
    first = reader.history("dm")[-1]
    for how in ({"version": first.version}, {"as_of": first.timestamp}, {"cut": "2026-01"}):
        pd.testing.assert_series_equal(reader.read("dm", **how)["AGE"], extract(4)["dm"]["AGE"].astype("Int64"))
    assert reader.read("dm")["AGE"].tolist()[0] == (41 if corrected else 40)
    for store in (register, acme.store("studies/002", "statistician")):
        with pytest.raises(dc.AccessDeniedError, match="s3:PutObject") as refused:
            store.create("x.json", b"x")
        acme.witness.hears(refused.value)
    return dict(cut)


def an_engineer_corrects_a_table(acme: Acme, store: dc.ObjectStore) -> None:
    """Before each write the register is asked, for which the rights of a reader suffice."""
    register = acme.store("register", "engineer")
    remote = acme.engineer.repository("study-001")
    project = dc.Project.open(store, remote=remote, governance=register, **acme.by_engineer)
    dm = extract(4)["dm"]
    dm.loc[0, "AGE"] = 41
    result = acme.witness.sees(project.write("dm", dm, message="Age of 01-001 corrected"))
    assert (result.action, result.rows) == ("created", 4)
    assert project.write("dm", dm).action == "unchanged"


def a_study_moves_to_the_bucket(acme: Acme, governance: dc.Governance, old: dc.ObjectStore) -> dc.Project:
    remote = acme.keeper.repository("study-001")
    project = dc.Project.open(old, remote=remote, governance=governance, **acme.by_keeper)
    theirs = dc.Project.open(
        old, remote=acme.engineer.repository("study-001"), governance=acme.store("register", "engineer")
    )
    target = acme.store("studies/001", "registrar")
    move = {"message": "The disk is retired", "sunset_at": "2026-06-30"}
    assert acme.witness.sees(dc.migrate(project, target, dry_run=True, **move)).commit_sha is None
    assert acme.objects("studies/001") == {}
    report = acme.witness.sees(dc.migrate(project, target, **move))
    assert (report.project, report.source, report.target) == ("STUDY_001", str(old.location), str(target.location))
    with pytest.raises(dc.ConflictError, match=re.escape(f"has moved to {target.location}")) as refused:
        theirs.write("ae", extract(5)["ae"])
    acme.witness.hears(refused.value)
    store = acme.store("studies/001", "engineer")
    moved = dc.Project.open(store, remote=acme.engineer.repository("study-001"), **acme.by_engineer)
    assert moved.write("ae", extract(4)["ae"], table_type="imported").action == "unchanged"
    return acme.witness.sees(moved)


def an_auditor_asks(acme: Acme, governance: dc.Governance, project: dc.Project) -> None:
    record = acme.witness.sees(governance.project("STUDY_001"))
    commit = acme.github.git("acme/governance", "log", "--format=%an <%ae> %aI", "--grep=Register project STUDY_001")
    when = pd.Timestamp(str(record.registered_at)).isoformat()
    assert f"{record.registered_by} {when}" == commit.strip(), "who registered it, and when"
    assert str(record.registered_by) == KEEPER
    (left,) = record.previous
    (move,) = record.events
    assert (left.location.root, left.sunset_at) == (str(acme.folder / "disk"), "2026-06-30")
    assert (move.kind, move.by, move.reason) == ("data_migration", "kim@acme.example", "The disk is retired")
    assert (move.source, move.target) == (left.location, record.location)
    history = acme.witness.sees(project.reader.history("dm"))
    assert [(v.message, str(v.author)) for v in history] == [
        ("Age of 01-001 corrected", ENGINEER),
        ("First extract", ENGINEER),
    ]
    for version in history:
        subject = acme.github.git("acme/study-001", "log", "-1", "--format=%s|%an <%ae>", str(version.commit_sha))
        assert subject.strip() == f"{version.message}|{version.author}"
    report = acme.witness.sees(project.validate("full"))
    assert (report.ok, report.tables, report.versions, report.strangers) == (True, 4, 5, ())


def a_manager_looks(acme: Acme, governance: dc.Governance) -> None:
    table = acme.witness.sees(governance.projects())
    shown = [(p.name, p.prefix, p.tables, p.versions, p.registered_by, p.note) for p in table]
    assert shown == [
        ("STUDY_001", "studies/001", 4, 5, KEEPER, ""),
        ("STUDY_002", "studies/002", 1, 1, KEEPER, ""),
    ]
    # Without git, as a reader of the register: the same, except for who registered what.
    theirs = dc.Governance.open(acme.store("register", "statistician")).projects()
    assert [(p.name, p.tables, p.versions, p.registered_by) for p in theirs] == [
        ("STUDY_001", 4, 5, None),
        ("STUDY_002", 1, 1, None),
    ]


def opened_to_be_ended(acme: Acme) -> dc.Project:
    """With the only keys that may remove what is there."""
    register = dc.Governance.open(
        acme.store("register", "keeper"), remote=acme.keeper.repository("governance"), **acme.by_keeper
    )
    store, remote = acme.store("studies/002", "keeper"), acme.keeper.repository("study-002")
    return acme.witness.sees(dc.Project.open(store, remote=remote, governance=register, **acme.by_keeper))


def a_study_ends(acme: Acme, governance: dc.Governance) -> None:
    project = opened_to_be_ended(acme)
    before, head = acme.objects(), acme.github.git("acme/study-002", "rev-parse", "main")
    with pytest.raises(dc.InvalidInputError, match="Nothing was done") as refused:
        project.decommission(confirm="STUDY_02")
    acme.witness.hears(refused.value)
    dry = acme.witness.sees(project.decommission(confirm="STUDY_002", dry_run=True))
    there = {k.removeprefix("studies/002/datom/") for k in acme.objects("studies/002")}
    # What conditional writes were tried on goes with it, without being anybody's data.
    assert set(dry.keys) == there - {".datom-probe"}
    assert "acme/study-002" in dry.repository
    assert (acme.objects(), acme.github.git("acme/study-002", "rev-parse", "main")) == (before, head)

    acme.witness.sees(project.decommission(confirm="STUDY_002"))
    assert acme.keeper.repository("study-002").inspect() is None
    assert set(acme.github.repositories) == {"acme/governance", "acme/study-001"}
    gone = {k for k in before if k.startswith(("studies/002/", "register/datom/projects/STUDY_002/"))}
    assert acme.objects() == {k: v for k, v in before.items() if k not in gone}, "all else is as it was"
    assert [p.name for p in governance.projects()] == ["STUDY_001"]
    with pytest.raises(dc.NotFoundError, match="holds no project 'STUDY_002'") as missing:
        dc.ProjectReader.find("STUDY_002", governance=acme.store("register", "statistician"))
    acme.witness.hears(missing.value)
    log = acme.github.git("acme/governance", "log", "-2", "--format=%s|%an <%ae>").splitlines()
    assert log == [f"Unregister project STUDY_002|{KEEPER}", f"Decommission project STUDY_002|{KEEPER}"]


def the_other_goes_on(acme: Acme, project: dc.Project) -> None:
    assert project.write("lb", extract(6)["lb"], message="Second extract").action == "created"
    reader = dc.ProjectReader.find("STUDY_001", governance=acme.store("register", "statistician"))
    assert (len(reader.read("lb")), len(reader.read("lb", cut="2026-01"))) == (6, 4)
    assert acme.witness.sees(project.validate("full")).ok


def test_a_secret_that_shows_is_found(
    acme: Acme, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The search would tell: each place is given a secret once."""
    token, key = acme.witness.secrets["eli"], acme.witness.secrets["engineer"]
    caplog.set_level(logging.DEBUG)
    logging.getLogger("somebody.else").debug("token %s", token)
    print(token)
    acme.witness.sees([key])
    (acme.folder / "note").write_text(key)
    subprocess.run(["git", "config", "--global", "x.y", token], check=True)
    acme.s3.s3.put_object(Bucket=acme.bucket, Key="studies/001/x", Body=b"", Metadata={"k": token})
    waits = [sys.executable, "-c", "input()", token]
    with acme.witness.watching(), subprocess.Popen(waits, stdin=subprocess.PIPE) as process:
        wait_until(lambda: any(token.encode() in command for command in acme.witness.commands.copy()))
        process.communicate(b"\n")
    found = acme.witness.shown(caplog, capfd.readouterr().out)
    assert {text for text in found if not text.startswith("eli in configuration in github/")} == {
        "eli in logs",
        "engineer in reprs and errors",
        "eli in output",
        "eli in arguments",
        "engineer in file note",
        "eli in file gitconfig",
        "eli in configuration in .",
        "eli in object studies/001/x",
    }
