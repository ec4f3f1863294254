"""An organization's register, as a settings file describes it, and what opens it and projects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from datom_core.errors import InvalidInputError
from datom_core.settings.fields import check_texts, plain_fields, read_fields
from datom_core.settings.remotes import check_named, is_path, remote_at
from datom_core.settings.signing_settings import SigningSettings
from datom_core.settings.storage_settings import StorageSettings, absolute_path, path_seen_from
from datom_core.storage import ObjectStore

if TYPE_CHECKING:
    from datom_core.governance import Governance


class Opens(Protocol):
    """Settings that say which repository is meant; a register's, or a project's."""

    @property
    def remote(self) -> str | None: ...

    @property
    def branch(self) -> str | None: ...

    @property
    def author(self) -> str | None: ...

    @property
    def token_env(self) -> str | None: ...

    @property
    def token_keyring(self) -> str | None: ...

    @property
    def github_api_url(self) -> str | None: ...

    @property
    def folder(self) -> Path | None: ...


@dataclass(frozen=True)
class RegisterSettings:
    """An organization's register: the table ``[register]`` of a settings file.

    Attributes:
        storage: where its mirror lies.
        remote, branch: its git repository; without a remote it is only read.
        author: of commits, ``"Name <email>"``.
        token_env, token_keyring: name of the variable, or of the keyring's service, that holds a token for the host.
        github_api_url: where the API of GitHub Enterprise is.
        folder: relative paths are meant from here.
    """

    storage: StorageSettings
    remote: str | None = None
    branch: str | None = None
    author: str | None = None
    token_env: str | None = None
    token_keyring: str | None = None
    github_api_url: str | None = None
    folder: Path | None = None

    def __post_init__(self) -> None:
        check_texts(self)
        check_named(self.remote, self.token_env, self.token_keyring)

    @classmethod
    def from_mapping(
        cls, given: Mapping[str, Any], where: str = "[register]", folder: Path | None = None
    ) -> RegisterSettings:
        """From a table of a file, with its own table ``storage``.

        Raises:
            InvalidInputError: names every key that does not belong there; shows no value.
        """
        rest = dict(table_of(given, where))
        storage = StorageSettings.from_mapping(
            table_of(rest.pop("storage", {}), f"{where} storage"), f"{where} storage"
        )
        return read_fields(cls, rest, where, storage=storage, folder=folder)

    def to_mapping(self) -> dict[str, Any]:
        """What differs from the defaults, as a table of a file."""
        return plain_fields(self) | {"storage": self.storage.to_mapping()}

    def seen_from(self, folder: Path) -> RegisterSettings:
        """The same settings for a file in ``folder``: relative paths stay relative, and mean the same places."""
        storage = self.storage.seen_from(folder, self.folder)
        return replace(self, storage=storage, remote=repository_seen_from(self, folder), folder=folder)

    def absolute(self) -> RegisterSettings:
        """The same settings whatever the working folder."""
        return replace(self, storage=self.storage.absolute(self.folder), remote=absolute_repository(self))

    def store(self) -> ObjectStore:
        """Where its mirror lies; raises the errors of `StorageSettings.store`."""
        return self.storage.store(self.folder)

    def open(self) -> Governance:
        """The register, opened; raises the errors of `Governance.open`."""
        from datom_core.governance import Governance

        return Governance.open(self.store(), **opening(self))

    def begin(self, *, create_repo: bool = False) -> Governance:
        """Begin the register, or complete what was begun; raises the errors of `Governance.init`."""
        if self.remote is None:
            raise InvalidInputError("A register is begun with a remote: give the URL or path of its git repository.")
        from datom_core.governance import Governance

        return Governance.init(self.store(), create_repo=create_repo, **opening(self))

    def unchecked(self) -> Governance:
        """As `open`, without asking whether it is there."""
        from datom_core.governance import Governance

        return Governance.of(self.store(), **opening(self))


def opening(settings: Opens) -> dict[str, Any]:
    """What opens or begins a project or register besides its store."""
    remote = None
    if settings.remote is not None:
        remote = remote_at(
            settings.remote,
            token_env=settings.token_env,
            token_keyring=settings.token_keyring,
            github_api_url=settings.github_api_url,
            folder=settings.folder,
        )
    signing: SigningSettings | None = getattr(settings, "signing", None)  # a register's commits are not signed
    signed = {} if signing is None else {"signing": signing.signing_key(settings.folder)}
    return {"remote": remote, "branch": settings.branch, "author": settings.author, **signed}


def repository_seen_from(settings: Opens, folder: Path) -> str | None:
    """The remote as a file in ``folder`` spells it: a relative path stays relative."""
    if settings.remote is None or not is_path(settings.remote):
        return settings.remote
    return path_seen_from(settings.remote, folder, settings.folder)


def absolute_repository(settings: Opens) -> str | None:
    """The remote; if it is a path, one that means the same whatever the working folder."""
    if settings.remote is None or not is_path(settings.remote):
        return settings.remote
    return absolute_path(settings.remote, settings.folder)


def table_of(given: object, name: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise InvalidInputError(f"{name} is a table: begin it with [{name.rpartition('[')[2].rstrip(']')}].")
    return given


def register_text(register: RegisterSettings) -> str:
    """The table ``[register]`` as text, to be added to a file."""
    import tomli_w

    text: str = tomli_w.dumps({"register": register.to_mapping()})
    return text
