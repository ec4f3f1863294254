"""Where payloads and copies of documents are kept: a folder, a bucket, memory; one protocol for all.

A store knows keys and bytes. What the keys mean is said elsewhere; what a place refuses becomes an error of ours here.
"""

from datom_core.storage.bulk_copy import Item, Verify, copy, each
from datom_core.storage.local import LocalStore
from datom_core.storage.memory import MemoryStore
from datom_core.storage.opening import clean_up, nearer, open_place, prepare
from datom_core.storage.places import check_place, check_store, find, same_place
from datom_core.storage.protocol import ObjectInfo, ObjectStore, StoredObject
from datom_core.storage.s3 import (
    PreflightCheck,
    RefusedConditionError,
    S3Store,
    check_arguments,
    iam_policy,
    keeps_versions,
    open_client,
    translated,
)

__all__ = [
    "Item",
    "LocalStore",
    "MemoryStore",
    "ObjectInfo",
    "ObjectStore",
    "PreflightCheck",
    "RefusedConditionError",
    "S3Store",
    "StoredObject",
    "Verify",
    "check_arguments",
    "check_place",
    "check_store",
    "clean_up",
    "copy",
    "each",
    "find",
    "iam_policy",
    "keeps_versions",
    "nearer",
    "open_client",
    "open_place",
    "prepare",
    "same_place",
    "translated",
]
