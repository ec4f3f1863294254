"""A study from a defs.yaml: what is there without the network, what is refused, and dg's own commands."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pytest
import yaml
from dagster.components.testing.utils import DefsFolderSandbox, create_defs_folder_sandbox

import datom_core as dc
from datom_dagster import DatomIOManager, DatomProjectComponent
from tests.dagster.conftest import failure
from tests.long import LONG

# Dagster reads YAML by what pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated")

EXTRACTS = """
import pandas as pd

def extract(table, cut):
    return pd.DataFrame({"USUBJID": [table, str(cut)]})

NOTHING = 3
"""


@pytest.fixture
def sandbox() -> Iterator[DefsFolderSandbox]:
    with create_defs_folder_sandbox() as sandbox:
        yield sandbox


class Study:
    """A component in a sandbox, over the test's project."""

    def __init__(self, sandbox: DefsFolderSandbox, project: dc.Project) -> None:
        self.sandbox = sandbox
        self.path = sandbox.scaffold_component(component_cls=DatomProjectComponent, defs_path="study")
        at = project.store.location
        self.attributes: dict[str, Any] = {
            "project": "STUDY_001",
            "storage": {"path": at.root, "prefix": at.prefix},
            "remote": project.remote,
        }

    def load(self, *, refresh: bool = False, **attributes: Any) -> dg.Definitions:
        told = {k: v for k, v in {**self.attributes, **attributes}.items() if v is not None}
        document = {"type": "datom_dagster.DatomProjectComponent", "attributes": told}
        (self.path / "defs.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
        if refresh:
            with self.sandbox.load_component_and_build_defs(self.path) as (component, _):
                assert isinstance(component, DatomProjectComponent)
                asyncio.run(component.refresh_state(self.sandbox.project_root))
        with self.sandbox.load_component_and_build_defs(self.path) as (_, defs):
            return defs

    def refusal(self, **attributes: Any) -> str:
        """What is said of attributes that are refused, with all causes."""
        with pytest.raises(Exception) as caught:
            self.load(**attributes)
        texts, error = [], caught.value
        while error is not None:
            texts.append(str(error))
            error = error.__cause__ or error.__context__  # type: ignore[assignment]
        return "\n".join(texts)


@pytest.fixture
def study(sandbox: DefsFolderSandbox, project: dc.Project) -> Study:
    return Study(sandbox, project)


@pytest.fixture
def written(project: dc.Project) -> None:
    labelled = pa.schema([pa.field("AGE", pa.float64(), metadata={"label": "Age"})])
    project.write("dm", pa.table({"AGE": [1.0, 2.0]}, schema=labelled))
    project.write("AE (v2)", pd.DataFrame({"AETERM": ["HEADACHE"]}))


def specs(defs: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {s.key.to_user_string(): s for s in defs.resolve_all_asset_specs()}


def test_what_runs_must_say_and_which_code_they_run(study: Study) -> None:
    given = study.load(require_author=True, pipeline_commit="v1").resources["datom"]
    assert (given.require_author, given.require_message, given.pipeline_commit) == (True, False, "v1")


@pytest.mark.usefixtures("written")
class TestReadOnly:
    def test_the_state_names_tables_columns_and_labels(self, study: Study, project: dc.Project) -> None:
        assert specs(study.load()) == {}
        study.load(refresh=True)
        away = {"path": "/nowhere"}
        found = specs(study.load(storage=away, group_name="sdtm", key_prefix=["edc"], owners=["dm@example.org"]))
        assert set(found) == {"edc/dm", "edc/AE__v2_"}, "nothing is asked of the project"
        (age,) = found["edc/dm"].metadata["dagster/column_schema"].columns
        assert (age.name, age.type, age.description) == ("AGE", "double", "Age")
        assert found["edc/dm"].metadata["dagster/table_name"] == "STUDY_001.dm"
        assert found["edc/AE__v2_"].metadata["datom/table"] == "AE (v2)"
        assert (found["edc/dm"].group_name, list(found["edc/dm"].owners)) == ("sdtm", ["dm@example.org"])

    def test_steps_load_the_tables_through_the_io_manager(self, study: Study, project: dc.Project) -> None:
        defs = study.load(refresh=True, remote=None)

        @dg.asset(io_manager_key="mem")
        def mean(dm: pd.DataFrame) -> float:
            return float(dm["AGE"].mean())

        extended = dg.Definitions.merge(defs, dg.Definitions([mean], resources={"mem": dg.mem_io_manager}))
        job = extended.resolve_implicit_global_asset_job_def()
        assert job.execute_in_process().output_for_node("mean") == 1.5

    def test_sets_that_others_write_come_after_their_members(self, study: Study, project: dc.Project) -> None:
        project.write_set("adam", ["dm"])
        found = specs(study.load(refresh=True, key_prefix=["edc"]))
        assert set(found) == {"edc/dm", "edc/AE__v2_", "edc/adam"}
        assert (found["edc/adam"].kinds, [d.asset_key for d in found["edc/adam"].deps]) == (
            {"datom", "set"},
            [dg.AssetKey(["edc", "dm"])],
        )

    def test_a_product_is_one_set_and_sets_say_what_they_hold(self, study: Study, project: dc.Project) -> None:
        listed = {"name": "adam", "labels": {"purpose": ["lock"]}, "checks": True}
        members = ["dm", {"asset": "AE__v2_", "table": "AE (v2)", "labels": {"type": ["input"]}}]
        defs = study.load(tables=["dm", "AE (v2)"], product="adam", sets=[{**listed, "members": members}])
        job = defs.resolve_implicit_global_asset_job_def()
        assert job.execute_in_process(asset_selection=[dg.AssetKey("adam")]).success
        made = project.reader.set("adam")
        assert ({m.name: m.tags for m in made}, made.tags) == (
            {"dm": {}, "AE (v2)": {"type": ("input",)}},
            {"purpose": ("lock",)},
        )
        assert {k.name for k in defs.resolve_asset_graph().asset_check_keys} == {"members", "current"}
        assert set(specs(study.load(tables=["dm"], product="tlf"))) == {"dm", "tlf"}
        assert "A product has one set, adam, and not other" in study.refusal(product="adam", sets=[{"name": "other"}])

    def test_tables_that_are_listed_need_no_state(self, study: Study) -> None:
        table = {"name": "lb", "columns": {"LBTESTCD": "Test"}, "key": ["USUBJID", "LBSEQ"], "description": "Labs"}
        defs = study.load(tables=["dm", table], partitions={"dynamic": "cuts"})
        found = specs(defs)
        assert set(found) == {"dm", "lb"}
        assert [c.name for c in found["lb"].metadata["dagster/column_schema"].columns] == [
            "LBTESTCD",
            "USUBJID",
            "LBSEQ",
        ]
        assert isinstance(found["dm"].partitions_def, dg.DynamicPartitionsDefinition)

    def test_sensor_and_jobs_by_flags(self, study: Study, project: dc.Project) -> None:
        plain = study.load(refresh=True)
        assert (list(plain.sensors or ()), list(plain.jobs or ())) == ([], [])
        defs = study.load(sensor=True, jobs=True, study="s1")
        assert {s.name for s in defs.sensors or ()} == {"outside_writes_s1"}
        assert {"validate_project_s1", "migrate_project_s1"} <= {j.name for j in defs.jobs or ()}
        assert set(defs.resources or ()) == {"datom_s1", "io_manager_s1"}
        sensor = defs.resolve_sensor_def("outside_writes_s1")
        with dg.DagsterInstance.ephemeral() as instance:
            resources = {"datom_s1": (defs.resources or {})["datom_s1"]}
            with dg.build_sensor_context(instance, resources=resources) as context:
                told = sensor.evaluate_tick(context)
        assert {e.asset_key.to_user_string() for e in told.asset_events} == {"dm", "AE__v2_"}
        assert defs.resolve_job_def("validate_project_s1").execute_in_process().success

    def test_a_register_says_where_the_data_lies(self, study: Study, tmp_path: Path, project: dc.Project) -> None:
        register = dc.Governance.init(dc.LocalStore(tmp_path / "gov"), remote=tmp_path / "gov.git")
        register.attach(project)
        governance = {"storage": {"path": str(tmp_path / "gov")}, "remote": str(tmp_path / "gov.git")}
        defs = study.load(refresh=True, storage=None, governance=governance, jobs=True)
        assert set(specs(defs)) == {"dm", "AE__v2_"}
        assert "attach_governance" in {j.name for j in defs.jobs or ()}

    def test_checks_of_what_is_only_read(self, study: Study) -> None:
        dm = {"name": "dm", "key": ["AGE"], "rules": {"ranges": {"AGE": [None, 1.5]}, "allowed": {"AGE": [1, 2]}}}
        defs = study.load(tables=[dm], checks={"level": False, "blocking": ["ranges"], "warn": ["allowed"]})
        result = defs.resolve_implicit_global_asset_job_def().execute_in_process(raise_on_error=False)
        assert {e.check_name: e.passed for e in result.get_asset_check_evaluations()} == {
            "integrity": True,
            "reproducible": True,
            "key": True,
            "allowed": True,
            "ranges": False,
        }


class TestProduced:
    @pytest.fixture(autouse=True)
    def extracts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "study_extracts.py").write_text(EXTRACTS)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "study_extracts", raising=False)

    @pytest.mark.parametrize("atomic", [False, True])
    def test_an_extract_function_makes_the_tables(self, study: Study, project: dc.Project, atomic: bool) -> None:
        defs = study.load(
            tables=["dm", "ex"],
            extract="study_extracts.extract",
            atomic=atomic,
            partitions={"monthly_from": "2026-01", "monthly_until": "2026-04"},
            tags={"study": "1"},
        )
        result = defs.resolve_implicit_global_asset_job_def().execute_in_process(partition_key="2026-02")
        assert result.success
        assert set(project.reader.cuts()["2026-02"]) == {"dm", "ex"}
        assert len({v.commit_sha for t in ("dm", "ex") for v in project.reader.history(t)}) == (1 if atomic else 2)

    def test_files_make_the_tables(self, study: Study, project: dc.Project, tmp_path: Path) -> None:
        (tmp_path / "drop" / "lock").mkdir(parents=True)
        (tmp_path / "drop" / "lock" / "dm.csv").write_text("USUBJID,SITEID,AGE\n01-1,7,41\n")
        defs = study.load(
            tables=[{"name": "dm", "key": ["USUBJID"], "rules": {"required": ["AGE"]}, "gate": True}, "ae"],
            extracts={
                "storage": {"path": str(tmp_path / "drop")},
                "by_cut": True,
                "schemas": {"dm": {"SITEID": "string"}},
                "quiet": 0.001,
                "downstream": True,
            },
            partitions={"dynamic": "cuts"},
            checks={},
        )
        sensor, job = defs.resolve_sensor_def("extracts"), defs.resolve_implicit_global_asset_job_def()
        with dg.DagsterInstance.ephemeral() as instance:
            with dg.build_sensor_context(
                instance, repository_def=defs.get_repository_def(), resources=defs.resources
            ) as context:
                told = sensor(context)
            assert isinstance(told, dg.SensorResult)
            (asked,) = told.run_requests or ()
            assert (asked.partition_key, asked.asset_selection) == ("lock", [dg.AssetKey("dm")])
            instance.add_dynamic_partitions("cuts", ["lock"])
            run = {"asset_selection": asked.asset_selection, "partition_key": "lock", "instance": instance}
            result = job.execute_in_process(**run)  # type: ignore[arg-type]
            assert {e.check_name for e in result.get_asset_check_evaluations() if e.passed} >= {"key", "integrity"}
            assert project.reader.read("dm", cut="lock").to_dict("list") == {
                "USUBJID": ["01-1"],
                "SITEID": ["7"],
                "AGE": [41],
            }
            (tmp_path / "drop" / "lock" / "dm.csv").write_text("USUBJID,SITEID\n01-1,7\n")
            refused = job.execute_in_process(**run, raise_on_error=False)  # type: ignore[arg-type]
            assert "dm breaks 1 of its 2 rules" in failure(refused)

    def test_reports_of_changes(self, study: Study, project: dc.Project, tmp_path: Path) -> None:
        for cut, age in (("2026-01", 40), ("2026-02", 41)):
            project.cut(cut, {"dm": pd.DataFrame({"USUBJID": ["s1"], "AGE": [age], "ARM": [str(age)]})})
        project.mark_reviewed("2026-01", name="medical")
        defs = study.load(
            tables=[{"name": "dm", "key": ["USUBJID"]}, "ae"],
            partitions={"names": ["2026-01", "2026-02"]},
            key_prefix=["onc"],
            change_reports=[
                {"comparison": {"absolute": {"AGE": 2}}, "masked": ["ARM"], "keys": {"dm": ["USUBJID"]}},
                {
                    "name": "for_review",
                    "since": "medical",
                    "by_cut": False,
                    "reports": {"path": str(tmp_path / "kept")},
                    "forms": ["json", "html"],
                    "preview_rows": 0,
                },
            ],
        )
        job = defs.resolve_implicit_global_asset_job_def()
        by_cut, whole = (
            job.execute_in_process(asset_selection=[dg.AssetKey(["onc", name])], partition_key=cut)
            for name, cut in (("change_report", "2026-02"), ("for_review", None))
        )
        (first,), (second,) = (r.get_asset_materialization_events() for r in (by_cut, whole))
        shown = first.materialization.metadata
        assert (shown["datom/before"].value, shown["datom/absent"].value) == ("2026-01", "ae")
        assert "ARM" in shown["datom/changes"].value
        kept = sorted(path.suffix for path in (tmp_path / "kept").rglob("*.*"))
        assert (kept, second.materialization.metadata["datom/before"].value) == ([".html", ".json"], "medical")
        assert specs(defs)["onc/change_report"].deps

    def test_what_changed_is_compared_and_reported_as_the_file_says(self, study: Study, tmp_path: Path) -> None:
        at = study.attributes["storage"]["path"]
        defs = study.load(
            tables=[{"name": "dm", "compare": "all", "comparison": {"masked": ["USUBJID"]}}, "ae"],
            extract="study_extracts.extract",
            compare="keyed",
            compare_rows=9,
            reports={"path": str(tmp_path / "reports")},
            reports_url="https://reports.example.org",
            lineage={"transport": {"type": "file", "log_file_path": "events"}, "required": True},
        )
        manager = defs.resources["io_manager"] if defs.resources else None
        assert isinstance(manager, DatomIOManager)
        assert (manager.compare, manager.compare_rows) == ("keyed", 9)
        assert manager.reports_url == "https://reports.example.org"
        assert str(tmp_path / "reports") in repr(manager.reports)
        assert "'log_file_path': 'events'" in repr(manager.lineage)
        assert "required=True" in repr(manager.lineage)
        assert at not in repr(manager.reports)
        told = {spec.key.to_user_string(): spec.metadata for spec in defs.resolve_all_asset_specs()}
        assert told["dm"]["datom/compare"] == "all"
        assert told["dm"]["datom/comparison"] == {"masked": ["USUBJID"]}
        assert "datom/compare" not in told["ae"]

    def test_the_file_that_the_page_about_lineage_shows(self, study: Study) -> None:
        page = (Path(__file__).parents[2] / "docs" / "lineage.md").read_text()
        shown = yaml.safe_load(re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[-1])["attributes"]
        defs = study.load(**{key: shown[key] for key in ("tables", "extract", "lineage")})
        manager = defs.resources["io_manager"] if defs.resources else None
        assert isinstance(manager, DatomIOManager)
        assert "LINEAGE_API_KEY" in repr(manager.lineage)

    def test_without_a_remote_the_run_is_refused(self, study: Study) -> None:
        defs = study.load(tables=["dm"], extract="study_extracts.extract", remote=None)
        result = defs.resolve_implicit_global_asset_job_def().execute_in_process(raise_on_error=False)
        assert "dm cannot be written" in failure(result)

    @pytest.mark.parametrize(
        ("attributes", "said"),
        [
            ({"extract": "study_extracts.extract"}, "they must be listed"),
            ({"extract": "study_extracts.missing", "tables": ["dm"]}, "there is no 'study_extracts.missing'"),
            ({"extract": "extract", "tables": ["dm"]}, "a function as module.function"),
            ({"extract": "study_extracts.NOTHING", "tables": ["dm"]}, "is a int, not a function"),
            ({"extract": "study_extracts.extract", "tables": ["man"]}, "man"),
            ({"atomic": True, "tables": ["dm"]}, "atomic needs extract"),
            ({"extracts": {"storage": {"path": "/drop"}}}, "they must be listed"),
            ({"extracts": {"storage": {"path": "/drop"}, "by_cut": True}, "tables": ["dm"]}, "Assets with partitions"),
            ({"extracts": {"storage": {"path": "/drop"}, "quiet": -1}, "tables": ["dm"]}, "quiet is a positive"),
            (
                {"extracts": {"storage": {"path": "/d"}}, "extract": "study_extracts.extract", "tables": ["dm"]},
                "exclude each other",
            ),
        ],
    )
    def test_what_cannot_be_made_is_refused(self, study: Study, attributes: dict[str, Any], said: str) -> None:
        assert said in study.refusal(**attributes)


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"tabels": ["dm"]}, "tabels"),
        ({"storage": {"path": "/x", "prefx": "y"}}, "prefx"),
        ({"storage": {"bucket": "b", "secret_key": "planted-secret"}}, "secret_key"),
        ({"token": "planted-secret"}, "token"),
        ({"remote": "https://user:planted-secret@example.org/x.git"}, "carries credentials"),
        ({"storage": {}}, "storage needs path"),
        ({"storage": {"path": "/x", "bucket": "b"}}, "and not both"),
        ({"storage": {"path": "/x", "region": "r", "profile": "p"}}, "profile, region belong to a bucket"),
        ({"storage": None}, "needs storage, or governance"),
        ({"partitions": {"dynamic": "c", "names": ["a"]}, "tables": ["dm"]}, "one of them"),
        ({"partitions": {"monthly_until": "2026-01"}, "tables": ["dm"]}, "one of them"),
        ({"tables": ["1lb"]}, "1lb"),
        ({"message_template": "{table}"}, "cannot be filled in"),
        ({"tables": [{"name": "dm", "colums": {}}]}, "colums"),
        ({"tables": [{"name": "dm", "rules": {"requred": ["AGE"]}}]}, "requred"),
        ({"tables": [{"name": "dm", "rules": {"ranges": {"AGE": [2, 1]}}}]}, "AGE"),
        ({"tables": [{"name": "dm", "gate": True}]}, "gate=True needs rules"),
        ({"tables": [{"name": "dm", "compare": "never"}]}, "'all', 'keyed' or 'none'"),
        ({"tables": [{"name": "dm", "comparison": {"masks": ["A"]}}]}, "masks"),
        ({"tables": [{"name": "dm", "rules": {"stable_key": True}}]}, "stable_key needs a key"),
        ({"tables": [{"name": "dm", "rules": {"locked": {" ": []}}}]}, "locked"),
        ({"reports": {"bucket": "b", "secret_key": "planted-secret"}, "tables": ["dm"]}, "secret_key"),
        ({"tables": ["dm"], "checks": {"blocking": ["kee"]}}, "kee"),
        ({"change_reports": [{"forms": ["html"]}], "tables": ["dm"]}, "need a place"),
        ({"lineage": {"api_key": "planted-secret"}}, "api_key"),
        ({"lineage": {"transport": {"type": "http", "auth": {"apiKey": "planted-secret"}}}}, "auth.apiKey"),
        ({"change_reports": [{"reports": {"bucket": "b", "secret_key": "planted-secret"}}]}, "secret_key"),
        ({"extracts": {"storage": {"bucket": "b", "secret_key": "planted-secret"}}, "tables": ["dm"]}, "secret_key"),
    ],
)
def test_what_the_file_may_not_say(study: Study, attributes: dict[str, Any], said: str) -> None:
    refusal = study.refusal(**attributes)
    assert said in refusal
    assert "planted-secret" not in refusal


