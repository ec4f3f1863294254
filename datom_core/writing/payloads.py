"""Make sure that a table's payload is in storage, and know the SHA-256 of its bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from datom_core.common import ProjectEvents, names
from datom_core.errors import IntegrityError
from datom_core.git import LostRaceError
from datom_core.planning import Payload, TablePlan, TableWrite
from datom_core.storage import ObjectInfo, ObjectStore
from datom_core.tables import Encoding, judge_payload

_SHA = "sha256"  # key in the object's own metadata: for people who look, never evidence


@dataclass
class PayloadUploader:
    """The payloads of one write, over all its attempts.

    Attributes:
        found: the payload of each table, once it is settled.
        put_back: tables whose recorded payload was missing and has been restored.
        repins: tables whose recorded hash no longer fits and must be recorded anew before anything else; with the
            bytes still to be put, or ``None`` when an object with that content is already there.
    """

    store: ObjectStore
    events: ProjectEvents
    found: dict[str, Payload] = field(default_factory=dict)
    put_back: set[str] = field(default_factory=set)
    repins: dict[str, memoryview | None] = field(default_factory=dict)
    _suspect: set[str] = field(default_factory=set)

    def ensure_stored(self, plan: TablePlan, encoding: Encoding, recorded_size: int | None) -> None:
        """Find the payload that ``plan`` names, or put it there.

        Args:
            plan: what to write.
            encoding: the table's file.
            recorded_size: size of the payload according to its table's current metadata, if recorded.

        Raises:
            IntegrityError: the object under the payload's key is something else.
            LostRaceError: another writer put the payload at the same moment.
        """
        table = plan.write.table
        key = names.payload(table, plan.write.data_sha)
        self.repins.pop(table, None)
        info = self.store.head(key)
        if info is None:
            self._put(plan, key, encoding)
        elif self._is_known(plan, info):
            pass  # an earlier attempt of this write put it, or examined it
        elif plan.payload_sha is None:
            # From an earlier attempt of ours that never committed, from another writer that crashed, or a forgery.
            self.found[table] = self._examine(key, plan.write)
        elif table not in self._suspect and info.size == recorded_size:
            # Readers compare it with what was recorded.
            self.found[table] = Payload(plan.payload_sha, info.size)
        else:
            self.found[table] = self._examine(key, plan.write, plan.payload_sha)
            if self.found[table].sha != plan.payload_sha:
                self.repins[table] = None
                self.put_back.add(table)

    def _is_known(self, plan: TablePlan, info: ObjectInfo) -> bool:
        table, known = plan.write.table, self.found.get(plan.write.table)
        if known is None or table in self._suspect:
            return False
        return known.size == info.size and plan.payload_sha in (None, known.sha)

    def _put(self, plan: TablePlan, key: str, encoding: Encoding) -> None:
        table = plan.write.table
        encoded = encoding.file()
        payload = Payload(hashlib.sha256(encoded).hexdigest(), len(encoded))
        if plan.payload_sha is not None or plan.action == "unchanged":
            self.put_back.add(table)
        if plan.payload_sha not in (None, payload.sha):
            # The recorded bytes are gone for good. Any hash recorded by now would not fit these.
            self.repins[table] = encoded
        else:
            with self.events.timed("payload", table=table, bytes=payload.size):
                created = self.store.create(key, encoded, {_SHA: payload.sha})
                if not created:
                    raise LostRaceError(f"{key} appeared in {self.store.location} meanwhile. Try again.", key=key)
        self.found[table] = payload

    def put_pending(self, keys: Mapping[str, str]) -> None:
        """Put the bytes whose hash has now been recorded; ``keys`` maps tables to payload keys."""
        for table, key in keys.items():
            encoded = self.repins.pop(table)
            created = encoded is None or self.store.create(key, encoded, {_SHA: self.found[table].sha})
            if not created:
                # Another writer's bytes are there now: the next attempt examines them.
                self._suspect.add(table)

    def _examine(self, key: str, write: TableWrite, recorded: str | None = None) -> Payload:
        """An object's hash and size, once its content is proven to match its key, whatever its metadata says."""
        stored = self.store.get(key)
        payload = Payload(stored.sha256, len(stored.data))
        if payload.sha != recorded:
            verdict = judge_payload(key, stored.data, shape=(write.rows, write.column_names))
            if not verdict.proven:
                raise IntegrityError(
                    f"{key} in {self.store.location} is not what its name says: {verdict.fault}. Restore it from a "
                    "backup, or remove it and write again.",
                    key=key,
                )
        return payload
