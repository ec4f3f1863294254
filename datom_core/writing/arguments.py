"""Check a caller's arguments before anything is touched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from datom_core.common import names
from datom_core.documents import Author, Declared, Provenance, check_names_no_approval, check_parents, clean_custom
from datom_core.errors import InvalidInputError
from datom_core.extracts import Extract
from datom_core.git import default_author
from datom_core.planning import TableWrite
from datom_core.tables import LARGE, ContentHash, Encoding, normalised
from datom_core.version import WRITER
from datom_core.writing.given_provenance import checked_provenance, checked_source
from datom_core.writing.prefetch import WritePrefetch
from datom_core.writing.requests import Intent, Job, Standing

_MAX_MESSAGE = 10_000
_LONGEST_NAME = 255
_TRAILER_KEY = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_AUTHOR = re.compile(r"\s*(?P<name>[^<>]*[^<>\s])\s*<(?P<email>[^<>\s]*)>\s*")


def check_message(message: object, default: str) -> str:
    """The message, or ``default`` when none is given.

    Raises:
        InvalidInputError: it is empty, or is not text.
    """
    if message is None:
        return default
    if not isinstance(message, str):
        raise InvalidInputError(f"The message must be text, not {type(message).__name__}.")
    if len(message) > _MAX_MESSAGE:
        raise InvalidInputError(
            f"The message has {len(message)} characters; at most {_MAX_MESSAGE} are kept. Say the rest elsewhere."
        )
    if not message.strip():
        raise InvalidInputError("The message is empty. Say why the data changed, or leave it out for a default.")
    if "\0" in message or not names.is_text(message):
        raise InvalidInputError("The message holds a NUL character or a lone surrogate, which git cannot keep.")
    check_names_no_approval(message)
    return message


def check_author(author: Author | str) -> Author:
    """The author; text has the form ``Name <email>``.

    Raises:
        InvalidInputError: it has another form, or characters that git cannot keep.
    """
    if isinstance(author, str):
        match = _AUTHOR.fullmatch(author)
        if match is None:
            raise InvalidInputError(f'The author must look like "Ada Lovelace <ada@example.org>"; got {author[:80]!r}.')
        author = Author(match["name"], match["email"])
    if not isinstance(author, Author):
        raise InvalidInputError(f"The author must be text or an Author, not {type(author).__name__}.")
    parts: tuple[object, ...] = (author.name, author.email)
    if not all(isinstance(part, str) for part in parts):
        raise InvalidInputError("The author's name and email must be text.")
    for part in (author.name, author.email):
        if any(c in "<>\0\n\r" for c in part) or not names.is_text(part):
            raise InvalidInputError(f"{part[:80]!r} cannot be part of an author: no angle brackets or line breaks.")
        if len(part) > _LONGEST_NAME:
            raise InvalidInputError(
                f"{part[:80]!r}... has {len(part):,} characters; of an author, at most {_LONGEST_NAME} are kept."
            )
    if not author.name.strip():
        raise InvalidInputError("The author needs a name.")
    return author


def author_or_default(author: Author | str | None) -> Author:
    """As `check_author`; without one, the author of the git configuration."""
    return default_author() if author is None else check_author(author)


def utc_now() -> datetime:
    """The current time, unless a caller brings a clock."""
    return datetime.now(UTC)


def check_trailers(trailers: Mapping[str, str] | None) -> dict[str, str]:
    """Check git trailers, one line each.

    Raises:
        InvalidInputError: a key is bad, or a value has several lines; names every such trailer.
    """
    given: object = trailers or {}
    if not isinstance(given, Mapping):
        raise InvalidInputError(f"Trailers are a mapping of keys to values, not {type(given).__name__}.")
    checked = {str(k): str(v) for k, v in given.items()}
    bad = [k for k, v in checked.items() if not _TRAILER_KEY.fullmatch(k) or not v.isprintable() or not v.strip()]
    if bad:
        raise InvalidInputError(f"Trailers need a key of letters, digits and hyphens, and one line of text: {bad}.")
    check_names_no_approval("\n".join(f"{key}:" for key in checked))
    return checked


@dataclass(frozen=True)
class Purpose:
    """Why and by whom, as the caller said it, once checked; each commit made for it has an `Intent`.

    Attributes:
        message: why, if the caller said it.
        author: who.
        trailers: git trailers, for the commit only.
        provenance: who asked and who writes, for the documents.
    """

    message: str | None
    author: Author
    trailers: Mapping[str, str]
    provenance: Provenance

    @classmethod
    def asked(
        cls,
        message: object,
        author: Author | str | None,
        trailers: Mapping[str, str] | None,
        provenance: object,
        *,
        standing: Standing,
    ) -> Purpose:
        """Build it from a caller's arguments; ``standing`` says who writes when nobody is named.

        Raises:
            InvalidInputError: git or the documents cannot keep one of them, or two of them name different people.
        """
        given = checked_provenance(provenance, utc_now())
        named = None if author is None else check_author(author)
        asked = None if given.asked_by is None else check_author(given.asked_by)
        if named is not None and asked is not None and named != asked:
            raise InvalidInputError(f"The author is {named}, and the provenance says that {asked} asked. Name one.")
        asked = asked or named or (standing.author if standing.named else None)
        told = replace(
            given,
            asked_by=asked,
            written_by=standing.machine,
            tool=f"{WRITER} ({given.tool})" if given.tool else WRITER,
        )
        who = asked or standing.author
        return cls(None if message is None else check_message(message, ""), who, check_trailers(trailers), told)

    def intent(self, default: str, cut: str | None = None) -> Intent:
        """For one commit; ``default`` is the message if the caller gave none.

        Raises:
            InvalidInputError: the name of the cut is not valid.
        """
        name = None if cut is None else names.check_cut_name(cut)
        message = default if self.message is None else self.message
        return Intent(message, self.author, self.trailers, self.provenance, name)


def check_versions(versions: Mapping[str, str | None] | Iterable[str]) -> dict[str, str | None]:
    """Versions by table; a name alone means the current version.

    Raises:
        InvalidInputError: neither a mapping nor names, or empty.
    """
    given: object = versions
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidInputError("Give the names of tables, or a mapping from table to version.")
    asked: dict[str, str | None] = dict(given) if isinstance(given, Mapping) else dict.fromkeys(given)
    if not asked:
        raise InvalidInputError("Name at least one table.")
    for table, version in asked.items():
        names.check_name(table)
        if version is not None:
            names.check_version(version)
    return asked


def table_job(
    table: object,
    frame: object,
    prefetch: WritePrefetch,
    *,
    parents: Iterable[object] | None = None,
    custom: Mapping[str, Any] | None = None,
    table_type: str = "derived",
    at_once: bool = True,
) -> Job:
    """A table to write, hashed, with everything declared about it.

    An `Extract` is imported from its file. With ``at_once``, a large table that is certain to be new is encoded while
    it is hashed.

    Raises:
        InvalidInputError: a bad name, a frame without rows, columns without a hash, duplicate or empty
            column names, incomplete parents, or custom metadata that cannot be kept.
    """
    name = names.check_new_name(table)
    if table_type not in ("derived", "imported"):
        raise InvalidInputError(f"table_type is 'derived' or 'imported', not {table_type!r}.")
    origin = frame.origin if isinstance(frame, Extract) else None
    file, source = None, None
    if isinstance(frame, Extract):
        file, source = frame.source_file(), checked_source(frame.source, utc_now())
        frame, table_type = frame.data, "imported"
    declared = Declared(check_parents(parents), clean_custom(custom), table_type, origin)
    if table_type == "imported" and declared.parents:
        raise InvalidInputError(f"{name}: an imported table is a source of lineage and has no parents.", table=name)
    data = normalised(frame, what=name)
    columns = data.table.column_names
    problems = [f"{c!r} occurs {columns.count(c)} times" for c in dict.fromkeys(columns) if columns.count(c) > 1]
    problems += ["a column has an empty name"] if "" in columns else []
    if problems:
        raise InvalidInputError(f"{name}: {'; '.join(problems)}. Rename the columns.", table=name)
    encoding = Encoding(data.table, prefetch.compression)
    if at_once and data.table.nbytes > LARGE:
        encoding.begin(lambda: prefetch.is_new(name, data.table))
    content = ContentHash(data, prefetch.memo)
    write = TableWrite(name, content.sha, data.table.num_rows, tuple(columns), declared, file, source)
    return Job(write, encoding, content)


def _shown(given: object) -> str:
    return "an empty one" if isinstance(given, Mapping) else type(given).__name__


def table_jobs(
    tables: Mapping[str, object],
    parents: Mapping[str, Iterable[object]] | None,
    custom: Mapping[str, Mapping[str, Any]] | None,
    table_type: str,
    prefetch: WritePrefetch,
    *,
    at_once: bool = True,
) -> list[Job]:
    """As `table_job`, for tables that are written together.

    Raises:
        InvalidInputError: also, there is no table at all, or parents or custom metadata name other tables.
    """
    given: object = tables
    if not isinstance(given, Mapping) or not given:
        raise InvalidInputError(
            f'Give a mapping of at least one table name to its frame, as in {{"dm": dm}}, not {_shown(given)}.'
        )
    for name, per_table in (("parents", parents), ("custom", custom)):
        if not isinstance(per_table, Mapping | None):
            raise InvalidInputError(
                f'{name} is a mapping from table, as in {name}={{"dm": ...}}, not {_shown(per_table)}.'
            )
    parents, custom = parents or {}, custom or {}
    unknown = sorted({*parents, *custom} - set(tables))
    if unknown:
        raise InvalidInputError(f"parents or custom name tables that are not to be written: {unknown}.")
    return [
        table_job(
            table,
            frame,
            prefetch,
            parents=parents.get(table),
            custom=custom.get(table),
            table_type=table_type,
            at_once=at_once,
        )
        for table, frame in tables.items()
    ]
