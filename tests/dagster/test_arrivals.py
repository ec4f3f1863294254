"""Extract files that arrive are loaded: the tables concerned, once per content, and a bad file holds up no other."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

import datom_core as dc
from datom_dagster import (
    DatomIOManager,
    DatomResource,
    DatomStorage,
    ExtractDrop,
    LocalStorage,
    S3Storage,
    datom_assets,
    extract_sensor,
)
from datom_dagster.testing import metadata_of as shown
from tests.dagster.conftest import failure
from tests.s3.server import S3Server

CUTS = dg.DynamicPartitionsDefinition(name="cuts")
MONTHS = dg.StaticPartitionsDefinition(["2026-01", "2026-02"])


def rows(*ages: int) -> str:
    return "USUBJID,AGE\n" + "".join(f"01-{n},{age}\n" for n, age in enumerate(ages, 1))


class Daemon:
    """Evaluates a sensor tick by tick and executes what it asks for, as Dagster's daemon does it."""

    def __init__(
        self, study: DatomResource, instance: dg.DagsterInstance, drop: ExtractDrop, tables: list[str], **options: Any
    ) -> None:
        self.study, self.instance = study, instance
        self.assets = datom_assets(project=study, tables=tables, extract=drop, **options)
        self.sensor = extract_sensor(self.assets, drop)
        self.resources = {"datom": study, "io_manager": DatomIOManager(datom=study)}
        self.cursor: str | None = None
        self.keys: set[str] = set()
        self.said = ""

    def tick(self) -> list[dg.RunRequest]:
        with dg.build_sensor_context(
            self.instance, self.cursor, resources={"datom": self.study}, sensor_name="extracts"
        ) as context:
            result = self.sensor(context)
        if isinstance(result, dg.SkipReason):
            self.said = str(result.skip_message)
            return []
        assert isinstance(result, dg.SensorResult)
        self.said = str(result.skip_reason.skip_message if result.skip_reason is not None else "")
        self.cursor = result.cursor
        for asked in result.dynamic_partitions_requests or ():
            self.instance.add_dynamic_partitions(asked.partitions_def_name, list(asked.partition_keys))
        requests = list(result.run_requests or ())
        # Dagster takes a run key for done that it has seen before.
        assert not self.keys & {str(r.run_key) for r in requests}
        self.keys |= {str(r.run_key) for r in requests}
        return requests

    def settle(self) -> list[dg.RunRequest]:
        """A second look is needed to see that nothing is being written any more."""
        assert self.tick() == []
        return self.tick()

    def run(self, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            self.assets,
            selection=dg.AssetSelection.assets(*request.asset_selection or ()),
            partition_key=request.partition_key,
            tags=request.tags,
            resources=self.resources,
            instance=self.instance,
            raise_on_error=False,
        )


def selected(requests: list[dg.RunRequest]) -> list[list[str]]:
    return [sorted(key.to_user_string() for key in r.asset_selection or ()) for r in requests]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "drop"
    made.mkdir()
    return made


@pytest.fixture
def daemon(study: DatomResource, instance: dg.DagsterInstance, folder: Path) -> Daemon:
    return Daemon(study, instance, ExtractDrop(place=LocalStorage(path=str(folder))), ["dm", "ae", "lb"])


def test_a_drop_is_one_run_of_the_tables_concerned(daemon: Daemon, folder: Path, project: dc.Project) -> None:
    (folder / "dm.csv").write_text(rows(41, 52))
    (folder / "AE.CSV").write_text(rows(41))
    requests = daemon.settle()
    assert selected(requests) == [["ae", "dm"]]
    result = daemon.run(requests[0])
    assert result.success
    dm = shown(result, "dm")
    assert dm["datom/message"] == f"Load AE.CSV, dm.csv from {folder}"
    assert dm["datom/source_file"] == "dm.csv"
    version = project.reader.resolve("dm")
    assert version.original_file_sha == dm["datom/source_sha"]
    assert project.reader.metadata("dm").table_type == "imported"
    assert daemon.tick() == []
    assert "No extract file is new" in daemon.said

    (folder / "dm.csv").write_text(rows(41, 53))
    requests = daemon.settle()
    assert selected(requests) == [["dm"]]
    assert shown(daemon.run(requests[0]), "dm")["datom/change"] != "no change"


