"""Where a study's extract files arrive, for the assets that read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath

import datom_core as dc
from datom_dagster.resources.storage_resource import DatomStorage


@dc.fitting
@dataclass(frozen=True, kw_only=True)
class ExtractDrop:
    """A place where extract files arrive, each named after its table; an ``extract`` for `datom_assets`.

    Attributes:
        place: `LocalStorage` or `S3Storage`; its prefix is where the files lie.
        by_cut: whether each cut has its own folder, named after it; else all files lie together.
        pattern: which files, for example ``"*.xpt"``.
        schema: per table, as for `datom_core.read_extract`.
        r_compat, encoding, separator: as for `datom_core.read_extract`.
        manifest: name of a file that lists the drop; nothing is read until everything it lists is there.
        quiet: nothing is read until no file has changed for this many seconds.
        source_system: where the files come from, as in ``"Rave"``; recorded with each version.

    Raises:
        InvalidInputError: an argument that can never work.
    """

    place: DatomStorage
    by_cut: bool = False
    pattern: str = "*"
    schema: Mapping[str, dc.SchemaLike] = field(default_factory=dict)
    r_compat: bool = False
    encoding: str | None = None
    separator: str | None = None
    manifest: str | None = None
    quiet: float | None = None
    source_system: str | None = None

    def __post_init__(self) -> None:
        self._reader(".")  # only checks the arguments
        given: object = self.source_system
        if given is not None and (not isinstance(given, str) or not given.strip() or not given.isprintable()):
            raise dc.InvalidInputError(f"source_system is the name of a system, as in 'Rave', not {given!r}.")

    def __call__(self, table: str, cut: str | None) -> dc.Extract:
        """What a table's file holds; it is in the cut's folder, if each cut has one.

        Raises:
            ConflictError: the drop is not complete, or the file changed while it was read. Try again.
            NotFoundError: there is no such folder, or no file for the table.
            InvalidInputError: several files for the table, or one that cannot be read; says why.
        """
        reader = self.reader(cut)
        drop = reader.inspect()
        where = reader.source.location
        if drop.waiting:
            raise dc.ConflictError(f"{where} is not complete: {'; '.join(drop.waiting)}. Try again when it is.")
        for name, why in drop.refused.items():
            if PurePath(name).stem.lower() == table.lower():
                raise dc.InvalidInputError(f"{where}: {name} is {why}.", table=table)
        found = [f for f in drop.files if table_of_file(f) == table.lower() and reader.supports(f)]
        if not found:
            there = ", ".join(f.name for f in drop.files) or "none"
            raise dc.NotFoundError(f"{where} has no file for {table}; there are: {there}.", table=table)
        if len(found) > 1:
            names = ", ".join(f.name for f in found)
            raise dc.InvalidInputError(f"{where} has several files for {table}: {names}. Deliver one.", table=table)
        extract = reader.read(found[0], table)
        system = self.source_system
        return extract if system is None else replace(extract, source=dc.SourceSystem(system))

    def reader(self, cut: str | None) -> dc.DropReader:
        """A reader of all files, or of one cut's.

        Raises:
            InvalidInputError: each cut has its own folder, and no cut is given, or its name cannot be a folder's.
        """
        if not self.by_cut:
            return self._reader(self.place.drop())
        if cut is None:
            raise dc.InvalidInputError("Each cut has a folder of its own here, and this asset has no partitions.")
        return self._reader(self.place.drop(dc.check_cut_name(cut)))

    def folders(self) -> tuple[list[str], Mapping[str, str]]:
        """The names of the folders that exist, including those of cuts; and what is refused, with the reason.

        Raises:
            NotFoundError: the place does not exist.
        """
        found = self.place.drop().list()
        return [name.rstrip("/") for name in found.others if name.endswith("/")], found.refused

    def _reader(self, source: str | dc.ExtractSource) -> dc.DropReader:
        return dc.DropReader(
            source,
            self.pattern,
            schema=self.schema,
            r_compat=self.r_compat,
            encoding=self.encoding,
            separator=self.separator,
            manifest=self.manifest,
            quiet=self.quiet,
        )


def table_of_file(file: dc.ExtractFile) -> str:
    """The table that a file is for; ``DM.XPT`` is for ``dm``."""
    return file.table.lower()
