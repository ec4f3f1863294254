"""One signed study and one bag of it for every test of this folder: they only read them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import datom_core as dc
from tests.conftest import GIT_CONFIG
from tests.evidence.making import CUT, Key, minimal_machine, study


@dataclass(frozen=True)
class Made:
    """What the tests share.

    Attributes:
        folder: holds all of it.
        key: of Ada, who signed.
        project: the study.
        bag: of its second cut, sealed, with copies.
        machine: an environment for `tests.evidence.making.verify`.
    """

    folder: Path
    key: Key
    project: dc.Project
    bag: dc.EvidenceBag
    machine: dict[str, str]

    def again(self, to: Path, **other: Any) -> dc.EvidenceBag:
        """The same bag elsewhere, or another one."""
        return self.project.evidence(
            to, **{"cut": CUT, "copies": ("csv", "dataset-json"), "seal": self.key.seal} | other
        )


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("evidence")
    (folder / "gitconfig").write_text(GIT_CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", str(folder / "gitconfig"))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        key = Key.made(folder / "keys")
        project = study(folder / "study", key=key)
        machine = minimal_machine(folder / "bin")
        shared = Made(folder, key, project, None, machine)  # type: ignore[arg-type]
        yield Made(folder, key, project, shared.again(folder / "bag"), machine)


@pytest.fixture
def copied(made: Made, tmp_path: Path) -> Path:
    """A copy of the bag, to be altered."""
    bag = tmp_path / "copy"
    for folder, _, names in os.walk(made.bag):
        place = bag / Path(folder).relative_to(made.bag)
        place.mkdir()
        for name in names:
            (place / name).write_bytes(Path(folder, name).read_bytes())
    return bag
