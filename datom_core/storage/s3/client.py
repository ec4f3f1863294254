"""The boto3 client that a store talks through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datom_core.credentials import CredentialSource, make_client
from datom_core.version import __version__

#: How often one request is made in all: by boto3 while no answer comes, and by us when one breaks off in its middle, or
#: is of a state that has been replaced, both of which boto3 leaves to its callers.
ATTEMPTS = 5
# Sensible for documents of a few kilobytes and payloads of many megabytes; each may be given otherwise.
_DEFAULTS: dict[str, Any] = {
    "connect_timeout": 10,
    "read_timeout": 60,
    "retries": {"mode": "standard", "total_max_attempts": ATTEMPTS},
    "max_pool_connections": 32,
    "tcp_keepalive": True,
    "user_agent_extra": f"datom-dagster/{__version__}",
    # Every upload carries a SHA-256 of ours, and every payload is compared with its recorded one.
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}


def open_client(
    credentials: CredentialSource, region: str, endpoint_url: str | None, addressing: str, config: Mapping[str, Any]
) -> Any:
    """A client for S3, with our defaults under what the caller wants otherwise."""
    if addressing == "auto" and endpoint_url is not None:
        addressing = "path"  # a server of one's own seldom has a name for each bucket
    s3 = {"addressing_style": addressing, **(config.get("s3") or {})}
    merged = {**_DEFAULTS, **config, "s3": s3}
    return make_client("s3", credentials, region=region, endpoint_url=endpoint_url, config=merged)
