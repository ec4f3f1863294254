"""Versions of the tables of a study: immutable, content-addressed, readable for ever without a server.

    import datom_core as dc

    store = dc.LocalStore("/data/study_001")
    project = dc.Project.init("STUDY_001", store, remote="/git/study_001.git")
    project.write("dm", frame, message="DM extract through 2026-02-28")

    reader = dc.ProjectReader.open(store, "STUDY_001")
    reader.read("dm", as_of="2026-02-28")

Importing this package needs neither git nor Dagster. Everything public is exported here.
"""

from datom_core.calls import fitting as fitting
from datom_core.cell_text import as_text
from datom_core.comparison import CellChange, ChangedRow, Retyped, RowChange, diff, repeated
from datom_core.credentials import (
    AmbientCredentials,
    Credentials,
    CredentialSource,
    EnvironmentCredentials,
    KeyringCredentials,
    ProfileCredentials,
    RoleCredentials,
)
from datom_core.decommission import DecommissionReport
from datom_core.documents import (
    Author,
    Cut,
    Cuts,
    Event,
    FormerPlace,
    Location,
    Metadata,
    Origin,
    Parent,
    Recording,
    Source,
    Version,
    check_parents,
)
from datom_core.drops import Drop, ExtractFile, ExtractSource, Listing, LocalFolder, S3Folder
from datom_core.errors import (
    AccessDeniedError,
    AlreadyExistsError,
    ColumnReport,
    ConflictError,
    DatomError,
    DivergedError,
    FormatError,
    GovernanceWarning,
    IntegrityError,
    InvalidInputError,
    NotFoundError,
    StorageError,
    UnprovenWarning,
    UnsupportedColumnsError,
)
from datom_core.events import ProjectEvent, ProjectEvents
from datom_core.extracts import SchemaLike, read_extract
from datom_core.git import Remote, check_remote, remote_head
from datom_core.github import GitHub, GitHubRepository, RepositoryInfo
from datom_core.governance import Governance
from datom_core.guard import locate, registered_in
from datom_core.hashing import ColumnHash, TableHash
from datom_core.intake import DropReader, Extract
from datom_core.migration import MigrationReport, migrate
from datom_core.moments import Moment, moment_of
from datom_core.names import check_cut_name, check_name, check_new_name, check_version
from datom_core.plan import Action
from datom_core.portfolio import ProjectRecord, RegisteredProject, RepairReport
from datom_core.progress import Progress, watching
from datom_core.project import Project
from datom_core.proof import Verification, check_verification
from datom_core.reader import ProjectReader
from datom_core.results import (
    CutResult,
    LostVersion,
    MirrorReport,
    Problem,
    Status,
    Summary,
    TableInfo,
    ValidationReport,
    WriteResult,
)
from datom_core.rows import Rows
from datom_core.secret import Secret
from datom_core.shapes import Change
from datom_core.stores import (
    LocalStore,
    MemoryStore,
    ObjectInfo,
    ObjectStore,
    PreflightCheck,
    S3Store,
    StoredObject,
    iam_policy,
)
from datom_core.suggestions import did_you_mean as did_you_mean
from datom_core.sync import SyncItem, SyncReport
from datom_core.tabular import Compression, check_hashable, hash_table, normalise, to_pandas
from datom_core.tabular import check_compression as check_compression
from datom_core.tokens import EnvironmentToken, KeyringToken, TokenSource
from datom_core.version import __version__

__all__ = [
    "AccessDeniedError",
    "Action",
    "AlreadyExistsError",
    "AmbientCredentials",
    "Author",
    "CellChange",
    "Change",
    "ChangedRow",
    "ColumnHash",
    "ColumnReport",
    "Compression",
    "ConflictError",
    "CredentialSource",
    "Credentials",
    "Cut",
    "CutResult",
    "Cuts",
    "DatomError",
    "DecommissionReport",
    "DivergedError",
    "Drop",
    "DropReader",
    "EnvironmentCredentials",
    "EnvironmentToken",
    "Event",
    "Extract",
    "ExtractFile",
    "ExtractSource",
    "FormatError",
    "FormerPlace",
    "GitHub",
    "GitHubRepository",
    "Governance",
    "GovernanceWarning",
    "IntegrityError",
    "InvalidInputError",
    "KeyringCredentials",
    "KeyringToken",
    "Listing",
    "LocalFolder",
    "LocalStore",
    "Location",
    "LostVersion",
    "MemoryStore",
    "Metadata",
    "MigrationReport",
    "MirrorReport",
    "Moment",
    "NotFoundError",
    "ObjectInfo",
    "ObjectStore",
    "Origin",
    "Parent",
    "PreflightCheck",
    "Problem",
    "ProfileCredentials",
    "Progress",
    "Project",
    "ProjectEvent",
    "ProjectEvents",
    "ProjectReader",
    "ProjectRecord",
    "Recording",
    "RegisteredProject",
    "Remote",
    "RepairReport",
    "RepositoryInfo",
    "Retyped",
    "RoleCredentials",
    "RowChange",
    "Rows",
    "S3Folder",
    "S3Store",
    "SchemaLike",
    "Secret",
    "Source",
    "Status",
    "StorageError",
    "StoredObject",
    "Summary",
    "SyncItem",
    "SyncReport",
    "TableHash",
    "TableInfo",
    "TokenSource",
    "UnprovenWarning",
    "UnsupportedColumnsError",
    "ValidationReport",
    "Verification",
    "Version",
    "WriteResult",
    "__version__",
    "as_text",
    "check_cut_name",
    "check_hashable",
    "check_name",
    "check_new_name",
    "check_parents",
    "check_remote",
    "check_verification",
    "check_version",
    "diff",
    "hash_table",
    "iam_policy",
    "locate",
    "migrate",
    "moment_of",
    "normalise",
    "read_extract",
    "registered_in",
    "remote_head",
    "repeated",
    "to_pandas",
    "watching",
]
