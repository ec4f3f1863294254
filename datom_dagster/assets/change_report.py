"""An asset whose materialization is the report of what changed: from cut to cut, or since a review."""

# Dagster reads annotations at run time: no `annotations` import.
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import dagster as dg

import datom_core as dc
from datom_dagster.assets.options import checked_options
from datom_dagster.events import (
    CHANGES,
    CUT,
    REPORT,
    ReportPlace,
    ReportPlaceLike,
    key_of,
    settings_of,
    table_of,
    translated,
)
from datom_dagster.io import before_in, partition_keys
from datom_dagster.resources import DatomResource, check_kind, listed

_FORMS: Mapping[str, dc.ReportForm] = {"html": "html", "xlsx": "xlsx", "json": "json", "md": "markdown"}
_SHOWN_BYTES = 12_000  # of markdown on the asset's page
_ROWS = 20  # of each kind there, unless preview_rows says otherwise


@dataclass(frozen=True)
class _Report:
    """What a report is about, as it was declared, once checked."""

    tables: Sequence[str]
    since: str | None
    place: ReportPlace | None
    forms: Sequence[str]
    keys: Mapping[str, Any]
    rules: Mapping[str, Any]
    define: Mapping[str, Sequence[str]] | None
    natural_keys: Mapping[str, Sequence[Sequence[str]]] | None
    settings: dc.ComparisonSettings | None
    masked: tuple[str, ...]
    preview_rows: int | None


@dc.fitting
def datom_change_report(
    assets: Iterable[Any],
    *,
    reports: ReportPlaceLike | None = None,
    forms: Iterable[str] | None = None,
    since: str | None = None,
    name: str = "change_report",
    keys: Mapping[str, str | Sequence[str]] | None = None,
    define: Mapping[str, Sequence[str]] | None = None,
    natural_keys: Mapping[str, Sequence[Sequence[str]]] | None = None,
    settings: dc.ComparisonSettings | None = None,
    masked: Iterable[str] = (),
    preview_rows: int | None = None,
    partitions: dg.PartitionsDefinition[Any] | None = None,
    resource: str = "datom",
    **options: Any,
) -> dg.AssetsDefinition:
    """An asset that reports what changed in a study's tables.

    With ``partitions``, which are cuts, each is the report since the cut before it that was recorded, or since a
    review. Without, it is the report from the last cut but one to the last, or since a review to how the tables are
    now. When there is nothing to compare with, the asset's page says so, and the step succeeds.

    Args:
        assets: the study's tables; the report comes after them. A table's key is that of its rules, unless ``keys``
            gives another; without either, as `ProjectReader.changes_between` finds it.
        reports: where whole reports are kept, and never overwritten: the path of a folder, a `LocalStorage` or an
            `S3Storage`, beside whose ``datom/`` they lie.
        forms: ``"html"``, ``"xlsx"``, ``"json"``, ``"md"``; by default html, where there is a place.
        since: name of a review mark, as the job ``mark_reviewed`` of `datom_jobs` sets it.
        name, partitions, **options: as for `dagster.asset`, which takes no ``key``, ``ins`` or ``deps`` here.
        keys, define, natural_keys, settings: as for `ProjectReader.changes_between`.
        masked: columns whose values are shown nowhere.
        preview_rows: how many rows of each kind the asset's page and an html page list; 0 shows no value at all.
        resource: the key of the `DatomResource`.

    Raises:
        InvalidInputError: names what is refused, at the time of definition.
    """
    specs = _specs(listed(assets, "datom_change_report"))
    report = _checked(
        specs, reports=reports, forms=forms, since=since, keys=keys, define=define, natural_keys=natural_keys,
        settings=settings, masked=masked, preview_rows=preview_rows,
    )  # fmt: skip
    return _asset(report, specs, partitions, resource, {"name": name, **options})


