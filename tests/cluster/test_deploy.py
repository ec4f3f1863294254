"""The files of deploy/, as far as they can be looked at without the servers that they are for."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DOCUMENTS = [str(p.relative_to(DEPLOY)) for p in sorted(DEPLOY.glob("*/*.yaml"))]
_SECRET = ("password", "secret", "token")


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every plain value of a document, with the keys that lead to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, str(key)))
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield path, value


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_secret_is_named_and_never_written_down(name: str) -> None:
    document = yaml.safe_load((DEPLOY / name).read_text())
    named = [(p, v) for p, v in leaves(document) if any(word in p[-1].lower() for word in _SECRET)]
    for path, value in named:
        # Where the platform keeps it, whether it makes one, or what compose takes from its own environment.
        by_name = path[-1].endswith("SecretName") or "secretKeyRef" in path or isinstance(value, bool) or not value
        assert by_name or str(value).startswith("${"), (path, value)
    for path, value in leaves(document):
        if isinstance(value, str) and "://:" in value:
            assert "://:${" in value, (path, value)


def test_all_of_kubernetes_environment_is_what_the_code_asks_for() -> None:
    values = yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text())
    (code,) = values["dagster-user-deployments"]["deployments"]
    given = {entry["name"] for entry in code["env"]}
    text = (DEPLOY / "kubernetes" / "definitions.py").read_text()
    assert {name for name in given if f'"{name}"' in text} == given
    assert code["dagsterApiGrpcArgs"][1] == "/opt/study/kubernetes/definitions.py"


@pytest.mark.parametrize("platform", ["celery", "kubernetes"])
def test_the_code_location_loads_where_no_variable_is_set(platform: str) -> None:
    made = runpy.run_path(str(DEPLOY / platform / "definitions.py"))
    dg.Definitions.validate_loadable(made["defs"])
