"""What is known of a project's versions, before it is said in PROV, and from whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from datom_core.common import Moment
from datom_core.documents import Author, Cuts, Metadata, Rows, Version


class Entry(Protocol):
    """A time that a version became current, such as a `LogEntry`."""

    @property
    def recorded_at(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def author(self) -> Author: ...
    @property
    def message(self) -> str: ...
    @property
    def reinstated(self) -> bool: ...


class SignerLike(Protocol):
    """Who signed."""

    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def key(self) -> str: ...


class Signed(Protocol):
    """An approval of a cut, or a withdrawal."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def cut(self) -> str: ...
    @property
    def meaning(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def signer(self) -> SignerLike: ...
    @property
    def recorded_at(self) -> str: ...
    @property
    def versions(self) -> Mapping[str, str]: ...
    @property
    def withdraws(self) -> str | None: ...


@dataclass(frozen=True)
class Known:
    """What is known of a project's versions, for `describe`.

    Attributes:
        project: its name.
        log: by table, each time that a version became current, oldest first.
        entries: (table, version) -> its entry in the history.
        documents: (table, version) -> its document, of those whose parents are told.
        cuts: the project's cuts and review marks.
        approvals: its approvals and withdrawals.
    """

    project: str
    log: Mapping[str, Sequence[Entry]]
    entries: Mapping[tuple[str, str], Version]
    documents: Mapping[tuple[str, str], Metadata]
    cuts: Cuts
    approvals: Iterable[Signed] = ()


class State(Protocol):
    """The versions of a study at one moment, such as a `StudyState`."""

    @property
    def versions(self) -> Mapping[str, Version]: ...


class Project(Protocol):
    """What is known of a project, as `ProjectReader` reads it."""

    @property
    def project(self) -> str: ...
    def study_at(self, state: Moment | None = None) -> State: ...
    def version_at(self, table: str, state: Moment | None = None) -> Version: ...
    def log(self, table: str | None = None, state: Moment | Version | None = None) -> Sequence[Entry]: ...
    def history(self, table: str) -> Rows[Version]: ...
    def metadata(self, table: str, version: str | None = None) -> Metadata: ...
    def cuts(self) -> Cuts: ...
