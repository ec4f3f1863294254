"""Versions of the tables of a study: immutable, content-addressed, readable for ever without a server.

    import datom_core as dc

    store = dc.LocalStore("/data/study_001")
    project = dc.Project.init("STUDY_001", store, remote="/git/study_001.git")
    project.write("dm", frame, message="DM extract through 2026-02-28")

    reader = dc.ProjectReader.open(store, "STUDY_001")
    reader.read("dm", as_of="2026-02-28")

Importing this package needs neither git nor Dagster. Everything public is exported here.
"""

from typing import TYPE_CHECKING

from datom_core.lazy import lazy
from datom_core.version import __version__

if TYPE_CHECKING:
    from datom_core.auditing import AuditEvent, AuditKind, AuditTrail
    from datom_core.common import (
        Moment,
        Progress,
        ProjectEvent,
        ProjectEvents,
        Secret,
        check_cut_name,
        check_key,
        check_name,
        check_new_name,
        check_version,
        moment_of,
        watching,
    )
    from datom_core.common import did_you_mean as did_you_mean
    from datom_core.common import fitting as fitting
    from datom_core.common import needing as needing
    from datom_core.common import whole_file as whole_file
    from datom_core.comparing import (
        ColumnChange,
        ComparisonSettings,
        KeyDecision,
        KeyOrigins,
        RejectedKey,
        StudyChanges,
        TableChanges,
        find_changes,
        keys_of_define,
    )
    from datom_core.credentials import (
        AmbientCredentials,
        Credentials,
        CredentialSource,
        EnvironmentCredentials,
        EnvironmentToken,
        KeyringCredentials,
        KeyringToken,
        ProfileCredentials,
        RoleCredentials,
        TokenSource,
    )
    from datom_core.documents import (
        AllowedSigner,
        Approval,
        Approvals,
        Author,
        Change,
        Cut,
        Cuts,
        Event,
        FormerPlace,
        Location,
        Machine,
        Metadata,
        Origin,
        Parent,
        Provenance,
        Recording,
        Review,
        ReviewMove,
        Reviews,
        Rows,
        Run,
        Signer,
        Signers,
        Source,
        SourceFile,
        SourceSystem,
        Version,
        check_parents,
    )
    from datom_core.errors import (
        AccessDeniedError,
        AlreadyExistsError,
        ColumnReport,
        ConflictError,
        DatomError,
        DivergedError,
        FormatError,
        GovernanceWarning,
        HoldWarning,
        IntegrityError,
        InvalidInputError,
        MissingPackageError,
        NotFoundError,
        StorageError,
        UnprovenWarning,
        UnsupportedColumnsError,
    )
    from datom_core.evidence import EvidenceBag, HeldVersion, provenance_document
    from datom_core.exports import ExportForm, WrittenFile, write_study, write_table
    from datom_core.exports import is_text_form as is_text_form
    from datom_core.extracts import (
        Drop,
        DropReader,
        Extract,
        ExtractFile,
        ExtractFormat,
        ExtractSource,
        FileToRead,
        Listing,
        LocalFolder,
        S3Folder,
        SchemaLike,
        read_extract,
        register_format,
    )
    from datom_core.git import GitHub, GitHubRepository, Remote, RepositoryInfo, SigningKey, check_remote, remote_head
    from datom_core.governance import DecommissionReport, Governance, ProjectRecord, RegisteredProject, RepairReport
    from datom_core.planning import (
        Action,
        CutResult,
        Depth,
        LostVersion,
        MirrorReport,
        Mismatch,
        PlannedWrite,
        Problem,
        SetInfo,
        SetResult,
        Status,
        Summary,
        TableInfo,
        ValidationReport,
        VerificationReport,
        WriteResult,
    )
    from datom_core.project import MigrationReport, Project, migrate
    from datom_core.reading import (
        Affected,
        CellState,
        Citation,
        Cited,
        ColumnInfo,
        Dependent,
        Impact,
        LineageNode,
        LogEntry,
        ProjectReader,
        Reference,
        RowHistory,
        StateLike,
        StudyState,
        TableDescription,
        bring_set_level,
        fetch_member,
        find_cited,
        find_impact,
        locate,
        registered_in,
        set_status,
    )
    from datom_core.reports import (
        ReportForm,
        ReportSection,
        render_report,
        report_form,
        report_schema,
        report_sections,
        write_report,
    )
    from datom_core.sets import Member, MemberState, MemberStatus, SetEdit, VersionSet
    from datom_core.settings import (
        ProjectSettings,
        RegisterSettings,
        SigningSettings,
        StorageSettings,
        find_register,
        find_settings,
        remote_at,
    )
    from datom_core.signatures import SignatureLine, SignatureProblem, SignatureReport, TimeStampServer
    from datom_core.storage import (
        Backend,
        HoldReport,
        LocalStore,
        MemoryStore,
        ObjectInfo,
        ObjectStore,
        Opening,
        PreflightCheck,
        S3Store,
        StoredObject,
        iam_policy,
        open_store,
        register_backend,
    )
    from datom_core.tables import (
        CellChange,
        ChangedRow,
        ColumnHash,
        Compression,
        Retyped,
        RowChange,
        TableHash,
        Verification,
        as_text,
        check_hashable,
        check_verification,
        diff,
        hash_table,
        normalise,
        repeated,
        to_pandas,
    )
    from datom_core.tables import check_compression as check_compression
    from datom_core.writing import SyncItem, SyncReport
    from datom_core.writing import check_author as check_author
