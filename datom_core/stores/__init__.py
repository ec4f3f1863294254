"""Object stores: where a project's payloads and the mirror of its documents lie."""

from datom_core.stores.local import LocalStore
from datom_core.stores.memory import MemoryStore
from datom_core.stores.opening import nearer, open_place, settle, vacate
from datom_core.stores.places import check_place, check_store, find, same_place
from datom_core.stores.protocol import ObjectInfo, ObjectStore, StoredObject
from datom_core.stores.s3 import PreflightCheck, S3Store, iam_policy, keeps_versions

__all__ = [
    "LocalStore",
    "MemoryStore",
    "ObjectInfo",
    "ObjectStore",
    "PreflightCheck",
    "S3Store",
    "StoredObject",
    "check_place",
    "check_store",
    "find",
    "iam_policy",
    "keeps_versions",
    "nearer",
    "open_place",
    "same_place",
    "settle",
    "vacate",
]
