"""Where data lies, as a Dagster resource: the base of all places, and a folder."""

# Dagster reads annotations at run time, to know which resources are configured at launch: no `annotations` import.
from abc import ABC, abstractmethod
from pathlib import Path

import dagster as dg
from pydantic import Field

import datom_core as dc
from datom_dagster.resources.arguments import Spelt
from datom_dagster.resources.published_files import publish_in_folder


class DatomStorage(Spelt, dg.ConfigurableResource, ABC):  # type: ignore[type-arg]
    """Where a project's data lies. One subclass per backend."""

    @abstractmethod
    def store(self) -> dc.ObjectStore:
        """The store that this configuration describes."""

    def drop(self, folder: str = "") -> dc.ExtractSource:
        """The same place, or a folder in it, as a source of extract files.

        Raises:
            InvalidInputError: extracts cannot lie there.
        """
        raise dc.InvalidInputError(f"{type(self).__name__} is no place for extracts. Use LocalStorage or S3Storage.")

    def publish(self, path: str, data: bytes) -> str:
        """Write a page for people below this place, unless it is there, and return its address: a URL, or a path.

        Raises:
            InvalidInputError: pages cannot lie there.
            StorageError: it cannot be written.
        """
        raise dc.InvalidInputError(f"{type(self).__name__} is no place for reports. Use LocalStorage or S3Storage.")


class LocalStorage(DatomStorage):
    """A folder on this machine, or mounted on all machines."""

    path: str = Field(description="Path of the folder.")
    prefix: str = Field(default="", description="Path below the folder, so that several projects can share it.")

    def store(self) -> dc.LocalStore:
        return dc.LocalStore(resolved(self.path), resolved(self.prefix))

    def drop(self, folder: str = "") -> dc.LocalFolder:
        place = Path(resolved(self.path), resolved(self.prefix))
        # Others can put folders into the place; such a folder must not be a link to elsewhere.
        return dc.LocalFolder(place / folder, inside=place) if folder else dc.LocalFolder(place)

    def publish(self, path: str, data: bytes) -> str:
        return publish_in_folder(Path(resolved(self.path), resolved(self.prefix)), path, data)


def optional(text: str | None) -> str | None:
    """As `resolved`, for an optional value."""
    return None if text is None else resolved(text)


def resolved(text: str) -> str:
    """The text, or the value of an environment variable that Dagster has not looked up yet.

    Raises:
        InvalidInputError: the variable is not set.
    """
    if not isinstance(text, dg.EnvVar):
        return text
    value = text.get_value()
    if value is None:
        raise dc.InvalidInputError(f"The environment variable {text.env_var_name} is not set.")
    return value
