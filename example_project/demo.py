"""`make demo`: load cuts of a real study through Dagster, and show what datom then knows."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import dagster as dg

import datom_core as dc
from example_project.reload import reload
from example_project.settings import (
    PRODUCT,
    PROJECT,
    Settings,
    ensure_dagster_home,
    ensure_product,
    ensure_project,
    save_settings,
)

CUTS = ("2012-12", "2013-03", "2013-06", "2013-12")
_QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


def main() -> None:
    settings = Settings.from_environment()
    ensure_dagster_home(settings)
    project, product = ensure_project(settings), ensure_product(settings)
    print(f"Project {PROJECT}\n  data in  {settings.store}\n  history  {settings.remote}\n", flush=True)
    with dg.DagsterInstance.get() as instance:
        for number, cut in enumerate(CUTS, 1):
            record(number, cut, instance)
        reload(settings, instance)
        show(project)
        report(CUTS[-1], instance)
        for cut in (CUTS[0], CUTS[-1]):
            release(cut, instance)
        trace(project.reader, product.reader)
    file = save_settings(settings)
    if file is not None:
        command = Path(sys.executable).with_name("datom")
        print(f"\nAsk the same from a terminal:\n\n    cd {file.parent}; {command} status; {command} -h")
    print("\nOpen Dagster's page over this data:\n\n    make ui\n")


def record(number: int, cut: str, instance: dg.DagsterInstance) -> None:
    """Materialize all tables of one cut, as the job on Dagster's page does, and print what came of it."""
    from example_project.definitions import defs

    print(f"[{number}/{max(number, len(CUTS))}] cut {cut}: extracting and recording ...", end=" ", flush=True)
    started = time.monotonic()
    result = defs.resolve_job_def("record_cut").execute_in_process(
        partition_key=cut,
        instance=instance,
        run_config=_QUIET,
        tags={"datom/commit_message": f"EDC extract through the end of {cut}"},
        raise_on_error=False,
    )
    seconds = time.monotonic() - started
    if not result.success:
        failures = [str(e.step_failure_data.error) for e in result.get_step_failure_events()]
        sys.exit("failed\n" + "\n".join(failures))
    events = result.get_asset_materialization_events()
    print(f"done in {seconds:.1f} s")
    for event in events:
        shown = event.materialization.metadata
        rows = shown["dagster/row_count"].value
        change = shown["datom/change"].value
        print(f"        {event.materialization.asset_key.to_user_string():<12} {rows:>6} rows   {change}", flush=True)


def report(cut: str, instance: dg.DagsterInstance) -> None:
    """Materialize the report of what changed in a cut since the one before it, and name its files."""
    from example_project.definitions import defs

    job = defs.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        asset_selection=[dg.AssetKey("change_report")], partition_key=cut, instance=instance, run_config=_QUIET
    )
    (event,) = result.get_asset_materialization_events()
    shown = {key: value.value for key, value in event.materialization.metadata.items()}
    print(f"\nWhat changed in the cut {cut}: {shown['datom/change']}\n")
    print(f"  a page     {shown['datom/report']}\n  a workbook {shown['datom/report_xlsx']}")


def release(cut: str, instance: dg.DagsterInstance) -> None:
    """Derive the ADaM tables of a cut in their own project, and release them as a set, as its job does."""
    from example_project.adam_definitions import defs

    print(f"\nThe product {PRODUCT} derives from the cut {cut}, and releases what it derived ...", flush=True)
    result = defs.resolve_job_def("release_adam").execute_in_process(
        partition_key=cut,
        instance=instance,
        run_config=_QUIET,
        tags={"datom/commit_message": f"Release of the cut {cut}"},
        raise_on_error=False,
    )
    if not result.success:
        sys.exit("\n".join(str(e.step_failure_data.error) for e in result.get_step_failure_events()))
    for event in result.get_asset_materialization_events():
        shown = {key: value.value for key, value in event.materialization.metadata.items()}
        size = f"{shown['dagster/row_count']:>6} rows" if "dagster/row_count" in shown else f"{'the set':>11}"
        print(f"        {event.materialization.asset_key.to_user_string():<12} {size}   {shown['datom/change']}")


def trace(study: dc.ProjectReader, product: dc.ProjectReader) -> None:
    """From a release back to every version that made it, and from one of those forward to all that came of it."""
    released = product.set("adam", tags={"cut": CUTS[-1]})
    print(f"\nWhich data made that release: {product.cite('adam', released.version).id}\n")
    for member in released:
        print(f"  {member!s:<36} {member.tags['type'][0]}")
    found = dc.find_impact(study, "lb", CUTS[-1], others=[product])
    print(f"\nWhat came of lb as the cut {CUTS[-1]} has it, in both projects\n")
    for affected in found.affected:
        what = f"{affected.project}/{affected.name}@{affected.version[:8]}"
        print(f"  {what:<36} {affected.kind:<6} through {affected.through}")


def show(project: dc.Project) -> None:
    reader = dc.ProjectReader.open(project.store, PROJECT)
    print("\nTables\n")
    print(reader.list())
    print("\nHistory of lb: every version, who recorded it, and why\n")
    print(reader.history("lb"))
    print("\nCuts: a name for a state of all tables\n")
    for cut in reader.cuts().values():
        print(f"  {cut.name}  " + "  ".join(f"{table} {version[:8]}" for table, version in cut.items()))
    first, last = (reader.read("lb", cut=cut, columns=["USUBJID", "LBTESTCD", "LBDTC"]) for cut in (CUTS[0], CUTS[-1]))
    print(f'\nlb as of the cut "{CUTS[0]}" has {len(first)} rows; as of "{CUTS[-1]}" it has {len(last)}:\n')
    print('    reader = dc.ProjectReader.open(dc.LocalStore(...), "STUDY_001")')
    print(f'    reader.read("lb", cut="{CUTS[0]}")\n')
    print(first.tail(3).to_string(index=False))
    print("\nWhat lb_abnormal was derived from, as recorded when it was made")
    for parent in reader.parents("lb_abnormal") or ():
        print(f"  {parent}")


if __name__ == "__main__":
    main()
