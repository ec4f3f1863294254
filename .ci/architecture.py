"""Write into docs/architecture.md what the code itself says: its picture, its folders, paths and errors.

python .ci/architecture.py          write the page's generated parts, and its picture
python .ci/architecture.py check    end with 1, and say what to do, when they are not what they would be
python .ci/architecture.py map      print every module with the first line of its docstring
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

import picture
from generated import ROOT, settle
from paths import passed

from datom_core import errors

PAGE, PICTURE = ROOT / "docs" / "architecture.md", ROOT / "docs" / "images" / "folders.svg"
PACKAGES = ("datom_core", "datom_dagster")
WIDTH = 120


def main(arguments: list[str]) -> int:
    if arguments == ["map"]:
        print("\n".join(modules()))
        return 0
    files = {PAGE: page(PAGE.read_text()), PICTURE: picture.drawn(PACKAGES, {f: opening(f) for f in folders()})}
    return settle(files, arguments, "code")


def page(text: str) -> str:
    """The page with its generated parts as they are now."""
    parts = {package: folder_table(package) for package in PACKAGES}
    parts |= {f"files of {what}": file_list(files) for what, files in passed().items()}
    parts["errors"] = error_tree()
    for name, part in parts.items():
        mark = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)
        if not mark.search(text):
            raise SystemExit(f"{PAGE.name} has no part <!-- {name} --> ... <!-- end -->.")
        text = mark.sub(lambda _, part=part: f"\n{part}\n\n", text, count=1)
    return text


def folders() -> list[str]:
    """Every folder, as a path, before the folders in it; those of one package in the order of its contract."""
    found = []
    for package in PACKAGES:
        for name in picture.ordered(package):
            below = sorted((ROOT / package / name).rglob("__init__.py"))
            found += [str(door.parent.relative_to(ROOT)) for door in below] or [f"{package}/{name}"]
    return found


def opening(folder: str) -> list[str]:
    """The paragraphs of the docstring of a folder's door, or of a module."""
    door = ROOT / folder / "__init__.py" if (ROOT / folder).is_dir() else ROOT / f"{folder}.py"
    told = ast.get_docstring(ast.parse(door.read_text())) or ""
    return [" ".join(paragraph.split()) for paragraph in told.split("\n\n")]


def folder_table(package: str) -> str:
    """What each folder does, and what it leaves alone."""
    rows = ["| folder | what it does | what it leaves to others |", "|---|---|---|"]
    for folder in folders():
        if folder.startswith(f"{package}/") and (ROOT / folder).is_dir():
            does, *rest = opening(folder)
            rows.append(f"| `{folder.removeprefix(f'{package}/')}` | {does} | {' '.join(rest)} |")
    return "\n".join(rows)


def file_list(files: Iterable[str]) -> str:
    """How many files there are, and which, from the top folder down."""
    listed = set(files)
    groups = {}
    for folder in [*reversed(PACKAGES), *folders()]:
        names = sorted(Path(f).stem for f in listed if str(Path(f).parent) == folder and "__init__" not in f)
        if names:
            groups[folder] = f"`{folder.removeprefix('datom_core/')}`: {', '.join(names)}"
    count = sum(Path(f).name != "__init__.py" for f in listed)
    return textwrap.fill(f"{count} files. {'; '.join(groups.values())}.", WIDTH, break_on_hyphens=False)


def error_tree() -> str:
    """The errors and warnings with the first line of their docstrings, indented below their bases."""
    lines = ["```"]
    known = {
        name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)
    }

    def tell(kind: type, depth: int) -> None:
        said = (kind.__doc__ or "").splitlines()[0]
        lines.append(f"{'  ' * depth + kind.__name__:<29}{said}")
        for other in known.values():
            if kind in other.__bases__:
                tell(other, depth + 1)

    for kind in known.values():
        if not set(kind.__bases__) & set(known.values()):
            tell(kind, 0)
    return "\n".join([*lines, "```"])


def modules() -> list[str]:
    """Every module with the first line of its docstring."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            told = (ast.get_docstring(ast.parse(path.read_text())) or "").splitlines()
            found.append(f"{path.relative_to(ROOT)!s:<55} {told[0] if told else ''}")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
