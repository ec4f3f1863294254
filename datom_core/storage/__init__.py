"""Object stores: where a project's payloads and the mirror of its documents lie."""

from datom_core.storage.local import LocalStore
from datom_core.storage.memory import MemoryStore
from datom_core.storage.opening import nearer, open_place, settle, vacate
from datom_core.storage.places import check_place, check_store, find, same_place
from datom_core.storage.protocol import ObjectInfo, ObjectStore, StoredObject
from datom_core.storage.s3 import PreflightCheck, S3Store, iam_policy, keeps_versions

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
