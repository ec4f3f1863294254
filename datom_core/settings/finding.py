"""Find the settings of a project: from what was asked for, from the environment, or from a file further up."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from datom_core.common import did_you_mean, is_name
from datom_core.errors import InvalidInputError, NotFoundError
from datom_core.settings.project_settings import ProjectSettings
from datom_core.settings.register_settings import RegisterSettings
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
    variables, here = os.environ if environment is None else environment, Path(folder).resolve()
    asked = _said(project, variables, _PROJECT)
    chosen = _asked_register(register, here, variables)
    at = None if asked is None else _named_place(asked, here, variables)
    if at is not None:
        return at if chosen is None else at.with_changes(register=chosen)
    own = _nearest(here)
    if asked is None:
        if own is None:
            raise NotFoundError(
                f"Nothing says where the project is: there is no {FILE_NAME} in {here} or above it, "
                f"and {_PROJECT} is not set. Name it (a folder, s3://bucket/prefix, or its name in a register)."
            )
        return own if chosen is None else own.with_changes(register=chosen)
    if own is not None and own.project == asked:
        return own if chosen is None else own.with_changes(register=chosen)
    if not is_name(asked):
        raise NotFoundError(f"There is no {asked!r}: it is no folder, no settings file, and no name of a project.")
    known = chosen or (own.register if own is not None else None)
    if known is None:
        hint = did_you_mean(asked, _neighbours(here))
        raise NotFoundError(
            f"There is no folder {asked!r}, and no register to look for a project of that name.{hint} Name the "
            f"register, or set {_REGISTER}."
        )
    return ProjectSettings(project=asked, register=known, folder=here)


def find_register(
    register: str | None = None,
    *,
    project: str | None = None,
    folder: str | os.PathLike[str] = ".",
    environment: Mapping[str, str] | None = None,
) -> RegisterSettings:
    """Where an organization's register is; arguments as `find_settings`.

    Raises:
        NotFoundError: nothing says where the register is, or what is said is not there.
        InvalidInputError: a file holds what does not belong there.
    """
    variables, here = os.environ if environment is None else environment, Path(folder).resolve()
    chosen = _asked_register(register, here, variables)
    if chosen is not None:
        return chosen
    asked = _said(project, variables, _PROJECT)
    place = None if asked is None else _named_place(asked, here, variables)
    settings = place if place is not None and place.register is not None else _nearest(here)
    if settings is not None and settings.register is not None:
        return settings.register
    raise NotFoundError(
        f"Nothing says where the register is: no [register] in a {FILE_NAME} here or above, and {_REGISTER} is not "
        "set. Name it (a folder, s3://bucket/prefix, or a settings file with a [register])."
    )


def _said(given: str | None, variables: Mapping[str, str], name: str) -> str | None:
    """What was asked for; an empty variable says nothing, an empty argument is a mistake."""
    if given is not None and not given.strip():
        raise InvalidInputError("What is asked for is empty. Name a folder, s3://bucket/prefix, or a name.")
    return given if given is not None else variables.get(name) or None


def _named_place(asked: str, here: Path, variables: Mapping[str, str]) -> ProjectSettings | None:
    """The settings at a place, if ``asked`` is one."""
    if asked.startswith("s3://"):
        return ProjectSettings(storage=_bucket(asked, variables))
    if "://" in asked:
        raise InvalidInputError(
            "A project's place is a folder or s3://bucket/prefix; its git repository is its remote."
        )
    path = Path(here, os.path.expanduser(asked))
    for file in (path, path / FILE_NAME):
        if os.path.isfile(file):
            return ProjectSettings.from_file(file)
    return ProjectSettings(storage=StorageSettings(path=asked), folder=here) if os.path.isdir(path) else None


def _asked_register(given: str | None, here: Path, variables: Mapping[str, str]) -> RegisterSettings | None:
    place = _said(given, variables, _REGISTER)
    if place is None:
        return None
    if place.startswith("s3://"):
        return RegisterSettings(_bucket(place, variables))
    path = Path(here, os.path.expanduser(place))
    file = path if os.path.isfile(path) else path / FILE_NAME
    if os.path.isfile(file):
        found = ProjectSettings.from_file(file).register
        if found is None:
            raise InvalidInputError(f"{file} names no register: it has no table [register].")
        return found
    return RegisterSettings(StorageSettings.at(place), folder=here)


def _bucket(address: str, variables: Mapping[str, str]) -> StorageSettings:
    """A bucket with what AWS finds on this machine, as every tool of AWS does that is given such an address."""
    endpoint = variables.get("AWS_ENDPOINT_URL_S3") or variables.get("AWS_ENDPOINT_URL") or None
    region = variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION") or None
    found = StorageSettings.at(address, ambient=True, endpoint_url=endpoint)
    return found if region is None else replace(found, region=region)


def _nearest(folder: Path) -> ProjectSettings | None:
    """What the nearest settings file says, in the folder or above it."""
    file = next((f for p in (folder, *folder.parents) if os.path.isfile(f := p / FILE_NAME)), None)
    return None if file is None else ProjectSettings.from_file(file)


def _neighbours(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
