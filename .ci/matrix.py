"""Run tests with the oldest and the newest supported Dagster, each with pandas 2 and 3, and print what came of it.

Dagster's other packages pin its core and come later, so the newest core is run alone as well (``newest-core``).

    python .ci/matrix.py [combination ...] [-- arguments of pytest]

Each combination has its own environment below .venv-matrix/, made afresh. The oldest has what pyproject.toml declares
as lower bounds; the newest what the installer finds. What only the tests need is the newest everywhere. Ends with 1 if
a combination failed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / ".venv-matrix"
COMBINATIONS = ("oldest-pandas2", "oldest-pandas3", "newest-pandas2", "newest-pandas3", "newest-core")
EXTRAS = "aws,compare,components,dagster,example,formats,github,keyring,pandas,polars,s3,ui,write"
# What pins no release of Dagster.
EXTRAS_OF_CORE = "compare,dagster,example,formats,github,keyring,pandas,polars,s3,write"
#: What depends on Dagster, pandas, numpy or pyarrow; without the demos, which take as long as all the rest.
TESTS = "tests/unit tests/integration tests/dagster tests/extracts --ignore tests/dagster/test_example.py".split()
OPTIONS = "-q -p no:cacheprovider".split()
SHOWN = ("dagster", "pandas", "numpy", "pyarrow", "polars", "pyreadstat")


def main(arguments: list[str]) -> int:
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    names, tests = arguments[:cut] or list(COMBINATIONS), arguments[cut + 1 :] or [*TESTS, *OPTIONS]
    unknown = sorted(set(names) - set(COMBINATIONS))
    if unknown:
        print(f"No combination {', '.join(unknown)}; there are {', '.join(COMBINATIONS)}.")
        return 2
    rows = [("", *SHOWN, "tests", "seconds")]
    for name in names:
        print(f"\n=== {name}", flush=True)
        python = environment(name)
        started = time.monotonic()
        said = outcome(python, tests)
        rows.append((name, *versions(python), said, f"{time.monotonic() - started:.0f}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print("\n" + "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows))
    return int(not all(re.fullmatch(r"\d+ passed.*", row[-2]) for row in rows[1:]))


def environment(name: str) -> Path:
    """The Python of a new environment."""
    folder, uv = ENVIRONMENTS / name, shutil.which("uv")
    python = folder / "bin" / "python"
    oldest, pandas = name.startswith("oldest"), "pandas<3" if name.endswith("2") else "pandas>=3"
    extras = EXTRAS_OF_CORE if name.endswith("core") else EXTRAS
    ENVIRONMENTS.mkdir(exist_ok=True)
    constraints = ENVIRONMENTS / f"{name}.txt"
    if uv:
        run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder)
        pip: list[Any] = [uv, "pip"]
        lowest, limits = ["--resolution", "lowest-direct"], [pandas]
    else:
        run(sys.executable, "-m", "venv", "--clear", folder)
        pip = [python, "-m", "pip"]
        # pip knows no lowest versions: those that the table shows are pinned, the others are the newest.
        lowest, limits = [], [pandas, *(lower_bounds(pandas) if oldest else [])]
    where = ["--python", python] if uv else []
    constraints.write_text("\n".join(limits) + "\n")
    package = ["-c", constraints, "-e", f"{ROOT}[{extras}]"]
    run(*pip, "install", "--quiet", *where, *(lowest if oldest else []), *package)
    # What is tested stays as it is when the tools come.
    kept = run(*pip, "freeze", "--exclude-editable", *where)
    constraints.write_text(kept)
    run(*pip, "install", "--quiet", *where, "-c", constraints, *declared()["optional-dependencies"]["test"])
    return python


def declared() -> Any:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def lower_bounds(pandas: str) -> list[str]:
    """The lowest declared versions of what the table shows; of pandas only where that is one that is asked for."""
    project = declared()
    listed = [
        *project["dependencies"],
        *(r for extra in EXTRAS.split(",") for r in project["optional-dependencies"][extra]),
    ]
    bounds = dict(
        re.match(r"([\w.-]+)>=([\w.]+)", requirement).groups() for requirement in listed if ">=" in requirement
    )
    return [f"{name}=={bounds[name]}" for name in SHOWN if name != "pandas" or pandas == "pandas<3"]


def versions(python: Path) -> list[str]:
    code = f"from importlib.metadata import version; print(*map(version, {SHOWN!r}))"
    return run(python, "-c", code).split()


def outcome(python: Path, tests: list[str]) -> str:
    """pytest's closing line; everything that it says is shown meanwhile."""
    process = subprocess.Popen([python, "-m", "pytest", *tests], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    last = ""
    for line in process.stdout or ():
        print(line, end="", flush=True)
        last = line if re.search(r"\d+ (passed|failed|error)", line) else last
    found = re.search(r"\d+ (passed|failed|error).*(?= in [\d.]+s)", last)
    return found[0] if found else f"pytest ended with {process.wait()}"


def run(*command: Any) -> str:
    return subprocess.run([*map(str, command)], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
