"""Secrets, and where they come from: the keyring, S3's credentials, tokens for git.

A secret leaves this folder as a `Secret`, which prints as stars; nothing here writes one to a file, a log or a URL.
"""

from datom_core.credentials.git_tokens import (
    EnvironmentToken,
    KeyringToken,
    TokenSource,
    ask_token,
    check_token,
    shown_token,
)
from datom_core.credentials.s3 import (
    AmbientCredentials,
    Credentials,
    CredentialSource,
    EnvironmentCredentials,
    KeyringCredentials,
    ProfileCredentials,
    RoleCredentials,
    check_credentials,
    make_client,
)

__all__ = [
    "AmbientCredentials",
    "CredentialSource",
    "Credentials",
    "EnvironmentCredentials",
    "EnvironmentToken",
    "KeyringCredentials",
    "KeyringToken",
    "ProfileCredentials",
    "RoleCredentials",
    "TokenSource",
    "ask_token",
    "check_credentials",
    "check_token",
    "make_client",
    "shown_token",
]
