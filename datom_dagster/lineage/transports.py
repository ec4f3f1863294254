"""Where events go: OpenLineage's own configuration of a transport, without anything secret in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import datom_core as dc
from datom_core import needing

_SECRET = re.compile(r"(api_?key|password|passwd|secret|token|authorization|credential|private|sasl)", re.IGNORECASE)
# Names among them that hold no secret.
_NAMES = frozenset({"tokenendpoint", "token_endpoint", "tokenfields", "token_fields", "tokenrefreshbuffer"})
# The library tries six times, which takes longer than a step should wait.
_RETRY = {"total": 1, "backoff_factor": 0.2}


def check_transport(given: Mapping[str, Any]) -> None:
    """Refuse a transport that names no type, or in which something secret would stand: Dagster shows what it is given.

    Raises:
        InvalidInputError: says where, without the value, and what to do.
    """
    kind = given.get("type")
    if not isinstance(kind, str) or not kind:
        raise dc.InvalidInputError('transport needs its "type": http, file, console, kafka, or another of OpenLineage.')
    secret = sorted(set(_secrets(given)))
    if secret:
        raise dc.InvalidInputError(
            f"transport: {', '.join(secret)} would be shown wherever Dagster shows configuration. Give the key's "
            "variable as api_key_env, or keep the transport in OpenLineage's own configuration: the file that "
            "OPENLINEAGE_CONFIG names, or variables such as OPENLINEAGE__TRANSPORT."
        )


def _secrets(given: Any, path: str = "") -> Iterator[str]:
    """Where something secret stands."""
    if isinstance(given, Mapping):
        for key, value in given.items():
            at = f"{path}.{key}" if path else str(key)
            if _SECRET.search(str(key)) and str(key).lower() not in _NAMES and not isinstance(value, Mapping):
                yield at
            yield from _secrets(value, at)
    elif isinstance(given, list | tuple):
        for place, value in enumerate(given):
            yield from _secrets(value, f"{path}[{place}]")
    elif isinstance(given, str) and "://" in given:
        parts = urlsplit(given)
        if parts.username is not None or parts.password is not None or parts.query:
            yield f"{path} (a URL with a user, a password or a query)"


def make_client(transport: Mapping[str, Any] | None, api_key: str | None) -> Any:
    """OpenLineage's client.

    Args:
        transport: as `check_transport` accepts it; ``None`` for OpenLineage's own configuration.
        api_key: of an HTTP endpoint.

    Raises:
        InvalidInputError: it cannot be made so, or nothing is configured.
        ImportError: the package is not there.
    """
    with needing("OpenLineage events", "openlineage"):
        from openlineage.client import OpenLineageClient
    config: dict[str, Any] | None = None
    if transport is not None:
        config = {"transport": _complete(transport, api_key)}
    elif api_key is not None:
        raise dc.InvalidInputError(
            "api_key_env goes with transport; without it, OpenLineage's own variables name a key."
        )
    problem = ""
    try:
        client = OpenLineageClient(config=config)
        if transport is None and not client.config.transport and not os.environ.get("OPENLINEAGE_URL"):
            problem = "none is configured"
    except Exception as error:  # noqa: BLE001 - of any transport; its text may hold what was configured
        problem = type(error).__name__
    if problem:
        raise dc.InvalidInputError(
            f"OpenLineage has no transport ({problem}). Give transport={{'type': 'http', 'url': ...}} or another of "
            "OpenLineage's, with all that it needs; or configure one by OPENLINEAGE_CONFIG or OPENLINEAGE_URL."
        )
    _without_location(client)
    return client


def _complete(transport: Mapping[str, Any], api_key: str | None) -> dict[str, Any]:
    made = dict(transport)
    if made["type"] == "http":
        made["retry"] = {**_RETRY, **(made.get("retry") or {})}
        if api_key is not None:
            made["auth"] = {"type": "api_key", "apiKey": api_key}
    elif api_key is not None:
        raise dc.InvalidInputError(f"api_key_env is for http, not for {made['type']}.")
    return made


def _without_location(client: Any) -> None:
    """Keep the library from telling the URL of the working folder's git remote, which may hold a token."""
    location = getattr(client.config.facets, "source_code_location", None)
    if location is not None and location.repo_url is None:
        location.disabled = True
