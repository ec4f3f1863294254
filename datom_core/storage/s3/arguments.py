"""Check the arguments of an S3 store before any request to S3."""

from __future__ import annotations

import re
from collections.abc import Mapping

from datom_core.common import kind_of, needing, veiled
from datom_core.errors import InvalidInputError

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z0-9-]{1,32}")
_ADDRESSING = ("auto", "path", "virtual")
_ENCRYPTION = ("AES256", "aws:kms", "aws:kms:dsse")


def check_arguments(
    bucket: object,
    prefix: object,
    region: object,
    endpoint_url: object,
    addressing: str,
    encryption: str | None,
    config: object,
) -> None:
    """Raise one `InvalidInputError` for all arguments that are not valid."""
    problems = []
    if not isinstance(bucket, str) or not _BUCKET.fullmatch(bucket) or ".." in bucket:
        problems.append(
            f"{bucket!r} cannot be the name of a bucket: 3 to 63 lower-case letters, digits, hyphens and dots"
        )
    if not isinstance(prefix, str | None):
        problems.append(f"prefix is text, as in 'trials/study_001', not {prefix!r}")
    if not isinstance(region, str) or not _REGION.fullmatch(region):
        problems.append(f"{region!r} cannot be a region; give it as in 'eu-central-1'")
    if endpoint_url is not None and not re.fullmatch(r"https?://[^\s@/?#]+/?", str(endpoint_url)):
        problems.append("endpoint_url must be http(s)://host[:port], without credentials or a path")
    if addressing not in _ADDRESSING:
        problems.append(f"addressing is one of {', '.join(_ADDRESSING)}, not {addressing!r}")
    if encryption is not None and encryption not in _ENCRYPTION:
        problems.append(f"encryption is one of {', '.join(_ENCRYPTION)}, not {encryption!r}")
    problems += _problems_of(config)
    if problems:
        raise InvalidInputError("This cannot be an S3Store: " + "; ".join(problems) + ".")


def _problems_of(config: object) -> list[str]:
    with needing("Storage in S3", "s3"):
        from botocore.config import Config

    if config is None:
        return []
    if not isinstance(config, Mapping):
        return [f"config is a mapping of options of botocore.config.Config, not {kind_of(config)}"]
    problems = []
    try:
        Config(**config)
    except Exception as error:  # noqa: BLE001 - botocore raises anything, all of it about this argument
        problems.append(f"config is not what botocore.config.Config takes ({error})")
    proxies = veiled(config.get("proxies") or {})
    if isinstance(proxies, Mapping) and any("@" in str(url) for url in proxies.values()):
        problems.append("config holds the password of a proxy, which would be stored with it; set HTTPS_PROXY instead")
    return problems
