"""What was made for datom is stored by datom, or somebody said that it is not; nothing is green and unversioned."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import pandas as pd
import pytest

import datom_core as dc
from datom_dagster import DatomIOManager, DatomResource, datom_asset, datom_assets, datom_definitions
from tests.dagster.conftest import failure

Run = Callable[..., dg.ExecuteInProcessResult]


def frame() -> pd.DataFrame:
    return pd.DataFrame({"x": [1]})


def table(name: str, **options: Any) -> dg.AssetsDefinition:
    return datom_asset(name=name, **options)(frame)


class Mine(DatomIOManager):
    """A manager of somebody's own, which is one of datom's."""


class TestWhenTheCodeIsLoaded:
    def test_every_offender_is_named_and_what_to_do(self, study: DatomResource) -> None:
        assets = [
            table("dm"),
            table("ex", io_manager_key="tyop"),
            table("lb", io_manager_key="study"),
            *datom_assets(project=study, tables=["ae", "vs"], extract=lambda table, cut: frame(), atomic=True),
            dg.asset(name="qs", metadata={"datom/table": "QS"})(frame),
            dg.AssetSpec("eg", kinds={"datom"}).with_io_manager_key("tyop"),
            dg.asset(name="report")(frame),
            dg.AssetSpec("elsewhere").with_io_manager_key("tyop"),
        ]
        resources = {"study": DatomIOManager(datom=study), "io_manager": dg.FilesystemIOManager()}
        with pytest.raises(dc.InvalidInputError) as caught:
            datom_definitions(assets=assets, resources=resources)
        said = str(caught.value)
        for name in ("dm", "ae", "vs", "qs"):
            assert f"- {name}: the resource 'io_manager' is no DatomIOManager (FilesystemIOManager)" in said
        for name in ("ex", "eg"):
            assert f"- {name}: the resource 'tyop' is not there" in said
        assert not any(f"- {name}:" in said for name in ("lb", "report", "elsewhere"))
        assert 'resources={"io_manager": DatomIOManager(datom=study)}, or set io_manager_key to one that is' in said
        assert "other_io_managers=[...]" in said

    def test_without_any_resource(self) -> None:
        with pytest.raises(dc.InvalidInputError, match="dm: the resource 'io_manager' is not there"):
            datom_definitions(assets=[table("dm")])

    def test_whatever_is_a_manager_of_datom_will_do(self, study: DatomResource) -> None:
        late = DatomIOManager.configure_at_launch(datom=study)
        for manager in (DatomIOManager(datom=study), Mine(datom=study), late):
            datom_definitions(assets=[table("dm")], resources={"io_manager": manager})
            datom_definitions(assets=[table("dm", io_manager_def=manager)])
        datom_definitions(assets=[table("dm", resource_defs={"io_manager": DatomIOManager(datom=study)})])

    def test_what_only_loads_from_datom_is_stored_anywhere(self, resources: dict[str, Any]) -> None:
        loads = dg.asset(
            name="report", io_manager_key="files", metadata={"datom/cut": "lock", "datom/version/dm": "ab1"}
        )
        datom_definitions(assets=[loads(frame)], resources={**resources, "files": dg.FilesystemIOManager()})

    @pytest.mark.parametrize("meant", ["io_manager", ["io_manager"]])
    def test_another_one_may_be_meant(self, meant: Any) -> None:
        defs = datom_definitions(
            assets=[table("dm")], resources={"io_manager": dg.mem_io_manager}, other_io_managers=meant
        )
        assert defs.resolve_implicit_global_asset_job_def().execute_in_process().success

    def test_definitions_that_are_merged_may_have_it(self, project: dc.Project, resources: dict[str, Any]) -> None:
        mine = datom_definitions(assets=[table("dm")], other_io_managers=["io_manager"])
        defs = dg.Definitions.merge(mine, dg.Definitions(resources=resources))
        assert defs.resolve_implicit_global_asset_job_def().execute_in_process().success
        assert len(project.reader.read("dm")) == 1

    def test_a_function_that_returns_nothing_by_its_annotation(self) -> None:
        def nothing() -> None: ...

        with pytest.raises(dc.InvalidInputError, match="never be a version"):
            datom_asset(name="dm")(nothing)

    def test_links_to_the_source_lead_to_the_function(self) -> None:
        for made in (table("dm"), table("dm", on_empty="skip")):
            (linked,) = dg.with_source_code_references([made])
            (spec,) = linked.specs  # type: ignore[union-attr]
            (place,) = spec.metadata["dagster/code_references"].code_references
            assert (place.file_path, place.line_number) == (__file__, frame.__code__.co_firstlineno)


class TestWhenItRuns:
    """In any `dagster.Definitions`, where nothing can be said when the code is loaded."""

    @pytest.mark.parametrize("resources", [{}, {"io_manager": dg.mem_io_manager}], ids=["none", "in memory"])
    def test_it_is_refused_before_the_function_runs(self, resources: dict[str, Any]) -> None:
        ran = []

        @datom_asset
        def dm() -> pd.DataFrame:
            ran.append(1)
            return frame()

        defs = dg.Definitions(assets=[dm], resources=resources)
        result = defs.resolve_implicit_global_asset_job_def().execute_in_process(raise_on_error=False)
        assert "dm would have no version: its IO manager, the resource 'io_manager', is a" in failure(result)
        assert not ran

    def test_it_can_be_said_that_another_one_is_meant(self) -> None:
        assert dg.materialize([table("dm", other_io_manager=True)]).success

    def test_every_kind_of_function(self, run: Run, project: dc.Project) -> None:
        class Settings(dg.Config):
            rows: int = 1

        @datom_asset
        def one(config: Settings) -> pd.DataFrame:
            return pd.concat([frame()] * config.rows)

        @datom_asset
        def two(context: dg.AssetExecutionContext, one: pd.DataFrame) -> Iterator[Any]:
            context.log.info("called")
            yield dg.Output(one)

        @datom_asset
        async def three(two: pd.DataFrame) -> pd.DataFrame:
            return two

        @datom_asset
        async def four(three: pd.DataFrame):  # type: ignore[no-untyped-def]
            yield dg.Output(three)

        @datom_asset
        def five(four: pd.DataFrame) -> dg.MaterializeResult[pd.DataFrame]:
            return dg.MaterializeResult(value=four.assign(by_hand=len(one(Settings()))))

        made = [one, two, three, four, five]
        assert run(made).success
        assert {t.name for t in project.reader.list()} == {"one", "two", "three", "four", "five"}
        assert "no version" in failure(dg.materialize(made, raise_on_error=False))

    def test_called_by_hand_it_is_the_function(self) -> None:
        assert len(table("dm")()) == 1


class TestNone:
    """A `return` that somebody forgot, or meant."""

    @pytest.mark.parametrize(
        "returned",
        [
            lambda: None,
            lambda: dg.Output(None),
            lambda: dg.MaterializeResult(),
            lambda: dg.MaterializeResult(value=None),
        ],
    )
    @pytest.mark.parametrize("options", [{}, {"on_empty": "skip"}, {"output_required": False}])
    def test_of_a_datom_asset(self, run: Run, project: dc.Project, options: Any, returned: Any) -> None:
        self.check(run([datom_asset(name="dm", **options)(returned)], raise_on_error=False), project)

    def test_with_an_annotation(self, run: Run, project: dc.Project) -> None:
        @datom_asset
        def dm() -> pd.DataFrame:
            frame()  # and no `return`
            return None  # type: ignore[return-value]

        self.check(run([dm], raise_on_error=False), project)

    @pytest.mark.parametrize("atomic", [False, True])
    def test_of_an_extract(self, run: Run, study: DatomResource, project: dc.Project, atomic: bool) -> None:
        made = datom_assets(project=study, tables=["dm"], extract=lambda table, cut: None, atomic=atomic)
        self.check(run(made, raise_on_error=False), project)

    def test_of_a_plain_asset(self, run: Run, project: dc.Project) -> None:
        self.check(run([dg.asset(name="dm")(lambda: None)], raise_on_error=False), project)

    def check(self, result: dg.ExecuteInProcessResult, project: dc.Project) -> None:
        said = failure(result)
        assert "dm: the asset returned None" in said
        assert "datom_asset(on_empty='skip')" in said
        assert "output_required=False, and yield" in said
        assert len(project.reader.list()) == 0

    def test_what_it_says_to_do_works(self, run: Run, project: dc.Project) -> None:
        @datom_asset(output_required=False)
        def dm() -> Iterator[dg.Output[pd.DataFrame]]:
            yield from ()

        assert run([dm]).success
        assert len(project.reader.list()) == 0
