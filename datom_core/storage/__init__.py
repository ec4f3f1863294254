"""Where payloads and copies of documents are kept: a folder, a bucket, memory; one protocol for all.

A store knows keys and bytes, not what the keys mean. Errors of a place become our own errors here.
"""

from datom_core.storage.abilities import clean_up, free_bytes, in_pieces, kept_after_delete, prepare, remove_empty
from datom_core.storage.backends import Backend, Opening, open_store, register_backend
from datom_core.storage.bulk_copy import Item, Verify, copy, each
from datom_core.storage.holds import HoldReport, hold_objects, look_at_holds, refuse_held
from datom_core.storage.local import LocalStore
from datom_core.storage.memory import MemoryStore
from datom_core.storage.places import check_place, check_store, find
from datom_core.storage.protocol import ObjectInfo, ObjectStore, StoredObject
from datom_core.storage.s3 import (
    PreflightCheck,
    RefusedConditionError,
    S3Store,
    check_arguments,
    iam_policy,
    open_client,
    translated,
)

__all__ = [
    "Backend",
    "HoldReport",
    "Item",
    "LocalStore",
    "MemoryStore",
    "ObjectInfo",
    "ObjectStore",
    "Opening",
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
    "free_bytes",
    "hold_objects",
    "iam_policy",
    "in_pieces",
    "kept_after_delete",
    "look_at_holds",
    "open_client",
    "open_store",
    "prepare",
    "refuse_held",
    "register_backend",
    "remove_empty",
    "translated",
]
