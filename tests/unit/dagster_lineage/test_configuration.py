"""What a lineage resource takes, what it refuses, and that nothing secret is ever in it."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import attr
import dagster as dg
import pytest

import datom_core as dc
import datom_dagster.lineage
from datom_dagster import OpenLineageResource
from datom_dagster.lineage.delivery import Delivery, Undelivered
from datom_dagster.lineage.run_events import FACET_SCHEMA, DatomVersionDatasetFacet, dataset_name, run_id
from datom_dagster.lineage.transports import make_client

SECRET = "planted-secret"


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OPENLINEAGE_CONFIG", "OPENLINEAGE_URL", "OPENLINEAGE_API_KEY", "OPENLINEAGE_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("transport", "where"),
    [
        ({"type": "http", "url": "https://x.org", "auth": {"type": "api_key", "apiKey": SECRET}}, "auth.apiKey"),
        ({"type": "http", "url": f"https://user:{SECRET}@x.org"}, "url (a URL with a user"),
        ({"type": "http", "url": f"https://x.org/?key={SECRET}"}, "url (a URL with a user"),
        ({"type": "http", "url": "https://x.org", "custom_headers": {"Authorization": SECRET}}, "Authorization"),
        ({"type": "kafka", "topic": "t", "config": {"sasl.password": SECRET}}, "config.sasl.password"),
        ({"type": "composite", "transports": [{"type": "http", "auth": {"clientSecret": SECRET}}]}, "transports[0]"),
        ({"url": "https://x.org"}, "type"),
    ],
)
def test_what_would_show_a_secret_is_refused_without_it(transport: dict[str, Any], where: str) -> None:
    with pytest.raises(dc.InvalidInputError) as refused:
        OpenLineageResource(transport=transport)
    assert where in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "transport",
    [
        {"type": "console"},
        {
            "type": "http",
            "url": "https://x.org",
            "timeout": 2,
            "auth": {"type": "jwt", "tokenEndpoint": "https://x.org"},
        },
        {"type": "kafka", "topic": "t", "config": {"bootstrap.servers": "localhost:9092"}},
    ],
)
def test_what_shows_none_is_taken(transport: dict[str, Any]) -> None:
    assert OpenLineageResource(transport=transport).transport == transport


@pytest.mark.parametrize(
    ("transport", "key", "said"),
    [
        (None, None, "none is configured"),
        ({"type": "http"}, None, "RuntimeError"),
        ({"type": "no.such.Transport"}, None, "no transport"),
        ({"type": "file", "log_file_path": "x"}, SECRET, "api_key_env is for http, not for file"),
        (None, SECRET, "api_key_env goes with transport"),
    ],
)
def test_what_can_never_work_is_refused(transport: dict[str, Any] | None, key: str | None, said: str) -> None:
    with pytest.raises(dc.InvalidInputError, match=said) as refused:
        make_client(transport, key)
    assert SECRET not in str(refused.value)


def test_a_key_whose_variable_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    lineage = OpenLineageResource(transport={"type": "http", "url": "http://x.org"}, api_key_env="NO_SUCH_KEY")
    with pytest.raises(dc.InvalidInputError, match="NO_SUCH_KEY is not set"):
        lineage.setup_for_execution(dg.build_init_resource_context())


def test_openlineages_own_configuration_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "lineage.yml"
    config.write_text("transport: {type: file, log_file_path: events}\n")
    monkeypatch.setenv("OPENLINEAGE_CONFIG", str(config))
    assert make_client(None, None).transport.kind == "file"
    monkeypatch.delenv("OPENLINEAGE_CONFIG")
    monkeypatch.setenv("OPENLINEAGE_URL", "http://127.0.0.1:1")
    assert make_client(None, None).transport.kind == "http"


def test_the_remote_of_the_working_folder_is_not_told(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    remote = ["git", "-C", str(tmp_path), "remote", "add", "origin", f"https://user:{SECRET}@example.org/x.git"]
    subprocess.run(remote, check=True)
    client = make_client({"type": "console"}, None)
    assert client.config.facets.source_code_location.disabled


def test_an_error_of_a_transport_is_told_without_its_text() -> None:
    def emit(event: object) -> None:
        raise RuntimeError(SECRET)

    with pytest.raises(Undelivered, match=r"^RuntimeError$"):
        Delivery(emit, 5).send(object())


@pytest.mark.parametrize(
    ("place", "namespace", "name"),
    [
        (dc.Location("local", "/srv/data", "studies/001"), "file", "/srv/data/studies/001/datom/dm"),
        (dc.Location("local", "/"), "file", "/datom/dm"),
        (dc.Location("s3", "bucket", "studies/001", "eu-central-1"), "s3://bucket", "studies/001/datom/dm"),
        (dc.Location("memory", "memory"), "memory://memory", "datom/dm"),
    ],
)
def test_a_dataset_is_called_after_its_address(place: dc.Location, namespace: str, name: str) -> None:
    assert dataset_name(place, "dm") == (namespace, name)


def test_our_facet_has_the_fields_of_its_schema() -> None:
    schema = json.loads(Path(datom_dagster.lineage.__file__).with_name("datom_version.schema.json").read_text())
    assert schema["$id"] + "#/$defs/DatomVersionDatasetFacet" == FACET_SCHEMA
    fields = {a.name for a in attr.fields(DatomVersionDatasetFacet)} - {"_deleted"}  # which removes a facet
    assert fields == set(schema["$defs"]["DatomVersionDatasetFacet"]["properties"])


def test_whoever_knows_the_attempt_knows_its_id() -> None:
    from datom_dagster.events import StepRun

    run = "6f3c1f0e-5d2b-4a52-8a53-0d3c0d6a1a11"

    def attempt(step: str, number: int) -> str:
        return run_id(StepRun(run, "job", step, number, (), frozenset(), None))

    assert attempt("dm", 0) == str(uuid.uuid5(uuid.UUID(run), "dm/0"))
    assert len({attempt("dm", 0), attempt("dm", 1), attempt("ae", 0)}) == 3


def test_the_package_is_loaded_by_nobody_who_does_not_use_it() -> None:
    told = "import sys, datom_dagster; datom_dagster.OpenLineageResource; print('openlineage' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
