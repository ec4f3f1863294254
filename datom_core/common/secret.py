"""A value that nobody may see by accident."""

from __future__ import annotations

import hmac
import logging
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
_USER_OF_URL = re.compile(r"(?<=://)[^/\s]*@")
_QUERY_OF_URL = re.compile(r"(://[^\s?#]*)[?#]\S*")
# By identity: of two equal secrets, the one that is left must still be known.
_KNOWN: WeakValueDictionary[int, Secret] = WeakValueDictionary()
_KNOWN_LOCK = threading.Lock()


class Veiled(str):
    """The text of a secret on its way into a library: text like any other, but for its repr, which does not show it.

    Whoever renders a traceback with the local variables of its frames sees the repr, in our frames and in a library's.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(MASK)


class VeiledMapping(dict[str, Any]):
    """A mapping with secrets among its values: its repr shows the keys."""

    def __repr__(self) -> str:
        return repr(dict.fromkeys(self, MASK))


@dataclass(frozen=True)
class Hidden:
    """What stands for anything else that a caller gave where a secret belongs.

    Attributes:
        kind: what it was.
    """

    kind: str


@dataclass(frozen=True, repr=False)
class HiddenFunction:
    """A function of a caller's; the repr of `functools.partial` shows what it was made with."""

    function: Callable[[], Any]

    def __call__(self) -> Any:
        return self.function()

    def __repr__(self) -> str:
        return MASK


def veiled(value: Any) -> Any:
    """What a caller gave, so that the variable that holds it does not show it.

    It comes first in every function that is given a secret, or what one may come from: whatever is raised later has
    that variable in its frame.
    """
    if type(value) is str:
        return Veiled(value)
    if value is None or any(kind.__module__.startswith("datom_core.") for kind in type(value).__mro__):
        return value  # ours show no secret
    if isinstance(value, Mapping):
        return VeiledMapping(value)
    if callable(value) and not isinstance(value, type):
        return HiddenFunction(value)
    return Hidden(f"{value.__name__} (a class)" if isinstance(value, type) else type(value).__name__)


def kind_of(value: object) -> str:
    """The kind of what was given, for an error, also when it is veiled."""
    if isinstance(value, Hidden):
        return value.kind
    return {"Veiled": "str", "VeiledMapping": "dict"}.get(type(value).__name__, type(value).__name__)


_KEPT_FRAMES = ("datom_core.", "datom_dagster.", "contextlib")


def without_frames(error: BaseException) -> BaseException:
    """A library's error, and what led to it, with messages and our own frames, and without the library's.

    In those, variables hold requests with their headers and whole environments, and so what logs in.
    """
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        last, at = None, one.__traceback__
        while at is not None and str(at.tb_frame.f_globals.get("__name__")).startswith(_KEPT_FRAMES):
            last, at = at, at.tb_next
        if last is None:
            one.__traceback__ = None
        else:
            last.tb_next = None
        waiting += [one.__cause__, one.__context__]
    return error


class Secret:
    """Text whose repr, log record, format and pickle do not show it; `reveal` does.

    It cannot be pickled or written as JSON: what has to cross a process boundary is where a secret comes from
    (the name of an environment variable, a keyring's entry), never the secret.
    """

    __slots__ = ("__weakref__", "_value")

    def __init__(self, value: str) -> None:
        given: object = value
        usable = isinstance(given, str) and given != "" and given.isprintable() and given == given.strip()
        if usable:
            self._value = Veiled(value)
        value, given = MASK, None  # which the frame of what is raised now would show
        if not usable:
            raise InvalidInputError("A secret must be one line of text without blanks around it, and not empty.")
        with _KNOWN_LOCK:
            _KNOWN[id(self)] = self

    def reveal(self) -> str:
        """The text itself, which only its repr hides. Hand it to a library at once and keep it nowhere."""
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


def without_logins(text: str, *, queries: bool = False) -> str:
    """The text without secrets that this process holds, and without what logs in by a URL.

    Args:
        text: any.
        queries: whether queries and fragments of URLs may stay; that of a signed URL is a secret.
    """
    plain = _USER_OF_URL.sub("", masked(text))
    return plain if queries else _QUERY_OF_URL.sub(r"\1", plain)


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
