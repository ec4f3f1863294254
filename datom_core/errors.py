"""The one tree of errors. Classes are grouped by what a caller can do about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal


class DatomError(Exception):
    """Base of everything that this package raises on purpose.

    The message says what happened, with values, and what to do next. The same values are in
    ``details`` and can be read as attributes (``error.table``). No secret is ever among them.
    """

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.details: Mapping[str, object] = details

    def __getattr__(self, name: str) -> Any:
        if name != "details" and name in self.details:
            return self.details[name]
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, dict(self.details))


def _rebuild(cls: type[DatomError], args: tuple[Any, ...], details: dict[str, object]) -> DatomError:
    """Pickling support: errors cross process boundaries with their details."""
    error = cls.__new__(cls)
    Exception.__init__(error, *args)
    error.details = details
    return error


class InvalidInputError(DatomError, ValueError):
    """An argument must be fixed by the caller; nothing has been touched."""


@dataclass(frozen=True)
class ColumnReport:
    """What the hash makes of one column.

    Attributes:
        column: name of the column.
        type: its type, as Arrow or pandas names it.
        status: ``"ok"`` or ``"unsupported"``.
        recourse: what to do about an unsupported column, else ``None``.
    """

    column: str
    type: str
    status: Literal["ok", "unsupported"] = "ok"
    recourse: str | None = None

    @property
    def ok(self) -> bool:
        return self.status == "ok"


class UnsupportedColumnsError(InvalidInputError):
    """Some columns have no content hash. ``reports`` names every one of them, with advice."""

    def __init__(self, reports: Sequence[ColumnReport], *, what: str = "the table") -> None:
        lines = [f"  - {r.column!r} ({r.type}): {r.recourse}" for r in reports]
        noun = "column is" if len(reports) == 1 else "columns are"
        message = f"{len(reports)} {noun} not accepted in {what}:\n" + "\n".join(lines)
        super().__init__(message, reports=tuple(reports), columns=tuple(r.column for r in reports))


class NotFoundError(DatomError, LookupError):
    """A project, table, version, cut or object is not there."""


class AlreadyExistsError(DatomError):
    """A namespace, repository, or registration is taken."""


class AccessDeniedError(DatomError):
    """Credentials or permissions do not suffice; names the action and the resource."""


class ConflictError(DatomError):
    """The project or its location moved while this call was under way: try again."""


class StorageError(DatomError):
    """A store, a git remote or a service failed: try again."""


class IntegrityError(DatomError):
    """Bytes do not match their recorded hash: stop and do not trust them."""


class DivergedError(IntegrityError):
    """Storage shows another history than the branch that was going to be projected; nothing was written.

    ``lost`` are the versions that storage shows and the branch does not have. Trying again does not help: bring them
    back, or accept the branch as it is.
    """


class MissingPackageError(DatomError, ImportError):
    """Something needs a package that only an extra installs; names the extra."""


class GovernanceWarning(UserWarning):
    """A project is registered, and was reached without its register, which may know another place for it."""


class HoldWarning(UserWarning):
    """A cut was approved, and what it stands for could not be put under legal hold."""


class UnprovenWarning(UserWarning):
    """A version was read by its full id, and nothing in storage proves that it is that version: R left it open."""


class FormatError(DatomError):
    """A document that this release cannot read, or may not rewrite."""
