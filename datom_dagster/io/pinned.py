"""The version of a table that a set lists, wherever the set and the table are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import datom_core as dc
from datom_dagster.io.version_choice import VersionChoice


@dataclass(frozen=True)
class Places:
    """Where sets and tables are read.

    Attributes:
        own: a reader of the input's project.
        find: opens a reader of another project by its name.
        sets: opens a reader of the project that has the sets, if that is another.
    """

    own: dc.ProjectReader
    find: Callable[[str], dc.ProjectReader]
    sets: Callable[[], dc.ProjectReader] | None = None

    def of(self, project: str | None) -> dc.ProjectReader:
        """A reader of the project; by default of the one that has the sets."""
        if project == self.own.project or (project is None and self.sets is None):
            return self.own
        if self.sets is not None:
            found = self.sets()
            if project in (None, found.project):
                return found
        return self.find(str(project))


@dataclass(frozen=True)
class Pinned:
    """A version that a set lists.

    Attributes:
        reader: of its project.
        table: its name there.
        version: its entry of the history.
        of: the set, in the version that lists it.
    """

    reader: dc.ProjectReader
    table: str
    version: dc.Version
    of: dc.VersionSet


def pinned(places: Places, table: str, asked: VersionChoice, partition: str | None) -> Pinned:
    """The version of a table that the set lists.

    Args:
        places: where to read.
        table: the input's table.
        asked: which set; without a version of it, that of the partition's cut, else the current one.
        partition: the input's cut, if it has one.

    Raises:
        NotFoundError: there is no such set or version of it, or it does not hold the table.
        InvalidInputError: it holds several versions of the table.
    """
    assert asked.set is not None
    reader = places.of(asked.set.project)
    cut = asked.cut if asked.cut is not None else partition
    if asked.set.version is not None or asked.as_of is not None or cut is None:
        made = reader.set(asked.set.name, asked.set.version, as_of=asked.as_of)
    else:
        made = reader.set(asked.set.name, tags={"cut": cut})
    here = made.matching(table, project=places.own.project)
    member = made.find(table, project=places.own.project if here else None)
    if member.kind == "set":
        raise dc.InvalidInputError(f"{member} is a set, and an input loads a table.", member=str(member))
    of = reader if member.project == reader.project else places.of(member.project)
    return Pinned(of, member.name, of.resolve(member.name, member.version), made)
