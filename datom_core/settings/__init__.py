"""Where a project is, from a file: `datom.toml`, an address, or a name in a register; for the command and for Dagster.

No secret is ever in such a file: credentials and tokens are named, not given.
"""

from datom_core.settings.finding import FILE_NAME, find_register, find_settings
from datom_core.settings.project_settings import ProjectSettings
from datom_core.settings.register_settings import RegisterSettings
from datom_core.settings.remotes import remote_at
from datom_core.settings.signing_settings import SigningSettings
from datom_core.settings.storage_settings import StorageSettings

__all__ = [
    "FILE_NAME",
    "ProjectSettings",
    "RegisterSettings",
    "SigningSettings",
    "StorageSettings",
    "find_register",
    "find_settings",
    "remote_at",
]
