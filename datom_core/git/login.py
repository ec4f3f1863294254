"""How a token reaches git: in the environment of one command, for one host, and in nothing that lasts.

The command's arguments only hold a variable's name. git asks the helper below for a password only for the host and
scheme of the remote, so a redirect to another host gets nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from datom_core.common import Secret, mask_logs
from datom_core.credentials import ask_token
from datom_core.git.remote import Remote

_VARIABLE = "DATOM_GIT_TOKEN"
# printf is part of the shell: the token is among no process's arguments.
_HELPER = f'!f() {{ test "$1" = get && printf "username=git\\npassword=%s\\n" "${_VARIABLE}"; }}; f'
# Traces of headers would end up in errors; the last one turns off the redaction of secrets in all traces.
_TRACES = frozenset({"GIT_CURL_VERBOSE", "GIT_TRACE_CURL", "GIT_TRACE_REDACT"})


@dataclass(frozen=True)
class Login:
    """What a git command needs to log in.

    Attributes:
        options: for its command line.
        environment: variables to add.
        dropped: inherited variables to leave out.
        secret: the token. As long as it is held, `masked` knows it.
    """

    options: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    dropped: frozenset[str] = frozenset()
    secret: Secret | None = None


def login_to(remote: Remote | None) -> Login:
    """The login for a command that talks to the remote; empty for one that does not, or without a token.

    Raises:
        The errors of the token's source, which is asked anew each time: tokens may be short-lived.
    """
    if remote is None or remote.token is None:
        return Login()
    secret = ask_token(remote.token)
    mask_logs("git")
    parts = urlsplit(remote.url)
    options = ["-c", "credential.helper=", "-c", f"credential.{parts.scheme}://{parts.netloc}.helper={_HELPER}"]
    if parts.scheme == "http":
        # No proxy for this machine: it would see the token in the clear.
        options += ["-c", "http.proxy="]
    environment = {
        _VARIABLE: secret.reveal(),
        # Empty, so that none of the user's programs is asked for a password either.
        "GIT_ASKPASS": "",
        # Replaces the user's list of variables that git's event log writes, with their values.
        "GIT_TRACE2_ENV_VARS": "LC_ALL",
    }
    return Login(tuple(options), tuple(environment.items()), _TRACES, secret)
