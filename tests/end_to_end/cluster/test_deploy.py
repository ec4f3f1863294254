"""The files of deploy/ that nothing here can run say what they should: secrets by reference, and code that loads."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
SECRET = ("password", "secret", "token", "_key", "broker_url", "result_backend")


def loaded(path: str) -> Any:
    return yaml.safe_load((DEPLOY / path).read_text())


def settings(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting with its name, as deep as they go; of a list with names and values, those."""
    if isinstance(value, dict) and value.keys() >= {"name", "value"}:
        yield str(value["name"]), value["value"]
    elif isinstance(value, dict):
        for key, held in value.items():
            yield from settings(held, str(key))
    elif isinstance(value, list):
        for held in value:
            yield from settings(held, name)
    else:
        yield name, value


def test_the_charts_values_hold_no_secret() -> None:
    values = loaded("kubernetes/values.yaml")
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    variables = {variable["name"]: variable for variable in deployment["env"]}
    for name in ("STUDY_KEY", "STUDY_SECRET", "STUDY_TOKEN"):
        assert variables.pop(name)["valueFrom"]["secretKeyRef"] == {"name": "study-001", "key": name}
    assert {*variables} == {"STUDY_BUCKET", "STUDY_REGION", "STUDY_DROPS", "STUDY_REPO"}
    # What is left with such a name says where a secret is, or that none is to be made.
    assert {(name, value) for name, value in settings(values) if any(s in name.lower() for s in SECRET)} == {
        ("postgresqlSecretName", "dagster-postgresql"),
        ("generatePostgresqlPasswordSecret", False),
        ("generateCeleryConfigSecret", False),
        ("postgresqlPassword", ""),
    }
    assert all("@" not in str(value) for _, value in settings(values))


def test_the_instance_and_the_containers_hold_no_secret() -> None:
    instance = loaded("celery/dagster.yaml")["storage"]["postgres"]["postgres_db"]
    assert {name for name, value in instance.items() if not isinstance(value, dict)} == {"scheme"}
    assert all(value.keys() == {"env"} for name, value in instance.items() if name != "scheme")
    services = loaded("celery/docker-compose.yaml")["services"]
    given = {pair for service in services.values() for pair in service.get("environment", {}).items()}
    secret = {name: value for name, value in given if any(s in name.lower() for s in SECRET)}
    assert len(secret) == 5
    for name, value in secret.items():
        rest = value.replace("${DAGSTER_PG_PASSWORD:?}", "").replace("${REDIS_PASSWORD:?}", "")
        assert rest == "" or (rest.startswith("redis://:@redis:6379/") and rest != value), name


def test_one_environment_serves_all_processes() -> None:
    """What the code and the instance look up is what the containers have."""
    names = {
        value["env"]
        for value in loaded("celery/dagster.yaml")["storage"]["postgres"]["postgres_db"].values()
        if isinstance(value, dict)
    }
    names |= {"CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "STUDY_DATA", "STUDY_REPO", "STUDY_EXTRACTS"}
    for name in ("page", "daemon", "worker"):
        assert loaded("celery/docker-compose.yaml")["services"][name]["environment"].keys() == names


def test_the_workspace_names_code_that_is_there() -> None:
    (place,) = loaded("celery/workspace.yaml")["load_from"]
    assert (DEPLOY / "celery" / place["python_file"]["relative_path"]).is_file()


@pytest.mark.parametrize(("folder", "executor"), [("celery", "celery"), ("kubernetes", "k8s")])
def test_the_code_loads(folder: str, executor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any variable being set: they are looked up when a step needs them."""
    defs = runpy.run_path(str(DEPLOY / folder / "definitions.py"))["defs"]
    assert isinstance(defs, dg.Definitions)
    assert defs.resolve_job_def("tables").executor_def.name == executor


def test_the_image_has_what_the_code_needs() -> None:
    image = (DEPLOY / "Dockerfile").read_text()
    arguments = loaded("kubernetes/values.yaml")["dagster-user-deployments"]["deployments"][0]["dagsterApiGrpcArgs"]
    assert "COPY deploy/kubernetes /opt/study/kubernetes\n" in image
    assert arguments == ["--python-file", "/opt/study/kubernetes/definitions.py"]
    for line in image.splitlines():
        if line.startswith("COPY"):
            *sources, _ = [word for word in line.split()[1:] if not word.startswith("--")]
            assert all((DEPLOY.parent / source).exists() for source in sources), line
