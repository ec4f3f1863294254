"""A project to be moved, and places to move it to."""

from __future__ import annotations

from pathlib import Path

import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.s3.migration.looking import Frame, Place, fill
from tests.s3.server import S3Server


@pytest.fixture
def place(tmp_path: Path, s3_server: S3Server) -> Place:
    """Stores by name: ``local/...`` or ``s3/...``, the rest a prefix; ``disk/...`` and ``s3b/...`` are others."""
    buckets: dict[str, str] = {}

    def make(name: str) -> dc.ObjectStore:
        kind, _, prefix = name.partition("/")
        if kind in ("local", "disk"):
            return dc.LocalStore(tmp_path / {"local": "data", "disk": "other"}[kind], prefix)
        if kind not in buckets:
            buckets[kind] = s3_server.bucket()
        return s3_server.store(buckets[kind], prefix)

    return make


@pytest.fixture
def project(place: Place, remote: Path, clock: Clock, dm: Frame) -> dc.Project:
    project = dc.Project.init("STUDY_001", place("local/"), remote=remote, clock=clock)
    fill(project, dm)
    return project
