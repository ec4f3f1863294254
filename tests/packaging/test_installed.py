"""The distribution as a reader installs it: built once, and in an empty environment of each Python that is here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.long import long

ROOT = Path(__file__).parents[2]
READER = Path(__file__).with_name("reader.py")
RELEASES = ("3.11", "3.12", "3.13")
#: Of what only extras bring; imported by these names.
ABSENT = "boto3 dagster defusedxml git github jinja2 numpy pandas pydantic requests tenacity xlsxwriter yaml".split()
#: MiB, as `du -sm` counts them, of all packages but pip and setuptools.
LARGEST, LARGEST_BESIDE_ARROW = 200, 25

_EVERYWHERE = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils")

pytestmark = [long, pytest.mark.timeout(1800)]


def python_of(release: str) -> Path | None:
    """A Python of this release, on the PATH or kept by pyenv."""
    candidates = [shutil.which(f"python{release}"), *Path.home().glob(f".pyenv/versions/{release}.*/bin/python")]
    asks = f"import sys; sys.exit('%d.%d' % sys.version_info[:2] != {release!r})"
    for candidate in filter(None, candidates):
        if subprocess.run([candidate, "-c", asks], capture_output=True).returncode == 0:
            return Path(candidate)
    return None


def run(*command: object, **options: object) -> str:
    ran = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)  # type: ignore[call-overload]
    assert ran.returncode == 0, f"{command}\n{ran.stdout}\n{ran.stderr}"
    return str(ran.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from what is in git and nothing else that lies in the folder."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "venv", folder / "venv")
    run(folder / "venv/bin/pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_has_the_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        held = {name: archive.read(name) for name in names if name.endswith("entry_points.txt")}
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"datom_core", "datom_dagster"}
    assert "datom = datom_core.command:main" in next(iter(held.values())).decode()
    for package in ("datom_core", "datom_dagster"):
        files = (p for p in (ROOT / package).rglob("*") if p.is_file() and "__pycache__" not in p.parts)
        ours = {str(p.relative_to(ROOT)) for p in files}
        assert ours == {name for name in names if name.startswith(f"{package}/")}
        assert f"{package}/py.typed" in ours
    assert any("/templates/" in name for name in names)
    assert any(name.endswith(".toml") for name in names), "natural keys"
    assert not [name for name in names if "test_" in name or "conftest" in name]


@pytest.mark.parametrize("release", RELEASES)
def test_a_readers_environment(release: str, wheel: Path, study: Path, tmp_path: Path) -> None:
    python = python_of(release)
    if python is None:
        pytest.skip(f"there is no Python {release}")
    run(python, "-m", "venv", tmp_path / "venv")
    programs = tmp_path / "venv/bin"
    run(programs / "pip", "install", "--quiet", wheel)
    alone = {**{k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}, "PATH": str(programs)}
    run(programs / "python", READER, study, tmp_path, env=alone, cwd=tmp_path)
    assert "Version control for the tables" in run(programs / "datom", "--help", env=alone)
    assert "lb results (v2)" in run(programs / "datom", "list", env=alone, cwd=study)
    assert "01-002,72,M" in run(programs / "datom", "read", "dm", env=alone, cwd=study)
    found = f"from importlib.util import find_spec; print([n for n in {ABSENT!r} if find_spec(n)])"
    assert run(programs / "python", "-c", found, env=alone).strip() == "[]"
    sizes = megabytes(next((tmp_path / "venv/lib").glob("python*/site-packages")))
    assert sum(sizes.values()) < LARGEST, sizes
    assert sum(sizes.values()) - sizes["pyarrow"] < LARGEST_BESIDE_ARROW, sizes


def megabytes(packages: Path) -> dict[str, float]:
    """MiB on disk by what lies in ``site-packages``, the largest first; without what every environment has."""
    found: dict[str, float] = {}
    for path in packages.rglob("*"):
        name = path.relative_to(packages).parts[0]
        if path.is_file() and not name.startswith(_EVERYWHERE):
            found[name] = found.get(name, 0) + path.stat().st_blocks * 512 / 2**20
    return dict(sorted(found.items(), key=lambda entry: -entry[1]))
