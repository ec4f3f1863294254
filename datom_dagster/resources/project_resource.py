"""A study, as a Dagster resource: plain configuration that hands out projects and readers."""

# Dagster reads annotations at run time, to know which resources are configured at launch: no `annotations` import.
import contextlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import dagster as dg
from pydantic import ConfigDict, Field, field_validator, model_validator

import datom_core as dc
from datom_dagster.resources.arguments import WRITTEN, Spelt
from datom_dagster.resources.checked_arguments import check_kind


class DatomStorage(Spelt, dg.ConfigurableResource, ABC):  # type: ignore[type-arg]
    """Where a project's data lies. One subclass per backend."""

    @abstractmethod
    def store(self) -> dc.ObjectStore:
        """The store that this configuration describes."""

    def drop(self, folder: str = "") -> dc.ExtractSource:
        """The same place, as one where extracts are dropped; or a folder in it.

        Raises:
            InvalidInputError: extracts cannot lie there.
        """
        raise dc.InvalidInputError(f"{type(self).__name__} is no place for extracts. Use LocalStorage or S3Storage.")


class LocalStorage(DatomStorage):
    """A folder, on this machine or mounted on all of them."""

    path: str = Field(description="Path of the folder.")
    prefix: str = Field(default="", description="Path below the folder, so that several projects can share it.")

    def store(self) -> dc.LocalStore:
        return dc.LocalStore(resolved(self.path), resolved(self.prefix))

    def drop(self, folder: str = "") -> dc.LocalFolder:
        place = Path(resolved(self.path), resolved(self.prefix))
        # A folder that came into the place by somebody else's hand must not be a link to elsewhere.
        return dc.LocalFolder(place / folder, inside=place) if folder else dc.LocalFolder(place)


class GovernanceResource(Spelt, dg.ConfigurableResource):  # type: ignore[type-arg]
    """An organization's register of projects: says where each one's data lies."""

    storage: DatomStorage = Field(description="Where the register's mirror lies.")
    remote: str | None = Field(default=None, description="URL or path of its git repository; none to only read it.")
    branch: str | None = Field(default=None, description="Branch; by default the one that the remote's HEAD names.")
    author: str | None = Field(
        default=None, description='Author of commits, "Name <email>"; by default from the git configuration.'
    )
    token_env: str | None = Field(
        default=None, description="Name of the variable that holds a token for the remote's host."
    )
    github_api_url: str | None = Field(
        default=None, description="Where the API of GitHub Enterprise is, when the remote is there."
    )

    model_config = ConfigDict(hide_input_in_errors=True)

    @field_validator("remote")
    @classmethod
    def _without_credentials(cls, remote: str | None) -> str | None:
        return check_remote(remote)

    def open_governance(self) -> dc.Governance:
        """The register.

        Raises:
            The errors of `datom_core.Governance.open`.
        """
        return dc.Governance.open(self.storage.store(), **self.settings())

    def init_governance(self) -> dict[str, Any]:
        """Begin the register; what came of it."""
        if self.remote is None:
            raise dc.InvalidInputError("A register is begun with remote; give the URL of its git repository.")
        host = isinstance(remote_of(self), dc.GitHubRepository)
        made = dc.Governance.init(self.storage.store(), create_repo=host, **self.settings())
        projects = made.projects(details=False)
        return {"datom/storage": str(made.store.location), "datom/remote": made.remote, "datom/projects": len(projects)}

    def register(self) -> dc.Governance:
        """The register, without a look at whether it is there."""
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

    Without ``remote`` it is a reader: it loads any version and writes none. Of a registered project, ``governance``
    says where its data lies, also after it has moved; ``storage`` is then only needed for other credentials than the
    register's. It keeps no state, so that it can be handed to any process; clones are cached per user and may be
    deleted at any time.
    """

    project: str = Field(description="Name of the project; compared with what is found.")
    # As what Dagster makes of a resource that must be given, so that this one, too, can be configured at launch.
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

    # A remote that is refused for the password in it must not be shown in the refusal.
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

    def store(self) -> dc.ObjectStore:
        """Where the project's data lies now.

        Raises:
            NotFoundError, ConflictError: the register does not know the project, or it is being taken away.
        """
        return self._place()[0]

    def _place(self) -> tuple[dc.ObjectStore, GovernanceResource | None]:
        """Where the project's data lies, and its register, when it is registered already."""
        given = self.storage.store() if self.storage is not None else None
        if self.governance is not None:
            register = self.governance.storage.store()
            # Credentials for a bucket are in whichever of the two is one.
            near = given if isinstance(given, dc.S3Store) else None
            try:
                return dc.locate(resolved(self.project), governance=register, near=near), self.governance
            except dc.NotFoundError:
                if given is None:
                    raise
        assert given is not None  # the constructor saw to it
        return given, None

    def open_project(self) -> dc.Project:
        """The project, to write to.

        Raises:
            InvalidInputError: there is no remote, or the remote holds another project.
            The errors of `datom_core.Project.open`.
        """
        if self.remote is None:
            raise self.cannot_write("what was to be written")
        store, governance = self._place()
        register = governance.register() if governance is not None else None
        compression: Any = resolved(self.compression)  # what it may be is for the core to say
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
        }

    def init_project(self, *, schema: int = 2) -> dc.Project:
        """Create the project in ``storage``; one that is there already is opened."""
        if self.storage is None or self.remote is None:
            raise dc.InvalidInputError("A project is created with storage and remote; give both.")
        host = isinstance(remote_of(self), dc.GitHubRepository)
        store = self.storage.store()
        try:
            # First, as it also completes a creation that broke off.
            return dc.Project.init(resolved(self.project), store, schema=schema, create_repo=host, **self.settings())
        except dc.AlreadyExistsError:
            with contextlib.suppress(dc.NotFoundError, dc.InvalidInputError):
                return self.open_project()
            raise

    def decommission(self, confirm: str, *, dry_run: bool) -> dc.DecommissionReport:
        """As `datom_core.Project.decommission`; what broke off is gone on with by way of the register."""
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
        """A reader of the project; needs the storage alone.

        Raises:
            NotFoundError: the project is not found; or it says that it is registered, and its register is not there
                or does not hold it, so that nobody knows whether its data still lies in ``storage``.
        """
        store, governance = self._place()
        if governance is None:
            self._check_not_registered(store)
            return dc.ProjectReader.open(store, resolved(self.project))
        return dc.ProjectReader.find(resolved(self.project), governance=governance.storage.store(), near=store)

    def _check_not_registered(self, store: dc.ObjectStore) -> None:
        """Refuse a project that says it is registered, when the register that was asked does not hold it."""
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
        """Refuse a name or a remote that datom refuses before the step does any work."""
        dc.check_name(resolved(self.project), "project")
        if self.remote is not None:
            dc.check_remote(resolved(self.remote))


