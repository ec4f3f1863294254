"""Fixtures that every suite shares. Each test has its own cache, git configuration and clock."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, settings

import datom_core as dc
from datom_core.testing import Clock
from tests.long import examples
from tests.s3.radosgw import radosgw
from tests.s3.server import S3Server, moto

GOLDEN = Path(__file__).parent / "compatibility" / "golden" / "data"
# What is no matter of ours and costs a program, threads or a flush at each push: to pack the remote, to look for what
# it shares with others, and for what is alike among a few small files.
GIT_CONFIG = """
[user]
	name = Test Author
	email = test@example.org
[receive]
	autoGc = false
[core]
	alternateRefsCommand = true
	fsync = none
[pack]
	threads = 1
	window = 0
"""


_MEMORY = Path("/dev/shm")
_ROOM = 4 * 2**30


def pytest_configure() -> None:
    """Temporary folders lie in memory where there is room: a test makes hundreds of small files and flushes each."""
    # How long an example takes is no matter of a test's: the machine may be busy.
    settings.register_profile(
        "datom", deadline=None, max_examples=examples(100), suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("datom")
    if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


# A worker that begins its longest test last leaves the others with nothing to do.
_LONGEST = ("tests/dagster/test_example.py", "tests/end_to_end/story/", "tests/s3/migration/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(_LONGEST))


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end, and is not looked through for garbage again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Half of a surrogate pair in what a test said must not end the whole run: such text cannot go to xdist."""
    report = yield
    report.sections = [(name, _text(said)) for name, said in report.sections]
    if report.longrepr is not None and _text(str(report.longrepr)) != str(report.longrepr):
        report.longrepr = _text(str(report.longrepr))
    return report


def _text(said: str) -> str:
    return said.encode("utf-8", "backslashreplace").decode()


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the user's cache or git configuration, or leaves anything in them."""
    config = tmp_path / "gitconfig"
    config.write_text(GIT_CONFIG)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    # Else each time that a project is opened a program reads them out of the configuration.
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Test Author")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "test@example.org")


@pytest.fixture
def golden() -> Path:
    """The folder of data that the R implementation wrote."""
    return GOLDEN


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> dc.LocalStore:
    return dc.LocalStore(tmp_path / "store")


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return tmp_path / "remote.git"


@pytest.fixture
def project(store: dc.LocalStore, remote: Path, clock: Clock) -> dc.Project:
    """A new project of schema 2 over a local store and a bare repository on disk."""
    return dc.Project.init("STUDY_001", store, remote=remote, clock=clock)


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server of this test process, with authentication on: moto's, or the one that DATOM_S3_SERVER names."""
    start = {"moto": moto, "radosgw": radosgw}[os.environ.get("DATOM_S3_SERVER", "moto")]
    with start(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def dm() -> Callable[[int], pd.DataFrame]:
    """Demographics of the first ``n`` subjects."""

    def build(n: int) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "USUBJID": [f"01-{i:03d}" for i in range(1, n + 1)],
                "AGE": [40 + i for i in range(n)],
                "SEX": ["F" if i % 2 else "M" for i in range(n)],
            }
        )

    return build
