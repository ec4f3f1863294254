"""Without extras a reader can do all that readers do; here all else is refused as if it were not installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

READER = Path(__file__).with_name("reader.py")
ROOT = Path(__file__).parents[2]

# Whatever is neither Python's own nor named is not there.
_REFUSING = """
import runpy, sys
from importlib.abc import MetaPathFinder
class Refuse(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if not name.startswith("_") and name.partition(".")[0] not in allowed:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
allowed = {*sys.stdlib_module_names, *sys.argv[1].split(",")}
sys.meta_path.insert(0, Refuse())
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_a_reader_needs_no_extra_and_no_git(study: Path, base_modules: list[str], tmp_path: Path) -> None:
    assert not {"numpy", "pandas", "git", "yaml", "boto3", "dagster"} & set(base_modules)
    ours = ["datom_core", "datom_dagster"]
    ran = subprocess.run(
        [sys.executable, "-c", _REFUSING, ",".join([*base_modules, *ours]), READER, study, tmp_path],
        env={**os.environ, "PATH": str(tmp_path), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
