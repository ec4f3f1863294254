"""docs/architecture.md tells of the code as it is, and names nothing that is not there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
PATHS = dict(re.findall(r"^## (The path of .*?)\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL))


def test_what_comes_from_the_code_is_as_the_code_is() -> None:
    command, places = [sys.executable, ".ci/architecture.py", "check"], {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=places, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def cited(text: str) -> set[str]:
    """The files that a text names, as paths below the root."""
    found = re.findall(r"`([\w/]+/\w+\.py)`", text)
    return {name if name.startswith("datom_dagster/") else f"datom_core/{name}" for name in found}


def test_files_that_are_named_are_there() -> None:
    assert len(cited(PAGE)) > 30
    assert [name for name in sorted(cited(PAGE)) if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("title", PATHS)
def test_a_path_names_files_that_are_passed(title: str) -> None:
    told, _, listed = PATHS[title].partition("<!-- files")
    passed = set()
    for folder, names in re.findall(r"`([\w/]+)`:\s([\w,\s]+)", listed):
        inside = folder if folder.startswith("datom_") else f"datom_core/{folder}"
        passed |= {f"{inside}/{name}.py" for name in re.findall(r"\w+", names)}
    assert cited(told) - passed == set()


def test_tests_that_are_named_are_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    sources = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(named) > 20
    assert named - set(re.findall(r"def (test_\w+)\(", sources)) == set()
