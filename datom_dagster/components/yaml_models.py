"""What a study's `defs.yaml` may say. For secrets it takes the names of environment variables, and nothing else."""

# Dagster reads annotations at run time, to know what the file may say: no `annotations` import.
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import dagster as dg
from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

import datom_core as dc
from datom_dagster.assets import TableSpec
from datom_dagster.lineage import OpenLineageResource
from datom_dagster.resources import DatomStorage, ExtractDrop, GovernanceResource, LocalStorage
from datom_dagster.rules import Compare, TableRules, comparison_of

#: A refused value may be a secret that somebody wrote where none belongs. Dagster turns the text "1" into a number.
STRICT = ConfigDict(extra="forbid", hide_input_in_errors=True, coerce_numbers_to_str=True)


class YamlStorage(dg.Resolvable, dg.Model):
    """A folder (``path``), or a bucket (``bucket`` and the rest)."""

    model_config = STRICT

    path: str | None = Field(default=None, description="Path of a folder.")
    bucket: str | None = Field(default=None, description="Name of a bucket.")
    prefix: str = Field(default="", description="Path below it, so that several projects can share it.")
    region: str | None = Field(default=None, description="Where the bucket is.")
    endpoint_url: str | None = Field(default=None, description="URL of a server other than AWS.")
    addressing: str = Field(default="auto", description="auto, path or virtual.")
    encryption: str | None = Field(default=None, description="AES256 or aws:kms.")
    kms_key: str | None = Field(default=None, description="Id, ARN or alias of the key to encrypt with.")
    access_key_env: str | None = Field(default=None, description="Name of the variable that holds the access key.")
    secret_key_env: str | None = Field(default=None, description="Name of the variable that holds the secret key.")
    session_token_env: str | None = Field(default=None, description="Name of the variable of a session token.")
    profile: str | None = Field(default=None, description="A profile of the AWS configuration files, or of SSO.")
    keyring: str | None = Field(default=None, description="A service of the operating system's keyring.")
    ambient: bool = Field(default=False, description="Take the credentials that AWS finds where the step runs.")
    role_arn: str | None = Field(default=None, description="A role to assume.")
    role_external_id: str | None = Field(default=None, description="What the role's trust policy asks for.")

    def resource(self) -> DatomStorage:
        """The storage as a Dagster resource.

        Raises:
            InvalidInputError: neither a folder nor a bucket, both, or bucket settings for a folder.
        """
        if (self.path is None) == (self.bucket is None):
            raise dc.InvalidInputError("storage needs path, a folder, or bucket; and not both.")
        if self.path is None:
            from datom_dagster.resources import S3Storage

            return S3Storage(**self.model_dump(exclude={"path"}))
        stray = sorted(self.model_dump(exclude={"path", "prefix"}, exclude_defaults=True))
        if stray:
            raise dc.InvalidInputError(f"storage: {', '.join(stray)} belong to a bucket, not to a folder.")
        return LocalStorage(path=self.path, prefix=self.prefix)


class YamlGovernance(dg.Resolvable, dg.Model):
    """An organization's register of projects."""

    model_config = STRICT

    storage: YamlStorage = Field(description="Where the register's mirror lies.")
    remote: str | None = Field(default=None, description="URL of its git repository; none to only read it.")
    branch: str | None = Field(default=None, description="Branch; by default the one that HEAD names.")
    author: str | None = Field(default=None, description='Author of commits, "Name <email>".')
    token_env: str | None = Field(default=None, description="Name of the variable that holds a token for the remote.")
    token_keyring: str | None = Field(default=None, description="Instead: the service of the keyring that holds it.")
    github_api_url: str | None = Field(default=None, description="Where the API of GitHub Enterprise is.")

    def resource(self) -> GovernanceResource:
        """The register as a Dagster resource."""
        return GovernanceResource(storage=self.storage.resource(), **self.model_dump(exclude={"storage"}))


class YamlLineage(dg.Resolvable, dg.Model):
    """Where OpenLineage events go."""

    model_config = STRICT

    transport: Mapping[str, Any] | None = Field(
        default=None, description="OpenLineage's configuration of a transport; by default what its variables name."
    )
    api_key_env: str | None = Field(default=None, description="Name of the variable that holds an endpoint's key.")
    namespace: str = Field(default="dagster", description="Namespace of the jobs.")
    timeout: float = Field(
        default=5.0, gt=0, description="The most seconds that a step waits for an event to be taken."
    )
    required: bool = Field(default=False, description="A step fails when its events are not taken.")

    def resource(self) -> OpenLineageResource:
        """The same as a Dagster resource.

        Raises:
            InvalidInputError: the transport is refused.
        """
        return OpenLineageResource(**self.model_dump())


