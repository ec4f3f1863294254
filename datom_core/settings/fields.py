"""Read tables of a settings file into dataclasses, and refuse what does not belong there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import Field, fields
from typing import Any, TypeVar

from datom_core.common import did_you_mean
from datom_core.errors import InvalidInputError

T = TypeVar("T")

_SECRETS = re.compile(r"(?i)^(secret|secret_key|access_key|aws_\w+|token|password|pat|session_token|key)$")
# How tokens of GitHub and GitLab and the access keys of AWS begin, and how its secret keys look.
_SECRET = re.compile(r"gh[a-z]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|(?:AKIA|ASIA)[A-Z0-9]{12,}")
_SECRET_KEY = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9+/])[A-Za-z0-9/+]{40}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_fields(kind: type[T], given: Mapping[str, Any], where: str, **more: Any) -> T:
    """An instance of a dataclass from a table of the file.

    Args:
        kind: the dataclass; fields that ``more`` gives are not taken from the table.
        given: the table.
        where: names the table in errors.

    Raises:
        InvalidInputError: names every key that is unknown, or whose value is of another type, or what the dataclass
            refuses. No value is shown, as it may be a secret.
    """
    known: dict[str, Field[Any]] = {f.name: f for f in fields(kind) if f.name not in more}  # type: ignore[arg-type]
    problems = [_unknown(name, known) for name in given if name not in known]
    for name, value in given.items():
        wanted = bool if name in known and known[name].type in ("bool", bool) else str
        if name in known and type(value) is not wanted:
            problems.append(f"{name} is {'true or false' if wanted is bool else 'a text'}")
    if problems:
        raise InvalidInputError(f"{where}: {'; '.join(problems)}.", problems=tuple(problems))
    try:
        return kind(**given, **more)
    except InvalidInputError as error:
        raise InvalidInputError(f"{where}: {error}", **error.details) from None


def plain_fields(record: Any) -> dict[str, Any]:
    """What differs from the defaults, as a table for the file."""
    found = ((f.name, getattr(record, f.name), f.default) for f in fields(record))
    return {name: value for name, value, default in found if isinstance(value, str | bool) and value != default}


def check_texts(record: Any) -> None:
    """Refuse settings that cannot be meant, and those that hold a secret where the name of one belongs.

    Raises:
        InvalidInputError: names the setting, and shows no value.
    """
    for name, value in plain_fields(record).items():
        if not isinstance(value, str):
            continue
        if not value.strip() or any(ord(c) < 32 or ord(c) == 127 for c in value):
            raise InvalidInputError(f"{name} is empty, or holds a control character. Leave it out, or give a value.")
        names_one = name.endswith("_env") or name in ("profile", "keyring", "token_keyring")
        if _SECRET.search(value) or (names_one and _SECRET_KEY.fullmatch(value)):
            raise InvalidInputError(
                f"{name} holds what looks like a secret. None belongs there: give the name of the variable, profile or "
                "keyring service that holds it, and take the secret out of use, as others may have seen it."
            )
        if name.endswith("_env") and not _VARIABLE.fullmatch(value):
            raise InvalidInputError(
                f"{name} is the name of an environment variable: letters, digits and underscores. Never give its value."
            )


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    if _SECRETS.match(name):
        return f"{name} does not belong into a file; name the variable or the profile that holds it instead"
    hint = did_you_mean(name, known).strip().rstrip("?")
    return f"there is no {name!r}" + (
        f" ({hint[0].lower()}{hint[1:]}?)" if hint else f"; it may have {', '.join(known)}"
    )
