"""`make fuzz`: look for bytes that lead somewhere new in a reader, and keep them.

atheris guides the search by the code that is reached; what it finds is in the folder ``corpus``. Without arguments
each reader gets a minute; with a reader's name and options of libFuzzer, one is run here until it crashes.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["datom_core", "yaml"]):
    from tests.resilience.hostile.fuzz import READERS, check, corpus, keep, mutated

_SECONDS = 60
_WAYS = 60  # kept of a reader, and one more for each line that none of them reaches


def fuzz(reader: str, options: list[str]) -> None:
    """Run here, and end the process."""

    def mutate(data: bytes, longest: int, seed: int) -> bytes:
        return mutated(data, random.Random(seed))[:longest]

    atheris.Setup(["fuzz", *options], lambda data: check(reader, data) and None, custom_mutator=mutate)
    atheris.Fuzz()


def chosen(reader: str, found: list[bytes]) -> Iterator[bytes]:
    """Those that reach lines of ours in a combination that no shorter one has: the whole of it, or a line."""
    lines: set[object] = set()
    ways: set[object] = set()

    def trace(frame: Any, event: str, _: object) -> Any:
        name = frame.f_code.co_filename
        if "datom_core" not in name:
            return None
        reached.add((name, frame.f_lineno))
        return trace

    for data in sorted(found, key=len):
        reached: set[object] = set()
        sys.settrace(trace)
        try:
            end = check(reader, data)
        finally:
            sys.settrace(None)
        way = frozenset(reached | {end})
        if reached - lines or (way not in ways and len(ways) < _WAYS):
            yield data
        lines |= reached
        ways.add(way)


def search(reader: str) -> int:
    """Search for a while from what is known, and keep what reaches something that nothing shorter reaches."""
    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(corpus(reader)):
            Path(folder, str(number)).write_bytes(data)
        limits = ["-max_len=2048", "-timeout=10", "-rss_limit_mb=2048", f"-max_total_time={_SECONDS}"]
        command = [sys.executable, "-m", "tests.resilience.hostile", reader, *limits, folder]
        run = subprocess.run(command, capture_output=True, text=True, errors="replace", cwd=Path.cwd())
        if run.returncode:
            print(f"{reader}:\n{run.stdout[-3000:]}{run.stderr[-6000:]}")
            return 1
        found = [path.read_bytes() for path in Path(folder).iterdir()]
    keep(reader, sorted(chosen(reader, found), key=len))
    print(f"{reader}: {len(corpus(reader))} kept", flush=True)
    return 0


if __name__ == "__main__":
    if len(sys.argv) > 1:
        fuzz(sys.argv[1], sys.argv[2:])
    sys.exit(max([search(reader) for reader in READERS]))
