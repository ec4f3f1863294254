"""One project or register, as a settings file describes it, and how it is opened."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from datom_core.common import check_name
from datom_core.credentials import EnvironmentToken, KeyringToken
from datom_core.errors import AccessDeniedError, InvalidInputError, NotFoundError, StorageError
from datom_core.git import GitHub, Remote, check_remote
from datom_core.governance import Governance
from datom_core.project import Project
from datom_core.reading import ProjectReader, locate, registered_in
from datom_core.settings.fields import plain_fields, read_fields
from datom_core.settings.storage_settings import StorageSettings
from datom_core.storage import ObjectStore

_MOST_BYTES = 64 * 1024


@dataclass(frozen=True)
class RegisterSettings:
    """An organization's register: the table ``[register]`` of a settings file.

    Attributes:
        storage: where its mirror lies.
        remote, branch: its git repository; without a remote it is only read.
        author: of commits, ``"Name <email>"``.
        token_env, token_keyring: name of the variable, or of the keyring's service, that holds a token for the host.
        github_api_url: where the API of GitHub Enterprise is.
    """

    storage: StorageSettings
    remote: str | None = None
    branch: str | None = None
    author: str | None = None
    token_env: str | None = None
    token_keyring: str | None = None
    github_api_url: str | None = None

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any], where: str = "[register]") -> RegisterSettings:
        """From a table of a file, with its own table ``storage``."""
        rest = dict(given)
        storage = StorageSettings.from_mapping(_table(rest.pop("storage", {}), f"{where} storage"), f"{where} storage")
        return read_fields(cls, rest, where, storage=storage)

    def open(self, folder: Path | None = None) -> Governance:
        """The register, opened; raises the errors of `Governance.open`."""
        return Governance.open(self.storage.store(folder), **_opening(self, folder))


@dataclass(frozen=True)
class ProjectSettings:
    """Where a project is: what ``datom.toml`` says. Made by `from_file` or `find_settings`.

    Attributes:
        project: its name; ``None`` takes what is in storage.
        storage: where its data lies; of a registered project, how to reach it.
        register: the register that it belongs to.
        remote, branch: its git repository; without a remote it is only read.
        author: of commits, ``"Name <email>"``; by default from the environment, then from git's configuration.
        token_env, token_keyring, github_api_url: as `RegisterSettings`.
        compression, memo: as `Project.open`.
        folder: relative paths are meant from here.
    """

    project: str | None = None
    storage: StorageSettings | None = None
    register: RegisterSettings | None = None
    remote: str | None = None
    branch: str | None = None
    author: str | None = None
    token_env: str | None = None
    token_keyring: str | None = None
    github_api_url: str | None = None
    compression: str = "snappy"
    memo: bool = True
    folder: Path | None = None

    def __post_init__(self) -> None:
        if self.project is not None:
            check_name(self.project, "project")
        if self.storage is None and (self.register is None or self.project is None):
            raise InvalidInputError(
                "Say where the project is: [storage] with its path or bucket, or its name (project) with a [register]."
            )

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> ProjectSettings:
        """What a settings file says.

        Raises:
            NotFoundError: there is no such file.
            InvalidInputError: it is not TOML, or holds what does not belong there; names everything, shows no value.
        """
        file = Path(path)
        try:
            with file.open("rb") as opened:
                raw = opened.read(_MOST_BYTES + 1)
            given = tomllib.loads(raw.decode()) if len(raw) <= _MOST_BYTES else None
        except FileNotFoundError:
            raise NotFoundError(f"There is no file {file}.") from None
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
            # The parser quotes nothing of the file but one character.
            raise InvalidInputError(f"{file} cannot be read: {error}.") from None
        if given is None:
            raise InvalidInputError(f"{file} is longer than {_MOST_BYTES // 1024} KiB: it is no settings file.")
        return cls.from_mapping(given, str(file), file.resolve().parent)

    @classmethod
    def from_mapping(
        cls, given: Mapping[str, Any], where: str = "settings", folder: Path | None = None
    ) -> ProjectSettings:
        """From what a settings file holds; ``where`` names it in errors."""
        rest = dict(given)
        storage, register = rest.pop("storage", None), rest.pop("register", None)
        return read_fields(
            cls,
            rest,
            where,
            storage=storage and StorageSettings.from_mapping(_table(storage, "storage"), f"{where} [storage]"),
            register=register and RegisterSettings.from_mapping(_table(register, "register"), f"{where} [register]"),
            folder=folder,
        )

    def to_toml(self) -> str:
        """The text of a settings file that says the same."""
        import tomli_w

        tables: dict[str, Any] = plain_fields(self)
        if self.storage is not None:
            tables["storage"] = self.storage.to_mapping()
        if self.register is not None:
            tables["register"] = plain_fields(self.register) | {"storage": self.register.storage.to_mapping()}
        text: str = tomli_w.dumps(tables)
        return text

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a settings file that says the same, and return its path; relative paths are as they are.

        Raises:
            NotFoundError, AccessDeniedError, StorageError: it cannot be written.
        """
        file = Path(path)
        try:
            file.write_text(self.to_toml(), encoding="utf-8")
        except FileNotFoundError:
            raise NotFoundError(f"The folder {file.parent} does not exist.") from None
        except PermissionError:
            raise AccessDeniedError(f"{file} may not be written.") from None
        except OSError as error:
            raise StorageError(f"{file} cannot be written: {error.strerror}.") from error
        return file

    def store(self) -> ObjectStore:
        """Where the project's data lies now, as its register says if it has one.

        Raises:
            NotFoundError, ConflictError: the register does not know the project, or it is being decommissioned.
        """
        given = None if self.storage is None else self.storage.store(self.folder)
        if self.register is not None and self.project is not None:
            try:
                return locate(self.project, governance=self.register.storage.store(self.folder), near=given)
            except NotFoundError:
                if given is None:
                    raise
        assert given is not None  # the constructor made sure
        return given

    def open_reader(self) -> ProjectReader:
        """A reader of the project; raises the errors of `ProjectReader.open` and `ProjectReader.find`."""
        given = None if self.storage is None else self.storage.store(self.folder)
        if self.register is not None and self.project is not None:
            register = self.register.storage.store(self.folder)
            try:
                return ProjectReader.find(self.project, governance=register, near=given)
            except NotFoundError:
                # Not yet registered is well; registered elsewhere, or lost from the register, is not.
                if given is None or registered_in(given) is not None:
                    raise
        assert given is not None
        return ProjectReader.open(given, self.project)

    def open_project(self) -> Project:
        """The project, to write to it.

        Raises:
            InvalidInputError: there is no remote, or it holds another project.
            The errors of `Project.open`.
        """
        if self.remote is None:
            raise InvalidInputError(
                "Nothing says where the project's git repository is, so that it can only be read. Give the remote."
            )
        register = None if self.register is None else self._register_of()
        opened = Project.open(
            self.store(),
            governance=register,
            compression=self.compression,  # type: ignore[arg-type]  # it is checked there
            memo=self.memo,
            **_opening(self, self.folder),
        )
        if self.project is not None and opened.name != self.project:
            raise InvalidInputError(
                f"{opened.remote} holds the project {opened.name!r}, not {self.project!r}. Correct the project's name "
                "or the remote."
            )
        return opened

    def init_project(self, *, schema: int = 2, create_repo: bool = False) -> Project:
        """Create the project; raises the errors of `Project.init`, and `InvalidInputError` if anything is missing."""
        missing = [n for n in ("project", "storage", "remote") if getattr(self, n) is None]
        if missing or self.project is None or self.storage is None:
            raise InvalidInputError(f"A new project needs {', '.join(missing)}.")
        return Project.init(
            self.project,
            self.storage.store(self.folder),
            schema=schema,
            create_repo=create_repo,
            **_opening(self, self.folder),
        )

    def open_register(self) -> Governance:
        """The register that the project belongs to.

        Raises:
            InvalidInputError: the settings name none.
            The errors of `Governance.open`.
        """
        if self.register is None:
            raise InvalidInputError("No register is named: add a table [register] with its storage.")
        return self.register.open(self.folder)

    def with_changes(self, **changes: Any) -> ProjectSettings:
        """The same with other attributes."""
        return replace(self, **changes)

    def _register_of(self) -> Governance:
        assert self.register is not None
        return Governance.of(self.register.storage.store(self.folder), **_opening(self.register, self.folder))


