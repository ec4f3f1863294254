"""The boto3 client that a store uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datom_core.credentials import CredentialSource, make_client
from datom_core.version import __version__

#: How often to make one request in total. boto3 retries while no answer comes; we retry when an answer breaks off
#: midway, or shows a state that has been replaced: boto3 leaves both to its callers.
ATTEMPTS = 5
# Sensible for documents of a few kilobytes and payloads of many megabytes; each can be overridden.
_DEFAULTS: dict[str, Any] = {
    "connect_timeout": 10,
    "read_timeout": 60,
    "retries": {"mode": "standard", "total_max_attempts": ATTEMPTS},
    "max_pool_connections": 32,
    "tcp_keepalive": True,
    "user_agent_extra": f"datom-dagster/{__version__}",
    # Every upload carries our own SHA-256, and every payload is compared with its recorded one.
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}


def open_client(
    credentials: CredentialSource, region: str, endpoint_url: str | None, addressing: str, config: Mapping[str, Any]
) -> Any:
    """A client for S3, with our defaults unless the caller overrides them."""
    if addressing == "auto" and endpoint_url is not None:
        addressing = "path"  # a private server seldom has a host name for each bucket
    s3 = {"addressing_style": addressing, **(config.get("s3") or {})}
    merged = {**_DEFAULTS, **config, "s3": s3}
    return make_client("s3", credentials, region=region, endpoint_url=endpoint_url, config=merged)
