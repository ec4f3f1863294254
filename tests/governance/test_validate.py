"""Validation of a registered project looks at what tells of the register, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import datom_core as dc

KEY = ".metadata/governance.json"


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else writes here: looks need not be seconds apart."""
    monkeypatch.setattr("datom_core.maintenance.validation._PAUSES", (0.01, 0.01, 0.01))


def damaged(store: dc.ObjectStore, data: bytes) -> None:
    store.replace(KEY, data, store.get(KEY).etag)


@pytest.mark.parametrize(
    ("damage", "level", "kind"),
    [
        (lambda store: store.delete(KEY), "quick", "missing"),
        (lambda store: damaged(store, b""), "quick", "damaged"),
        (lambda store: damaged(store, b"<html>"), "quick", "damaged"),
        (
            lambda store: damaged(
                store, bytes(store.get(KEY).data).replace(b'"attached_at": "2', b'"attached_at": "1')
            ),
            "quick",
            "stale",
        ),
    ],
    ids=["missing", "empty", "html", "stale"],
)
def test_the_note_about_the_register(
    governance: dc.Governance,
    project: dc.Project,
    damage: Callable[[dc.ObjectStore], None],
    level: Any,
    kind: str,
) -> None:
    attached = governance.attach(project)
    before = bytes(attached.store.get(KEY).data).rstrip()
    assert attached.validate("full").ok
    damage(attached.store)
    with pytest.raises(dc.IntegrityError) as caught:
        attached.validate(level)
    (problem,) = caught.value.report.problems
    assert (problem.kind, problem.key, problem.fixable) == (kind, KEY, True)
    report = attached.validate("deep", fix=True)
    assert [p.key for p in report.fixed] == [KEY]
    assert bytes(attached.store.get(KEY).data).rstrip() == before


def test_a_project_that_its_register_does_not_confirm(governance: dc.Governance, project: dc.Project) -> None:
    attached = governance.attach(project)
    governance.store.delete("projects/STUDY_001/ref.json")
    with pytest.raises(dc.NotFoundError, match="repair"):
        attached.validate()
    governance.repair("STUDY_001")
    assert attached.validate().ok