class YamlRules(dg.Resolvable, dg.Model):
    """What must hold for a table, apart from its key."""

    model_config = STRICT

    required: Sequence[str] = Field(default=(), description="Columns that must be there.")
    allowed: Mapping[str, Sequence[Any]] = Field(default={}, description="Column -> values that it may hold.")
    ranges: Mapping[str, Sequence[Any]] = Field(
        default={}, description="Column -> [lowest, highest], null for an open end."
    )
    max_row_drop: float | None = Field(default=None, description="Largest part of its rows that a version may lose.")
    stable_schema: bool = Field(default=False, description="No column may go, or become of another kind.")
    max_rows_removed: float | None = Field(default=None, description="Largest part of its rows that may go, by key.")
    stable_subjects: bool = Field(default=False, description="No subject may go.")
    stable_key: bool = Field(default=False, description="No column of the key may become of another kind.")
    locked: Mapping[str, Sequence[str]] = Field(
        default={}, description="Cut -> columns that may still change once it holds the table; nothing else may."
    )
    changes_since: str | None = Field(default=None, description="A cut or review mark since which nothing may change.")

    def rules(self, key: Sequence[str]) -> TableRules:
        """The rules, with the table's key.

        Raises:
            InvalidInputError: a rule is invalid.
        """
        return TableRules.from_json({**self.model_dump(), "key": list(key)})


class YamlComparison(dg.Resolvable, dg.Model):
    """How a table's versions are compared, when an event says what changed."""

    model_config = STRICT

    absolute: Mapping[str, float] = Field(default={}, description="Column -> how far numbers may be apart.")
    relative: Mapping[str, float] = Field(default={}, description="Column -> the same, as a part of the value.")
    fold_case: Sequence[str] = Field(default=(), description="Columns whose upper and lower case are equal.")
    fold_blanks: Sequence[str] = Field(default=(), description="Columns whose blanks are equal, however many.")
    ignore: Sequence[str] = Field(default=(), description="Columns that are not compared.")
    masked: Sequence[str] = Field(default=(), description="Columns whose values no event may show.")

    def settings(self) -> dc.ComparisonSettings:
        """The settings, as `datom_change_report` takes them."""
        return comparison_of(self.model_dump())


class YamlChecks(dg.Resolvable, dg.Model):
    """The asset checks that each table gets, besides one for each rule."""

    model_config = STRICT

    integrity: bool = Field(default=True, description="The stored bytes have the recorded SHA-256.")
    reproducible: bool = Field(default=True, description="What is read has the recorded content hash.")
    level: bool = Field(default=True, description="Storage has what git has.")
    blocking: bool | Sequence[str] = Field(
        default=False, description="Those whose failure keeps what follows from running."
    )
    warn: bool | Sequence[str] = Field(default=False, description="Those that only warn.")


class YamlChangeReport(dg.Resolvable, dg.Model):
    """An asset that reports what changed in the tables."""

    model_config = STRICT

    name: str = Field(default="change_report", description="Name of the asset.")
    since: str | None = Field(default=None, description="A review mark to report from; else from the cut before.")
    by_cut: bool = Field(default=True, description="A report for each cut, where there are partitions.")
    reports: YamlStorage | None = Field(default=None, description="Where whole reports are kept.")
    forms: Sequence[str] | None = Field(default=None, description="html, xlsx, json, md; html by default.")
    keys: Mapping[str, Sequence[str]] = Field(default={}, description="Table -> columns that tell its rows apart.")
    comparison: YamlComparison | None = Field(default=None, description="Tolerances, folding, columns to ignore.")
    masked: Sequence[str] = Field(default=(), description="Columns whose values are shown nowhere.")
    preview_rows: int | None = Field(default=None, ge=0, description="Rows of each kind to list; 0 shows no value.")

    def options(self) -> dict[str, Any]:
        """The arguments of `datom_change_report`, but for the assets."""
        return {
            **self.model_dump(include={"since", "forms", "keys", "masked", "preview_rows"}),
            "reports": None if self.reports is None else self.reports.resource(),
            "settings": None if self.comparison is None else self.comparison.settings(),
        }


class YamlExtracts(dg.Resolvable, dg.Model):
    """Where extract files arrive."""

    model_config = STRICT

    storage: YamlStorage = Field(description="The place; its prefix is where the files lie.")
    by_cut: bool = Field(default=False, description="Each cut has a folder of its own, of its name.")
    pattern: str = Field(default="*", description="Which files.")
    schemas: Mapping[str, Mapping[str, str]] = Field(default={}, description="Table -> column -> Arrow type.")
    r_compat: bool = Field(default=False, description="Types of text as R infers them.")
    encoding: str | None = Field(default=None, description="Of text; UTF-8 by default.")
    separator: str | None = Field(default=None, description="Of text; by default by the extension.")
    manifest: str | None = Field(default=None, description="Name of the file that lists a drop.")
    quiet: float | None = Field(default=None, description="Seconds for which no file may have changed.")
    source_system: str | None = Field(default=None, description="Where the files come from; kept with each version.")
    sensor: bool = Field(default=True, description="A sensor that asks for a run when a file is new or changed.")
    downstream: bool = Field(default=False, description="That run has what depends on the tables, too.")

    def drop(self) -> ExtractDrop:
        """The place, as `datom_assets` takes it.

        Raises:
            InvalidInputError: the settings can never work.
        """
        told = self.model_dump(exclude={"storage", "schemas", "sensor", "downstream"})
        return ExtractDrop(place=self.storage.resource(), schema=self.schemas, **told)