else:
    __getattr__, __dir__ = lazy(
        __name__,
        {
            "auditing": "AuditEvent AuditKind AuditTrail",
            "common": (
                "Moment Progress ProjectEvent ProjectEvents Secret check_cut_name check_key check_name check_new_name "
                "check_version did_you_mean fitting moment_of needing watching whole_file"
            ),
            "comparing": (
                "ColumnChange ComparisonSettings KeyDecision KeyOrigins RejectedKey StudyChanges TableChanges "
                "find_changes keys_of_define"
            ),
            "credentials": (
                "AmbientCredentials CredentialSource Credentials EnvironmentCredentials EnvironmentToken "
                "KeyringCredentials KeyringToken ProfileCredentials RoleCredentials TokenSource"
            ),
            "documents": (
                "AllowedSigner Approval Approvals Author Change Cut Cuts Event FormerPlace Location Machine Metadata "
                "Origin Parent Provenance Recording Review ReviewMove Reviews Rows Run Signer Signers Source "
                "SourceFile SourceSystem Version check_parents"
            ),
            "errors": (
                "AccessDeniedError AlreadyExistsError ColumnReport ConflictError DatomError DivergedError FormatError "
                "GovernanceWarning HoldWarning IntegrityError InvalidInputError MissingPackageError NotFoundError "
                "StorageError UnprovenWarning UnsupportedColumnsError"
            ),
            "evidence": "EvidenceBag HeldVersion provenance_document",
            "exports": "ExportForm WrittenFile is_text_form write_study write_table",
            "extracts": (
                "Drop DropReader Extract ExtractFile ExtractFormat ExtractSource FileToRead Listing LocalFolder "
                "S3Folder SchemaLike read_extract register_format"
            ),
            "git": "GitHub GitHubRepository Remote RepositoryInfo SigningKey check_remote remote_head",
            "governance": "DecommissionReport Governance ProjectRecord RegisteredProject RepairReport",
            "planning": (
                "Action CutResult Depth LostVersion MirrorReport Mismatch PlannedWrite Problem SetInfo SetResult "
                "Status Summary TableInfo ValidationReport VerificationReport WriteResult"
            ),
            "project": "MigrationReport Project migrate",
            "reading": (
                "Affected CellState Citation Cited ColumnInfo Dependent Impact LineageNode LogEntry ProjectReader "
                "Reference RowHistory StateLike StudyState TableDescription bring_set_level fetch_member find_cited "
                "find_impact locate registered_in set_status"
            ),
            "reports": "ReportForm ReportSection render_report report_form report_schema report_sections write_report",
            "sets": "Member MemberState MemberStatus SetEdit VersionSet",
            "settings": (
                "ProjectSettings RegisterSettings SigningSettings StorageSettings find_register find_settings remote_at"
            ),
            "signatures": "SignatureLine SignatureProblem SignatureReport TimeStampServer",
            "storage": (
                "Backend HoldReport LocalStore MemoryStore ObjectInfo ObjectStore Opening PreflightCheck S3Store "
                "StoredObject iam_policy open_store register_backend"
            ),
            "tables": (
                "CellChange ChangedRow ColumnHash Compression Retyped RowChange TableHash Verification as_text "
                "check_compression check_hashable check_verification diff hash_table normalise repeated to_pandas"
            ),
            "writing": "SyncItem SyncReport check_author",
        },
    )

