"""A sound project, prepared once, and copies of it to be damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

import datom_core as dc
from tests.resilience.faults.test_writers import frame
from tests.resilience.faults.validation.damaging import ME, NOW, Prepared, Study, objects, push_set


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks follow one another at once."""
    monkeypatch.setattr("datom_core.maintenance.validation._PAUSES", (0.0,))
    monkeypatch.setattr("datom_core.reading.verification._PAUSES", (0.0,))


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("prepared")
    store, remote = dc.MemoryStore(), folder / "remote.git"
    project = dc.Project.init(
        "STUDY_001", store, remote=remote, author=ME, cache_dir=folder / "cache", branch="main", clock=lambda: NOW
    )
    ids: dict[str, str] = {}

    def add(label: str, version: str, data_sha: str) -> None:
        ids.update({label: version, f"{label}_data": data_sha})

    for label, rows, more in (
        ("dm1", 2, {}),
        ("dm2", 3, {"cut": "interim"}),
        ("dm3", 3, {"custom": {"clean": True}}),
        ("dm4", 4, {"cut": "lock"}),
    ):
        result = project.write("dm", frame(rows), **more)  # type: ignore[arg-type]
        add(label, result.version, result.data_sha)
    result = project.write("ex", frame(4, "y"), cut="lock")
    add("ex1", result.version, result.data_sha)
    for label, members in (("spec1", "dm"), ("spec2", "dm and ex")):
        version, data_sha, payload = push_set(remote, members)
        store.create(f"spec/{data_sha}.json", payload)
        project.mirror()
        add(label, version, data_sha)
    return Prepared(remote, objects(store), ids)


@pytest.fixture
def study(prepared: Prepared, tmp_path: Path) -> Study:
    return Study(prepared, tmp_path)
