"""The code in the README and the docs runs, page by page; and the reference names everything public."""

from __future__ import annotations

import functools
import importlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import dagster as dg
import pytest
from moto import mock_aws

import datom_core as dc
import datom_dagster.testing
from datom_core import testing
from example_project import small_study
from tests.github.conftest import FULL
from tests.github.server import github_server

#: Variables that a page says are needed, and what stands in for the place behind them.
NEEDED = {"AWS_ACCESS_KEY_ID": "buckets", "GITHUB_TOKEN": "github"}
ROOT = Path(__file__).resolve().parents[3]
PAGES = ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


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


@pytest.fixture(autouse=True)
def known_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page registers is known on that page alone."""
    for table in ("datom_core.documents.location._KINDS", "datom_core.extracts.formats.formats._FORMATS"):
        module, _, name = table.rpartition(".")
        monkeypatch.setattr(table, dict(getattr(importlib.import_module(module), name)))


# What opens a study by its place warns that it is registered, which its readers may well do.
READERS = pytest.mark.filterwarnings("ignore::datom_core.GovernanceWarning")


def code(page: str) -> list[str]:
    return BLOCK.findall((ROOT / page).read_text())


def prepare(page: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what the page tells its reader to do before the first code, in an empty folder, and nothing else."""
    monkeypatch.chdir(request.getfixturevalue("tmp_path"))
    text = (ROOT / page).read_text()
    told = text[: text.index("```python")]
    for variable, fixture in NEEDED.items():
        if variable in text:
            request.getfixturevalue(fixture)
    for line in re.findall(r"^export (.*)$", told, re.MULTILINE):
        for assignment in line.split():
            monkeypatch.setenv(*assignment.split("=", 1))
    for line in re.findall(r"^ssh-keygen .*$", told, re.MULTILINE):
        subprocess.run(shlex.split(line), check=True)
    if "`python -m example_project.small_study`" in told:
        small_study.make(Path())


@READERS
@pytest.mark.parametrize("page", [p for p in PAGES if code(p)])
def test_the_code_runs(page: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(page, request, monkeypatch)
    names: dict[str, Any] = {"__name__": "page"}
    for number, block in enumerate(code(page), 1):
        exec(compile(block, f"{page}, block {number}", "exec", dont_inherit=True), names)


@READERS
def test_the_managers_question_has_its_answer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare("docs/manager.md", request, monkeypatch)
    names: dict[str, Any] = {}
    for block in code("docs/manager.md"):
        exec(block, names)
    assert names["moved"] == ["lb"]
    assert [s.name for s in names["studies"]] == ["STUDY_001"]


def test_plain_git_verifies_what_the_page_on_signing_made(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare("docs/signing.md", request, monkeypatch)
    names: dict[str, Any] = {}
    for block in code("docs/signing.md"):
        exec(block, names)
    text = (ROOT / "docs" / "signing.md").read_text()
    (recipe,) = re.findall(r"^```bash\n(git clone .*?)^```", text, re.MULTILINE | re.DOTALL)
    done = subprocess.run(["bash", "-euc", recipe], check=True, capture_output=True, text=True)
    assert done.stderr.count('Good "git" signature') == 4
    assert done.stdout.splitlines()[0].endswith("ada@example.org Withdraw 2026-02: locked")


@READERS
def test_what_a_page_adds_is_used_from_then_on(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    prepare("docs/extending.md", request, monkeypatch)
    names: dict[str, Any] = {"__name__": "page"}
    for block in code("docs/extending.md"):
        exec(block, names)
    for again in (
        lambda: dc.register_backend(dc.Backend(name="sqlite", open=names["open_sqlite"])),
        lambda: dc.register_format(dc.ExtractFormat("jsonl", names["read_lines"])),
    ):
        with pytest.raises(dc.InvalidInputError, match="already"):
            again()
    project, register = names["project"], names["SqliteStore"]("register.db")
    governance = dc.Governance.init(register, remote=tmp_path / "register.git")
    governance.attach(project)
    found = dc.ProjectReader.find("STUDY_001", governance=register)
    assert found.read("dm")["AGE"].to_list() == [63, 71]
    defs = names["defs"]
    result = defs.resolve_implicit_global_asset_job_def().execute_in_process()
    assert [check.passed for check in result.get_asset_check_evaluations()] == [True]
    resources = {"datom": names["study"]}
    with dg.build_sensor_context(resources=resources, definitions=defs) as context:
        assert isinstance(names["new_commit"](context), dg.RunRequest)
        assert isinstance(names["new_commit"](context), dg.SkipReason)


def test_the_small_study_is_made_by_its_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "example_project.small_study"]
    places = {"PYTHONPATH": str(ROOT), **os.environ}
    done = subprocess.run(command, cwd=tmp_path, env=places, check=True, capture_output=True, text=True)
    assert "adlb table" in done.stdout
    assert {"register", "study"} <= {path.name for path in tmp_path.iterdir()}


def test_the_reference_names_everything_public() -> None:
    text = (ROOT / "docs" / "reference.md").read_text()
    named = set(re.findall(r"\w+", text))
    public = {*dc.__all__, *datom_dagster.__all__, *testing.__all__, *datom_dagster.testing.__all__} - {"__version__"}
    assert public - named == set()


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / page).read_text()):
            assert ((ROOT / page).parent / target).exists(), f"{page} -> {target}"


def test_what_the_code_cites_is_a_section_of_its_page() -> None:
    sources = [f for folder in ("datom_core", "datom_dagster", "tests") for f in (ROOT / folder).rglob("*.py")]
    cited = {found for f in sources for found in re.findall(r'(docs/\w+\.md), "([^"]+)"', f.read_text())}
    assert ("docs/format.md", "Version id") in cited
    for page, title in cited:
        titles = re.findall(r"^#+ (.*)$", (ROOT / page).read_text(), re.MULTILINE)
        assert any(heading.startswith(title) for heading in titles), f"{page} has no section {title!r}"


def test_the_readmes_example_is_short() -> None:
    first = code("README.md")[0]
    assert len([line for line in first.splitlines() if line.strip()]) <= 12
