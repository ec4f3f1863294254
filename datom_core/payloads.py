"""Have a table's payload in storage, and know the SHA-256 of its bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from datom_core import names
from datom_core.encoding import Encoding
from datom_core.errors import DatomError, IntegrityError
from datom_core.events import ProjectEvents
from datom_core.git import LostRaceError
from datom_core.plan import Payload, TablePlan
from datom_core.stores import ObjectInfo, ObjectStore
from datom_core.tabular import decode_parquet, hash_table

_SHA = "sha256"  # key of the object's own metadata, where the store keeps any


@dataclass
class PayloadKeeper:
    """The payloads of one write, over all its attempts.

    Attributes:
        found: the payload of each table, once it is settled.
        put_back: tables whose recorded payload was missing and is back.
        repins: tables whose recorded hash no longer fits and must be recorded anew before anything else;
            with the bytes that have yet to be put, or ``None`` when an object of that content is there.
    """

    store: ObjectStore
    events: ProjectEvents
    found: dict[str, Payload] = field(default_factory=dict)
    put_back: set[str] = field(default_factory=set)
    repins: dict[str, memoryview | None] = field(default_factory=dict)
    _suspect: set[str] = field(default_factory=set)

    def settle(self, plan: TablePlan, encoding: Encoding, recorded_size: int | None) -> None:
        """Find the payload that ``plan`` names, or put it.

        Args:
            plan: what is to be written.
            encoding: the table's file.
            recorded_size: size of the payload as its table's current metadata records it, if it does.

        Raises:
            IntegrityError: there is an object under the payload's key, and it is something else.
            LostRaceError: another writer put the payload at the same moment.
        """
        table = plan.write.table
        key = names.payload(table, plan.write.data_sha)
        self.repins.pop(table, None)
        info = self.store.head(key)
        if info is None:
            self._put(plan, key, encoding)
        elif self._is_known(plan, info):
            pass  # an earlier attempt of this write put it, or looked at it
        elif plan.payload_sha is None:
            # Ours, from an attempt that did not get to its commit; or that of a writer who crashed there.
            self.found[table] = Payload(info.metadata.get(_SHA) or self._examine(key, plan.write.data_sha), info.size)
        elif table not in self._suspect and _trusted(info, plan.payload_sha, recorded_size):
            self.found[table] = Payload(plan.payload_sha, info.size)
        else:
            actual = self._examine(key, plan.write.data_sha, plan.payload_sha)
            self.found[table] = Payload(actual, info.size)
            if actual != plan.payload_sha:
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
        if plan.payload_sha is not None:
            self.put_back.add(table)
        if plan.payload_sha not in (None, payload.sha):
            # The recorded bytes cannot be had again. No hash that is recorded now would fit these.
            self.repins[table] = encoded
        else:
            with self.events.timed("payload", table=table, bytes=payload.size):
                created = self.store.create(key, encoded, {_SHA: payload.sha})
                if not created:
                    raise LostRaceError(f"{key} appeared in {self.store.location} meanwhile. Try again.", key=key)
        self.found[table] = payload

    def put_pending(self, keys: Mapping[str, str]) -> None:
        """Put the bytes whose hash has been recorded by now; ``keys`` maps tables to payload keys."""
        for table, key in keys.items():
            encoded = self.repins.pop(table)
            created = encoded is None or self.store.create(key, encoded, {_SHA: self.found[table].sha})
            if not created:
                # Somebody else's bytes are there now: the next attempt looks at them.
                self._suspect.add(table)

    def _examine(self, key: str, data_sha: str, recorded: str | None = None) -> str:
        """SHA-256 of an object, after making sure that it is what its key says."""
        stored = self.store.get(key)
        actual = stored.sha256
        if actual == recorded:
            return actual
        try:
            content = hash_table(decode_parquet(stored.data)).data_sha
        except (DatomError, pa.ArrowException) as error:
            raise IntegrityError(
                f"{key} in {self.store.location} is not a readable table. Restore it from a backup, or remove it "
                "and write again.",
                key=key,
            ) from error
        if content != data_sha:
            raise IntegrityError(
                f"{key} in {self.store.location} holds the content {content[:8]}, not what its name says. Restore "
                "it from a backup, or remove it and write again.",
                key=key,
            )
        return actual


def _trusted(info: ObjectInfo, recorded_sha: str, recorded_size: int | None) -> bool:
    """Whether an object may be taken for the recorded one without reading it.

    Payloads are never overwritten by us; R overwrites them when it uploads late.
    """
    known = info.metadata.get(_SHA)
    return known == recorded_sha if known is not None else info.size == recorded_size
