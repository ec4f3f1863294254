"""A store that fails on demand, for testing what code does when storage fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, get_args

from datom_core.documents import Buffer, Location
from datom_core.errors import InvalidInputError, StorageError
from datom_core.storage import ObjectInfo, ObjectStore, StoredObject

Operation = Literal["get", "head", "create", "replace", "list", "delete", "check"]

_CHANGES = frozenset({"create", "replace", "delete"})


@dataclass(frozen=True)
class StoreCall:
    """A call that a store received.

    Attributes:
        operation: the name of the method.
        key: the object, or the prefix of a listing; ``""`` if there is none.
        data: the bytes to be stored.
    """

    operation: Operation
    key: str
    data: Buffer = field(default=b"", repr=False)

    @property
    def changes(self) -> bool:
        """Whether the call changes what is stored."""
        return self.operation in _CHANGES


@dataclass
class _Failure:
    operation: str
    pattern: str
    left: int | None
    error: BaseException | None

    def meets(self, call: StoreCall) -> bool:
        return self.left != 0 and fnmatchcase(call.operation, self.operation) and fnmatchcase(call.key, self.pattern)


class FailingStore:
    """Does what another store does, and fails where a test tells it to. It can do no more than the protocol says.

    Args:
        inner: the store that does the work.
        before: called before each call reaches ``inner``. If it raises, its error takes the place of the call;
            whatever it does to ``inner`` happens just before the call.

    Attributes:
        inner: as given; a test can look at it, or change it behind the back of the code that it tests.
        calls: every call so far, including failed ones; without the bytes, which would stay in memory.
    """

    def __init__(self, inner: ObjectStore, before: Callable[[StoreCall], object] | None = None) -> None:
        self.inner = inner
        self.calls: list[StoreCall] = []
        self._before = before
        self._failures: list[_Failure] = []
        self._lock = threading.Lock()

    def fail(
        self,
        operation: Operation | Literal["*"] = "*",
        key: str = "*",
        *,
        times: int | None = 1,
        error: BaseException | None = None,
    ) -> None:
        """Make future calls fail before they do anything.

        Args:
            operation: which method; ``"*"`` is any.
            key: which keys, as a pattern with ``*``.
            times: how many calls; ``None`` is all until `heal`.
            error: the error to raise; by default a `StorageError`, as if a server could not be reached.

        Raises:
            InvalidInputError: there is no such operation, or the number of times is invalid.
        """
        problems = []
        if operation not in (*get_args(Operation), "*"):
            problems.append(f"operation is one of {', '.join(get_args(Operation))} or '*', not {operation!r}")
        if times is not None and times < 1:
            problems.append(f"times is at least 1, or None, not {times!r}")
        if problems:
            raise InvalidInputError(f"This cannot fail: {'; '.join(problems)}.")
        self._failures.append(_Failure(operation, key, times, error))

    def heal(self) -> None:
        """Undo every `fail`: the calls succeed again."""
        self._failures.clear()

    @property
    def location(self) -> Location:
        return self.inner.location

    def get(self, key: str) -> StoredObject:
        self._meet("get", key)
        return self.inner.get(key)

    def head(self, key: str) -> ObjectInfo | None:
        self._meet("head", key)
        return self.inner.head(key)

    def create(self, key: str, data: Buffer, metadata: Mapping[str, str] | None = None) -> bool:
        self._meet("create", key, data)
        return self.inner.create(key, data, metadata)

    def replace(self, key: str, data: Buffer, etag: str) -> str:
        self._meet("replace", key, data)
        return self.inner.replace(key, data, etag)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        self._meet("list", prefix)
        return self.inner.list(prefix)

    def delete(self, key: str) -> None:
        self._meet("delete", key)
        self.inner.delete(key)

    def check(self) -> None:
        self._meet("check", "")
        self.inner.check()

    def __repr__(self) -> str:
        return f"FailingStore({self.inner!r})"

    def _meet(self, operation: Operation, key: str, data: Buffer = b"") -> None:
        call = StoreCall(operation, key, data)
        with self._lock:  # a write makes calls from several threads
            self.calls.append(StoreCall(operation, key))
            failure = next((f for f in self._failures if f.meets(call)), None)
            if failure is not None and failure.left is not None:
                failure.left -= 1
        if failure is not None:
            raise failure.error or StorageError(
                f"{key or self.location} cannot be reached: a test said so. Try again.", key=key
            )
        if self._before is not None:
            self._before(call)
