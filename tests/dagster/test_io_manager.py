"""Materializing writes versions, loading reads the recorded one."""

# Dagster reads annotations at run time, so they must not be strings here.
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow.dataset import dataset

import datom_core as dc
from datom_dagster import DatomIOManager, DatomResource, LocalStorage, datom_asset, datom_definitions, datom_parents
from datom_dagster.testing import metadata_of as shown
from tests.dagster.conftest import data_version, failure

Run = Callable[..., dg.ExecuteInProcessResult]
ROWS = {"n": 3}


@pytest.fixture(autouse=True)
def three_rows() -> None:
    ROWS["n"] = 3


def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"s{i}" for i in range(n)], "AGE": range(n)})


@dg.asset
def dm() -> pd.DataFrame:
    return frame(ROWS["n"])


@dg.asset
def adsl(dm: pd.DataFrame) -> pd.DataFrame:
    return dm.assign(AGEGR=dm["AGE"] > 1)


def log(remote: str, pretty: str) -> str:
    command = ["git", "-C", remote, "log", "-1", f"--format={pretty}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class TestWriting:
    def test_a_materialization_is_a_version(self, run: Run, project: dc.Project) -> None:
        result = run([dm])
        entry = project.reader.history("dm")[0]
        metadata = shown(result, "dm")
        assert metadata["dagster/row_count"] == 3
        assert metadata["datom/version"] == entry.version
        assert metadata["datom/data_sha"] == entry.data_sha == dc.hash_table(frame(3)).data_sha
        assert metadata["datom/commit"] == entry.commit_sha
        assert metadata["datom/changed"] is True
        assert metadata["datom/bytes"] == project.reader.list()[0].size_bytes
        assert [(c.name, c.type) for c in metadata["dagster/column_schema"].columns] == [
            ("USUBJID", "string"),
            ("AGE", "int64"),
        ]
        assert "| s0 | 0 |" in metadata["datom/preview"]
        assert metadata["datom/author"] == "Test Author <test@example.org>"

    def test_the_data_version_is_the_content_hash(self, run: Run) -> None:
        result = run([dm])
        assert data_version(result, "dm") == dc.hash_table(frame(3)).data_sha
        event = result.get_asset_materialization_events()[0]
        assert event.materialization.tags["dagster/data_version_is_user_provided"] == "true"

    def test_a_data_version_that_the_asset_gives_wins(self, run: Run, project: dc.Project) -> None:
        @dg.asset(name="dm")
        def own() -> dg.Output[pd.DataFrame]:
            return dg.Output(frame(3), data_version=dg.DataVersion("mine"))

        assert data_version(run([own]), "dm") == "mine"
        assert len(project.reader.history("dm")) == 1

    def test_a_data_version_set_in_the_body_wins_too(self, run: Run) -> None:
        @dg.asset(name="dm")
        def own(context: dg.AssetExecutionContext) -> pd.DataFrame:
            context.set_data_version(context.asset_key, dg.DataVersion("mine"))
            return frame(3)

        assert data_version(run([own]), "dm") == "mine"

    @pytest.mark.parametrize("far", [pa.scalar(2932897, pa.int32()), pa.scalar(2932897 * 86400, pa.int64())])
    def test_what_python_cannot_show_is_stored_all_the_same(self, run: Run, project: dc.Project, far: Any) -> None:
        kind = pa.date32() if far.type == pa.int32() else pa.timestamp("s")
        table = pa.table({"d": pa.array([far.as_py()], far.type).cast(kind)})
        assert "10000-01-01" in shown(run([dg.asset(name="dm")(lambda: table)]), "dm")["datom/preview"]
        assert len(project.reader.history("dm")) == 1

    def test_unchanged_content_is_a_materialization_without_a_commit(self, run: Run, project: dc.Project) -> None:
        first, second = run([dm]), run([dm])
        metadata = shown(second, "dm")
        assert metadata["datom/changed"] is False
        assert metadata["datom/change"] == "no change"
        assert metadata["datom/action"] == "unchanged"
        assert metadata["datom/commit"] == shown(first, "dm")["datom/commit"]
        assert data_version(second, "dm") == data_version(first, "dm")
        assert len(project.reader.history("dm")) == 1

    def test_what_changed_is_shown(self, run: Run) -> None:
        first = run([dm])
        ROWS["n"] = 5
        metadata = shown(run([dm]), "dm")
        assert metadata["datom/change"] == "2 rows added by USUBJID (a natural key)"
        assert metadata["datom/previous_version"] == shown(first, "dm")["datom/version"]

    def test_table_named_by_metadata_or_key(self, run: Run, project: dc.Project) -> None:
        @dg.asset(key=["raw", "edc", "lb"])
        def first() -> pd.DataFrame:
            return frame(1)

        @dg.asset(metadata={"datom/table": "Lab (v1)"})
        def second() -> pd.DataFrame:
            return frame(2)

        run([first, second])
        assert {t.name for t in project.reader.list()} == {"lb", "Lab (v1)"}

    def test_an_output_that_is_no_asset(self, resources: dict[str, Any], project: dc.Project) -> None:
        @dg.op(out=dg.Out(metadata={"datom/table": "ts"}))
        def trial_summary() -> pd.DataFrame:
            return frame(2)

        @dg.job(resource_defs=resources)
        def once() -> None:
            trial_summary()

        assert once.execute_in_process().success
        assert len(project.reader.read("ts")) == 2

    def test_multi_asset(self, run: Run, project: dc.Project) -> None:
        @dg.multi_asset(outs={"ex": dg.AssetOut(), "lb": dg.AssetOut()})
        def both(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]
            yield dg.Output(frame(1), output_name="ex")
            yield dg.Output(frame(2), output_name="lb")

        result = run([both])
        assert data_version(result, "ex") == dc.hash_table(frame(1)).data_sha
        assert data_version(result, "lb") == dc.hash_table(frame(2)).data_sha

    def test_preview_can_be_switched_off(self, study: DatomResource) -> None:
        result = dg.materialize([dm], resources={"io_manager": DatomIOManager(datom=study, preview_rows=0)})
        assert "datom/preview" not in shown(result, "dm")

    def test_parents_that_the_asset_declares(self, run: Run, project: dc.Project) -> None:
        project.write("ex", frame(2), table_type="imported")
        parent = project.parent("ex")

        @dg.asset(name="dm")
        def declared() -> dg.Output[pd.DataFrame]:
            return dg.Output(frame(3), metadata={"datom/parents": datom_parents(parent)})

        result = run([declared])
        assert project.reader.metadata("dm").parents == (dc.Parent("STUDY_001", "ex", parent.version, parent.data_sha),)
        assert project.reader.lineage("dm") == parent.source_lineage != ()
        assert [r["version"] for r in shown(result, "dm")["datom/loaded"]] == [parent.version[:12]]

    def test_custom_metadata(self, run: Run, project: dc.Project) -> None:
        @dg.asset(name="dm", metadata={"datom/custom": {"source": "EDC"}})
        def described() -> pd.DataFrame:
            return frame(3)

        run([described])
        assert dict(project.reader.metadata("dm").custom) == {"source": "EDC"}

    def test_an_extract_is_where_lineage_begins(self, run: Run, project: dc.Project) -> None:
        imported = datom_asset(name="dm", table_type="imported")(lambda: frame(3))
        run([imported, adsl])
        source = dc.Source("STUDY_001", "dm", dc.hash_table(frame(3)).data_sha)
        assert project.reader.metadata("dm").table_type == "imported"
        assert project.reader.lineage("dm") == project.reader.lineage("adsl") == (source,)

    def test_what_the_asset_declares_of_its_columns_stays(self, run: Run) -> None:
        described = datom_asset(name="dm", columns={"AGE": "Age", "GONE": "Not there"})(lambda: frame(3))
        columns = {
            c.name: (c.type, c.description) for c in shown(run([described]), "dm")["dagster/column_schema"].columns
        }
        assert columns == {"USUBJID": ("string", None), "AGE": ("int64", "Age")}

    def test_labels_formats_and_units_of_an_extract_are_shown(self, run: Run) -> None:
        about = {"label": "Weight", "units": "kg", "format": "8.2", "role": "Finding"}
        table = pa.table([[72.5]], pa.schema([pa.field("WEIGHT", pa.float64(), metadata=about)]))
        described = datom_asset(name="vs", columns={"WEIGHT": "Body weight"})(lambda: table)
        for asset, text in ((described, "Body weight"), (datom_asset(name="vs")(lambda: table), "Weight")):
            (column,) = shown(run([asset]), "vs")["dagster/column_schema"].columns
            assert (column.description, column.constraints.other) == (text, ["format: 8.2", "units: kg"])

    def test_a_preview_shows_values_as_they_are(self, run: Run) -> None:
        @dg.asset(name="dm")
        def odd() -> pd.DataFrame:
            return pd.DataFrame({"a|b": ["<b>*x*</b> | `y`", "two\nlines", "long" * 20]})

        lines = shown(run([odd]), "dm")["datom/preview"].splitlines()
        assert lines[0] == r"| a\|b |"
        assert lines[2] == r"| &lt;b&gt;\*x\*&lt;/b&gt; \| \`y\` |"
        assert lines[3] == "| two lines |"
        assert lines[4] == "| " + ("long" * 20)[:39] + "… |"

    def test_output_metadata_that_would_be_ignored_is_refused(self, run: Run, project: dc.Project) -> None:
        @dg.asset(name="dm")
        def misspelt() -> dg.Output[pd.DataFrame]:
            return dg.Output(frame(3), metadata={"datom/version": "mine"})

        said = failure(run([misspelt], raise_on_error=False))
        assert "output metadata datom/version cannot be set here" in said
        assert len(project.reader.list()) == 0

    def test_metadata_of_the_asset_itself_is_left_alone(self, run: Run) -> None:
        @dg.asset(name="dm")
        def counted() -> dg.Output[pd.DataFrame]:
            return dg.Output(frame(3), metadata={"dagster/row_count": 99})

        assert shown(run([counted]), "dm")["dagster/row_count"] == 99


class TestMessages:
    def materialize(self, run: Run, *, output: bool, config: bool, tag: bool, definition: bool) -> None:
        @dg.asset(
            name="dm", metadata={"datom/commit_message": "from definition"} if definition else {}, code_version="7"
        )
        def told() -> dg.Output[pd.DataFrame]:
            return dg.Output(frame(ROWS["n"]), metadata={"datom/commit_message": "from output"} if output else {})

        config_of_run = {"ops": {"dm": {"outputs": {"result": {"commit_message": "from config"}}}}} if config else {}
        run([told], run_config=config_of_run, tags={"datom/commit_message": "from tag"} if tag else {})

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({"output", "config", "tag", "definition"}, "from output"),
            ({"config", "tag", "definition"}, "from config"),
            ({"tag", "definition"}, "from tag"),
            ({"definition"}, "from definition"),
            (set(), "Materialize dm"),
        ],
    )
    def test_the_first_of_five_places(self, run: Run, project: dc.Project, given: set[str], expected: str) -> None:
        everywhere = ("output", "config", "tag", "definition")
        self.materialize(run, **{place: place in given for place in everywhere})
        assert project.reader.history("dm")[0].message == expected
        assert log(project.remote, "%s") == expected

    def test_trailers_tie_the_commit_to_the_run(self, run: Run, project: dc.Project) -> None:
        self.materialize(run, output=False, config=False, tag=False, definition=False)
        trailers = dict(line.split(": ", 1) for line in log(project.remote, "%(trailers:unfold)").splitlines())
        assert trailers["Dagster-Asset"] == "dm"
        assert trailers["Dagster-Code-Version"] == "7"
        assert len(trailers["Dagster-Run"]) == 36
        assert "Dagster-Run" not in project.reader.history("dm")[0].message
        assert "custom" not in project.reader.metadata("dm").raw

    def test_an_empty_message_is_refused(self, run: Run, project: dc.Project) -> None:
        result = run([dm], tags={"datom/commit_message": " "}, raise_on_error=False)
        assert "message is empty" in failure(result)
        assert len(project.reader.list()) == 0


