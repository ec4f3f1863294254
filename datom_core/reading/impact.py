"""What was derived from a version, through all generations and in all projects, and which sets hold it.

The search goes over the documents of all versions: a version names its parents, and nothing names its children.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any

from datom_core.common import Progress, names, veiled, watcher
from datom_core.credentials import CredentialSource
from datom_core.documents import Cuts, Rows, Version, rows
from datom_core.errors import DatomError, InvalidInputError
from datom_core.reading.log import READERS
from datom_core.reading.placement import registered_projects
from datom_core.reading.reader import ProjectReader
from datom_core.reading.states import StateLike
from datom_core.storage import ObjectStore

#: Documents that one search reads at most.
MOST_DOCUMENTS = 50_000
_REMEMBERED = 50_000

#: Project, name and version id.
Place = tuple[str, str, str]


@dataclass(frozen=True)
class Affected:
    """A version that was derived from the one in question, or a set that holds it or one that was.

    Attributes:
        project, name, kind, version: which one; ``kind`` is ``"table"`` or ``"set"``.
        generation: 1 for what was derived from the version itself.
        through: the version that it was derived from, or that the set holds, as ``project/name@version``.
        recorded_at: when it was recorded (ISO 8601, UTC).
        current: whether it is the current version.
        cuts: the cuts that stand for it now.
    """

    project: str
    name: str
    kind: str
    version: str
    generation: int
    through: str
    recorded_at: str | None
    current: bool
    cuts: tuple[str, ...]


@dataclass(frozen=True)
class Impact:
    """What came of a version.

    Attributes:
        project, table: whose version.
        versions: the version, and others of the same content.
        affected: everything that was derived from them, nearest first.
        projects: the projects that were looked at.
        unread: project, or version as ``project/name@version`` -> why it could not be looked at.
        complete: whether the search ended by itself, and not at its bound.
    """

    project: str
    table: str
    versions: tuple[str, ...]
    affected: Rows[Affected]
    projects: tuple[str, ...]
    unread: dict[str, str]
    complete: bool


class _Documents:
    """What versions were derived from, as they were read once: the document of a version never changes.

    One for the whole process; the oldest are forgotten.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[tuple[str, str], tuple[Place, ...]] = OrderedDict()

    def origins(self, reader: ProjectReader, name: str, entry: Version) -> tuple[Place, ...]:
        key = str(reader.location), names.snapshot(name, entry.version)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        found = _origins(reader, name, entry)
        with self._lock:
            self._known[key] = found
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found


_DOCUMENTS = _Documents()


def _origins(reader: ProjectReader, name: str, entry: Version) -> tuple[Place, ...]:
    """What a version was derived from; of a set, what it holds."""
    if entry.is_set:
        return tuple((m.project, m.name, m.version) for m in reader.set(name, entry.version))
    return tuple((p.source, p.table, p.version) for p in reader.parents(name, entry.version) or ())


def find_impact(
    reader: ProjectReader,
    table: str,
    state: StateLike | None = None,
    *,
    others: Iterable[ProjectReader] = (),
    governance: ObjectStore | None = None,
    near: ObjectStore | None = None,
    credentials: CredentialSource | None = None,
    most: int = MOST_DOCUMENTS,
    **options: Any,
) -> Impact:
    """Every version that was derived from a version, and every set that holds one of them.

    Versions of the same content count as one: whatever is wrong with one is wrong with all.

    Args:
        reader: of the table's project.
        table, state: which version, as for `ProjectReader.version_at`.
        others: readers of more projects to look at.
        governance: the register's storage: every project there is looked at.
        near, credentials, **options: as `ProjectReader.find`.
        most: documents that are read at most.

    Raises:
        NotFoundError, InvalidInputError: as `ProjectReader.version_at`.
    """
    credentials, options = veiled(credentials), veiled(options)
    if most < 1:
        raise InvalidInputError(f"most is how many documents to read, at least 1, not {most!r}.")
    entry = reader.version_at(table, state)
    roots = tuple(v.version for v in reader.history(table) if v.data_sha == entry.data_sha)
    readers, unread = {reader.project: reader, **{r.project: r for r in others}}, dict[str, str]()
    if governance is not None:
        for project in set(registered_projects(governance)) - readers.keys():
            try:
                readers[project] = ProjectReader.find(
                    project, governance=governance, near=near, credentials=credentials, **options
                )
            except DatomError as error:
                unread[project] = str(error).splitlines()[0]
    search = _Search(most, unread)
    for found in readers.values():
        try:
            search.look(found)
        except DatomError as error:
            unread[found.project] = str(error).splitlines()[0]
    affected = search.reached([(reader.project, table, version) for version in roots])
    looked = tuple(p for p in readers if p not in unread)
    return Impact(reader.project, table, roots, rows(affected), looked, unread, search.complete)


class _Search:
    """The versions of several projects, by what they were derived from.

    Args:
        most: documents that are read at most.
        unread: takes what could not be read, and why.
    """

    def __init__(self, most: int, unread: dict[str, str]) -> None:
        self.left = most
        self.complete = True
        self._unread = unread
        self._children: dict[Place, list[Place]] = {}
        self._entries: dict[Place, Version] = {}
        self._current: set[Place] = set()
        self._cuts: dict[str, Cuts] = {}

    def look(self, reader: ProjectReader) -> None:
        """Read what every version of a project was derived from."""
        listed, told = reader.list(), watcher()
        self._cuts[reader.project] = reader.cuts()
        for done, info in enumerate(listed, 1):
            told(Progress("histories", done, len(listed), 0, 0, info.name))
            history = list(reader.history(info.name))
            entries = history[: self.left]
            self.complete &= len(entries) == len(history)
            self.left -= len(entries)
            with ThreadPoolExecutor(READERS, thread_name_prefix="datom-impact") as pool:
                of_each = pool.map(partial(self._origins, reader, info.name), entries)
                for entry, origins in zip(entries, of_each, strict=True):
                    self._note((reader.project, info.name, entry.version), entry, origins, info.version)

    def _origins(self, reader: ProjectReader, name: str, entry: Version) -> tuple[Place, ...]:
        try:
            return _DOCUMENTS.origins(reader, name, entry)
        except DatomError as error:
            self._unread[f"{reader.project}/{name}@{entry.version[:8]}"] = str(error).splitlines()[0]
            return ()

    def _note(self, place: Place, entry: Version, origins: tuple[Place, ...], current: str | None) -> None:
        self._entries[place] = entry
        if entry.version == current:
            self._current.add(place)
        for origin in origins:
            self._children.setdefault(origin, []).append(place)

    def reached(self, roots: Iterable[Place]) -> Iterator[Affected]:
        """What was derived from the roots, generation by generation, each once."""
        level, seen, generation = list(roots), set(roots), 0
        while level:
            generation += 1
            below: dict[Place, Place] = {}
            for parent in level:
                for child in self._children.get(parent, ()):
                    if child not in seen:
                        below.setdefault(child, parent)
            for child in sorted(below):
                yield self._affected(child, below[child], generation)
            seen |= below.keys()
            level = sorted(below)

    def _affected(self, place: Place, through: Place, generation: int) -> Affected:
        project, name, version = place
        entry, (source, parent, of) = self._entries[place], through
        cuts = tuple(n for n, cut in self._cuts[project].items() if cut.get(name) == version)
        return Affected(
            project, name, "set" if entry.is_set else "table", version, generation, f"{source}/{parent}@{of[:8]}",
            entry.timestamp, place in self._current, cuts,
        )  # fmt: skip
