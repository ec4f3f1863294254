"""How a token reaches git: from the environment of one command, for one host, and into nothing that stays.

The command's arguments hold the name of a variable. git asks the helper below for a password only where the host and
scheme of the remote ask for one, so that a redirect to another host gets nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from datom_core.common import Secret, mask_logs
from datom_core.credentials import ask_token
from datom_core.git.remote import Remote

_VARIABLE = "DATOM_GIT_TOKEN"
# printf is part of the shell: no process has the token among its arguments.
_HELPER = f'!f() {{ test "$1" = get && printf "username=git\\npassword=%s\\n" "${_VARIABLE}"; }}; f'
# Traces of headers, which would be printed into errors, and what takes the hiding of secrets out of all traces.
_TRACES = frozenset({"GIT_CURL_VERBOSE", "GIT_TRACE_CURL", "GIT_TRACE_REDACT"})


@dataclass(frozen=True)
class Login:
    """What a git command gets so that it can log in.

    Attributes:
        options: for its command line.
        environment: variables that it gets.
        dropped: variables of the surroundings that it does not get.
        secret: the token. As long as it is held, `masked` knows it.
    """

    options: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    dropped: frozenset[str] = frozenset()
    secret: Secret | None = None


def login_to(remote: Remote | None) -> Login:
    """The login for a command that talks to the remote; nothing for one that stays here, or without a token.

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
        # This machine is asked without a proxy, which would be told the token in the clear.
        options += ["-c", "http.proxy="]
    environment = {
        _VARIABLE: secret.reveal(),
        # Empty, so that no program of the user's is asked for a password either.
        "GIT_ASKPASS": "",
        # What this names, the event log leaves out of its configuration: variables with their values.
        "GIT_TRACE2_ENV_VARS": "LC_ALL",
    }
    return Login(tuple(options), tuple(environment.items()), _TRACES, secret)
