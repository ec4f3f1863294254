"""The table of verbs: each is where it says, and nothing is loaded before it is needed."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from datom_core.command.verbs import VERBS, Group, Verb
from tests.command.conftest import Study

ROOT = Path(__file__).parents[2]


def verbs() -> Iterator[Verb]:
    for section in VERBS.values():
        for one in section:
            yield from one.verbs if isinstance(one, Group) else (one,)


@pytest.mark.parametrize("verb", [*verbs()], ids=lambda verb: verb.home)
def test_a_verb_is_where_the_table_says_and_says_what_it_does(verb: Verb) -> None:
    assert inspect.getdoc(verb.function())
    assert verb.summary.endswith(".")
    assert len(verb.summary) <= 66, "else it takes two lines of a terminal of 80 columns"


def loaded_by(*arguments: str) -> set[str]:
    """The modules, but for Python's own, that a run of the command loads."""
    code = (
        "import sys; from datom_core.command import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print(*sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    found = ran.stdout.splitlines()[-1].split()
    return {name for name in found if name.partition(".")[0] not in sys.stdlib_module_names and name[0] != "_"}


def test_the_help_loads_the_parser_and_no_verb() -> None:
    loaded = loaded_by("--help")
    assert {name.partition(".")[0] for name in loaded} <= {
        "datom_core",
        "typer",
        "click",
        "annotated_doc",
        "shellingham",
    }
    ours = {name for name in loaded if name.startswith("datom_core.")}
    assert {name.split(".")[1] for name in ours} == {"command", "lazy", "version"}
    assert not [name for name in ours if name.startswith("datom_core.command.verbs.")]


@pytest.mark.parametrize("verb", ["list", "log", "cuts", "lineage dm", "status"])
def test_a_verb_that_reads_documents_loads_no_data_package(verb: str, shared_study: Study) -> None:
    loaded = {name.partition(".")[0] for name in loaded_by(*verb.split(), "-p", str(shared_study.folder / "data"))}
    assert not loaded & {
        "pyarrow",
        "numpy",
        "pandas",
        "boto3",
        "botocore",
        "git",
        "github",
        "yaml",
        "tenacity",
        "dagster",
    }
