"""Asset checks over the versions of a table: are they what was recorded, and do they keep the rules?"""

# Dagster reads annotations at run time, to know what a check's function takes: no `annotations` import.
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

import dagster as dg
import pyarrow as pa

import datom_core as dc
from datom_dagster.checks.checked_version import CheckedVersion, find_checked
from datom_dagster.events import COMPARISON, SHOWN, key_of, rows_table, rules_of, settings_of, table_of, translated
from datom_dagster.resources import DatomResource
from datom_dagster.rules import ASKED, EXAMPLES, Finding, Named, TableRules, check_rules, named_states, version_before

# A writer's documents follow its commit within a second or so: storage that is behind for longer stays behind.
_LOOKS = 3
_SECONDS_BETWEEN = 1.0

# Errors that say that data is damaged; any other error says nothing about the data.
_UNREADABLE = (dc.IntegrityError, dc.FormatError, dc.NotFoundError)

# Rules that compare with the version before, and with states that they name.
_COMPARING = ("max_row_drop", "stable_schema", "max_rows_removed", "stable_subjects", "stable_key")
_NAMING = ("locked", "changes_since")

# Every check. Each rule is one; the others are the options of `datom_checks` with the same name.
_DESCRIPTIONS = {
    "integrity": "The stored bytes are those that were recorded.",
    "reproducible": "The content hash of what is read is the recorded one.",
    "level": "Storage has what git has.",
    **ASKED,
}


@dc.fitting
def datom_checks(
    asset: dg.AssetsDefinition | dg.AssetSpec,
    rules: TableRules | None = None,
    *,
    integrity: bool = True,
    reproducible: bool = True,
    level: bool = True,
    blocking: bool | Collection[str] = False,
    warn: bool | Collection[str] = False,
    examples: int = EXAMPLES,
    resource: str = "datom",
    name: str | None = None,
) -> dg.AssetChecksDefinition:
    """Checks of a table: one for each thing that must hold, all made by one op that reads the data once.

    They look at the version that the newest materialization (of the run's partition) recorded, else at the current
    one, and say which. If a store or remote fails, the step retries and then fails, because that says nothing about the
    data.

    Args:
        asset: the asset whose table is checked; may be external (`AssetSpec`).
        rules: what must hold; by default what the asset declares. One check per rule: ``key``, ``required``,
            ``allowed``, ``ranges`` and so on.
        integrity: check that the stored bytes have the recorded SHA-256.
        reproducible: check that the content hash of the data that is read is the recorded one.
        level: check that storage has what git has of the table; without a remote there is no result.
        blocking: the checks (or all) whose failure keeps downstream assets from running.
        warn: the checks (or all) whose failure is a warning.
        examples: how many offending rows a result shows; 0 keeps subjects' data out of Dagster's event log.
        resource: key of the `DatomResource`.
        name: the name of the op.

    Raises:
        InvalidInputError: not a single asset, nothing to check, or names of checks that do not exist.
    """
    spec = _spec_of(asset)
    settings = settings_of(spec.metadata)
    rules = rules or rules_of(settings) or TableRules()
    asked = {"integrity": integrity, "reproducible": reproducible, "level": level}
    names = (*(n for n, wanted in asked.items() if wanted), *rules.declared)
    if not names:
        raise dc.InvalidInputError(f"{spec.key.to_user_string()}: no rule and no other check is asked for.")
    blocks, warns = _severities(blocking, warn, names)
    external = isinstance(asset, dg.AssetSpec) or not asset.is_executable
    comparison = settings.get(COMPARISON, dc.ComparisonSettings())
    key = key_of(settings) or ()
    plan = _Checks(spec, table_of(spec.metadata, spec.key), rules, key, comparison, warns, examples, external)
    return _op(name or f"{spec.key.to_python_identifier()}_datom_checks", plan, names, blocks, resource)


def _op(
    name: str, plan: "_Checks", names: Collection[str], blocks: Collection[str], resource: str
) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(
        name=name,
        specs=[
            dg.AssetCheckSpec(n, asset=plan.spec.key, blocking=n in blocks, description=_DESCRIPTIONS[n]) for n in names
        ],
        can_subset=True,
        required_resource_keys={resource},
    )
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        study = getattr(context.resources, resource)
        with translated(context.op_execution_context):
            yield from plan.results(context, study)

    return checks


def _severities(
    blocking: bool | Collection[str], warn: bool | Collection[str], names: Collection[str]
) -> tuple[set[str], set[str]]:
    """The checks that block, and those that only warn; no check does both."""
    blocks, warns = _chosen("blocking", blocking, names), _chosen("warn", warn, names)
    if blocks & warns and not (blocking is True or warn is True):
        both = ", ".join(sorted(blocks & warns))
        raise dc.InvalidInputError(f"{both}: a check that only warns does not block; name it in one of the two.")
    return blocks - warns, warns


def _spec_of(asset: Any) -> dg.AssetSpec:
    if isinstance(asset, dg.AssetSpec):
        return asset
    specs = list(asset.specs) if isinstance(asset, dg.AssetsDefinition) else []
    if len(specs) != 1:
        raise dc.InvalidInputError(
            f"datom_checks takes one asset, not {asset!r}. Of several, give the AssetSpec of each (asset.specs)."
        )
    return specs[0]


def _chosen(what: str, given: bool | Collection[str], names: Collection[str]) -> set[str]:
    if isinstance(given, bool):
        return set(names) if given else set()
    chosen = {given} if isinstance(given, str) else set(given)
    unknown = sorted(chosen - set(names))
    if unknown:
        raise dc.InvalidInputError(f"{what}: no check {', '.join(unknown)}; there are {', '.join(names)}.")
    return chosen


