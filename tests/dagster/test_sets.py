"""A set as an asset: the versions that a run or a cut stands for, across projects, stale exactly when one changed."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

import datom_core as dc
from datom_dagster import (
    DatomIOManager,
    DatomResource,
    GovernanceResource,
    LocalStorage,
    SetMember,
    datom_asset,
    datom_jobs,
    datom_set,
    datom_set_checks,
)
from datom_dagster.testing import metadata_of as shown
from tests.dagster.conftest import data_version, failure

Run = Callable[..., dg.ExecuteInProcessResult]
CUTS = dg.StaticPartitionsDefinition(["2026-01", "2026-02"])
ROWS = {"2026-01": 2, "2026-02": 3}


@pytest.fixture(autouse=True)
def deliveries(monkeypatch: pytest.MonkeyPatch) -> None:
    for cut, n in {"2026-01": 2, "2026-02": 3}.items():
        monkeypatch.setitem(ROWS, cut, n)


def subjects(n: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"s{i}" for i in range(n)]})


@datom_asset(partitions_def=CUTS, io_manager_key="sdtm_io")
def dm(context: dg.AssetExecutionContext) -> pd.DataFrame:
    return subjects(ROWS[context.partition_key])


@datom_asset(partitions_def=CUTS)
def adsl(dm: pd.DataFrame) -> pd.DataFrame:
    return dm.assign(SAFFL="Y")


@datom_asset
def codes() -> pd.DataFrame:
    return pd.DataFrame({"CODE": ["A", "B"][: ROWS["2026-01"]]})


ADAM = datom_set(
    "adam",
    [SetMember(adsl, {"type": "output"}), SetMember(dm, {"type": "input"}, resource="sdtm"), codes],
    labels={"purpose": "interim"},
    partitions=CUTS,
    code_version="2",
)
ASSETS = [dm, adsl, codes, ADAM]
CHECKS = datom_set_checks(ADAM, data=True, others=["sdtm"])


@pytest.fixture
def product(tmp_path: Path) -> dc.Project:
    """The project of what is derived, whose one set is adam."""
    store = dc.LocalStore(tmp_path / "adam")
    return dc.Project.init("ADAM_001", store, remote=tmp_path / "adam.git", product="adam")


@pytest.fixture
def resources(study: DatomResource, product: dc.Project) -> dict[str, Any]:
    adam = DatomResource(
        project="ADAM_001", storage=LocalStorage(path=product.store.location.root), remote=product.remote
    )
    return {
        "sdtm": study,
        "datom": adam,
        "sdtm_io": DatomIOManager(datom=study),
        "io_manager": DatomIOManager(datom=adam),
    }


def status(instance: dg.DagsterInstance, resources: dict[str, Any], partition: str | None, *assets: Any) -> StaleStatus:
    graph = dg.Definitions(assets=assets or ASSETS, resources=resources).resolve_asset_graph()
    resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    return resolver.get_status(dg.AssetKey("adam"), partition)


def last_commit(project: dc.Project) -> str:
    return subprocess.run(
        ["git", "-C", str(project.remote), "log", "-1", "--format=%B"], check=True, capture_output=True, text=True
    ).stdout


def test_a_set_is_made_of_the_cut_across_projects_and_is_stale_exactly_when_a_member_changed(
    run: Run, project: dc.Project, product: dc.Project, instance: dg.DagsterInstance, resources: dict[str, Any]
) -> None:
    run([codes])
    first = run([dm, adsl, ADAM, codes], selection=[dm, adsl, ADAM], partition_key="2026-01")
    made = product.reader.set("adam")
    told = shown(first, "adam")
    assert data_version(first, "adam") == made.data_sha == told["datom/data_sha"]
    assert (made.tags, told["datom/cut"]) == ({"cut": ("2026-01",), "purpose": ("interim",)}, "2026-01")
    assert {(m.project, m.name): m.tags for m in made} == {
        ("ADAM_001", "adsl"): {"type": ("output",)},
        ("ADAM_001", "codes"): {},
        ("STUDY_001", "dm"): {"type": ("input",)},
    }
    assert told["datom/change"] == "first version: 3 members"
    assert "datom/unread" not in told, "members of the other project were looked at"
    assert told["datom/citation"] == product.reader.cite("adam").id
    said = last_commit(product)
    assert said.startswith("Materialize adam 2026-01\n\n- add ADAM_001/adsl@")
    for trailer in (f"Dagster-Run: {first.run_id}", "Dagster-Asset: adam", "Dagster-Partition: 2026-01"):
        assert trailer in said
    assert "Dagster-Code-Version: 2" in said
    by = product.reader.history("adam")[0].provenance
    assert by is not None
    assert by.run is not None
    assert (by.run.id, by.run.asset, by.run.partition) == (first.run_id, "adam", "2026-01")

    run(ASSETS, selection=[dm, adsl, ADAM], partition_key="2026-02", tags={"datom/commit_message": "Second extract"})
    assert [product.reader.set("adam", tags={"cut": c}).find("dm").version for c in ROWS] == [
        project.reader.cuts()[c]["dm"] for c in ROWS
    ]
    assert product.reader.history("adam")[0].message == "Second extract"

    assert status(instance, resources, "2026-01") is StaleStatus.FRESH
    run(ASSETS, selection=[dm, adsl], partition_key="2026-01")
    assert status(instance, resources, "2026-01") is StaleStatus.FRESH, "nothing changed"
    ROWS["2026-01"] = 4
    run(ASSETS, selection=[dm, adsl], partition_key="2026-01")
    assert status(instance, resources, "2026-01") is StaleStatus.STALE
    assert status(instance, resources, "2026-02") is StaleStatus.FRESH, "each cut for itself"

    before = product.reader.set("adam", tags={"cut": "2026-01"})
    moved = shown(run(ASSETS, selection=[ADAM], partition_key="2026-01"), "adam")
    assert status(instance, resources, "2026-01") is StaleStatus.FRESH
    assert moved["datom/change"] == "2 repointed of 3 members since the cut 2026-01"
    assert moved["datom/previous_version"] == before.version
    was = {m.name: f"was {m.version[:12]}" for m in before if m.name != "codes"}
    assert {r["name"]: r["edit"] for r in moved["datom/members"]} == {"codes": "", **was}

    again = shown(run(ASSETS, selection=[ADAM], partition_key="2026-01"), "adam")
    assert (again["datom/changed"], again["datom/change"]) == (False, "no change: 3 members")
    assert len(product.reader.history("adam")) == 3

    def checked() -> dict[str, tuple[bool, str]]:
        result = run([*ASSETS, CHECKS], selection=dg.AssetSelection.checks(CHECKS))
        return {e.check_name: (e.passed, str(e.description)) for e in result.get_asset_check_evaluations()}

    good = {"members": (True, "all 3 members are what they were"), "current": (True, "none of 3 members is behind")}
    assert checked() == good
    held = product.reader.set("adam", tags={"cut": "2026-01"}).find("dm")
    ROWS["2026-01"] = 5
    run(ASSETS, selection=[dm], partition_key="2026-01")
    now = project.reader.cuts()["2026-01"]["dm"]
    assert checked() == {**good, "current": (False, f"{held} is behind {now[:8]}")}
    content = project.reader.resolve("dm", held.version).data_sha
    Path(project.store.location.root, "datom", "dm", f"{content}.parquet").unlink()
    assert checked()["members"][0] is False


def test_a_set_that_contradicts_itself_fails_with_every_mismatch_unless_somebody_says_why(
    run: Run, project: dc.Project, product: dc.Project
) -> None:
    """adsl was derived from dm as the cut was before; without another run, and without a register, it is told."""
    run([codes])
    run(ASSETS, selection=[dm, adsl], partition_key="2026-01")
    derived_from = project.reader.cuts()["2026-01"]["dm"]
    ROWS["2026-01"] = 3
    run(ASSETS, selection=[dm], partition_key="2026-01")
    listed = project.reader.cuts()["2026-01"]["dm"]

    refused = run(ASSETS, selection=[ADAM], partition_key="2026-01", raise_on_error=False)
    assert f"was derived from STUDY_001/dm@{derived_from[:8]}, and the set lists dm@{listed[:8]}" in failure(refused)
    (event,) = refused.get_step_failure_events()
    told = event.step_failure_data.user_failure_data
    assert told is not None
    (mismatch,) = told.metadata["datom/mismatches"].records  # type: ignore[attr-defined]
    assert mismatch.data == {
        "member": f"ADAM_001/adsl@{product.reader.cuts()['2026-01']['adsl'][:8]}",
        "derived_from": f"STUDY_001/dm@{derived_from[:12]}",
        "listed": listed[:12],
    }
    assert not [e for e in refused.all_events if e.is_step_up_for_retry]
    assert not product.reader.sets()

    reason = "dm gained a subject that adsl excludes"
    config = {"ops": {"adam": {"config": {"allow": reason, "commit_message": "Lock"}}}}
    allowed = shown(run(ASSETS, selection=[ADAM], partition_key="2026-01", run_config=config), "adam")
    assert allowed["datom/allowed_because"] == reason
    assert len(allowed["datom/mismatches"]) == 1
    assert allowed["datom/message"] == "Lock"


def registered(tmp_path: Path, *projects: dc.Project) -> GovernanceResource:
    """A new register that knows the projects."""
    store, remote = dc.LocalStore(tmp_path / "register"), tmp_path / "register.git"
    register = dc.Governance.init(store, remote=remote, author="Ada Lovelace <ada@example.org>")
    for each in projects:
        register.attach(each)
    return GovernanceResource(storage=LocalStorage(path=store.location.root), remote=str(remote))


#: As another code location knows them.
ELSEWHERE = [
    dg.AssetSpec("adsl").with_io_manager_key("adam_io"),
    dg.AssetSpec("dm").with_io_manager_key("sdtm_io"),
]


def pinning(set_project: str | None = "ADAM_001", **settings: str) -> Any:
    """A table of another code location, whose inputs load what a set lists."""
    pins = {f"datom/{key}": value for key, value in settings.items()}
    there = {} if set_project is None else {"datom/set_project": set_project}

    @datom_asset(
        ins={
            "adsl": dg.AssetIn(metadata=pins),
            "dm": dg.AssetIn(metadata={**pins, **there}),
        },
        io_manager_key="tlf_io",
    )
    def t_subjects(adsl: pd.DataFrame, dm: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"ADSL": [len(adsl)], "DM": [len(dm)]})

    return t_subjects


def test_inputs_load_the_versions_that_a_set_lists_across_projects(
    run: Run,
    project: dc.Project,
    product: dc.Project,
    resources: dict[str, Any],
    tmp_path: Path,
) -> None:
    """By the register, and by a resource that is given; for one version of the set, one cut's, and the current."""
    run([codes])
    for cut in ROWS:
        run(ASSETS, selection=[dm, adsl, ADAM], partition_key=cut)
    listed = product.reader.set("adam", tags={"cut": "2026-01"})
    ROWS["2026-01"] = 7
    run(ASSETS, selection=[dm, adsl], partition_key="2026-01")

    store = dc.LocalStore(tmp_path / "tlf")
    tlf = dc.Project.init("TLF_001", store, remote=tmp_path / "tlf.git")
    mine = DatomResource(project="TLF_001", storage=LocalStorage(path=str(tmp_path / "tlf")), remote=tlf.remote)
    register = registered(tmp_path, project, product)
    found = {n: DatomResource(project=n, governance=register) for n in ("STUDY_001", "ADAM_001")}
    resources |= {"tlf_io": DatomIOManager(datom=mine), "adam_io": DatomIOManager(datom=found["ADAM_001"])}
    resources |= {"sdtm_io": DatomIOManager(datom=found["STUDY_001"])}

    def rows(**settings: Any) -> dict[str, int]:
        run([*ELSEWHERE, pinning(**settings)])
        told = tlf.reader.read("t_subjects")
        return {name: int(told[name].iloc[0]) for name in ("ADSL", "DM")}

    assert rows(set="adam", cut="2026-01") == {"ADSL": 2, "DM": 2}
    parents = {(p.source, p.table, p.version) for p in tlf.reader.parents("t_subjects") or ()}
    assert parents == {(m.project, m.name, m.version) for m in listed if m.name != "codes"}
    assert rows(set="adam") == {"ADSL": 3, "DM": 3}
    resources["sdtm_io"] = DatomIOManager(datom=found["STUDY_001"], sets=found["ADAM_001"])
    assert rows(set_project=None, set="adam", set_version=str(listed.version)[:12]) == {"ADSL": 2, "DM": 2}
    lost = run([*ELSEWHERE, pinning(set="adam", cut="2026-03")], raise_on_error=False)
    assert "No version of the set adam carries the labels cut: 2026-03" in failure(lost)

    for settings, text in (
        ({"set_version": "abcdef"}, "say which set"),
        ({"set": "adam", "set_version": "abcdef", "cut": "x"}, "chosen by one of"),
        ({"set": "adam", "version": "abcdef"}, "names one version by itself"),
    ):
        with pytest.raises(dc.InvalidInputError, match=text):
            pinning(**settings)


