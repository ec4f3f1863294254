"""The version behind what Dagster recorded of an asset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import datom_core as dc
from datom_dagster.events import VERSION, Recorded

_DATA_SHA_LENGTH = 64


def recorded_version(reader: dc.ProjectReader, name: str, recorded: Recorded | None, log: Any) -> dc.Version:
    """The version of a table or set that Dagster recorded; if it recorded none, the current version.

    Args:
        reader: of the project that has it.
        name: of the table or set.
        recorded: what Dagster knew of its asset when the step started.
        log: the step's.

    Raises:
        NotFoundError: the recorded version is not in the project.
        ConflictError: the recorded content is not in the project, or not yet.
    """
    resolve = _resolver(reader, name)
    if recorded is not None and recorded.version is not None:
        try:
            return resolve(recorded.version)
        except dc.NotFoundError as error:
            raise dc.NotFoundError(
                f"Dagster's record of {name} names the version {recorded.version[:8]}, which the project "
                f"{reader.project} does not have. Materialize {name} again, or ask for a version with the input's "
                f"metadata {VERSION!r}.",
                table=name,
                version=recorded.version,
            ) from error
    current = resolve(None)
    if recorded is None or recorded.data_version in (None, current.data_sha):
        return current
    # The event is not ours, as for an outside write that was only reported: its data version is the content hash, or
    # the version itself.
    told = recorded.data_version
    found = next((v for v in reader.history(name) if told in (v.data_sha, v.version)), None)
    if found is not None:
        return found
    said = f"Dagster's record of {name} has the data version {str(recorded.data_version)[:12]}, which no version"
    if not recorded.computed and len(str(recorded.data_version)) == _DATA_SHA_LENGTH:
        raise dc.ConflictError(f"{said} in storage has, or not yet. Materialize {name} again.", table=name)
    log.warning(f"{said} of the table has; loading the current version {current.version[:8]}.")
    return current


def _resolver(reader: dc.ProjectReader, name: str) -> Callable[[str | None], dc.Version]:
    if reader.metadata(name).kind != "set":
        return lambda version: reader.resolve(name, version)

    def of_set(version: str | None) -> dc.Version:
        found = reader.set(name, version).version
        return next(v for v in reader.history(name) if v.version == found)

    return of_set