__all__ = [
    "AccessDeniedError",
    "Action",
    "Affected",
    "AllowedSigner",
    "AlreadyExistsError",
    "AmbientCredentials",
    "Approval",
    "Approvals",
    "AuditEvent",
    "AuditKind",
    "AuditTrail",
    "Author",
    "Backend",
    "CellChange",
    "CellState",
    "Change",
    "ChangedRow",
    "Citation",
    "Cited",
    "ColumnChange",
    "ColumnHash",
    "ColumnInfo",
    "ColumnReport",
    "ComparisonSettings",
    "Compression",
    "ConflictError",
    "CredentialSource",
    "Credentials",
    "Cut",
    "CutResult",
    "Cuts",
    "DatomError",
    "DecommissionReport",
    "Dependent",
    "Depth",
    "DivergedError",
    "Drop",
    "DropReader",
    "EnvironmentCredentials",
    "EnvironmentToken",
    "Event",
    "EvidenceBag",
    "ExportForm",
    "Extract",
    "ExtractFile",
    "ExtractFormat",
    "ExtractSource",
    "FileToRead",
    "FormatError",
    "FormerPlace",
    "GitHub",
    "GitHubRepository",
    "Governance",
    "GovernanceWarning",
    "HeldVersion",
    "HoldReport",
    "HoldWarning",
    "Impact",
    "IntegrityError",
    "InvalidInputError",
    "KeyDecision",
    "KeyOrigins",
    "KeyringCredentials",
    "KeyringToken",
    "LineageNode",
    "Listing",
    "LocalFolder",
    "LocalStore",
    "Location",
    "LogEntry",
    "LostVersion",
    "Machine",
    "Member",
    "MemberState",
    "MemberStatus",
    "MemoryStore",
    "Metadata",
    "MigrationReport",
    "MirrorReport",
    "Mismatch",
    "MissingPackageError",
    "Moment",
    "NotFoundError",
    "ObjectInfo",
    "ObjectStore",
    "Opening",
    "Origin",
    "Parent",
    "PlannedWrite",
    "PreflightCheck",
    "Problem",
    "ProfileCredentials",
    "Progress",
    "Project",
    "ProjectEvent",
    "ProjectEvents",
    "ProjectReader",
    "ProjectRecord",
    "ProjectSettings",
    "Provenance",
    "Recording",
    "Reference",
    "RegisterSettings",
    "RegisteredProject",
    "RejectedKey",
    "Remote",
    "RepairReport",
    "ReportForm",
    "ReportSection",
    "RepositoryInfo",
    "Retyped",
    "Review",
    "ReviewMove",
    "Reviews",
    "RoleCredentials",
    "RowChange",
    "RowHistory",
    "Rows",
    "Run",
    "S3Folder",
    "S3Store",
    "SchemaLike",
    "Secret",
    "SetEdit",
    "SetInfo",
    "SetResult",
    "SignatureLine",
    "SignatureProblem",
    "SignatureReport",
    "Signer",
    "Signers",
    "SigningKey",
    "SigningSettings",
    "Source",
    "SourceFile",
    "SourceSystem",
    "StateLike",
    "Status",
    "StorageError",
    "StorageSettings",
    "StoredObject",
    "StudyChanges",
    "StudyState",
    "Summary",
    "SyncItem",
    "SyncReport",
    "TableChanges",
    "TableDescription",
    "TableHash",
    "TableInfo",
    "TimeStampServer",
    "TokenSource",
    "UnprovenWarning",
    "UnsupportedColumnsError",
    "ValidationReport",
    "Verification",
    "VerificationReport",
    "Version",
    "VersionSet",
    "WriteResult",
    "WrittenFile",
    "__version__",
    "as_text",
    "bring_set_level",
    "check_cut_name",
    "check_hashable",
    "check_key",
    "check_name",
    "check_new_name",
    "check_parents",
    "check_remote",
    "check_verification",
    "check_version",
    "diff",
    "fetch_member",
    "find_changes",
    "find_cited",
    "find_impact",
    "find_register",
    "find_settings",
    "hash_table",
    "iam_policy",
    "keys_of_define",
    "locate",
    "migrate",
    "moment_of",
    "normalise",
    "open_store",
    "provenance_document",
    "read_extract",
    "register_backend",
    "register_format",
    "registered_in",
    "remote_at",
    "remote_head",
    "render_report",
    "repeated",
    "report_form",
    "report_schema",
    "report_sections",
    "set_status",
    "to_pandas",
    "watching",
    "write_report",
    "write_study",
    "write_table",
]