def test_what_was_only_touched_is_no_news(daemon: Daemon, folder: Path) -> None:
    (folder / "dm.csv").write_text(rows(41))
    assert len(daemon.settle()) == 1
    os.utime(folder / "dm.csv", (0, 0))
    assert daemon.settle() == []


def test_what_the_project_has_is_no_news_whoever_wrote_it(daemon: Daemon, folder: Path, project: dc.Project) -> None:
    (folder / "dm.csv").write_text(rows(41))
    project.sync(folder).check()
    (folder / "ae.csv").write_text(rows(41))
    assert selected(daemon.settle()) == [["ae"]]


def test_a_file_that_is_being_written_is_left_alone(daemon: Daemon, folder: Path) -> None:
    (folder / "dm.csv").write_text(rows(41))
    for n in range(3):
        with (folder / "ae.csv").open("a") as file:
            file.write("USUBJID,AGE\n" if n == 0 else f"01-{n},{n}\n")
        assert daemon.tick() == []
        assert "ae.csv" in daemon.said
    assert selected(daemon.tick()) == [["ae", "dm"]]


def test_a_bad_file_holds_up_no_other_and_is_asked_for_once(daemon: Daemon, folder: Path, project: dc.Project) -> None:
    (folder / "dm.csv").write_text(rows(41))
    (folder / "ae.csv").write_text("USUBJID,AGE\n01-1\n")  # ragged
    (folder / "lb.parquet").write_bytes(b"")
    requests = daemon.settle()
    assert selected(requests) == [["ae", "dm", "lb"]]
    result = daemon.run(requests[0])
    assert not result.success
    assert "ae.csv" in failure(result)
    assert [t.name for t in project.reader.list()] == ["dm"]
    assert daemon.tick() == [] == daemon.tick()

    (folder / "ae.csv").write_text(rows(7))
    requests = daemon.settle()
    assert selected(requests) == [["ae"]]
    assert daemon.run(requests[0]).success
    # And back to what could not be read: that is a change, too.
    (folder / "ae.csv").write_text("USUBJID,AGE\n01-1\n")
    assert selected(daemon.settle()) == [["ae"]]


def test_a_file_without_rights_is_told_and_tried_again(
    daemon: Daemon, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "dm.csv").write_text(rows(41))
    (folder / "ae.csv").write_text(rows(41))
    opened = sys.modules["datom_core.extracts.drops.folder"].opened

    def refused(at: int, way: tuple[str, ...]) -> Any:
        if way == ("ae.csv",):
            raise PermissionError(13, "Permission denied")
        return opened(at, way)

    with monkeypatch.context() as patch:  # root may read everything
        patch.setattr("datom_core.extracts.drops.folder.opened", refused)
        assert selected(daemon.settle()) == [["dm"]]
        assert daemon.tick() == []
        assert "ae.csv cannot be read" in daemon.said
    assert selected(daemon.tick()) == [["ae"]]


def test_files_for_nobody_are_told(daemon: Daemon, folder: Path) -> None:
    (folder / "vs.csv").write_text(rows(1))
    (folder / "readme.docx").write_text("hello")
    assert daemon.tick() == []
    assert daemon.said == "no asset for vs.csv"


