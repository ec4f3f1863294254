"""Options that several verbs take together: how a place is reached, and how a repository is. Secrets go by name."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    import datom_core as dc


@dataclass(frozen=True)
class StorageOptions:
    """What the options of one run say.

    Attributes:
        given: attributes of `datom_core.StorageSettings`.
    """

    given: Mapping[str, Any]

    def at(self, address: str) -> dc.StorageSettings:
        """The place at an address, reached as the options say."""
        import datom_core as dc

        return dc.StorageSettings.at(address, **self.given)


Group = dict[str, tuple[Any, Any]]  # parameter -> annotation and default


def _text(metavar: str, help_text: str) -> tuple[Any, Any]:
    return Annotated[str | None, typer.Option(metavar=metavar, help=help_text)], None


_STORAGE: Group = {
    "profile": _text("NAME", "Credentials for a bucket: a profile of AWS's files, or of SSO."),
    "keyring": _text("SERVICE", "Credentials for a bucket: a service in the system's keyring."),
    "access_key_env": _text("VARIABLE", "Credentials for a bucket: the variable with the access key."),
    "secret_key_env": _text("VARIABLE", "The variable with the secret key that belongs to it."),
    "session_token_env": _text("VARIABLE", "The variable with a session token that belongs to it."),
    "ambient": (
        Annotated[bool, typer.Option("--ambient", help="Credentials for a bucket: what AWS finds on this machine.")],
        False,
    ),
    "role_arn": _text("ARN", "A role to assume with these credentials."),
    "role_external_id": _text("ID", "What the role's trust policy asks for."),
    "region": _text("REGION", "Where the bucket is, if not in us-east-1."),
    "endpoint_url": _text("URL", "A server other than AWS."),
    "addressing": _text("HOW", "auto, path or virtual."),
    "encryption": _text("HOW", "AES256 or aws:kms; by default what the bucket does."),
    "kms_key": _text("KEY", "The key to encrypt with."),
}

_REPOSITORY: Group = {
    "branch": _text("NAME", "By default the one that the remote's HEAD names."),
    "author": _text("'NAME <EMAIL>'", "Of commits; by default as git has it."),
    "token_env": _text("VARIABLE", "The variable with a token for the repository's host."),
    "token_keyring": _text("SERVICE", "The keyring's service with such a token."),
    "github_api_url": _text("URL", "The API of GitHub Enterprise, if it is there."),
}


def with_storage_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """A verb whose parameter ``reached`` is a `StorageOptions`, as one with the options themselves."""
    return _with_group(verb, "reached", _STORAGE, StorageOptions)


def with_repository_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """A verb whose parameter ``repository`` is a mapping of what is said of one, as one with the options themselves."""
    return _with_group(verb, "repository", _REPOSITORY, dict)


def _with_group(
    verb: Callable[..., Any], parameter: str, options: Group, made: Callable[[dict[str, Any]], Any]
) -> Callable[..., Any]:
    """A verb that has these options in the place of one parameter, which is made of those that were given."""
    own = [p for p in inspect.signature(verb).parameters.values() if p.name != parameter]
    hints = get_type_hints(verb, include_extras=True)
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in options.items()
    ]

    @functools.wraps(verb)
    def call(session: Any, **given: Any) -> Any:
        asked = {name: given.pop(name) for name in options}
        said = {name: value for name, value in asked.items() if value not in (None, False)}
        return verb(session, **{parameter: made(said)}, **given)

    del call.__wrapped__  # its signature is not the one to show
    shown = [*(p.replace(annotation=hints.get(p.name, p.annotation)) for p in own), *more]
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) if i else p for i, p in enumerate(shown)]
    )
    call.__annotations__ = {p.name: p.annotation for p in shown}
    return call
