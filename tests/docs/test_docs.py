"""The code in the README and the docs runs, page by page; and the reference names everything public."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
import pytest
from moto import mock_aws

import datom_core as dc
import datom_dagster
from tests.github.conftest import FULL
from tests.github.server import github_server

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"01-{i}" for i in range(n)], "LBSTRESN": [float(i) for i in range(n)]})


def study(folder: Path) -> None:
    """The study that the readers' pages speak of, and the register beside it."""
    project = dc.Project.init("STUDY_001", dc.LocalStore(folder / "data"), remote=folder / "history.git", clock=january)
    project.cut("interim", {"lb": frame(3), "dm": frame(2), "ae": frame(2)}, message="Interim analysis")
    project.cut("lock", {"lb": frame(4), "dm": frame(2), "ae": frame(2)}, message="Database lock")
    project.write("lb", frame(5), message="After the lock")
    project.write("adlb", frame(1), parents=[project.parent("lb")])
    register = folder.with_name("register")
    dc.Governance.init(dc.LocalStore(register / "data"), remote=register / "history.git").attach(project)


def january() -> Any:
    return pd.Timestamp("2026-01-15", tz="UTC").to_pydatetime()


@pytest.fixture
def buckets() -> Iterator[None]:
    """The buckets that the pages speak of, in a stand-in for AWS."""
    with mock_aws():
        client = boto3.client("s3", region_name="eu-central-1")
        for name in ("study-001", "acme-studies"):
            client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """github.com on loopback, and the token of somebody who may do everything in the organization acme."""
    with github_server(tmp_path / "github") as server:
        server.org("acme", {"kim": "admin"})
        monkeypatch.setenv("GITHUB_TOKEN", server.user("kim", FULL))
        monkeypatch.setattr(dc, "GitHub", functools.partial(dc.GitHub, api_url=server.api_url))
        yield


# What opens a study by its place warns that it is registered, which its readers may well do.
READERS = pytest.mark.filterwarnings("ignore::datom_core.GovernanceWarning")


@READERS
@pytest.mark.usefixtures("buckets", "github")
@pytest.mark.parametrize("page", [p for p in PAGES if BLOCK.search((ROOT / p).read_text())])
def test_the_code_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STUDY_DATA", "study/data")
    monkeypatch.setenv("STUDY_REPO", "study/history.git")
    blocks = BLOCK.findall((ROOT / page).read_text())
    if not any("Project.init(" in block for block in blocks):
        study(tmp_path / "study")
    names: dict[str, Any] = {"__name__": "page"}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"{page}, block {number}", "exec", dont_inherit=True), names)


@READERS
def test_the_managers_question_has_its_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    study(tmp_path / "study")
    names: dict[str, Any] = {}
    for block in BLOCK.findall((ROOT / "docs/manager.md").read_text()):
        exec(block, names)
    assert names["moved"] == ["lb"]
    assert [s.name for s in names["studies"]] == ["STUDY_001"]


def test_the_reference_names_everything_public() -> None:
    text = (ROOT / "docs" / "reference.md").read_text()
    named = set(re.findall(r"\w+", text))
    public = {*dc.__all__, *datom_dagster.__all__} - {"__version__"}
    assert public - named == set()


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / page).read_text()):
            assert ((ROOT / page).parent / target).exists(), f"{page} -> {target}"


def test_the_readmes_example_is_short() -> None:
    first = BLOCK.findall((ROOT / "README.md").read_text())[0]
    assert len([line for line in first.splitlines() if line.strip()]) <= 12