def _opening(settings: RegisterSettings | ProjectSettings, folder: Path | None) -> dict[str, Any]:
    """What opens or begins a project or register besides its store."""
    return {"remote": _remote(settings, folder), "branch": settings.branch, "author": settings.author}


def _remote(settings: RegisterSettings | ProjectSettings, folder: Path | None) -> str | Remote | None:
    """The remote with its token; on GitHub, as a repository that can be created and deleted."""
    url = settings.remote
    if url is None:
        return None
    if _is_path(url):
        return str(Path(folder or ".", Path(url).expanduser()))
    check_remote(url)
    if settings.token_env is not None and settings.token_keyring is not None:
        raise InvalidInputError("token_env and token_keyring exclude each other.")
    token = (
        EnvironmentToken(settings.token_env)
        if settings.token_env is not None
        else KeyringToken(settings.token_keyring)
        if settings.token_keyring is not None
        else None
    )
    if token is None:
        return url
    if settings.github_api_url is not None or url.startswith("https://github.com/"):
        return GitHub(token, settings.github_api_url).repository_at(url)
    return Remote(url, token)


def _is_path(url: str) -> bool:
    """Whether it is no URL, and not git's short form ``host:path`` of one either."""
    return "://" not in url and (":" not in url or url.startswith((".", "/", "~")))


def _table(given: object, name: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise InvalidInputError(f"{name} is a table: begin it with [{name}].")
    return given
