"""Whether a bucket is suitable for a project, as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from datom_core.documents import Rows, rows
from datom_core.errors import AccessDeniedError, DatomError, NotFoundError
from datom_core.storage.s3.errors import code_of, translated

_NOT_SET = frozenset({"ServerSideEncryptionConfigurationNotFoundError", "ObjectLockConfigurationNotFoundError"})


#: Last part of the key of the object that tells what the server does.
PROBE = ".datom-probe"


class Bucket(Protocol):
    """What is examined: an `S3Store`, which cannot be imported here because it imports this module."""

    @property
    def bucket(self) -> str: ...

    @property
    def client(self) -> Any: ...

    def check(self) -> None: ...

    def list(self, prefix: str = "") -> Iterator[Any]: ...

    def get(self, key: str) -> Any: ...

    def heeds_conditions(self, *, anew: bool = False) -> bool: ...

    def key(self, key: str) -> str: ...


@dataclass(frozen=True)
class PreflightCheck:
    """One line of the report.

    Attributes:
        what: what was checked.
        result: ``"yes"``, ``"no"`` or ``"unknown"``, or what was found.
        detail: why, and what it means.
    """

    what: str
    result: str
    detail: str = ""

    @property
    def denied(self) -> bool:
        """Whether it says that access is lacking."""
        return self.result == "no" and self.what in ("reachable", "can list", "can read", "can write")


def preflight(store: Bucket, *, write: bool = True) -> Rows[PreflightCheck]:
    """Check everything that matters for a project in this bucket. Errors become lines of the report.

    ``write``: also try whether one may write, and under which conditions, with a probe that stays there.
    """
    try:
        store.check()
    except DatomError as error:
        return rows([PreflightCheck("reachable", "no", str(error))])
    endpoint = store.client.meta.endpoint_url
    return rows(
        [
            PreflightCheck("reachable", "yes", str(endpoint)),
            _try("can list", "s3:ListBucket", store, lambda: next(iter(store.list()), None)),
            _can_read(store),
            *(_can_write(store) if write else ()),
            _setting(store, "versioning", "get_bucket_versioning", _versioning),
            _setting(store, "default encryption", "get_bucket_encryption", _encryption),
            _setting(store, "object lock", "get_object_lock_configuration", _object_lock),
            _setting(store, "default retention", "get_object_lock_configuration", _retention),
            *((_can_hold(store),) if write else ()),
        ]
    )


def keeps_versions(store: Bucket) -> bool | None:
    """Whether a bucket keeps deleted objects as old versions; ``None`` if that cannot be determined."""
    result = _setting(store, "versioning", "get_bucket_versioning", _versioning).result
    return {"yes": True, "no": False}.get(result)


def _try(what: str, action: str, store: Bucket, call: Callable[[], Any]) -> PreflightCheck:
    try:
        call()
    except AccessDeniedError as error:
        return PreflightCheck(what, "no", str(error))
    except DatomError as error:
        return PreflightCheck(what, "unknown", f"{action}: {error}")
    return PreflightCheck(what, "yes")


def _can_read(store: Bucket) -> PreflightCheck:
    def read() -> None:
        try:
            store.get(".metadata/manifest.json")
        except NotFoundError:
            return  # only those who may look are told that nothing is there

    return _try("can read", "s3:GetObject", store, read)


def _can_write(store: Bucket) -> list[PreflightCheck]:
    """One probe answers both questions; it leaves only itself behind, which listings skip."""
    known: list[bool] = []
    write = _try("can write", "s3:PutObject", store, lambda: known.append(store.heeds_conditions(anew=True)))
    if not known:
        return [write, PreflightCheck("conditional writes", "unknown", "not allowed to write")]
    detail = "" if known[0] else "two writers at the same moment may overwrite each other's documents"
    return [write, PreflightCheck("conditional writes", "yes" if known[0] else "no", detail)]


def _setting(store: Bucket, what: str, call: str, read: Callable[[Any], PreflightCheck]) -> PreflightCheck:
    from botocore.exceptions import ClientError

    def ask() -> Any:
        try:
            return getattr(store.client, call)(Bucket=store.bucket)
        except ClientError as error:
            if code_of(error) in _NOT_SET:
                return {}
            raise

    try:
        with translated(f"s3:{call}", store.bucket):
            return read(ask())
    except DatomError as error:
        return PreflightCheck(what, "unknown", str(error))


def _versioning(found: Any) -> PreflightCheck:
    on = found.get("Status") == "Enabled"
    detail = "" if on else "what is deleted or overwritten from outside cannot be had back"
    return PreflightCheck("versioning", "yes" if on else "no", detail)


def _encryption(found: Any) -> PreflightCheck:
    rules = found.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    kinds = [r.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm") for r in rules]
    return PreflightCheck("default encryption", kinds[0] or "no" if kinds else "no")


def _object_lock(found: Any) -> PreflightCheck:
    on = found.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled"
    detail = "" if on else "nothing keeps those who may delete from deleting what was approved"
    return PreflightCheck("object lock", "yes" if on else "no", detail)


def _retention(found: Any) -> PreflightCheck:
    """How long each new object is kept, whatever it is."""
    rule = found.get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention", {})
    if not rule:
        return PreflightCheck("default retention", "no")
    told = f"{rule['Days']} days" if rule.get("Days") else f"{rule.get('Years')} years"
    mode = str(rule.get("Mode", "")).lower()
    detail = "those with a right of their own may end it early" if mode == "governance" else "nobody can end it early"
    return PreflightCheck("default retention", f"{mode}, {told}", detail)


def _can_hold(store: Bucket) -> PreflightCheck:
    """Asked of the probe, by lifting a hold that it does not have."""
    what, action = "can hold", "s3:PutObjectLegalHold"
    lock = _setting(store, what, "get_object_lock_configuration", _object_lock).result
    if lock == "no":
        return PreflightCheck(what, "no", "legal holds need object lock")
    full = store.key(PROBE)

    def lift() -> None:
        with translated(action, store.bucket, full):
            store.client.put_object_legal_hold(Bucket=store.bucket, Key=full, LegalHold={"Status": "OFF"})

    return _try(what, action, store, lift)
