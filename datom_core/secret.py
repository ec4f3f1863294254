"""A value that nobody may see by accident."""

from __future__ import annotations

import hmac
import logging
import re
import threading
from typing import Any, NoReturn
from weakref import WeakValueDictionary

from datom_core.errors import InvalidInputError

MASK = "****"
_SHORTEST = 6  # shorter texts occur everywhere, and masking them would garble logs

# Headers, and fields of answers in XML and JSON: what AWS's own tools renew never was a Secret of ours.
_WHERE_AWS_PUTS_THEM = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<before>(?:x-amz-security-token|x-amz-sso_bearer_token)['\"]?\s*[:=]\s*(?:b?['\"])?)[^\s'\"&]+",
        r"(?P<before>['\"]?WebIdentityToken['\"]?\s*[:=]\s*['\"]?)[^\s'\"&]+",
        r"(?P<before><(?:SecretAccessKey|SessionToken|AccessToken)>)[^<]+",
        r"(?P<before>['\"](?:secretAccessKey|sessionToken|accessToken|refreshToken|clientSecret|Token)['\"]\s*:\s*['\"])[^'\"]+",
    )
)
# By identity: of two equal secrets, the one that is left must still be known.
_KNOWN: WeakValueDictionary[int, Secret] = WeakValueDictionary()
_KNOWN_LOCK = threading.Lock()


class Secret:
    """Text whose repr, log record, format and pickle do not show it; `reveal` does.

    It cannot be pickled or written as JSON: what has to cross a process boundary is where a secret comes from
    (the name of an environment variable, a keyring's entry), never the secret.
    """

    __slots__ = ("__weakref__", "_value")

    def __init__(self, value: str) -> None:
        given: object = value
        if not isinstance(given, str) or not given or not given.isprintable() or given != given.strip():
            raise InvalidInputError("A secret must be one line of text without blanks around it, and not empty.")
        self._value = value
        with _KNOWN_LOCK:
            _KNOWN[id(self)] = self

    def reveal(self) -> str:
        """The text itself. Hand it to a library at once and keep it nowhere."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A secret is not pickled. Give credentials by where they come from, for example EnvironmentCredentials."
        )


def masked(text: str) -> str:
    """The text without any secret that this process holds, or that stands where AWS puts one."""
    for pattern in _WHERE_AWS_PUTS_THEM:
        text = pattern.sub(rf"\g<before>{MASK}", text)
    with _KNOWN_LOCK:
        known = list(_KNOWN.values())
    for secret in known:
        value = secret.reveal()
        if len(value) >= _SHORTEST and value in text:
            text = text.replace(value, MASK)
    return text


class _MaskingFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        clean = masked(message)
        if clean != message:
            record.msg, record.args = clean, None
        return True


_FILTER = _MaskingFilter()


def mask_logs(*packages: str) -> None:
    """Let no logger of these packages show a secret, whatever its level. Loggers made later need another call."""
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in packages:
            # Adding a filter twice changes nothing.
            logging.getLogger(name).addFilter(_FILTER)
