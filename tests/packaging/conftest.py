"""A study to read, and the modules that the distribution brings without extras."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from tests.command.conftest import make_study

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``datom.toml``, a study of two tables and two cuts in ``data``, and ``history.git``."""
    folder = tmp_path_factory.mktemp("read")
    make_study(folder)
    (folder / "datom.toml").write_text('project = "STUDY_001"\n\n[storage]\npath = "data"\n')
    return folder


@pytest.fixture(scope="session")
def base_modules() -> list[str]:
    """Top-level modules of the dependencies without extras, and of what these need."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    wanted, found = [_name(d) for d in declared], set[str]()
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        found.add(name)
        needs = metadata.requires(name) or ()
        wanted += [_name(n) for n in needs if "extra ==" not in n and "platform_system" not in n]
    return sorted(m for m, names in metadata.packages_distributions().items() if found & {_name(n) for n in names})


def _name(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found[0]).lower()