def test_links_out_of_the_place_and_data_that_cannot_be_read_are_told_and_never_loaded(
    daemon: Daemon, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.csv").write_text(rows(1))
    (folder / "ae.csv").symlink_to("../secret.csv")
    (folder / "lb.xpt.gz").write_bytes(b"x")
    (folder / "dm.csv").write_text(rows(41))
    os.mkfifo(folder / "vs.csv")
    assert daemon.tick() == []
    assert "ae.csv is not read: a symbolic link that leaves the folder" in daemon.said
    assert "vs.csv is not read: a named pipe" in daemon.said
    assert "lb.xpt.gz is not read: '.gz' is not the extension of a format" in daemon.said
    assert selected(daemon.tick()) == [["dm"]]
    drop = ExtractDrop(place=LocalStorage(path=str(folder)))
    with pytest.raises(dc.InvalidInputError, match=r"ae\.csv is a symbolic link that leaves"):
        drop("ae", None)


def test_a_cut_whose_folder_is_a_link_to_elsewhere_is_none(
    study: DatomResource, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    place = tmp_path / "drops"
    for folder in (place / "2026-01", tmp_path / "elsewhere"):
        folder.mkdir(parents=True)
        (folder / "dm.csv").write_text(rows(41))
    (place / "2026-02").symlink_to("../elsewhere")
    drop = ExtractDrop(place=LocalStorage(path=str(place)), by_cut=True)
    daemon = Daemon(study, instance, drop, ["dm"], partitions=MONTHS)
    requests = daemon.settle()
    assert [r.partition_key for r in requests] == ["2026-01"]
    with pytest.raises(dc.InvalidInputError, match="2026-02 is a symbolic link that leaves"):
        drop("dm", "2026-02")


def test_an_old_file_that_comes_back_does_not_take_the_table_back(
    daemon: Daemon, folder: Path, project: dc.Project
) -> None:
    for age in (41, 42):
        (folder / "dm.csv").write_text(rows(age))
        assert daemon.run(daemon.settle()[0]).success
    (folder / "dm.csv").write_text(rows(41))
    assert daemon.settle() == []
    result = daemon.run(dg.RunRequest(asset_selection=[dg.AssetKey("dm")], tags={}))
    assert shown(result, "dm")["datom/change"] == "no change: dm.csv was taken before, and a later version is current"
    assert project.reader.read("dm")["AGE"].tolist() == [42]


class TestAllOrNone:
    @pytest.fixture
    def daemon(self, study: DatomResource, instance: dg.DagsterInstance, folder: Path) -> Daemon:
        drop = ExtractDrop(place=LocalStorage(path=str(folder)))
        return Daemon(study, instance, drop, ["dm", "ae"], atomic=True)

    def test_one_commit(self, daemon: Daemon, folder: Path, project: dc.Project) -> None:
        (folder / "dm.csv").write_text(rows(41))
        (folder / "ae.csv").write_text(rows(41))
        requests = daemon.settle()
        assert daemon.run(requests[0]).success
        commits = {project.reader.resolve(t).commit_sha for t in ("dm", "ae")}
        assert len(commits) == 1
        (folder / "dm.csv").write_text(rows(42))
        requests = daemon.settle()
        assert selected(requests) == [["ae", "dm"]]
        result = daemon.run(requests[0])
        assert (shown(result, "dm")["datom/changed"], shown(result, "ae")["datom/changed"]) == (True, False)

    def test_a_file_that_was_taken_before_lets_its_table_stand(
        self, daemon: Daemon, folder: Path, project: dc.Project
    ) -> None:
        for age in (41, 42):
            (folder / "dm.csv").write_text(rows(age))
            (folder / "ae.csv").write_text(rows(age))
            assert daemon.run(daemon.settle()[0]).success
        (folder / "dm.csv").write_text(rows(41))
        (folder / "ae.csv").write_text(rows(43))
        result = daemon.run(daemon.settle()[0])
        assert "taken before" in shown(result, "dm")["datom/change"]
        assert [len(project.reader.history(t)) for t in ("dm", "ae")] == [2, 3]

    def test_none_when_one_is_bad(self, daemon: Daemon, folder: Path, project: dc.Project) -> None:
        (folder / "dm.csv").write_text(rows(41))
        (folder / "ae.csv").write_text("")
        assert "ae.csv" in failure(daemon.run(daemon.settle()[0]))
        assert not project.reader.list()


class TestAFolderPerCut:
    @pytest.fixture
    def daemon(self, study: DatomResource, instance: dg.DagsterInstance, folder: Path) -> Daemon:
        drop = ExtractDrop(place=LocalStorage(path=str(folder)), by_cut=True)
        return Daemon(study, instance, drop, ["dm", "ae"], partitions=CUTS)

    def deliver(self, folder: Path, cut: str, **files: str) -> None:
        (folder / cut).mkdir(exist_ok=True)
        for table, text in files.items():
            (folder / cut / f"{table}.csv").write_text(text)

    def test_a_new_folder_is_a_new_partition(self, daemon: Daemon, folder: Path, project: dc.Project) -> None:
        self.deliver(folder, "dry-run", dm=rows(1), ae=rows(1))
        self.deliver(folder, "lock", dm=rows(2))
        requests = daemon.settle()
        assert [(r.partition_key, names) for r, names in zip(requests, selected(requests), strict=True)] == [
            ("dry-run", ["ae", "dm"]),
            ("lock", ["dm"]),
        ]
        assert set(daemon.instance.get_dynamic_partitions("cuts")) == {"dry-run", "lock"}
        for request in requests:
            assert daemon.run(request).success
        assert project.reader.read("dm", cut="dry-run")["AGE"].tolist() == [1]
        assert project.reader.read("dm", cut="lock")["AGE"].tolist() == [2]

    def test_a_cut_delivered_again_moves_its_name_even_to_an_old_file(
        self, daemon: Daemon, folder: Path, project: dc.Project
    ) -> None:
        for age in (1, 2, 1):
            self.deliver(folder, "lock", dm=rows(age))
            requests = daemon.settle()
            assert [r.partition_key for r in requests] == ["lock"]
            assert daemon.run(requests[0]).success
            assert project.reader.read("dm", cut="lock")["AGE"].tolist() == [age]
        assert len(project.reader.history("dm")) == 2

    def test_one_bad_folder_holds_up_no_other(self, daemon: Daemon, folder: Path) -> None:
        self.deliver(folder, "lock", dm=rows(1))
        self.deliver(folder, "lock...", dm=rows(1))
        self.deliver(folder, "x" * 129, dm=rows(1))
        requests = daemon.settle()
        assert [r.partition_key for r in requests] == ["lock"]
        assert daemon.instance.get_dynamic_partitions("cuts") == ["lock"]

    def test_partitions_that_are_fixed(self, study: DatomResource, instance: dg.DagsterInstance, folder: Path) -> None:
        drop = ExtractDrop(place=LocalStorage(path=str(folder)), by_cut=True)
        daemon = Daemon(study, instance, drop, ["dm"], partitions=MONTHS)
        self.deliver(folder, "2026-01", dm=rows(1))
        self.deliver(folder, "2026-13", dm=rows(1))
        assert daemon.tick() == []
        assert "2026-13 is no partition" in daemon.said
        assert [r.partition_key for r in daemon.tick()] == ["2026-01"]


def test_a_manifest_tells_that_a_drop_is_complete(
    study: DatomResource, instance: dg.DagsterInstance, folder: Path
) -> None:
    drop = ExtractDrop(place=LocalStorage(path=str(folder)), manifest="manifest.json")
    daemon = Daemon(study, instance, drop, ["dm"])
    (folder / "dm.csv").write_text(rows(41))
    assert daemon.tick() == [] == daemon.tick()
    assert daemon.said == "not complete: manifest.json is not there yet"
    result = daemon.run(dg.RunRequest(asset_selection=[dg.AssetKey("dm")], tags={"dagster/max_retries": "0"}))
    assert "is not complete" in failure(result)
    size = (folder / "dm.csv").stat().st_size
    (folder / "manifest.json").write_text(f'{{"files": [{{"name": "dm.csv", "size": {size}}}]}}')
    assert selected(daemon.tick()) == [["dm"]]


def test_of_a_bucket(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, study: DatomResource, instance: dg.DagsterInstance
) -> None:
    monkeypatch.setenv("DROP_KEY", s3_server.owner.access_key)
    monkeypatch.setenv("DROP_SECRET", s3_server.owner.secret_key.reveal())
    bucket = s3_server.bucket()
    place: DatomStorage = S3Storage(
        bucket=bucket,
        prefix="drops",
        endpoint_url=s3_server.endpoint,
        access_key_env="DROP_KEY",
        secret_key_env="DROP_SECRET",
    )
    daemon = Daemon(study, instance, ExtractDrop(place=place, by_cut=True), ["dm"], partitions=CUTS)
    s3_server.s3.put_object(Bucket=bucket, Key="drops/lock/dm.csv", Body=rows(41).encode())
    requests = daemon.settle()
    assert [r.partition_key for r in requests] == ["lock"]
    result = daemon.run(requests[0])
    assert shown(result, "dm")["datom/message"] == f"Load dm.csv from s3://{bucket}/drops/lock/"
    assert s3_server.owner.secret_key.reveal() not in str(daemon.cursor) + str(requests) + str(result.all_events)


def test_a_place_that_is_away_is_told_and_the_cursor_stays(daemon: Daemon, folder: Path) -> None:
    (folder / "dm.csv").write_text(rows(41))
    daemon.settle()
    before = daemon.cursor
    folder.rename(folder.with_name("away"))
    assert daemon.tick() == []
    assert "the next tick tries again. There is no folder" in daemon.said
    assert daemon.cursor == before
    folder.with_name("away").rename(folder)
    assert daemon.tick() == []


@pytest.mark.parametrize("cursor", ["", "{", "[]", '{"": 3}', '{"": [1, {"dm.csv": ["x"]}]}'])
def test_a_cursor_of_another_kind_begins_anew(daemon: Daemon, folder: Path, cursor: str) -> None:
    (folder / "dm.csv").write_text(rows(41))
    daemon.cursor = cursor
    assert selected(daemon.settle()) == [["dm"]]


class TestWhatCannotBe:
    @pytest.mark.parametrize(
        ("options", "by_cut", "message"),
        [({"partitions": MONTHS}, False, "by_cut"), ({}, True, "by_cut")],
    )
    def test_partitions(
        self, study: DatomResource, folder: Path, options: dict[str, Any], by_cut: bool, message: str
    ) -> None:
        drop = ExtractDrop(place=LocalStorage(path=str(folder)), by_cut=by_cut)
        assets = datom_assets(project=study, tables=["dm"], extract=drop, **options)
        with pytest.raises(dc.InvalidInputError, match=message):
            extract_sensor(assets, drop)

    def test_no_assets(self, folder: Path) -> None:
        with pytest.raises(dc.InvalidInputError, match="one or more"):
            extract_sensor([], ExtractDrop(place=LocalStorage(path=str(folder))))

    @pytest.mark.parametrize("options", [{"quiet": 0}, {"encoding": "nonsense"}, {"schema": {"dm": {"A": "no type"}}}])
    def test_a_drop(self, folder: Path, options: dict[str, Any]) -> None:
        with pytest.raises(dc.InvalidInputError):
            ExtractDrop(place=LocalStorage(path=str(folder)), **options)

    @pytest.mark.parametrize(
        ("arrange", "message"),
        [
            (lambda folder: None, "has no file for dm; there are: none"),
            (lambda folder: [(folder / n).write_text(rows(1)) for n in ("dm.csv", "dm.tsv")], "several files for dm"),
        ],
    )
    def test_a_table(self, daemon: Daemon, folder: Path, arrange: Callable[[Path], Any], message: str) -> None:
        arrange(folder)
        assert message in failure(daemon.run(dg.RunRequest(asset_selection=[dg.AssetKey("dm")], tags={})))
