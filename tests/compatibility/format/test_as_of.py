"""The page's rule for what was current at a moment, followed to the letter, gives what our reader gives."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

import datom_core as dc
from tests.compatibility.format import study
from tests.compatibility.format.conftest import Made
from tests.compatibility.format.stranger import Stranger
from tests.conftest import GOLDEN

SOLO = GOLDEN / "solo" / "storage"


def current_at(stranger: Stranger, name: str, moment: datetime) -> str | None:
    """ "Reading", 5."""
    entries = stranger.histories[name]
    pointer = stranger.json(f"{name}/.metadata/metadata.json")
    line = [(datetime.fromisoformat(e["timestamp"]), e["version"]) for e in reversed(entries)]
    again = [(datetime.fromisoformat(at), e["version"]) for e in entries for at in e.get("reinstated_at", [])]
    for at, version in sorted(again):
        behind = max((place for place, (time, _) in enumerate(line) if time <= at), default=-1)
        line.insert(behind + 1, (at, version))
    current = stranger.current(name)
    place = max(i for i, (_, version) in enumerate(line) if version == current)
    at, _ = line.pop(place)
    line.append((max(at, datetime.fromisoformat(pointer["created_at"])), current))
    return next((version for at, version in reversed(line) if at <= moment), None)


def moments(stranger: Stranger, name: str) -> set[datetime]:
    """A second before, at and after everything that happened."""

    def times(document: Any) -> list[str]:
        entries = document if isinstance(document, list) else [document]
        return [
            at for e in entries for at in (e.get("timestamp"), e.get("created_at"), *e.get("reinstated_at", [])) if at
        ]

    happened = times(stranger.histories[name]) + times(stranger.json(f"{name}/.metadata/metadata.json"))
    return {datetime.fromisoformat(at) + timedelta(seconds=off) for at in happened for off in (-1, 0, 1)}


@pytest.mark.filterwarnings("ignore::datom_core.GovernanceWarning")
def test_versions_as_of_every_moment(made: Made) -> None:
    compared = 0
    for stranger, store in (
        (Stranger(made.storage), dc.LocalStore(made.folder / "data", study.PREFIX)),
        (Stranger(SOLO / "datom"), dc.LocalStore(SOLO)),
    ):
        reader = dc.ProjectReader.open(store)
        for name in stranger.rows:
            for moment in moments(stranger, name):
                expected = current_at(stranger, name, moment)
                compared += 1
                if expected is None:
                    with pytest.raises(dc.NotFoundError):
                        reader.resolve(name, as_of=moment)
                else:
                    assert reader.resolve(name, as_of=moment).version == expected, (name, moment)
    assert compared > 60
