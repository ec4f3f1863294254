"""A study as a Dagster resource: plain configuration that hands out projects and readers."""

# Dagster reads annotations at run time, to know which resources are configured at launch: no `annotations` import.
import contextlib
import inspect
import os
from collections.abc import Callable
from typing import Any, Self

import dagster as dg
from pydantic import ConfigDict, Field, field_validator, model_validator

import datom_core as dc
from datom_dagster.resources.arguments import WRITTEN, Spelt
from datom_dagster.resources.checked_arguments import check_kind
from datom_dagster.resources.from_settings import repository_of, signing_of, storage_of
from datom_dagster.resources.remotes import check_remote, remote_of
from datom_dagster.resources.storage_resource import DatomStorage, optional, resolved


class GovernanceResource(Spelt, dg.ConfigurableResource):  # type: ignore[type-arg]
    """An organization's register of projects, which says where each one's data lies."""

    storage: DatomStorage = Field(description="Where the register's mirror lies.")
    remote: str | None = Field(default=None, description="URL or path of its git repository; none to only read it.")
    branch: str | None = Field(default=None, description="Branch; by default the one that the remote's HEAD names.")
    author: str | None = Field(
        default=None, description='Author of commits, "Name <email>"; by default from the git configuration.'
    )
    token_env: str | None = Field(
        default=None, description="Name of the variable that holds a token for the remote's host."
    )
    token_keyring: str | None = Field(default=None, description="Instead: the service of the keyring that holds it.")
    github_api_url: str | None = Field(
        default=None, description="Where the API of GitHub Enterprise is, when the remote is there."
    )

    model_config = ConfigDict(hide_input_in_errors=True)

    @field_validator("remote")
    @classmethod
    def _without_credentials(cls, remote: str | None) -> str | None:
        return check_remote(remote)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """The register that a settings file describes (docs/settings.md).

        Raises:
            The errors of `datom_core.ProjectSettings.from_file`; InvalidInputError: it names no register.
        """
        register = dc.ProjectSettings.from_file(path).absolute().register
        if register is None:
            raise dc.InvalidInputError(f"{path} names no register: it has no table [register].")
        return cls._of(register)

    @classmethod
    def _of(cls, register: dc.RegisterSettings) -> Self:
        return cls(storage=storage_of(register.storage), **repository_of(register))

    def open_governance(self) -> dc.Governance:
        """The register.

        Raises:
            The errors of `datom_core.Governance.open`.
        """
        return dc.Governance.open(self.storage.store(), **self.settings())

    def init_governance(self) -> dict[str, Any]:
        """Create the register; return what came of it."""
        if self.remote is None:
            raise dc.InvalidInputError("A register is begun with remote; give the URL of its git repository.")
        host = isinstance(remote_of(self), dc.GitHubRepository)
        made = dc.Governance.init(self.storage.store(), create_repo=host, **self.settings())
        projects = made.projects(details=False)
        return {"datom/storage": str(made.store.location), "datom/remote": made.remote, "datom/projects": len(projects)}

    def register(self) -> dc.Governance:
        """The register, without checking that it exists."""
        return dc.Governance.of(self.storage.store(), **self.settings())

    def settings(self) -> dict[str, Any]:
        """What `Governance.open` and `Governance.init` take besides the store."""
        return {
            "remote": remote_of(self),
            "branch": optional(self.branch),
            "author": optional(self.author),
        }


