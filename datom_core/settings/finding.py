"""Find the settings of a project: from what was asked for, from the environment, or from a file further up."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from datom_core.common import did_you_mean, is_name
from datom_core.errors import InvalidInputError, NotFoundError
from datom_core.settings.project_settings import ProjectSettings, RegisterSettings
from datom_core.settings.storage_settings import StorageSettings

#: Name of a settings file.
FILE_NAME = "datom.toml"
_PROJECT, _REGISTER = "DATOM_PROJECT", "DATOM_REGISTER"


def find_settings(
    project: str | None = None,
    *,
    register: str | None = None,
    folder: str | os.PathLike[str] = ".",
    environment: Mapping[str, str] | None = None,
) -> ProjectSettings:
    """Where a project is.

    Args:
        project: a settings file, a folder with one, ``s3://bucket/prefix``, a folder with the project's data, or a name
            in a register. By default what the variable ``DATOM_PROJECT`` says, or else the nearest ``datom.toml`` in
            ``folder`` or above it.
        register: a settings file with a ``[register]``, or the address of the register's storage; by default what
            ``DATOM_REGISTER`` says, or else the ``[register]`` of the nearest ``datom.toml``.
        folder: where to look from.
        environment: variables; by default those of the process.

    Raises:
        NotFoundError: nothing says where the project is, or what is said is not there.
        InvalidInputError: a file holds what does not belong there.
    """
    variables = os.environ if environment is None else environment
    asked = project if project is not None else variables.get(_PROJECT) or None
    place = register if register is not None else variables.get(_REGISTER) or None
    near = _nearest(Path(folder))
    if asked is None:
        if near is None:
            raise NotFoundError(
                f"Nothing says where the project is: there is no {FILE_NAME} in {Path(folder).resolve()} or above it, "
                f"and {_PROJECT} is not set. Name it (a folder, s3://bucket/prefix, or its name in a register)."
            )
        found = ProjectSettings.from_file(near)
        return found if place is None else found.with_changes(register=_register(place, Path(folder)))
    at = _named_place(asked, Path(folder))
    chosen = None if place is None else _register(place, Path(folder))
    if at is not None:
        return at if chosen is None else at.with_changes(register=chosen)
    if not is_name(asked):
        raise NotFoundError(f"There is no {asked!r}: it is no folder, no settings file, and no name of a project.")
    own = None if near is None else ProjectSettings.from_file(near)
    if chosen is None and own is not None and own.register is not None:
        return own.with_changes(project=asked, storage=None, remote=None)
    if chosen is None:
        hint = did_you_mean(asked, (p.name for p in Path(folder).iterdir()) if Path(folder).is_dir() else ())
        raise NotFoundError(
            f"There is no folder {asked!r}, and no register to look for a project of that name.{hint} Name the "
            f"register, or set {_REGISTER}."
        )
    return ProjectSettings(project=asked, register=chosen, folder=Path(folder).resolve())


def _named_place(asked: str, folder: Path) -> ProjectSettings | None:
    """The settings at a place, if ``asked`` is one."""
    if asked.startswith("s3://"):
        return ProjectSettings(storage=_bucket(asked))
    if "://" in asked:
        raise InvalidInputError(
            "A project's place is a folder or s3://bucket/prefix; its git repository is its remote."
        )
    path = folder / Path(asked).expanduser()
    if path.is_file():
        return ProjectSettings.from_file(path)
    if (path / FILE_NAME).is_file():
        return ProjectSettings.from_file(path / FILE_NAME)
    return ProjectSettings(storage=StorageSettings(path=str(path.resolve()))) if path.is_dir() else None


def _register(place: str, folder: Path) -> RegisterSettings:
    path = folder / Path(place).expanduser()
    file = path if path.is_file() else path / FILE_NAME
    if not place.startswith("s3://") and file.is_file():
        found = ProjectSettings.from_file(file).register
        if found is None:
            raise InvalidInputError(f"{file} names no register: it has no table [register].")
        return found
    return RegisterSettings(_bucket(place) if place.startswith("s3://") else StorageSettings(path=str(path.resolve())))


def _bucket(address: str) -> StorageSettings:
    """A bucket with what AWS finds on this machine, as every tool of AWS does that is given such an address."""
    return StorageSettings.at(address, ambient=True, endpoint_url=os.environ.get("AWS_ENDPOINT_URL") or None)


def _nearest(folder: Path) -> Path | None:
    here = folder.resolve()
    return next((f for p in (here, *here.parents) if (f := p / FILE_NAME).is_file()), None)
