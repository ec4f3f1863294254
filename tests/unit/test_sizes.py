"""Files and functions stay short enough to be read at once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = ("datom_core", "datom_dagster", "example_project", "benchmarks")
LINES_OF_A_FILE, LINES_OF_A_FUNCTION, LINES_OF_TESTS = 350, 50, 500
FRONT_DOOR = "datom_core/__init__.py"  # a list of names, which nobody has to keep in mind at once


def files(*folders: str) -> Iterator[tuple[str, str]]:
    """Path and text of every module below the folders."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def longer_than(limit: int, *folders: str) -> list[str]:
    lengths = {path: len(text.splitlines()) for path, text in files(*folders)}
    assert lengths, "nothing was looked at"
    return [f"{path}: {lines} lines, of {limit}" for path, lines in lengths.items() if lines > limit]


def test_files() -> None:
    long = [one for one in longer_than(LINES_OF_A_FILE, *CODE) if not one.startswith(FRONT_DOOR)]
    assert not long, "\n".join(long)


def test_files_of_tests() -> None:
    long = longer_than(LINES_OF_TESTS, "tests")
    assert not long, "\n".join(long)


def test_functions() -> None:
    long = []
    for path, text in files(*CODE):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                long += [f"{path}:{node.lineno} {node.name}: {lines} lines"] if lines > LINES_OF_A_FUNCTION else []
    assert not long, "\n".join(long)