class TestTypes:
    @pytest.mark.parametrize("kind", [pd.DataFrame, pa.Table, pl.DataFrame, pl.LazyFrame, None])
    def test_outputs_and_inputs_by_annotation(self, run: Run, project: dc.Project, kind: Any) -> None:
        made = {
            pd.DataFrame: frame(3),
            pa.Table: pa.Table.from_pandas(frame(3)),
            pl.DataFrame: pl.from_pandas(frame(3)),
            pl.LazyFrame: pl.from_pandas(frame(3)).lazy(),
            None: frame(3),
        }[kind]
        seen = []

        def source():  # type: ignore[no-untyped-def]
            return made

        def sink(raw):  # type: ignore[no-untyped-def]
            seen.append(raw)
            return frame(1)

        if kind is not None:
            source.__annotations__ = {"return": kind}
            sink.__annotations__ = {"raw": kind}
        run([dg.asset(source, name="raw"), dg.asset(sink, name="out")])
        assert type(seen[0]) is (kind or pd.DataFrame)
        found = seen[0].collect() if kind is pl.LazyFrame else seen[0]
        assert dc.hash_table(found).data_sha == dc.hash_table(frame(3)).data_sha

    def test_an_annotation_that_cannot_be_loaded(self, run: Run) -> None:
        @dg.asset
        def odd(dm: int) -> pd.DataFrame:
            return frame(1)

        assert "cannot be loaded as builtins.int" in failure(run([dm, odd], raise_on_error=False))

    def test_something_that_is_no_table(self, run: Run) -> None:
        @dg.asset(name="dm")
        def wrong() -> Any:
            return {"x": [1]}

        assert "dict is not a table" in failure(run([wrong], raise_on_error=False))