def remote_of(settings: GovernanceResource | DatomResource) -> str | dc.Remote | None:
    """The remote of a resource, with its token; on GitHub as a repository that can be created and deleted."""
    url = optional(settings.remote)
    if url is None or settings.token_env is None:
        return url
    token, api_url = dc.EnvironmentToken(settings.token_env), optional(settings.github_api_url)
    if api_url is not None or url.startswith("https://github.com/"):
        return dc.GitHub(token, api_url).repository_at(url)
    return dc.Remote(url, token)


def optional(text: str | None) -> str | None:
    """As `resolved`, for what need not be given."""
    return None if text is None else resolved(text)


def check_remote(remote: str | None) -> str | None:
    """Refuse a remote that datom refuses, as soon as it is known."""
    if remote is not None and not isinstance(remote, dg.EnvVar):
        dc.check_remote(remote)
    return remote


def resolved(text: str) -> str:
    """The text, also of an environment variable that Dagster has not looked up yet.

    Raises:
        InvalidInputError: the variable is not set.
    """
    if not isinstance(text, dg.EnvVar):
        return text
    value = text.get_value()
    if value is None:
        raise dc.InvalidInputError(f"The environment variable {text.env_var_name} is not set.")
    return value


def taking(sensor: Callable[..., Any], resource: str) -> Callable[..., Any]:
    """The function of a sensor, with a parameter for the `DatomResource` of that key.

    Dagster finds resources by the names of parameters, and this one has the name that a caller gives.
    """
    check_kind("resource", resource, str, '"datom", the key of the DatomResource')
    named = inspect.Parameter(resource, inspect.Parameter.KEYWORD_ONLY, annotation=DatomResource)
    first = inspect.signature(sensor).parameters["context"]
    sensor.__signature__ = inspect.Signature([first, named])  # type: ignore[attr-defined]
    # Older Dagsters look for their types here.
    sensor.__annotations__ = {"context": dg.SensorEvaluationContext, resource: DatomResource}
    return sensor
