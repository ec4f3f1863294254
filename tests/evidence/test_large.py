"""A bag of what no memory should hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

import datom_core as dc
from tests.long import long

_MEASURED = """
import resource, sys
import datom_core as dc
from datom_core import evidence
reader = dc.ProjectReader.open(dc.LocalStore(sys.argv[1]))
reader.evidence(sys.argv[2] + ".small.zip", tables=["small"], history=sys.argv[3])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
bag = reader.evidence(sys.argv[2], cut="c", history=sys.argv[3])
print(bag.bytes, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


@long
def test_memory_is_bounded(tmp_path: Path, store: dc.LocalStore, remote: Path) -> None:
    """300 MB in three tables, as a folder and as a zip file: a tenth of one of them is more than it takes."""
    project = dc.Project.init("STUDY_001", store, remote=remote)
    chance = np.random.default_rng(1)
    project.write("small", pa.table({"x": [1]}))
    for name in ("one", "two", "three"):
        project.write(name, pa.table({f"c{n}": chance.random(1_300_000) for n in range(10)}), cut="c")
    for target in ("bag", "bag.zip"):
        words = [sys.executable, "-c", _MEASURED, store.location.root, str(tmp_path / target), str(remote)]
        size, growth = map(int, subprocess.run(words, check=True, capture_output=True, text=True).stdout.split())
        print(f"{target}: {size} bytes, {growth} bytes of memory more than for a small one: {growth / size:.3f}")
        assert size > 300e6
        assert growth < 10e6