class TestEmptyFrames:
    def asset(self, policy: str | None) -> dg.AssetsDefinition:
        if policy is None:
            return dm
        return datom_asset(name="dm", on_empty=policy)(lambda: frame(ROWS["n"]))  # type: ignore[arg-type]

    @pytest.mark.parametrize("policy", [None, "fail"])
    def test_fail(self, run: Run, project: dc.Project, policy: str | None) -> None:
        ROWS["n"] = 0
        assert "has no rows" in failure(run([self.asset(policy)], raise_on_error=False))
        assert len(project.reader.list()) == 0

    def test_skip_records_nothing_and_skips_downstream(self, run: Run, project: dc.Project) -> None:
        run([self.asset("skip"), adsl])
        ROWS["n"] = 0
        result = run([self.asset("skip"), adsl])
        assert result.success
        assert result.get_asset_materialization_events() == []
        assert [e.step_key for e in result.all_events if e.event_type_value == "STEP_SKIPPED"] == ["adsl"]
        assert len(project.reader.history("dm")) == 1

    def test_keep_lets_the_current_version_stand(self, run: Run, project: dc.Project) -> None:
        first = run([self.asset("keep"), adsl])
        ROWS["n"] = 0
        result = run([self.asset("keep"), adsl])
        assert result.success
        assert data_version(result, "dm") == data_version(first, "dm")
        kept = shown(result, "dm")
        assert (kept["datom/empty"], kept["dagster/row_count"]) == ("keep", 3), "what stands is what is shown"
        assert [c.name for c in kept["dagster/column_schema"].columns] == ["USUBJID", "AGE"]
        assert len(project.reader.history("adsl")) == 1

    def test_keep_without_anything_to_keep(self, run: Run) -> None:
        ROWS["n"] = 0
        assert "no version yet" in failure(run([self.asset("keep")], raise_on_error=False))

    def test_skip_of_a_plain_asset_comes_too_late(self, run: Run, resources: dict[str, Any]) -> None:
        @dg.asset(name="dm", metadata={"datom/on_empty": "skip"})
        def plain() -> pd.DataFrame:
            return frame(0)

        assert "an IO manager cannot skip" in failure(run([plain], raise_on_error=False))
        with pytest.raises(dc.InvalidInputError, match="an IO manager cannot skip"):
            datom_definitions(assets=[plain], resources=resources)

    @pytest.mark.parametrize("rows", [0, 2])
    def test_a_stream_is_a_table_too(self, run: Run, project: dc.Project, rows: int) -> None:
        table = pa.Table.from_pandas(frame(2)).slice(0, rows)
        keeping = datom_asset(name="dm", on_empty="keep")(lambda: pa.RecordBatchReader.from_stream(table))
        run([keeping], raise_on_error=False)
        assert [t.name for t in project.reader.list()] == (["dm"] if rows else [])

    @pytest.mark.parametrize("policy", ["fail", "skip", "keep"])
    @pytest.mark.parametrize("wrapped", [lambda v: v, dg.Output, lambda v: dg.MaterializeResult(value=v)])
    def test_a_stream_is_written_whole(
        self, run: Run, project: dc.Project, policy: str, wrapped: Callable[[Any], Any]
    ) -> None:
        """To see whether it is empty its beginning is read, which must not be lost."""
        batches = pa.Table.from_pandas(frame(5)).to_batches(max_chunksize=2)
        empty = batches[0].slice(0, 0)

        sources: dict[str, Callable[[], Any]] = {
            "dm": lambda: wrapped(pa.RecordBatchReader.from_batches(empty.schema, [empty, *batches, empty])),
            "ae": lambda: wrapped(dataset(pa.Table.from_batches(batches))),
        }
        run([datom_asset(name=name, on_empty=policy)(source) for name, source in sources.items()])
        for table in ("dm", "ae"):
            assert project.reader.read_arrow(table).equals(dc.normalise(pa.Table.from_batches(batches)))

    def test_a_policy_that_does_not_exist(self, run: Run) -> None:
        @dg.asset(name="dm", metadata={"datom/on_empty": "ignore"})
        def plain() -> pd.DataFrame:
            return frame(0)

        assert "one of fail, skip, keep" in failure(run([plain], raise_on_error=False))


