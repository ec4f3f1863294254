"""The doors that import at first use give what the code says that they give, and load nothing before."""

from __future__ import annotations

import ast
import importlib
import pickle
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import datom_core as dc

ROOT = Path(__file__).parents[2]
DOORS = sorted(p for p in (ROOT / "datom_core").rglob("__init__.py") if "__getattr__" in p.read_text(encoding="utf-8"))
#: What a start of the command must not wait for.
HEAVY = {
    "asyncio", "blake3", "boto3", "botocore", "dagster", "defusedxml", "git", "github", "jinja2", "keyring", "numpy",
    "pandas", "platformdirs", "pyarrow", "requests", "rich", "tenacity", "xlsxwriter", "yaml",
}  # fmt: skip


def package_of(door: Path) -> str:
    return ".".join(door.parent.relative_to(ROOT).parts)


def seen_by_checkers(door: Path) -> dict[str, tuple[str, str]]:
    """Name -> module and name there, as ``if TYPE_CHECKING`` has them."""
    tree = ast.parse(door.read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    assert len(imports) == len(block.body)
    return {alias.asname or alias.name: (str(node.module), alias.name) for node in imports for alias in node.names}


def given_by(package: ModuleType) -> set[str]:
    """The names in a door's table."""
    held = [cell.cell_contents for cell in package.__getattr__.__closure__ or ()]
    return set(next(value for value in held if isinstance(value, dict)))


def loaded_by(code: str) -> set[str]:
    """The modules that a new process has after it ran ``code``, of those that Python itself has not loaded before."""
    told = f"import sys\nbefore = {{*sys.modules}}\n{code}\nprint(*{{*sys.modules}} - before)"
    run = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(run.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("door", DOORS, ids=package_of)
def test_what_checkers_see_is_what_there_is(door: Path) -> None:
    package = importlib.import_module(package_of(door))
    seen = seen_by_checkers(door)
    assert given_by(package) == set(seen), "the table of homes, and the imports for checkers, have other names"
    for name, (module, there) in seen.items():
        home = importlib.import_module(module)
        assert getattr(package, name) is (getattr(home, there, None) or importlib.import_module(f"{module}.{there}"))


@pytest.mark.parametrize("door", DOORS, ids=package_of)
def test_no_name_is_hidden_by_a_module_beside_it(door: Path) -> None:
    """Importing a module sets its name in the package, where it would stand before what the door gives."""
    package = importlib.import_module(package_of(door))
    modules = {p.stem for p in door.parent.glob("*.py")} | {p.parent.name for p in door.parent.glob("*/__init__.py")}
    hidden = [n for n in given_by(package) & modules if not isinstance(getattr(package, n), ModuleType)]
    assert hidden == []


def test_every_public_name_is_there_and_listed() -> None:
    assert len(set(dc.__all__)) == len(dc.__all__)
    assert [name for name in dc.__all__ if not hasattr(dc, name)] == []
    assert set(dc.__all__) <= set(dir(dc))
    everything: dict[str, Any] = {}
    exec("from datom_core import *", everything)
    assert set(dc.__all__) == set(everything) - {"__builtins__"}


def test_an_unknown_name_is_refused_as_python_does() -> None:
    with pytest.raises(AttributeError, match="module 'datom_core' has no attribute 'Projekt'") as caught:
        dc.Projekt  # type: ignore[attr-defined]  # noqa: B018
    assert (caught.value.name, caught.value.obj) == ("Projekt", dc)
    with pytest.raises(ImportError, match="cannot import name 'Projekt'"):
        exec("from datom_core import Projekt")


def test_importing_the_package_loads_nothing_of_others() -> None:
    loaded = loaded_by("import datom_core")
    assert {name.partition(".")[0] for name in loaded} & HEAVY == set()
    assert {name for name in loaded if name.startswith("datom_core")} == {
        "datom_core", "datom_core.lazy", "datom_core.version",
    }  # fmt: skip


def test_reading_documents_loads_no_package(tmp_path: Path) -> None:
    """No list, history, cut or metadata needs more than Python has."""
    study = ROOT / "tests/compatibility/golden/data/solo/storage"
    code = f"""
import datom_core as dc
reader = dc.find_settings({str(study)!r}, folder={str(tmp_path)!r}, environment={{}}).open_reader()
names = [entry.name for entry in reader.list()]
assert names and all(len(reader.history(name)) and reader.metadata(name).version() for name in names)
assert len(reader.cuts()) >= 0 and reader.summary().project and reader.version_at(names[0]) and reader.study_at()
reader.metadata(names[0], reader.history(names[0])[0].version)
"""
    loaded = {name.partition(".")[0] for name in loaded_by(code)}
    assert loaded - set(sys.stdlib_module_names) == {"datom_core"}


def test_values_and_errors_come_back_from_a_pickle() -> None:
    for value in (dc.Location("local", "/data"), dc.NotFoundError("There is none.", table="dm"), dc.ProjectReader):
        again = pickle.loads(pickle.dumps(value))
        assert type(again) is type(value)
        assert str(again) == str(value)


def test_threads_that_come_at_once_get_the_same() -> None:
    code = """
import threading
import datom_core as dc
sys.setswitchinterval(1e-6)
names, found, begin = ["ProjectReader", "Project", "Governance", "StudyChanges"], [], threading.Barrier(8)
def ask(n):
    begin.wait()
    found.append({names[(n + k) % 4]: getattr(dc, names[(n + k) % 4]) for k in range(4)})
threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(found) == 8 and all(one == found[0] for one in found), found
"""
    assert "datom_core.project.project" in loaded_by(code)
