"""What shows when the code is loaded, before anything runs; and runs in processes of their own."""

from typing import Any

import dagster as dg
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import datom_core as dc
from datom_dagster import DatomIOManager, DatomResource, LocalStorage, check_tables, datom_asset, datom_definitions


def frame() -> pd.DataFrame:
    return pd.DataFrame({"x": [1]})


@pytest.mark.parametrize("name", ["tests", "man", "renv", "datom"])
def test_a_name_that_datom_refuses_fails_at_definition(name: str) -> None:
    with pytest.raises(dc.InvalidInputError, match=name):
        datom_asset(name=name)(frame)
    with pytest.raises(dc.InvalidInputError, match=name):
        datom_asset(name="fine", table=name)(frame)


def test_plain_assets_are_checked_with_their_definitions(resources: dict[str, Any]) -> None:
    good = dg.asset(name="dm")(frame)
    bad = dg.asset(key=["edc", "src"])(frame)
    worse = dg.asset(name="lb", metadata={"datom/table": "1lb"})(frame)
    elsewhere = dg.asset(name="man", io_manager_key="other")(frame)
    with pytest.raises(dc.InvalidInputError) as caught:
        datom_definitions(assets=[good, bad, worse, elsewhere], resources=resources)
    assert "edc/src" in str(caught.value)
    assert "1lb" in str(caught.value)
    assert "man" not in str(caught.value).replace("mirrors", "")
    check_tables([good])


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"datom/comit_message": "x"}, "definition metadata datom/comit_message cannot be set here"),
        ({"datom/version": "ab"}, "definition metadata datom/version cannot be set here"),
        ({"datom/on_empty": "ignore"}, "one of fail, skip, keep"),
        ({"datom/table_type": "raw"}, "one of derived, imported"),
    ],
)
def test_settings_that_would_be_ignored_fail_at_definition(metadata: dict[str, str], said: str) -> None:
    with pytest.raises(dc.InvalidInputError, match=said):
        datom_asset(name="dm", metadata=metadata)(frame)


def test_a_message_template_that_cannot_be_filled_in(study: DatomResource) -> None:
    with pytest.raises(ValueError, match=r"message_template may use \{asset\}, .* and doubled braces"):
        DatomIOManager(datom=study, message_template="Record {table}")


def test_skipping_needs_a_function_that_returns() -> None:
    def yielding():  # type: ignore[no-untyped-def]
        yield dg.Output(frame())

    with pytest.raises(dc.InvalidInputError, match="needs a function that returns its frame"):
        datom_asset(name="dm", on_empty="skip")(yielding)


def test_a_password_in_the_remote_is_refused_at_definition_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="carries credentials") as caught:
        DatomResource(project="S", storage=LocalStorage(path="/x"), remote="https://u:planted-secret@h/x.git")
    assert "planted-secret" not in str(caught.value)
    assert "planted-secret" not in repr(caught.value)


def test_assets_that_hand_nothing_to_the_io_manager_are_no_tables(resources: dict[str, Any]) -> None:
    @dg.asset(name="man")
    def report() -> None: ...

    @dg.multi_asset(specs=[dg.AssetSpec(["warehouse", "dm"])])
    def models() -> None: ...

    defs = datom_definitions(assets=[report, models, dg.asset(name="dm")(frame)], resources=resources)
    known = {s.key.to_user_string(): "dagster/table_name" in s.metadata for s in defs.resolve_all_asset_specs()}
    assert known == {"man": False, "warehouse/dm": False, "dm": True}


def test_two_io_managers_of_one_project_share_its_tables(study: DatomResource) -> None:
    resources = {"io_manager": DatomIOManager(datom=study), "quiet": DatomIOManager(datom=study, preview_rows=0)}
    one, other = dg.asset(key=["a", "dm"])(frame), dg.asset(key=["b", "dm"], io_manager_key="quiet")(frame)
    with pytest.raises(dc.InvalidInputError, match="both write the table dm"):
        datom_definitions(assets=[one, other], resources=resources)


@pytest.mark.parametrize("late", ["datom", "storage", "io_manager"])
def test_what_is_configured_at_launch(project: dc.Project, late: str) -> None:
    values: dict[str, dict[str, Any]] = {
        "storage": {"path": project.store.location.root},
        "datom": {"project": "STUDY_001", "remote": project.remote},
        "io_manager": {"preview_rows": 0},
    }

    def make(kind: Any, name: str, **nested: Any) -> Any:
        return kind.configure_at_launch(**nested) if name == late else kind(**values[name], **nested)

    storage = make(LocalStorage, "storage")
    study = make(DatomResource, "datom", storage=storage)
    made = {"storage": storage, "datom": study, "io_manager": make(DatomIOManager, "io_manager", datom=study)}
    defs = datom_definitions(
        assets=[datom_asset(name="dm")(frame)],
        resources={"io_manager": made["io_manager"], late: made[late]},
        jobs=[dg.define_asset_job("all")],
    )
    run_config = {"resources": {late: {"config": values[late]}}}
    assert defs.resolve_job_def("all").execute_in_process(run_config=run_config).success
    assert len(project.reader.read("dm")) == 1