class TestErrors:
    def test_bad_data_fails_at_once_with_the_columns(self, run: Run, project: dc.Project) -> None:
        @dg.asset(name="dm", retry_policy=dg.RetryPolicy(max_retries=2))
        def bad() -> pd.DataFrame:
            return pd.DataFrame({"x": [[1]]})

        result = run([bad], raise_on_error=False)
        assert "1 column is not accepted in dm" in failure(result)
        assert not [e for e in result.all_events if e.event_type_value == "STEP_UP_FOR_RETRY"]
        metadata = result.get_step_failure_events()[0].step_failure_data.user_failure_data.metadata
        assert metadata["datom/error"].value == "UnsupportedColumnsError"
        assert metadata["datom/columns"].records[0].data["column"] == "x"

    def test_missing_git_is_not_tried_again(
        self, run: Run, project: dc.Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = []

        @datom_asset(name="dm", retry_policy=dg.RetryPolicy(max_retries=2))
        def counted() -> pd.DataFrame:
            calls.append(1)
            return frame(1)

        monkeypatch.setenv("PATH", str(tmp_path))
        result = run([counted], raise_on_error=False)
        assert "apt-get install git" in failure(result)
        assert not [e for e in result.all_events if e.event_type_value == "STEP_UP_FOR_RETRY"]
        assert len(calls) == 1

    def test_what_may_pass_is_retried(self, run: Run, project: dc.Project, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("datom_dagster.events.errors._SECONDS_BETWEEN", 0.0)
        attempts = []
        real = dc.Project.write

        def flaky(self: dc.Project, *args: Any, **kwargs: Any) -> dc.WriteResult:
            attempts.append(1)
            if len(attempts) < 3:
                raise dc.StorageError("the network is away")
            return real(self, *args, **kwargs)

        monkeypatch.setattr(dc.Project, "write", flaky)
        result = run([dm])
        assert result.success
        assert len(attempts) == 3
        assert len(project.reader.history("dm")) == 1

    def test_after_the_last_retry_the_reason_is_said(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("datom_dagster.events.errors._SECONDS_BETWEEN", 0.0)

        def away(*args: Any, **kwargs: Any) -> dc.WriteResult:
            raise dc.StorageError("the network is away", place="s3")

        monkeypatch.setattr(dc.Project, "write", away)
        result = run([dm], raise_on_error=False)
        assert "the network is away" in failure(result)
        assert len([e for e in result.all_events if e.event_type_value == "STEP_UP_FOR_RETRY"]) == 3
        metadata = result.get_step_failure_events()[0].step_failure_data.user_failure_data.metadata
        assert metadata["datom/place"].value == "s3"

    def test_a_reader_does_not_write(self, project: dc.Project, instance: dg.DagsterInstance) -> None:
        project.write("dm", frame(3))
        reader = DatomResource(project="STUDY_001", storage=LocalStorage(path=project.store.location.root))
        assert len(reader.open_reader().read("dm")) == 3
        result = dg.materialize(
            [dm], resources={"io_manager": DatomIOManager(datom=reader)}, instance=instance, raise_on_error=False
        )
        assert "has no remote, so that it can only read" in failure(result)

    def test_another_project_than_configured(self, project: dc.Project, instance: dg.DagsterInstance) -> None:
        wrong = DatomResource(
            project="STUDY_002", storage=LocalStorage(path=project.store.location.root), remote=project.remote
        )
        manager = DatomIOManager(datom=wrong)
        result = dg.materialize([dm], resources={"io_manager": manager}, instance=instance, raise_on_error=False)
        assert "holds the project 'STUDY_001', not 'STUDY_002'" in failure(result)

    def test_a_remote_with_credentials_leaves_no_trace_of_them(
        self, project: dc.Project, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PLANTED", "https://user:planted-secret@127.0.0.1:9/x.git")
        study = DatomResource(
            project="STUDY_001",
            storage=LocalStorage(path=project.store.location.root),
            remote=dg.EnvVar("PLANTED"),
        )
        manager = DatomIOManager(datom=study)
        result = dg.materialize([dm], resources={"io_manager": manager}, instance=instance, raise_on_error=False)
        assert "carries credentials" in failure(result)
        records = instance.all_logs(result.run_id)
        assert records
        assert not [r for r in records if "planted-secret" in repr(r) or "planted-secret" in r.to_json()]
        assert "planted-secret" not in repr(study)


def test_long_work_is_told_in_the_steps_log(
    run: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("datom_dagster.events.progress_log._SECONDS_BETWEEN_LINES", 0)

    @dg.asset
    def lb() -> pd.DataFrame:
        return pd.DataFrame({"LBSEQ": range(100_000), "LBSTRESN": [1.5] * 100_000})

    run([lb])
    assert "datom: hash 2 of 2" in capfd.readouterr().err