class DatomResource(Spelt, dg.ConfigurableResource):  # type: ignore[type-arg]
    """One datom project.

    Without ``remote`` it is a reader: it loads any version and writes none. For a registered project, ``governance``
    says where its data lies, even after a move; ``storage`` is then only needed if its credentials differ from the
    register's. It keeps no state, so it can be handed to any process; clones are cached per user and may be
    deleted at any time.
    """

    project: str = Field(description="Name of the project; compared with what is found.")
    # Dagster's own type for a required resource, so that this optional one, too, can be configured at launch.
    storage: dg.ResourceDependency[DatomStorage | None] = Field(
        default=None,  # type: ignore[arg-type]
        description="Where its data lies; of a registered project, how to reach it.",
    )
    governance: dg.ResourceDependency[GovernanceResource | None] = Field(
        default=None,  # type: ignore[arg-type]
        description="The register that it belongs to.",
    )
    remote: str | None = Field(default=None, description="URL or path of its git repository; none for a reader.")
    branch: str | None = Field(default=None, description="Branch; by default the one that the remote's HEAD names.")
    author: str | None = Field(
        default=None, description='Author of commits, "Name <email>"; by default from the git configuration.'
    )
    token_env: str | None = Field(
        default=None, description="Name of the variable that holds a token for the remote's host."
    )
    token_keyring: str | None = Field(default=None, description="Instead: the service of the keyring that holds it.")
    github_api_url: str | None = Field(
        default=None, description="Where the API of GitHub Enterprise is, when the remote is there."
    )
    compression: str = Field(
        default="snappy", description='How payloads are compressed: "snappy", as R does, or "zstd".'
    )
    memo: bool = Field(
        default=True,
        description="Keep on this machine what large tables hashed to, so that unchanged ones are known at once.",
    )

    require_author: bool = Field(
        default=False, description="Refuse runs that do not say who asks for them, before they write: tag datom/author."
    )
    require_message: bool = Field(
        default=False, description="Refuse runs that do not say why, before they write: tag datom/commit_message."
    )
    pipeline_commit: str | None = Field(
        default=None, description="Git commit of the pipeline's code; by default as Dagster+ or its work tree says."
    )
    signing_key: str | None = Field(
        default=None, description="Path of the SSH key that signs commits, or key:: and a public key of the agent's."
    )
    signing_key_env: str | None = Field(default=None, description="Instead: name of the variable that holds that.")
    sign_as_git: bool = Field(default=False, description="Instead: sign as git is configured to.")

    # If a remote is refused for containing a password, the error must not show it.
    model_config = ConfigDict(hide_input_in_errors=True)

    @field_validator("remote")
    @classmethod
    def _without_credentials(cls, remote: str | None) -> str | None:
        return check_remote(remote)

    @field_validator("compression")
    @classmethod
    def _known(cls, compression: str) -> str:
        if not isinstance(compression, dg.EnvVar):
            dc.check_compression(compression)
        return compression

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.storage is None and self.governance is None:
            raise dc.InvalidInputError("A project needs storage, or governance that says where its data lies.")
        check_kind("storage", self.storage, DatomStorage, WRITTEN["storage"])
        check_kind("governance", self.governance, GovernanceResource, WRITTEN["governance"])
        return self

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """The project that a settings file describes (docs/settings.md), as `datom init` and `datom use` write it.

        Relative paths in it are meant from the file; credentials are named in it, and looked up where a step runs.

        Raises:
            The errors of `datom_core.ProjectSettings.from_file`; InvalidInputError: it does not name the project.
        """
        found = dc.ProjectSettings.from_file(path).absolute()
        if found.project is None:
            raise dc.InvalidInputError(f'{path} does not name the project: add project = "...".')
        return cls(
            project=found.project,
            storage=None if found.storage is None else storage_of(found.storage),
            governance=None if found.register is None else GovernanceResource._of(found.register),
            compression=found.compression,
            memo=found.memo,
            **signing_of(found.signing),
            **repository_of(found),
        )

    def store(self) -> dc.ObjectStore:
        """Where the project's data lies now.

        Raises:
            NotFoundError, ConflictError: the register does not know the project, or it is being decommissioned.
        """
        return self._place()[0]

    def _place(self) -> tuple[dc.ObjectStore, GovernanceResource | None]:
        """Where the project's data lies, and its register if it is already registered."""
        given = self.storage.store() if self.storage is not None else None
        if self.governance is not None:
            register = self.governance.storage.store()
            try:
                return dc.locate(resolved(self.project), governance=register, near=given), self.governance
            except dc.NotFoundError:
                if given is None:
                    raise
        assert given is not None  # the constructor made sure
        return given, None

    def open_project(self) -> dc.Project:
        """Open the project for writing.

        Raises:
            InvalidInputError: there is no remote, or the remote holds another project.
            The errors of `datom_core.Project.open`.
        """
        if self.remote is None:
            raise self.cannot_write("what was to be written")
        store, governance = self._place()
        register = governance.register() if governance is not None else None
        compression: Any = resolved(self.compression)  # the core checks the value
        project = dc.Project.open(
            store, governance=register, compression=compression, memo=self.memo, **self.settings()
        )
        if project.name != resolved(self.project):
            raise dc.InvalidInputError(
                f"{project.remote} holds the project {project.name!r}, not {resolved(self.project)!r}. "
                "Correct the project's name or the remote."
            )
        return project

    def settings(self) -> dict[str, Any]:
        """What `Project.open` and `Project.init` take besides the store."""
        return {
            "remote": remote_of(self),
            "branch": optional(self.branch),
            "author": optional(self.author),
            "signing": self.signing(),
        }

    def signing(self) -> dc.SigningKey | None:
        """The key that signs commits.

        Raises:
            InvalidInputError: more than one is named, or the variable is not set.
        """
        key, variable = optional(self.signing_key), optional(self.signing_key_env)
        if key is None and variable is None and not self.sign_as_git:
            return None
        return dc.SigningSettings(key, variable, self.sign_as_git).signing_key(None)

    def init_project(self, *, schema: int = 2, product: str | None = None) -> dc.Project:
        """Create the project in ``storage``, or open it if it exists; a product with the name of its one set."""
        if self.storage is None or self.remote is None:
            raise dc.InvalidInputError("A project is created with storage and remote; give both.")
        host = isinstance(remote_of(self), dc.GitHubRepository)
        store = self.storage.store()
        try:
            # Try this first, because it also completes an interrupted creation.
            return dc.Project.init(
                resolved(self.project), store, schema=schema, product=product, create_repo=host, **self.settings()
            )
        except dc.AlreadyExistsError:
            with contextlib.suppress(dc.NotFoundError, dc.InvalidInputError):
                return self.open_project()
            raise

    def decommission(self, confirm: str, *, dry_run: bool) -> dc.DecommissionReport:
        """As `datom_core.Project.decommission`; if it was interrupted, it continues by way of the register."""
        try:
            project = self.open_project()
        except (dc.ConflictError, dc.NotFoundError):
            if self.governance is None:
                raise
            near = self.storage.store() if self.storage is not None else None
            return self.governance.register().decommission(
                resolved(self.project), confirm=confirm, dry_run=dry_run, remote=remote_of(self), near=near
            )
        return project.decommission(confirm=confirm, dry_run=dry_run)

    def cannot_write(self, what: str) -> dc.InvalidInputError:
        """The error for a write to a project that this resource can only read."""
        return dc.InvalidInputError(
            f"{what} cannot be written: the resource of project {resolved(self.project)} has no remote, so that it can "
            "only read. Give it the URL of the project's git repository."
        )

    def open_reader(self) -> dc.ProjectReader:
        """A reader of the project, which needs only the storage.

        Raises:
            NotFoundError: the project is not found; or it says that it is registered, but its register is not there
                or does not hold it, so that nobody knows whether its data still lies in ``storage``.
        """
        store, governance = self._place()
        if governance is None:
            self._check_not_registered(store)
            return dc.ProjectReader.open(store, resolved(self.project))
        return dc.ProjectReader.find(resolved(self.project), governance=governance.storage.store(), near=store)

    def reader_of(self, project: str) -> dc.ProjectReader:
        """A reader of another project of the same register, or of this one; refused where there is no register."""
        if project == resolved(self.project):
            return self.open_reader()
        if self.governance is None:
            raise dc.InvalidInputError(
                f"{project} is another project, and the resource of {resolved(self.project)} has no register that "
                "says where it is. Give the resource governance=..., or name the DatomResource of that project."
            )
        near = self.storage.store() if self.storage is not None else None
        return dc.ProjectReader.find(project, governance=self.governance.storage.store(), near=near)

    def _check_not_registered(self, store: dc.ObjectStore) -> None:
        """Refuse a project that says it is registered if the register that was asked does not hold it."""
        if self.governance is None:
            return
        registered = dc.registered_in(store)
        if registered is not None:
            raise dc.NotFoundError(
                f"{resolved(self.project)} in {store.location} is registered in {registered}, and "
                f"{self.governance.storage.store().location} does not hold it. Check that the register's storage is "
                "there; Governance.attach(project) puts back a registration that is lost."
            )

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Refuse a bad name or remote before the step does any work."""
        dc.check_name(resolved(self.project), "project")
        if self.remote is not None:
            dc.check_remote(resolved(self.remote))


def taking(sensor: Callable[..., Any], resource: str) -> Callable[..., Any]:
    """Give a sensor's function a parameter for the `DatomResource` of that key.

    Dagster finds resources by parameter name, and this name is the caller's choice.
    """
    check_kind("resource", resource, str, '"datom", the key of the DatomResource')
    named = inspect.Parameter(resource, inspect.Parameter.KEYWORD_ONLY, annotation=DatomResource)
    first = inspect.signature(sensor).parameters["context"]
    sensor.__signature__ = inspect.Signature([first, named])  # type: ignore[attr-defined]
    # Older versions of Dagster look here for the types.
    sensor.__annotations__ = {"context": dg.SensorEvaluationContext, resource: DatomResource}
    return sensor
