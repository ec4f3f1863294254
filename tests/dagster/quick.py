"""What Dagster does anew in each run, and the tests need once. Nothing here changes what a run does or tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
import pytest
from dagster._config.pythonic_config import resource
from dagster._core.storage import sql
from dagster._core.storage.event_log.in_memory import InMemoryEventLogStorage
from dagster._core.storage.runs.in_memory import InMemoryRunStorage
from sqlalchemy import event
from sqlalchemy.pool import QueuePool


def stamped_once(patch: pytest.MonkeyPatch) -> None:
    """Dagster stamps each of its databases with the newest revision, for which alembic reads all ninety each time."""
    real, newest = sql.stamp, dict[str, str]()

    def stamp(config: Any, revision: str) -> None:
        connection, place = config.attributes["connection"], config.get_main_option("script_location")
        if revision != "head" or place not in newest:
            real(config, revision)
            newest[place] = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            return
        begun = connection.in_transaction()
        connection.exec_driver_sql(
            "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
        )
        connection.exec_driver_sql("DELETE FROM alembic_version")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (newest[place],))
        if not begun:
            connection.commit()

    patch.setattr(sql, "stamp", stamp)


def described_once(patch: pytest.MonkeyPatch) -> None:
    """A run makes each resource over a dozen times, and reads the fields of its class each time."""
    real: Callable[..., Any] = resource.infer_schema_from_config_class
    known: dict[Any, Any] = {}

    def schema(cls: type, *args: Any, fields_to_omit: set[str] | None = None, **others: Any) -> Any:
        if args or others:
            return real(cls, *args, fields_to_omit=fields_to_omit, **others)
        key = cls, frozenset(fields_to_omit or ())
        if key not in known:
            known[key] = real(cls, fields_to_omit=fields_to_omit)
        return known[key]

    patch.setattr(resource, "infer_schema_from_config_class", schema)


def connected_once(patch: pytest.MonkeyPatch) -> None:
    """Two thirds of what a run asks of its databases in memory is to set up a connection, one for each question."""

    @contextmanager
    def connect(self: Any) -> Iterator[Any]:
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def connect_in_turn(self: Any) -> Iterator[Any]:
        with self._db_lock, self._engine.begin() as connection:
            yield connection

    patch.setattr(InMemoryRunStorage, "connect", connect)
    patch.setattr(InMemoryRunStorage, "has_run_stats_index_cols", lambda self: True)
    patch.setattr(InMemoryEventLogStorage, "_connect", connect_in_turn)


def keep_connections(instance: dg.DagsterInstance) -> None:
    storages: tuple[Any, ...] = (instance.event_log_storage, instance.run_storage)
    for engine in (storage._engine for storage in storages):
        engine.pool = QueuePool(engine.pool._creator)

        @event.listens_for(engine.pool, "connect")
        def set_up(connection: Any, _: object) -> None:
            connection.execute("PRAGMA foreign_keys=ON")