def test_no_secret_is_in_what_dagster_keeps(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TOKEN", "KEY", "SECRET"):
        monkeypatch.setenv(f"PLANTED_{name}", "planted-secret")
    bucket = {"bucket": "b", "access_key_env": "PLANTED_KEY", "secret_key_env": "PLANTED_SECRET"}
    defs = study.load(
        storage=bucket, tables=["dm"], jobs=True, token_env="PLANTED_TOKEN", remote="https://example.org/x.git"
    )
    snapshot = repr(specs(defs)) + repr(defs.get_repository_def().get_top_level_resources())
    snapshot += json.dumps(str(defs.resolve_job_def("validate_project").get_job_snapshot()))
    assert "PLANTED_SECRET" in snapshot
    assert "planted-secret" not in snapshot


def test_what_is_scaffolded(sandbox: DefsFolderSandbox) -> None:
    params = {"project": "STUDY 7", "path": "/data/7", "remote": "https://example.org/7.git"}
    path = sandbox.scaffold_component(component_cls=DatomProjectComponent, defs_path="s7", scaffold_params=params)
    assert yaml.safe_load((path / "defs.yaml").read_text())["attributes"] == {
        "project": "STUDY 7",
        "storage": {"path": "/data/7"},
        "remote": "https://example.org/7.git",
        "group_name": "study_7",
    }


@pytest.mark.usefixtures("written")
@pytest.mark.skipif(not find_spec("dagster_dg_cli"), reason="dagster-dg-cli has no release for this core yet")
def test_the_commands_of_dg(tmp_path: Path, project: dc.Project) -> None:
    root = tmp_path / "proj"
    (root / "src" / "proj" / "defs").mkdir(parents=True)
    (root / "pyproject.toml").write_text(
        '[project]\nname = "proj"\nversion = "0"\n[tool.dg]\ndirectory_type = "project"\n'
        '[tool.dg.project]\nroot_module = "proj"\n'
    )
    for package in (root / "src" / "proj", root / "src" / "proj" / "defs"):
        (package / "__init__.py").touch()
    (root / "src" / "proj" / "definitions.py").write_text(
        "from pathlib import Path\nimport dagster as dg\n\n@dg.definitions\ndef defs():\n"
        "    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)\n"
    )

    def command(*words: str) -> tuple[int, str]:
        told = os.environ | {"PYTHONPATH": str(root / "src"), "COLUMNS": "200", "NO_COLOR": "1"}
        program = str(Path(sys.executable).parent / "dg")
        done = subprocess.run([program, *words], cwd=root, env=told, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    file = root / "src" / "proj" / "defs" / "study" / "defs.yaml"
    file.parent.mkdir()
    attributes = {"project": "STUDY_001", "storage": {"path": project.store.location.root}, "sensor": True}
    file.write_text(yaml.safe_dump({"type": "datom_dagster.DatomProjectComponent", "attributes": attributes}))
    if LONG:  # each command is a Python of its own, with all of Dagster
        code, said = command("list", "components")
        assert "datom_dagster.DatomProjectComponent" in said, said
        code, said = command("check", "defs")
        assert (code, "All definitions loaded successfully" in said) == (0, True), said
    file.write_text(file.read_text().replace("sensor:", "sensr:"))
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if "sensr" in text)
    code, said = command("check", "defs")
    assert code != 0
    assert f"defs.yaml:{line}" in said, said
    assert "sensr" in said
