"""What the docs show of the command is what it does: verbs, options, JSON forms, and every session in a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_what_comes_from_the_command_is_as_it_is() -> None:
    command, places = [sys.executable, ".ci/command_pages.py", "check"], {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=places, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