def test_a_job_freezes_a_cut_as_a_set(project: dc.Project, study: DatomResource, instance: dg.DagsterInstance) -> None:
    project.cut("lock", {"dm": subjects(3), "ae": subjects(2)}, message="Database lock")
    project.write("dm", subjects(4))
    (job,) = (j for j in datom_jobs(governance=False, resources={"datom": study}) if j.name == "freeze_cut")

    def freeze(**config: Any) -> dg.ExecuteInProcessResult:
        told = {"ops": {"freeze_cut": {"config": {"cut": "lock", "set_name": "sdtm", **config}}}}
        return job.execute_in_process(run_config=told, instance=instance, raise_on_error=False)

    assert freeze(dry_run=True).success
    assert not project.reader.sets()
    assert "The cut lock does not hold vs; it holds dm, ae." in failure(freeze(tables=["vs", "dm"]))
    assert freeze(message="For the submission", labels={"purpose": "submission"}).success
    held = project.reader.set("sdtm")
    assert {m.name: m.version for m in held} == dict(project.reader.cuts()["lock"])
    assert held.tags == {"cut": ("lock",), "purpose": ("submission",)}
    assert last_commit(project).startswith("For the submission\n\n- add STUDY_001/dm@")


class TestWithoutPartitions:
    def test_members_are_what_the_run_made_or_recorded_not_what_is_current(
        self, run: Run, project: dc.Project, resources: dict[str, Any], instance: dg.DagsterInstance
    ) -> None:
        """Somebody writes in between: the set holds what the run made; and what Dagster recorded, in a run later."""
        resources["io_manager"], resources["datom"] = resources["sdtm_io"], resources["sdtm"]

        @datom_asset
        def ae() -> pd.DataFrame:
            return subjects(2)

        @dg.asset(deps=[ae])
        def meanwhile() -> None:
            project.write("ae", subjects(5), message="By somebody else")

        together = datom_set("together", [ae, "codes"], deps=[meanwhile])
        assets = [ae, codes, meanwhile, together]
        result = run(assets)
        made = project.reader.set("together")
        assert made.find("ae").version == shown(result, "ae")["datom/version"]
        assert made.find("ae").version != project.reader.resolve("ae").version
        alone = shown(run(assets, selection=[together]), "together")
        assert (alone["datom/changed"], project.reader.set("together").version) == (False, made.version)

        @datom_asset(partitions_def=CUTS)
        def eg() -> pd.DataFrame:
            return subjects(2)

        @dg.asset(deps=[eg], partitions_def=CUTS)
        def moved() -> None:
            project.cut("2026-01", {"eg": subjects(6)}, message="The cut is moved meanwhile")

        of_cut = datom_set("of_cut", [eg], deps=[moved], partitions=CUTS)
        result = run([eg, moved, of_cut], partition_key="2026-01")
        assert project.reader.set("of_cut").find("eg").version == shown(result, "eg")["datom/version"]
        run([eg, moved, of_cut], selection=[of_cut], partition_key="2026-01")
        assert project.reader.set("of_cut").find("eg").version == project.reader.cuts()["2026-01"]["eg"]

        outer = datom_set("outer", [SetMember(together, {"kind": "nested"})])
        run([*assets, outer], selection=[outer])
        (member,) = project.reader.set("outer")
        assert (member.kind, member.version) == ("set", made.version)

    def test_what_cannot_be_is_refused_when_the_code_is_loaded(self) -> None:
        for members, options, text in (
            ([], {}, "there is none"),
            ("dm", {}, "put a single one into brackets"),
            ([dm, "dm"], {}, "dm is given twice"),
            ([3], {}, "not 3"),
            ([SetMember("dm", {"a": ""})], {}, "'a'"),
            ([SetMember("dm", project="A", resource="b")], {}, "not both"),
            ([dm], {"labels": {"cut": "x"}, "partitions": CUTS}, "'cut' is that of the partition"),
            ([dm], {"io_manager_key": "x"}, "hands nothing to an IO manager"),
            ([dm], {"set_name": "a/b"}, "a/b"),
        ):
            with pytest.raises(dc.InvalidInputError, match=text):
                datom_set("adam", members, **options)  # type: ignore[arg-type]

    def test_members_that_are_not_there_are_all_named(self, run: Run, project: dc.Project) -> None:
        lone = datom_set("lone", ["nothing", SetMember("other", project="STUDY_009")], resource="sdtm")
        result = run([lone], raise_on_error=False)
        assert all(text in failure(result) for text in ("  - nothing: ", "  - other: STUDY_009 is another project"))