def test_two_assets_of_one_table_are_refused(resources: dict[str, Any]) -> None:
    one, other = dg.asset(key=["a", "dm"])(frame), dg.asset(key=["b", "dm"])(frame)
    with pytest.raises(dc.InvalidInputError, match="both write the table dm"):
        datom_definitions(assets=[one, other], resources=resources)
    with pytest.raises(dc.InvalidInputError, match="both write the table DM"):
        datom_definitions(assets=[one, dg.asset(key=["b", "DM"])(frame)], resources=resources)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (
            lambda: dg.asset(name="dm", ins={"ex": dg.AssetIn(metadata={"datom/versoin": "a"})})(lambda ex: ex),
            "versoin",
        ),
        (lambda: dg.asset(name="dm", metadata={"datom/custom": 3})(frame), "datom/custom is a mapping"),
        (lambda: dg.asset(name="dm", metadata={"datom/commit_message": " "})(frame), "message is empty"),
        (
            lambda: dg.asset(
                name="dm",
                partitions_def=dg.StaticPartitionsDefinition(["a"]),
                backfill_policy=dg.BackfillPolicy.single_run(),
            )(frame),
            "multi_run",
        ),
    ],
)
def test_what_can_be_known_by_now_is_refused_by_now(resources: dict[str, Any], made: Any, said: str) -> None:
    with pytest.raises(dc.InvalidInputError, match=said):
        datom_definitions(assets=[made()], resources=resources)


def test_storage_facts_are_in_the_definition(resources: dict[str, Any], project: dc.Project) -> None:
    described = datom_asset(name="dm", columns={"USUBJID": "Unique Subject Identifier"}, commit_message="why")(frame)
    outside = dg.AssetSpec("vs").with_io_manager_key("io_manager")
    defs = datom_definitions(assets=[described, outside, dg.AssetSpec("elsewhere")], resources=resources)
    places = {s.key.to_user_string(): s.metadata.get("dagster/table_name") for s in defs.resolve_all_asset_specs()}
    assert places == {"dm": "STUDY_001.dm", "vs": "STUDY_001.vs", "elsewhere": None}
    spec = next(s for s in defs.resolve_all_asset_specs() if s.key == dg.AssetKey("dm"))
    assert spec.metadata["dagster/table_name"] == "STUDY_001.dm"
    assert spec.metadata["dagster/uri"] == f"file://{project.store.location.root}/datom/dm"
    assert spec.metadata["dagster/column_schema"].columns[0].description == "Unique Subject Identifier"
    assert {"datom", "parquet"} <= spec.kinds


def test_environment_variables_may_be_unset_where_the_code_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STUDY_DATA", raising=False)
    study = DatomResource(
        project="STUDY_001", storage=LocalStorage(path=dg.EnvVar("STUDY_DATA")), remote=dg.EnvVar("STUDY_REPO")
    )
    assets = [datom_asset(name="dm")(frame)]
    defs = datom_definitions(assets=assets, resources={"io_manager": DatomIOManager(datom=study)})
    spec = next(iter(defs.resolve_all_asset_specs()))
    assert "dagster/uri" not in spec.metadata
    with pytest.raises(dc.InvalidInputError, match="environment variable STUDY_DATA is not set"):
        study.open_reader()
    monkeypatch.setenv("STUDY_DATA", "/data/study")
    defs = datom_definitions(assets=assets, resources={"io_manager": DatomIOManager(datom=study)})
    assert next(iter(defs.resolve_all_asset_specs())).metadata["dagster/uri"] == "file:///data/study/datom/dm"


def test_options_of_dagster_asset_are_handed_on() -> None:
    made = datom_asset(name="dm", owners=["a@example.org"], kinds={"sas"}, tags={"t": "1"}, group_name="g")(frame)
    spec = made.specs_by_key[dg.AssetKey("dm")]
    assert (list(spec.owners), spec.kinds, spec.group_name) == (["a@example.org"], {"sas"}, "g")


def test_the_decorator_without_arguments(project: dc.Project, resources: dict[str, Any]) -> None:
    @datom_asset
    def ex() -> pd.DataFrame:
        return frame()

    assert dg.materialize([ex], resources=resources).success
    assert len(project.reader.read("ex")) == 1


def test_skipping_keeps_context_inputs_and_outputs(project: dc.Project, resources: dict[str, Any]) -> None:
    @datom_asset
    def ex() -> pd.DataFrame:
        return frame()

    @datom_asset(on_empty="skip")
    def lb(context: dg.AssetExecutionContext, ex: pd.DataFrame) -> dg.Output[pd.DataFrame]:
        context.log.info("called")
        return dg.Output(ex, metadata={"mine": 1})

    result = dg.materialize([ex, lb], resources=resources)
    event = next(e for e in result.get_asset_materialization_events() if e.asset_key == dg.AssetKey("lb"))
    assert event.materialization.metadata["mine"].value == 1
    assert [p.table for p in project.reader.parents("lb") or ()] == ["ex"]


@pytest.mark.parametrize("wrap", [lambda f: f, dg.Output, lambda f: dg.MaterializeResult(value=f)])
@pytest.mark.parametrize("kind", [pd.DataFrame, pa.Table.from_pandas, lambda f: pl.from_pandas(f).lazy()])
def test_every_kind_of_empty_frame_is_skipped(resources: dict[str, Any], kind: Any, wrap: Any) -> None:
    empty = datom_asset(name="ex", on_empty="skip")(lambda: wrap(kind(frame().head(0))))
    result = dg.materialize([empty], resources=resources)
    assert result.success
    assert result.get_asset_materialization_events() == []
