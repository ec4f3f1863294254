"""What docs/format.md shows, and what it should show.

A comment above a block says what the block is: ``<!-- shows: ... -->``.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[3] / "docs" / "format.md"
_BLOCK = re.compile(r"^<!-- shows: (.+?) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# What is another on another day or machine, or with another release of Arrow.
_VARIES = (
    "parquet_sha|size_bytes|total_size_bytes|bytes_copied|commit|commit_sha|datom_version|id|moving_from|remote|root|"
    "host|user|tool|modified_at"
)
_IN_JSON = re.compile(rf'^( *"(?:{_VARIES}|gov_repo_url)": )(?:"[^"]*"|\d+)', re.MULTILINE)
_IN_YAML = re.compile(r"^( *(?:datom_version|remote_url|root): ).*$", re.MULTILINE)


def shown() -> dict[str, str]:
    """The blocks of the page, by what they show."""
    blocks: list[tuple[str, str]] = _BLOCK.findall(PAGE.read_text())
    assert len(dict(blocks)) == len(blocks), "two blocks show the same"
    return dict(blocks)


def masked(document: str) -> str:
    """A document without what varies."""
    return _IN_YAML.sub(r"\1...", _IN_JSON.sub(r"\1...", document))


def written(what: str, folder: Path, prefix: str) -> str:
    """The file of the study in ``folder`` that a block of this name shows."""
    place, _, path = what.partition(" ")
    if place == "git":
        return _git(folder, "show", f"HEAD:{path}")
    return (_roots(folder, prefix)[place] / path).read_text()


def files(place: str, folder: Path, prefix: str) -> list[str]:
    """The paths of all files that the study in ``folder`` has there."""
    if place == "git":
        return _git(folder, "ls-tree", "-r", "--name-only", "HEAD").split("\n")[:-1]
    root = _roots(folder, prefix)[place]
    return [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]


def _git(folder: Path, *command: str) -> str:
    called = ["git", "-C", str(folder / "history.git"), *command]
    return subprocess.run(called, check=True, capture_output=True, text=True).stdout


def _roots(folder: Path, prefix: str) -> dict[str, Path]:
    return {"storage": folder / "data" / prefix / "datom", "register": folder / "register" / "datom"}


def paths(tree: str) -> Iterator[str]:
    """The paths of the files in a drawn tree."""
    above: list[str] = []
    for line in tree.splitlines():
        drawn = re.split(r" {2,}(?=\w)", line)[0]
        names = re.sub(r"^[│├└─ ]+", "", drawn)
        depth = (len(drawn) - len(names)) // 4
        above[depth:] = [names]
        if not names.endswith("/"):
            yield from ("".join([*above[:depth], name]) for name in names.split(", "))


def matching(path: str) -> re.Pattern[str]:
    """Paths that a drawn one stands for: ``{table}`` is a name, ``{data_sha}`` a hash."""
    kinds = {"table": "[^/.]+", "project": "[^/.]+"}
    return re.compile(re.sub(r"\\{(\w+)\\}", lambda m: kinds.get(m[1], "[0-9a-f]{64}"), re.escape(path)))


def plain(value: Any) -> Any:
    """A cell as the page writes it."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    return f"{value.total_seconds():g} s" if isinstance(value, timedelta) else value
