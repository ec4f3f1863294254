"""One project, as a settings file describes it, and how it is opened."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from datom_core.common import check_name
from datom_core.errors import AlreadyExistsError, ConflictError, InvalidInputError, NotFoundError
from datom_core.reading import ProjectReader, locate, registered_in
from datom_core.settings.fields import check_texts, plain_fields, read_fields
from datom_core.settings.register_settings import (
    RegisterSettings,
    absolute_repository,
    opening,
    register_text,
    repository_seen_from,
    table_of,
)
from datom_core.settings.remotes import check_named
from datom_core.settings.saving import check_one_place
from datom_core.settings.signing_settings import SigningSettings
from datom_core.settings.storage_settings import StorageSettings
from datom_core.settings.toml_files import read_toml, write_text
from datom_core.storage import ObjectStore
from datom_core.tables import check_compression

if TYPE_CHECKING:
    from datom_core.governance import DecommissionReport, Governance
    from datom_core.project import MigrationReport, Project

_OF_THE_REMOTE = ("remote", "branch", "author", "token_env", "token_keyring", "github_api_url")


@dataclass(frozen=True)
class ProjectSettings:
    """Where a project is: what ``datom.toml`` says. Made by `from_file` or `find_settings`.

    Attributes:
        project: its name; ``None`` takes what is in storage.
        storage: where its data lies; of a registered project, how to reach it.
        register: the register that it belongs to; a file may also hold nothing else.
        remote, branch: its git repository; without a remote it is only read.
        author: of commits, ``"Name <email>"``; by default from the environment, then from git's configuration.
        token_env, token_keyring, github_api_url: as `RegisterSettings`.
        compression, memo: as `Project.open`.
        signing: with which key commits are signed.
        folder: relative paths are meant from here.
        file: which file says so, if one does.
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
    signing: SigningSettings | None = None
    folder: Path | None = None
    file: Path | None = None

    def __post_init__(self) -> None:
        check_texts(self)
        if self.register is not None and self.register.folder is None:
            object.__setattr__(self, "register", replace(self.register, folder=self.folder))
        if self.project is not None:
            check_name(self.project, "project")
        check_named(self.remote, self.token_env, self.token_keyring)
        check_compression(self.compression)
        if self.storage is None and self.register is None:
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
        file = Path(os.path.abspath(path))
        return cls.from_mapping(read_toml(file), str(path), file.parent).with_changes(file=file)

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any], where: str = "settings", folder: Path | None = None) -> Self:
        """From what a settings file holds; ``where`` names it in errors.

        Raises:
            InvalidInputError: names every key that does not belong there; shows no value.
        """
        rest = dict(given)
        storage, register, signing = (rest.pop(table, None) for table in ("storage", "register", "signing"))
        at, in_register, in_signing = (f"{where} [{table}]" for table in ("storage", "register", "signing"))
        return read_fields(
            cls,
            rest,
            where,
            storage=None if storage is None else StorageSettings.from_mapping(table_of(storage, at), at),
            register=None if register is None else RegisterSettings.from_mapping(register, in_register, folder),
            signing=None
            if signing is None
            else SigningSettings.from_mapping(table_of(signing, in_signing), in_signing),
            folder=folder,
            file=None,
        )

    def to_toml(self) -> str:
        """The text of a settings file that says the same."""
        import tomli_w

        tables: dict[str, Any] = plain_fields(self)
        if self.storage is not None:
            tables["storage"] = self.storage.to_mapping()
        if self.register is not None:
            tables["register"] = self.register.to_mapping()
        if self.signing is not None:
            tables["signing"] = self.signing.to_mapping()
        text: str = tomli_w.dumps(tables)
        return text

    def seen_from(self, folder: Path) -> ProjectSettings:
        """The same settings for a file in ``folder``: relative paths stay relative, and mean the same places."""
        storage = None if self.storage is None else self.storage.seen_from(folder, self.folder)
        register = None if self.register is None else self.register.seen_from(folder)
        remote = repository_seen_from(self, folder)
        signing = None if self.signing is None else self.signing.absolute(self.folder)
        return replace(self, storage=storage, register=register, signing=signing, remote=remote, folder=folder)

    def absolute(self) -> ProjectSettings:
        """The same settings whatever the working folder, for another process."""
        storage = None if self.storage is None else self.storage.absolute(self.folder)
        register = None if self.register is None else self.register.absolute()
        signing = None if self.signing is None else self.signing.absolute(self.folder)
        return replace(self, storage=storage, register=register, signing=signing, remote=absolute_repository(self))

    def save(self, path: str | os.PathLike[str], *, replacing: bool = False) -> ProjectSettings:
        """Write a settings file that says the same, and return what it says then.

        A file of the same project is written anew, and keeps its ``[register]`` if these settings have none, and its
        remote, with what belongs to that, if they name none. Settings with nothing but a register are added to a file.
        A file that says the same already stays as it is.

        Args:
            path: of the file; its folder must be there.
            replacing: also write over a file of another project or register.

        Raises:
            AlreadyExistsError: the file describes another project or register, or is no settings file.
            AccessDeniedError, StorageError: it cannot be written.
        """
        file = Path(os.path.abspath(path))
        self.check_may_save(file, replacing=replacing)
        mine = self.seen_from(file.parent).with_changes(file=file)
        held = None if replacing or not os.path.lexists(file) else ProjectSettings.from_file(file)
        if held is None:
            write_text(file, mine.to_toml())
            return mine
        if mine.project is None and mine.storage is None:
            mine = held.with_changes(register=mine.register)
        else:
            mine = mine.with_changes(register=mine.register or held.register, signing=mine.signing or held.signing)
        if mine.remote is None:
            mine = mine.with_changes(**{name: getattr(held, name) for name in _OF_THE_REMOTE})
        if mine == held:
            return held
        if held.register is None and mine == held.with_changes(register=mine.register) and mine.register is not None:
            write_text(
                file, f"{file.read_text('utf-8').rstrip()}\n\n{register_text(mine.register)}"
            )  # with its comments
        else:
            write_text(file, mine.to_toml())
        return mine

    def check_may_save(self, path: str | os.PathLike[str], *, replacing: bool = False) -> None:
        """Refuse what `save` would refuse, before anything is done.

        Raises:
            AlreadyExistsError: the file describes another project or register, or is no settings file.
            NotFoundError: its folder is not there.
        """
        file = Path(os.path.abspath(path))
        if not file.parent.is_dir():
            raise NotFoundError(f"There is no folder {file.parent} for {file.name}.")
        if replacing or not os.path.lexists(file):
            return
        try:
            held = ProjectSettings.from_file(file)
        except (InvalidInputError, NotFoundError) as error:
            raise AlreadyExistsError(f"{file} is there already, and is no settings file: {error}") from error
        mine = self.seen_from(file.parent)
        check_one_place(file, held, mine)

    def store(self) -> ObjectStore:
        """Where the project's data lies now, as its register says if it has one.

        Raises:
            NotFoundError: the register does not know the project, though its data says so or lies nowhere else.
            ConflictError: it is being decommissioned.
        """
        return self._place()[0]

    def open_reader(self) -> ProjectReader:
        """A reader of the project; raises the errors of `ProjectReader.open` and `ProjectReader.find`."""
        store, registered = self._place()
        if registered and self.register is not None and self.project is not None:
            return ProjectReader.find(self.project, governance=self.register.store(), near=store)
        return ProjectReader.open(store, self.project)

    def open_project(self, *, relocate: bool = False) -> Project:
        """The project, to write to it.

        Args:
            relocate: as `Project.open`: record that the data was moved here by other means.

        Raises:
            InvalidInputError: there is no remote, or it holds another project.
            The errors of `Project.open`.
        """
        return self._opened(*self._place(), relocate=relocate)

    def _opened(self, store: ObjectStore, registered: bool, *, relocate: bool = False) -> Project:
        if self.remote is None:
            raise InvalidInputError(
                "Nothing says where the project's git repository is, so that it can only be read. Give the remote."
            )
        from datom_core.project import Project

        opened = Project.open(
            store,
            governance=self.register.unchecked() if registered and self.register is not None else None,
            compression=self.compression,  # type: ignore[arg-type]  # the constructor made sure
            memo=self.memo,
            relocate=relocate,
            **opening(self),
        )
        if self.project is not None and opened.name != self.project:
            raise InvalidInputError(
                f"{opened.remote} holds the project {opened.name!r}, not {self.project!r}. Correct the project's name "
                "or the remote."
            )
        return opened

    def init_project(self, *, schema: int = 2, product: str | None = None, create_repo: bool = False) -> Project:
        """Create the project; or open it, if it is there already: in this very place, with this remote and schema.

        Raises:
            InvalidInputError: name, storage or remote is missing.
            The errors of `Project.init`.
        """
        from datom_core.project import Project

        missing = [n for n in ("project", "storage", "remote") if getattr(self, n) is None]
        if missing or self.project is None or self.storage is None:
            raise InvalidInputError(f"A new project needs {', '.join(missing)}.")
        store = self.storage.store(self.folder)
        try:
            # Try this first, because it also completes an interrupted creation.
            return Project.init(
                self.project, store, schema=schema, product=product, create_repo=create_repo, **opening(self)
            )
        except AlreadyExistsError:
            with contextlib.suppress(NotFoundError, InvalidInputError):
                there = self.open_project()
                if there.schema == schema:
                    return there
            raise

    def migrate(self, target: StorageSettings, **how: Any) -> MigrationReport:
        """Move the project's data. If it is interrupted, the same call completes it, wherever it broke off.

        Args:
            target: the new place; a relative path is meant from the working folder.
            **how: as `datom_core.migrate`.

        Raises:
            The errors of `datom_core.migrate` and `Project.open`.
        """
        from datom_core.project import migrate

        to, old = target.store(), None if self.storage is None else self.storage.store(self.folder)
        try:
            # What the settings say comes first: the register is told of the new place before git is.
            store, registered = self._place() if old is None else (old, registered_in(old) is not None)
            return migrate(self._opened(store, registered), to, **how)
        except InvalidInputError as error:
            if "recorded" not in error.details:
                raise
            if error.details["recorded"] == str(to.location):
                return migrate(self._opened(to, registered_in(to) is not None), to, source=old, **how)
            return migrate(self.open_project(), to, **how)

    def decommission(self, confirm: str, *, dry_run: bool = False) -> DecommissionReport:
        """As `Project.decommission`; if that was interrupted, it continues by way of the register."""
        try:
            project = self.open_project()
        except (ConflictError, NotFoundError):
            if self.register is None or self.project is None:
                raise
            near = None if self.storage is None else self.storage.store(self.folder)
            return self.register.unchecked().decommission(
                self.project, confirm=confirm, dry_run=dry_run, remote=opening(self)["remote"], near=near
            )
        return project.decommission(confirm=confirm, dry_run=dry_run)

    def attach(self, register: RegisterSettings) -> Project:
        """Register the project; raises the errors of `Governance.attach`."""
        mine = self.with_changes(register=register)
        store, registered = self._place() if self.storage is None else (self.storage.store(self.folder), False)
        registered = registered or registered_in(store) is not None
        return register.open().attach(mine._opened(store, registered))

    def open_register(self) -> Governance:
        """The register that the project belongs to.

        Raises:
            InvalidInputError: the settings name none.
            The errors of `Governance.open`.
        """
        if self.register is None:
            raise InvalidInputError("No register is named: add a table [register] with its storage.")
        return self.register.open()

    def with_changes(self, **changes: Any) -> ProjectSettings:
        """The same with other attributes."""
        return replace(self, **changes)

    def _place(self) -> tuple[ObjectStore, bool]:
        """Where the project's data lies now, and whether its register said so."""
        given = None if self.storage is None else self.storage.store(self.folder)
        if self.register is not None and self.project is not None:
            try:
                return locate(self.project, governance=self.register.store(), near=given), True
            except NotFoundError:
                # Not yet registered is well; registered elsewhere, or lost from the register, is not.
                if given is None or registered_in(given) is not None:
                    raise
        if given is None:
            raise NotFoundError(f"{self.file or 'The settings'} names a register and no project: name one in it.")
        return given, False
