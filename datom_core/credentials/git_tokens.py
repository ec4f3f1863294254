"""Where the token for a git host comes from. None is ever picked up from the environment without being asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from datom_core.common import MASK, Secret, fitting, kind_of, veiled
from datom_core.credentials.keyring import read_entries
from datom_core.errors import InvalidInputError

#: What a remote accepts: the token, or its source; a function is called again whenever a token is needed.
TokenSource = Secret | str | Callable[[], "Secret | str"]


@fitting
@dataclass(frozen=True)
class EnvironmentToken:
    """The token in an environment variable with the given name; read when needed."""

    name: str = "GITHUB_TOKEN"

    def __call__(self) -> Secret:
        value = veiled(os.environ.get(self.name, "").strip())
        if not value:
            raise InvalidInputError(f"The environment variable {self.name} with the token is not set.", name=self.name)
        return Secret(value)


@fitting
@dataclass(frozen=True)
class KeyringToken:
    """The token in the operating system's keyring (extra ``keyring``); ``keyring set SERVICE token`` puts it there."""

    service: str
    name: str = "token"

    def __call__(self) -> Secret:
        return Secret(read_entries(self.service, [self.name])[self.name] or "")


def check_token(source: object) -> Secret | Callable[[], Secret | str]:
    """Return ``source`` if a token can come from it; text becomes a `Secret`.

    Raises:
        InvalidInputError: says what to pass; the value passed is not repeated.
    """
    source = veiled(source)
    if isinstance(source, str):
        return Secret(source)
    if isinstance(source, Secret) or (callable(source) and not isinstance(source, type)):
        return cast("Secret | Callable[[], Secret | str]", source)
    given = "No token is given" if source is None else f"{kind_of(source)} is no source of a token"
    raise InvalidInputError(
        f"{given}. Give EnvironmentToken(), KeyringToken(service), a Secret, text, or a function that returns one of "
        "the two."
    )


def ask_token(source: TokenSource) -> Secret:
    """The token that a source gives now.

    Raises:
        InvalidInputError: it gives something that is not a token.
        The errors of the source.
    """
    source = veiled(source)
    given: object = veiled(source if isinstance(source, Secret | str) else source())
    if isinstance(given, Secret):
        return given
    if isinstance(given, str):
        return Secret(given)
    raise InvalidInputError(f"The function for a token must return a Secret or text; it returned {kind_of(given)}.")


def shown_token(source: TokenSource) -> str:
    """A source as a repr may show it: by name, if the name is no secret."""
    # A caller's function may show the token in its own repr, as functools.partial does.
    return repr(source) if isinstance(source, EnvironmentToken | KeyringToken) else MASK
