"""A study, as a Dagster resource: plain configuration that hands out projects and readers."""

# Dagster reads annotations at run time, to know which resources are configured at launch: no `annotations` import.
from abc import ABC, abstractmethod

import dagster as dg
from pydantic import ConfigDict, Field, field_validator

import datom_core as dc


class DatomStorage(dg.ConfigurableResource, ABC):  # type: ignore[type-arg]
    """Where a project's data lies. One subclass per backend."""

    @abstractmethod
    def store(self) -> dc.ObjectStore:
        """The store that this configuration describes."""


class LocalStorage(DatomStorage):
    """A folder, on this machine or mounted on all of them."""

    path: str = Field(description="Path of the folder.")
    prefix: str = Field(default="", description="Path below the folder, so that several projects can share it.")

    def store(self) -> dc.LocalStore:
        return dc.LocalStore(resolved(self.path), resolved(self.prefix))


class DatomResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """One datom project.

    Without ``remote`` it is a reader: it loads any version and writes none. It keeps no state, so that it
    can be handed to any process; clones are cached per user and may be deleted at any time.
    """

    project: str = Field(description="Name of the project; compared with what is found.")
    storage: DatomStorage = Field(description="Where its data lies.")
    remote: str | None = Field(default=None, description="URL or path of its git repository; none for a reader.")
    branch: str | None = Field(default=None, description="Branch; by default the one that the remote's HEAD names.")
    author: str | None = Field(
        default=None, description='Author of commits, "Name <email>"; by default from the git configuration.'
    )

    # A remote that is refused for the password in it must not be shown in the refusal.
    model_config = ConfigDict(hide_input_in_errors=True)

    @field_validator("remote")
    @classmethod
    def _without_credentials(cls, remote: str | None) -> str | None:
        if remote is not None and not isinstance(remote, dg.EnvVar):
            dc.check_remote(remote)
        return remote

    def open_project(self) -> dc.Project:
        """The project, to write to.

        Raises:
            InvalidInputError: there is no remote, or the remote holds another project.
            The errors of `datom_core.Project.open`.
        """
        if self.remote is None:
            raise self.cannot_write("what was to be written")
        author = resolved(self.author) if self.author is not None else None
        branch = resolved(self.branch) if self.branch is not None else None
        project = dc.Project.open(self.storage.store(), remote=resolved(self.remote), branch=branch, author=author)
        if project.name != resolved(self.project):
            raise dc.InvalidInputError(
                f"{project.remote} holds the project {project.name!r}, not {resolved(self.project)!r}. "
                "Correct the project's name or the remote."
            )
        return project

    def cannot_write(self, what: str) -> dc.InvalidInputError:
        """The error for a write to a project that this resource can only read."""
        return dc.InvalidInputError(
            f"{what} cannot be written: the resource of project {resolved(self.project)} has no remote, so that it can "
            "only read. Give it the URL of the project's git repository."
        )

    def open_reader(self) -> dc.ProjectReader:
        """A reader of the project; needs the storage alone."""
        return dc.ProjectReader.open(self.storage.store(), resolved(self.project))

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Refuse a name or a remote that datom refuses before the step does any work."""
        dc.check_name(resolved(self.project), "project")
        if self.remote is not None:
            dc.check_remote(resolved(self.remote))


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
