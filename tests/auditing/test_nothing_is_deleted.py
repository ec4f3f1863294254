"""Nothing that writes removes an object, but for the claim of a place that is being filled."""

from __future__ import annotations

import re
from pathlib import Path

import datom_core as dc
from datom_core.testing import Clock
from tests.auditing.conftest import frame

ROOT = Path(dc.__file__).parent
#: Who may: what ends or moves a project, what claims a place, and stores themselves.
MAY = {
    "governance/decommission.py",
    "governance/register.py",
    "project/migration.py",
    "project/open_project.py",
    "publishing/namespace_claim.py",
    "storage/s3/store.py",
    "writing/init_project.py",
    "testing/failing_store.py",
}


class Recording(dc.LocalStore):
    """A store that remembers what was to be deleted."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.deleted: list[str] = []

    def delete(self, key: str) -> None:
        self.deleted.append(key)
        super().delete(key)


def test_only_these_modules_delete_objects() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if re.search(r"\bself\.delete\(|\b(store|target|source)\.delete\(", path.read_text())
    }
    assert found <= MAY
    assert {"governance/decommission.py", "project/migration.py"} <= found


def test_a_whole_life_deletes_nothing_but_claims(tmp_path: Path, remote: Path, clock: Clock) -> None:
    store = Recording(tmp_path / "store")
    project = dc.Project.init("STUDY_001", store, remote=remote, clock=clock, schema=1)
    project.cut("c1", {"dm": frame(2)})
    project.write("dm", frame(3))
    project.write("dm", frame(2))
    project.record_cut("c1", {"dm": None})
    project.mark_reviewed("c1")
    project.upgrade()
    project.mirror()
    project.validate("full", fix=True)
    project.hold("c1")
    project.audit()
    assert set(store.deleted) <= {".metadata/claim.json"}
