"""Who asked for a version, which machine and program wrote it, in which run, from which file, and why.

A part of a history's entry, of a cut's recording and of a review mark's move (docs/format.md, "Provenance"). It says
nothing about the data: it is no part of a version's id, and what cannot be read of it makes nothing else unreadable.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from datom_core.common import fitting, is_sha, without_logins
from datom_core.documents.author import Author, read_author

#: Characters of a fact that are kept.
LONGEST = 1000


@fitting
@dataclass(frozen=True)
class Machine:
    """Which machine wrote, and as whom.

    Attributes:
        name, email: the identity of its git configuration, which is the committer.
        host: its name.
        user: the user of its operating system.
    """

    name: str
    email: str
    host: str | None = None
    user: str | None = None

    @property
    def identity(self) -> Author:
        """As the committer of git."""
        return Author(self.name, self.email)

    def __str__(self) -> str:
        at = f"{self.user or ''}@{self.host}" if self.host else self.user or ""
        return f"{self.identity}" + (f" ({at})" if at else "")


@fitting
@dataclass(frozen=True)
class Run:
    """The run of a pipeline that wrote.

    Attributes:
        id, job, asset, partition: which one, and for what.
        code_version: of the asset, as its author declared it.
        pipeline_commit: the git commit of the pipeline's code.
    """

    id: str | None = None
    job: str | None = None
    asset: str | None = None
    partition: str | None = None
    code_version: str | None = None
    pipeline_commit: str | None = None

    def __str__(self) -> str:
        commit = f"code {self.pipeline_commit[:12]}" if self.pipeline_commit else None
        told = (self.id, self.job, self.asset, self.partition, self.code_version, commit)
        return ", ".join(text for text in told if text)


@fitting
@dataclass(frozen=True)
class SourceFile:
    """The file that a table was imported from.

    Attributes:
        name: without its folder.
        size_bytes: how long it was.
        modified_at: when it was last written (ISO 8601, UTC), as its place says.
        sha256: of its bytes.
    """

    name: str | None = None
    size_bytes: int | None = None
    modified_at: str | None = None
    sha256: str | None = None

    def __str__(self) -> str:
        size = None if self.size_bytes is None else f"{self.size_bytes:,} bytes"
        sha = self.sha256 and f"SHA-256 {self.sha256}"
        return ", ".join(text for text in (self.name, size, self.modified_at, sha) if text)


@fitting
@dataclass(frozen=True)
class SourceSystem:
    """Where the data came from.

    Attributes:
        name: of the system.
        extracted_at: when it was taken from there (ISO 8601, UTC).
    """

    name: str | None = None
    extracted_at: str | None = None

    def __str__(self) -> str:
        return ", ".join(text for text in (self.name, self.extracted_at) if text)


@fitting
@dataclass(frozen=True)
class Provenance:
    """Who asked for a version, who wrote it, from where, and why. What is unknown is ``None``.

    To a write, give ``asked_by``, ``tool``, ``run``, ``source`` and ``reason``; the others it finds out by itself.

    Attributes:
        asked_by: the person who asked, where one was named.
        written_by: the machine that wrote.
        tool: the program that wrote, with its version, and what called it.
        run: the run of a pipeline.
        file: the file that the table was imported from.
        source: the system that the data was taken from.
        reason: why, where it is not what the message says.
    """

    asked_by: Author | None = None
    written_by: Machine | None = None
    tool: str = ""
    run: Run | None = None
    file: SourceFile | None = None
    source: SourceSystem | None = None
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As documents hold it, without what is unknown."""
        found = {
            "asked_by": None if self.asked_by is None else self.asked_by.to_json(),
            "written_by": _object(self.written_by),
            "tool": self.tool,
            "run": _object(self.run),
            "file": _object(self.file),
            "source": _object(self.source),
            "reason": self.reason,
        }
        return {key: value for key, value in found.items() if value}

    def facts(self) -> dict[str, str]:
        """What is known, by what it is, each on one line."""
        found = {
            "asked by": self.asked_by,
            "written by": self.written_by,
            "with": self.tool,
            "run": self.run,
            "file": self.file,
            "source": self.source,
            "reason": self.reason,
        }
        return {what: " ".join(str(value).split()) for what, value in found.items() if value and str(value)}

    def __str__(self) -> str:
        return "; ".join(f"{what} {value}" for what, value in self.facts().items())


def _object(part: Machine | Run | SourceFile | SourceSystem | None) -> dict[str, Any]:
    return {} if part is None else {key: value for key, value in vars(part).items() if value is not None}


def read_provenance(raw: Any) -> Provenance | None:
    """What a document tells; ``None`` where it tells nothing that can be read.

    A part of another form than it should have is read as unknown: other releases write such parts, and people do.
    """
    if type(raw) is not dict:
        return None
    told = raw.get
    found = (
        _author(told("asked_by")),
        _machine(told("written_by")),
        _text(told("tool")) or "",
        _run(told("run")),
        _file(told("file")),
        _source(told("source")),
        _text(told("reason")),
    )
    return Provenance(*found) if any(found) else None


def _text(value: Any) -> str | None:
    return value if type(value) is str and value else None


def _author(raw: Any) -> Author | None:
    return read_author(raw) if type(raw) is dict and _text(raw.get("name")) else None


def _machine(raw: Any) -> Machine | None:
    if type(raw) is not dict:
        return None
    told = raw.get
    return _same_machine(_text(told("name")), _text(told("email")), _text(told("host")), _text(told("user")))


@lru_cache(maxsize=64)
def _same_machine(name: str | None, email: str | None, host: str | None, user: str | None) -> Machine | None:
    return Machine(name or "unknown", email or "", host, user) if name or host or user else None


def _run(raw: Any) -> Run | None:
    if type(raw) is not dict:
        return None
    found = tuple([_text(raw.get(key)) for key in _OF_RUN])
    return Run(*found) if any(found) else None


_OF_RUN = tuple(Run.__dataclass_fields__)


def _file(raw: Any) -> SourceFile | None:
    if type(raw) is not dict:
        return None
    size, sha = raw.get("size_bytes"), raw.get("sha256")
    found = SourceFile(
        _text(raw.get("name")),
        size if type(size) is int and size >= 0 else None,
        _text(raw.get("modified_at")),
        sha if is_sha(sha) else None,
    )
    return None if found == SourceFile() else found


def _source(raw: Any) -> SourceSystem | None:
    if type(raw) is not dict:
        return None
    found = (_text(raw.get("name")), _text(raw.get("extracted_at")))
    return SourceSystem(*found) if any(found) else None


def fact(found: object, longest: int = LONGEST) -> str | None:
    """What a program found out by itself, on one line: a strange name must not fail the write that records it.

    A character that cannot be printed becomes U+FFFD, and what logs in by a URL is left out.
    """
    if not isinstance(found, str):
        return None
    # Before anything is looked for in it: a line break must not hide where a URL ends.
    text = found if found.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in found)
    return without_logins(text).strip()[:longest] or None