def _asset(
    report: _Report,
    specs: Sequence[dg.AssetSpec],
    partitions: dg.PartitionsDefinition[Any] | None,
    resource: str,
    options: Mapping[str, Any],
) -> dg.AssetsDefinition:
    check_kind("partitions", partitions, dg.PartitionsDefinition, 'dagster.StaticPartitionsDefinition(["2026-01"])')
    given = checked_options(options, partitions, atomic=False)
    if "deps" in given:
        raise dc.InvalidInputError("deps: the report comes after assets; give what else it comes after among them.")
    about = f"since the review {report.since!r}" if report.since is not None else "since the cut before"
    told = {"description": f"What changed in the tables {about}.", "kinds": {"datom", "report"}, **given}
    decorate: Any = dg.asset(
        deps=[spec.key for spec in specs], partitions_def=partitions, required_resource_keys={resource}, **told
    )

    def change_report(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        study = getattr(context.resources, resource)
        if not isinstance(study, DatomResource):
            raise dc.InvalidInputError(f"The resource {resource!r} is a {type(study).__name__}, not a DatomResource.")
        with translated(context.op_execution_context):
            return _made(context, study.open_reader(), report)

    made: dg.AssetsDefinition = decorate(change_report)
    return made


def _specs(assets: Iterable[Any]) -> list[dg.AssetSpec]:
    specs = [spec for a in assets for spec in ([a] if isinstance(a, dg.AssetSpec) else a.specs)]
    if not specs:
        raise dc.InvalidInputError("datom_change_report needs the assets whose changes it reports.")
    return specs


def _checked(specs: Sequence[dg.AssetSpec], **given: Any) -> _Report:
    """The report, once everything about it that is known so far has been checked.

    Raises:
        InvalidInputError: names every offender.
    """
    problems: list[str] = []
    tables, rules = [], {}
    for spec in specs:
        table = table_of(spec.metadata, spec.key)
        tables.append(table)
        if (key := key_of(settings_of(spec.metadata))) is not None:
            rules[table] = key
    place = None if given["reports"] is None else ReportPlace.of(given["reports"])
    forms = given["forms"] if given["forms"] is not None else ["html"] if place is not None else []
    forms = [forms] if isinstance(forms, str) else list(dict.fromkeys(forms))
    problems += [f"forms: {f!r} is none of {', '.join(_FORMS)}" for f in forms if f not in _FORMS]
    if forms and place is None:
        problems.append(f"forms: {', '.join(map(str, forms))} need a place; give reports=...")
    strays = [t for t in given["keys"] or () if t not in tables]
    problems += [f"keys: there is no table {t!r} among the assets.{dc.did_you_mean(t, tables)}" for t in strays]
    if given["since"] is not None and (not isinstance(given["since"], str) or not given["since"].strip()):
        problems.append(f'since is the name of a review mark, as in since="reviewed", not {given["since"]!r}')
    rows = given["preview_rows"]
    if rows is not None and (isinstance(rows, bool) or not isinstance(rows, int) or rows < 0):
        problems.append(f"preview_rows is a number of rows, or 0 for no value at all, not {rows!r}")
    if not isinstance(given["settings"], dc.ComparisonSettings | None):
        problems.append(f"settings is ComparisonSettings(...), not {given['settings']!r}")
    if problems:
        raise dc.InvalidInputError("The report of changes cannot be made:\n  - " + "\n  - ".join(problems))
    masked = (given["masked"],) if isinstance(given["masked"], str) else tuple(given["masked"])
    asked = {n: given[n] for n in ("since", "define", "natural_keys", "settings", "preview_rows")}
    return _Report(
        tables=tables, place=place, forms=forms, keys=dict(given["keys"] or {}), rules=rules, masked=masked, **asked
    )


@dataclass(frozen=True)
class _States:
    """The two states to compare; ``before`` is ``None`` when there is nothing, and ``why`` says so.

    ``after`` is ``None`` for the tables as they are now.
    """

    before: str | None
    after: str | None
    why: str = ""


def states_to_compare(
    cuts: dc.Cuts, cut: str | None, order: Sequence[str] | None, since: str | None, *, partitioned: bool
) -> _States:
    """From which state to which one a report goes.

    Args:
        cuts: the project's cuts and review marks.
        cut: the cut to report on; without partitions ``None``.
        order: the cuts in their order, as the partitions have it; by default that of their first recording.
        since: the review mark to report from, if any.
        partitioned: whether the report is of a cut.

    Raises:
        NotFoundError: nobody has recorded the cut.
    """
    names = [n for n in order or cuts if n in cuts] if order else list(cuts)
    if partitioned:
        cuts.find(str(cut))
    if since is not None:
        mark = cuts.reviews.get(since)
        if mark is None:
            hint = dc.did_you_mean(since, cuts.reviews)
            return _States(None, cut, f"Nobody has set the review mark {since!r} yet.{hint}")
        if partitioned and mark.cut in names and cut in names and names.index(mark.cut) > names.index(cut):
            return _States(None, cut, f"The review mark {since!r} stands at the later cut {mark.cut!r}.")
        return _States(since, cut)
    if not partitioned and names:
        cut = names[-1]
    if cut is None:
        return _States(None, None, "No cut was recorded yet.")
    before = next(before_in(names, cut), None)
    return _States(before, cut, "" if before is not None else f"{cut!r} is the first cut: nothing came before it.")


def _made(context: dg.AssetExecutionContext, reader: dc.ProjectReader, report: _Report) -> dg.MaterializeResult[Any]:
    cuts, partitioned = reader.cuts(), context.has_partition_key
    cut = str(context.partition_key) if partitioned else None
    order = partition_keys(context.assets_def.partitions_def, context.instance) if partitioned else None
    states = states_to_compare(cuts, cut, order, report.since, partitioned=partitioned)
    shown: dict[str, Any] = {"datom/after": states.after or "now", **({CUT: cut} if cut is not None else {})}
    if states.before is None:
        context.log.info(states.why)
        return dg.MaterializeResult(metadata={"datom/change": f"nothing to compare with: {states.why}", **shown})
    there = _there(reader, cuts, states, report.tables)
    absent = [t for t in report.tables if t not in there]
    shown = {"datom/before": states.before, **shown, **({"datom/absent": ", ".join(absent)} if absent else {})}
    shown |= _review(cuts, states.before)
    if not there:
        shown["datom/change"] = "nothing to compare: none of the tables is there"
        return dg.MaterializeResult(metadata=shown)
    changes = _changes(reader, (states.before, states.after), report, there)
    return _told(reader.project, changes, report, shown)


def _there(reader: dc.ProjectReader, cuts: dc.Cuts, states: _States, tables: Sequence[str]) -> list[str]:
    """Those of the tables that either state has."""
    held: set[str] = set()
    for state in (states.before, states.after):
        if state is None:
            held |= {info.name for info in reader.list() if info.kind == "table"}
        else:
            held |= set(cuts[state] if state in cuts else cuts.reviews[state])
    return [t for t in tables if t in held]


def _changes(
    reader: dc.ProjectReader, states: tuple[str, str | None], report: _Report, there: Collection[str]
) -> dc.StudyChanges:
    def of(by_table: Mapping[str, Any]) -> dict[str, Any]:
        return {t: key for t, key in by_table.items() if t in there}

    return reader.changes_between(
        *states,
        tables=there,
        keys=of(report.keys),
        rules=of(report.rules),
        define=report.define,
        natural_keys=report.natural_keys,
        settings=report.settings,
    )


def _review(cuts: dc.Cuts, before: str) -> dict[str, Any]:
    """Who set the mark from which the report goes."""
    if before in cuts or before not in cuts.reviews:
        return {}
    mark = cuts.reviews[before]
    at = f"the cut {mark.cut}" if mark.cut is not None else "versions"
    said = f": {mark.latest.message}" if mark.latest.message else ""
    return {"datom/reviewed": f"up to {at} by {mark.latest.author}, {mark.latest.recorded_at}{said}"}


def _told(project: str, changes: dc.StudyChanges, report: _Report, shown: dict[str, Any]) -> dg.MaterializeResult[Any]:
    masked, rows = report.masked, report.preview_rows
    parts = (project, changes.after, f"changes since {changes.before}")
    digest = hashlib.sha256()
    for form in report.forms:
        data = dc.render_report(changes, _FORMS[form], masked=masked, preview_rows=rows)
        digest.update(data)
        assert report.place is not None
        shown[REPORT if form == "html" else f"{REPORT}_{form}"] = report.place.keep(parts, form, data)
    page = dc.render_report(
        changes, "markdown", masked=masked, preview_rows=_ROWS if rows is None else rows, max_bytes=_SHOWN_BYTES
    )
    digest.update(page)
    differ = [t for t, c in changes.items() if c.fate != "unchanged"]
    said = f"{len(differ)} of {len(changes)} tables: {', '.join(differ)}" if differ else "no change"
    metadata = {
        "datom/changed": bool(differ),
        "datom/change": f"{said} since {changes.before}",
        **shown,
        CHANGES: dg.MetadataValue.md(page.decode()),
    }
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(digest.hexdigest()))


assert set(_FORMS.values()) == set(get_args(dc.ReportForm))