@dataclass(frozen=True)
class _Checks:
    """What to check for one table."""

    spec: dg.AssetSpec
    table: str
    rules: TableRules
    key: tuple[str, ...]
    comparison: dc.ComparisonSettings
    warns: Collection[str]
    examples: int
    external: bool

    def results(self, context: dg.AssetCheckExecutionContext, study: DatomResource) -> Iterator[dg.AssetCheckResult]:
        """One result for each selected check that can be made.

        ``level`` comes first: storage that is behind git may not have the version that the others look for.
        """
        names = [s.name for s in context.check_specs if s.key in context.selected_asset_check_keys]
        if "level" in names:
            if study.remote is None:
                context.log.info(f"{self.table}: whether storage is level with git cannot be told without a remote")
            else:
                yield self._result(_level(study.open_project().status, self.table), None)
        of_data = [n for n in names if n != "level"]
        if of_data:
            reader = study.open_reader()
            checked = find_checked(context, reader, self.spec, self.table, external=self.external)
            context.log.info(f"{self.table}: checking {checked}")
            findings = self._of_data(reader, checked, of_data)
            yield from (self._result(findings[n], checked) for n in of_data)

    def _of_data(self, reader: dc.ProjectReader, checked: CheckedVersion, names: Collection[str]) -> dict[str, Finding]:
        version = checked.version
        sha = version.payload_sha or reader.metadata(self.table, version.version).payload_sha
        try:
            data = reader.read_arrow(self.table, replace(version, payload_sha=sha), verify="bytes")
        except _UNREADABLE as error:
            unread = "the data cannot be read; see the check integrity, or project.validate('full')"
            return {n: Finding(n, False, str(error) if n == "integrity" else unread) for n in names}
        told = (
            f"the stored bytes have the SHA-256 {sha[:16]}..." if sha else "no SHA-256 was recorded; the data is read"
        )
        found = {"integrity": Finding("integrity", True, told)}
        try:
            data, actual = dc.normalise(data, what=self.table), dc.hash_table(data).data_sha
        except dc.UnsupportedColumnsError as error:
            return found | {n: Finding(n, False, str(error)) for n in names if n != "integrity"}
        same, what = actual == version.data_sha, "the content hash of what is read is"
        told = f"{what} {actual[:16]}..." + ("" if same else f", not {version.data_sha[:16]}...")
        found["reproducible"] = Finding("reproducible", same, told)
        return found | {f.name: f for f in self._findings(data, reader, checked, names)}

    def _findings(
        self, data: pa.Table, reader: dc.ProjectReader, checked: CheckedVersion, names: Collection[str]
    ) -> list[Finding]:
        wanted = replace(self.rules, **{n: getattr(TableRules(), n) for n in self.rules.declared if n not in names})
        # The key identifies the offending rows, even if it is not checked itself.
        rules = replace(wanted, key=self.rules.key)
        before, failed = None, list[Finding]()
        named: Named = {}
        try:
            before = version_before(reader, self.table, checked.before, rules, checked.before_cut)
        except _UNREADABLE as error:
            rules, failed = _without(rules, "the version before", error, _COMPARING)
        try:
            named = named_states(reader, self.table, rules, checked.looked(reader.cuts(), self.table))
        except _UNREADABLE as error:
            rules, more = _without(rules, "a version to compare with", error, _NAMING)
            failed += more
        found = check_rules(
            data,
            rules,
            before,
            self.examples,
            name=self.table,
            named=named,
            comparison=self.comparison,
            key=self.key,
        )
        return failed + found

    def _result(self, finding: Finding, checked: CheckedVersion | None) -> dg.AssetCheckResult:
        shown: dict[str, Any] = {"datom/found": finding.text, **(checked.shown() if checked is not None else {})}
        if finding.count:
            shown["datom/offending"] = finding.count
        if finding.rows:
            shown[SHOWN] = finding.part
            shown["datom/offending_rows"] = rows_table(finding.rows)
        severity = dg.AssetCheckSeverity.WARN if finding.name in self.warns else dg.AssetCheckSeverity.ERROR
        return dg.AssetCheckResult(
            passed=finding.passed,
            asset_key=self.spec.key,
            check_name=finding.name,
            description=finding.text,
            severity=severity,
            metadata=shown,
        )


def _without(
    rules: TableRules, what: str, error: dc.DatomError, names: Collection[str]
) -> tuple[TableRules, list[Finding]]:
    """The rules without those of these names, each of which fails because something cannot be read."""
    declared = [n for n in rules.declared if n in names]
    failed = [Finding(n, False, f"{what} cannot be read: {error}") for n in declared]
    return replace(rules, **{n: getattr(TableRules(), n) for n in declared}), failed


def _level(look: Callable[[], dc.Status], table: str) -> Finding:
    """Whether storage has the table as git has it. Looks again for a while: documents follow a writer's commit."""
    status = look()
    for _ in range(_LOOKS - 1):
        if table not in (*status.behind, *status.waiting):
            break
        time.sleep(_SECONDS_BETWEEN)
        status = look()
    at = f"commit {status.commit[:8]}"
    if status.diverged:
        what = f"storage shows a history that {status.branch} at {at} does not have; project.validate() names it"
        return Finding("level", False, what)
    if table in status.waiting:
        return Finding("level", False, f"the payload of {at} is not in storage; wait for it, or write the data again")
    if table in status.behind:
        return Finding("level", False, f"storage is behind {at}; project.mirror() brings it level")
    return Finding("level", True, f"storage is level with {at}")
