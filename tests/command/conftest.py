"""Run the command in this process, as a shell would: arguments in; exit code and both outputs out."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest
import referencing

import datom_core as dc
from datom_core.command.run import run
from datom_core.testing import Clock

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    """What came of one run.

    Attributes:
        code: the exit code.
        out, err: standard output and standard error.
    """

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The answer; it is of the form that it names, as the docs describe it."""
        return _checked(self.out)

    def error(self) -> Any:
        """What went wrong, in JSON; likewise."""
        return _checked(self.err.splitlines()[-1])


def _checked(text: str) -> Any:
    answer = json.loads(text)
    _forms().evolve(schema={"$ref": "#/$defs/" + answer["form"].replace("/", "~1")}).validate(answer)
    return answer


@functools.cache
def _forms() -> jsonschema.Draft202012Validator:
    schema = json.loads((ROOT / "docs" / "command.schema.json").read_text())
    resource = referencing.Resource.from_contents(schema)
    registry = referencing.Registry().with_resource("", resource)
    return jsonschema.Draft202012Validator(schema, registry=registry)


Datom = Callable[..., Ran]


@pytest.fixture
def datom(capsys: pytest.CaptureFixture[str]) -> Datom:
    """``datom("list", "--json")`` runs the command here; the working folder is the test's to choose."""

    def call(*arguments: str) -> Ran:
        capsys.readouterr()
        code = run([str(a) for a in arguments])
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return call


@dataclass(frozen=True)
class Study:
    """A small study on disk: ``dm`` and ``lb results (v2)``, cuts 2026-01 and 2026-02.

    Attributes:
        folder: holds ``datom.toml``, ``data`` and ``history.git``.
    """

    folder: Path

    @property
    def store(self) -> dc.LocalStore:
        return dc.LocalStore(self.folder / "data")

    @property
    def reader(self) -> dc.ProjectReader:
        return dc.ProjectReader.open(self.store)


def new_project(folder: Path) -> dc.Project:
    """A project in ``data`` and ``history.git`` of a folder, with a ``datom.toml`` that says so."""
    settings = 'project = "STUDY_001"\nremote = "history.git"\n\n[storage]\npath = "data"\n'
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "datom.toml").write_text(settings)
    return dc.Project.init(
        "STUDY_001",
        dc.LocalStore(folder / "data"),
        remote=folder / "history.git",
        author="Ada Müller <ada@example.org>",
        cache_dir=folder / "cache",
        clock=Clock(),
    )


def make_study(folder: Path) -> Study:
    """Write the study into a folder."""
    project = new_project(folder)
    dm = pd.DataFrame({"USUBJID": ["01-001", "01-002", "01-003"], "AGE": [63, 71, 55], "SEX": ["F", "M", None]})
    project.cut("2026-01", {"dm": dm}, message="Extract through 2026-01-31")
    dm.loc[1, "AGE"] = 72
    lb = pd.DataFrame({"USUBJID": ["01-001", "01-002"], "LBTESTCD": ["ALT", "ÄST"], "LBSTRESN": [1.5, None]})
    project.cut("2026-02", {"dm": dm, "lb results (v2)": lb}, message="Age of 01-002 corrected")
    return Study(folder)


@pytest.fixture(scope="session")
def shared_study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study that no test may change."""
    return make_study(tmp_path_factory.mktemp("shared-study"))


@pytest.fixture
def in_shared_study(shared_study: Study, monkeypatch: pytest.MonkeyPatch) -> Study:
    """As `shared_study`, and the working folder is inside it."""
    monkeypatch.chdir(shared_study.folder)
    return shared_study


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A study of the test's own, with the working folder inside it."""
    made = make_study(tmp_path / "study")
    monkeypatch.chdir(made.folder)
    return made
