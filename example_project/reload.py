"""The demo's second half: a file arrives, a check blocks, a colleague writes, and Dagster's sensors react."""

from __future__ import annotations

import logging
from datetime import date
from pathlib import Path

import dagster as dg
import pandas as pd

import datom_core as dc
from example_project.extract import domain, extract
from example_project.settings import Settings, ensure_drops

CUT = "2013-12"
UNTIL = date(2013, 12, 31)
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def reload(settings: Settings, instance: dg.DagsterInstance) -> None:
    """Show what happens when data comes from outside. Running it again finds nothing new."""
    logging.disable(logging.INFO)  # this module prints what sensors log, in other words
    folder = ensure_drops(settings) / CUT
    file, sensor = folder / "vs.xpt", Sensor("extracts", instance)
    print(f"\nA vendor's files arrive in {folder}", flush=True)
    if not file.exists():
        folder.mkdir(exist_ok=True)
        print("  vs.xpt is delivered, with a weight whose decimal point has slipped", flush=True)
        deliver(extract("vs", UNTIL), file, slipped=True)
        sensor.until_settled()
        print("  vs.xpt is delivered again, corrected", flush=True)
        deliver(extract("vs", UNTIL), file)
    sensor.until_settled()
    print("\nA colleague writes a table of the study, from R or a script of her own", flush=True)
    sites = pd.DataFrame({"SITEID": ["701", "702", "703"], "INVNAM": ["A. Adams", "B. Brown", "C. Clark"]})
    project = dc.Project.open(settings.storage().store(), remote=settings.remote)
    done = project.write("sites", sites, message="Sites as of initiation", author="Grace Hopper <grace@example.org>")
    print(f"  sites: {done.action}, version {done.version[:8]}", flush=True)
    Sensor("outside_writes", instance).tick()


def deliver(frame: pd.DataFrame, file: Path, *, slipped: bool = False) -> None:
    """Put a SAS transport file where the vendor would put it."""
    import pyreadstat

    if slipped:
        weight = frame.index[frame["VSTESTCD"] == "WEIGHT"][0]
        frame.loc[weight, "VSSTRESN"] *= 100
    described = domain("vs")
    labels: list[str | None] = [described.columns[column] for column in frame.columns]
    # Arrow's text is slow to be gone through one by one.
    text = {column: object for column, kind in frame.dtypes.items() if kind == "string"}
    pyreadstat.write_xport(frame.astype(text), file, file_label=described.label, table_name="VS", column_labels=labels)


class Sensor:
    """Evaluates one of the code location's sensors, and runs what it asks for, as Dagster's daemon does."""

    def __init__(self, name: str, instance: dg.DagsterInstance) -> None:
        from example_project.definitions import defs

        self.defs, self.name, self.instance = defs, name, instance
        self.sensor = defs.resolve_sensor_def(name)
        self.cursor: str | None = None

    def until_settled(self) -> None:
        """Tick twice, because a file only counts once it has stopped growing."""
        self.tick(silent=True)
        self.tick()

    def tick(self, *, silent: bool = False) -> None:
        with dg.build_sensor_context(
            self.instance,
            self.cursor,
            repository_def=self.defs.get_repository_def(),
            resources={"datom": (self.defs.resources or {})["datom"]},
            sensor_name=self.name,
        ) as context:
            told = self.sensor(context)
        if not isinstance(told, dg.SensorResult):
            print(f"  sensor {self.name}: {told}", flush=True)
            return
        self.cursor = told.cursor
        if told.skip_reason is not None and not silent:
            print(f"  sensor {self.name}: {told.skip_reason.skip_message}", flush=True)
        for event in told.asset_events:
            self.instance.report_runless_asset_event(event)
            shown = {key: value.value for key, value in event.metadata.items()}
            print(f"  sensor {self.name}: {event.asset_key.to_user_string()} was written by {shown['datom/author']}")
            print(f"      {shown['datom/message']}; {shown['dagster/row_count']} rows", flush=True)
        for request in told.run_requests or ():
            self._run(request)

    def _run(self, request: dg.RunRequest) -> None:
        keys = ", ".join(key.to_user_string() for key in request.asset_selection or ())
        print(f"  sensor {self.name}: asks for a run of {keys} in {request.partition_key}", flush=True)
        result = self.defs.resolve_implicit_global_asset_job_def().execute_in_process(
            asset_selection=list(request.asset_selection or ()),
            partition_key=request.partition_key,
            tags=dict(request.tags),
            run_config=_QUIET,
            instance=self.instance,
            raise_on_error=False,
        )
        for event in result.get_asset_materialization_events():
            shown = event.materialization.metadata
            rows, change = shown["dagster/row_count"].value, shown["datom/change"].value
            print(f"      {event.materialization.asset_key.to_user_string():<8} {rows:>6} rows   {change}")
        for check in result.get_asset_check_evaluations():
            if not check.passed:
                print(f"      check {check.check_name} of vs failed and blocks: {check.metadata['datom/found'].value}")
        print(f"      the run {'succeeded' if result.success else 'failed'}", flush=True)
