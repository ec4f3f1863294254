"""Files that are written from the code: write them, or tell which are not what they would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def settle(files: Mapping[Path, str], arguments: Sequence[str], of: str) -> int:
    """Write the files; or, if ``check`` is asked for, only compare them.

    Args:
        files: path -> what it should hold.
        arguments: of the program.
        of: what the files tell of.

    Returns:
        The exit code: 1 if a comparison found another text, and said what to do.
    """
    if arguments != ["check"]:
        for path, text in files.items():
            path.write_text(text)
        return 0
    stale = [str(p.relative_to(ROOT)) for p, text in files.items() if not p.exists() or p.read_text() != text]
    if stale:
        print(f"{' and '.join(stale)}: not what the {of} says any more. Run `make picture`, and read what changed.")
    return int(bool(stale))