class YamlTable(dg.Resolvable, dg.Model):
    """A table, and what is known about it before it exists."""

    model_config = STRICT

    name: str = Field(description="Name of the table.")
    columns: Mapping[str, str] | None = Field(default=None, description="What the columns mean: name -> description.")
    key: Sequence[str] = Field(default=(), description="Columns that together tell its rows apart.")
    description: str | None = Field(default=None, description="What the table holds.")
    rules: YamlRules | None = Field(default=None, description="What must hold for it.")
    gate: bool = Field(default=False, description="Refuse what breaks a rule before anything is written.")
    compare: Compare | None = Field(default=None, description="all, keyed or none: whether events say what changed.")
    comparison: YamlComparison | None = Field(default=None, description="How its versions are compared for that.")

    def spec(self, known: dg.TableSchema | None) -> TableSpec:
        """The table for `datom_assets`, with the columns ``known`` if the file names none."""
        columns = self.columns if self.columns is not None else known
        rules = self.rules.rules(self.key) if self.rules is not None else None
        return TableSpec(
            self.name,
            columns,
            self.key,
            self.description,
            rules=rules,
            gate=self.gate,
            compare=self.compare,
            comparison=self.comparison.model_dump() if self.comparison is not None else None,
        )


def _tables(context: dg.ResolutionContext, given: Sequence[Any] | None) -> list["str | YamlTable"] | None:
    if given is None:
        return None
    return [t if isinstance(t, str) else YamlTable.resolve_from_model(context, t) for t in given]


#: Tables by name, or with more about each; by itself, Dagster does not read a list that mixes the two.
YamlTables = Annotated[
    Sequence[str | YamlTable] | None,
    dg.Resolver(_tables, model_field_type=Sequence[str | YamlTable.model()] | None),  # type: ignore[misc]
]


class YamlCuts(dg.Resolvable, dg.Model):
    """What the cuts are: months, names as they come, or a fixed list. One of the three."""

    model_config = STRICT

    monthly_from: str | None = Field(default=None, description="First month, 2026-01; a cut each.")
    monthly_until: str | None = Field(default=None, description="Month after the last one.")
    dynamic: str | None = Field(default=None, description="Name of the set of partitions that is added to by hand.")
    names: Sequence[str] | None = Field(default=None, description="All cuts there will be.")

    def definition(self) -> dg.PartitionsDefinition[Any]:
        """The partitions.

        Raises:
            InvalidInputError: none of the three is given, or several are.
        """
        given = [n for n in ("monthly_from", "dynamic", "names") if getattr(self, n) is not None]
        if len(given) != 1 or (self.monthly_until is not None and self.monthly_from is None):
            raise dc.InvalidInputError(
                "partitions are months (monthly_from, and monthly_until if they end), dynamic, or names: one of them."
            )
        if self.dynamic is not None:
            return dg.DynamicPartitionsDefinition(name=self.dynamic)
        if self.names is not None:
            return dg.StaticPartitionsDefinition(list(self.names))
        assert self.monthly_from is not None
        return dg.MonthlyPartitionsDefinition(start_date=self.monthly_from, end_date=self.monthly_until, fmt="%Y-%m")


def keeping_secrets(model: type[BaseModel]) -> type[BaseModel]:
    """The model of a component's attributes, changed so that errors do not repeat the value under a refused key.

    Dagster shows refused values, and under a key such as ``secret_key`` that would be a secret.
    """

    def masked(given: Any) -> Any:
        return _masked(given, model)

    validators: dict[str, Any] = {"masked": model_validator(mode="before")(masked)}
    return create_model(model.__name__, __base__=model, __validators__=validators)


# Where a storage stands in the file; somebody may write a secret into it by mistake.
_INNER: Mapping[str, type[BaseModel]] = {
    "storage": YamlStorage,
    "governance": YamlGovernance,
    "extracts": YamlExtracts,
    "change_reports": YamlChangeReport,
    "reports": YamlStorage,
    "lineage": YamlLineage,
}


def _masked(given: Any, model: type[BaseModel]) -> Any:
    if isinstance(given, list):
        return [_masked(each, model) for each in given]
    if not isinstance(given, Mapping):
        return given
    shown = {key: value if key in model.model_fields else "(not shown)" for key, value in given.items()}
    for key in _INNER.keys() & shown.keys() & model.model_fields.keys():
        shown[key] = _masked(shown[key], _INNER[key])
    return shown
