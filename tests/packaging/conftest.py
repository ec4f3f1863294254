"""A study to read, and the modules that the distribution brings without extras."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pyarrow as pa
import pytest

import datom_core as dc
from datom_core.testing import Clock

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``datom.toml``, a study of two tables and two cuts in ``data``, and ``history.git``."""
    folder = tmp_path_factory.mktemp("read")
    project = dc.Project.init(
        "STUDY_001",
        dc.LocalStore(folder / "data"),
        remote=folder / "history.git",
        author="Ada Müller <ada@example.org>",
        cache_dir=folder / "cache",
        clock=Clock(),
    )
    dm = {"USUBJID": ["01-001", "01-002", "01-003"], "AGE": [63, 71, 55], "SEX": ["F", "M", None]}
    project.cut("2026-01", {"dm": pa.table(dm)}, message="Extract through 2026-01-31")
    lb = pa.table({"USUBJID": ["01-001", "01-002"], "LBTESTCD": ["ALT", "ÄST"], "LBSTRESN": [1.5, None]})
    project.cut("2026-02", {"dm": pa.table(dm | {"AGE": [63, 72, 55]}), "lb results (v2)": lb}, message="Corrected")
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
