"""A prefix in a bucket of S3."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from datom_core.common import fitting, veiled
from datom_core.credentials import CredentialSource, check_credentials
from datom_core.errors import ConflictError, InvalidInputError
from datom_core.extracts.drops.protocol import ExtractFile, Listing, odd_name
from datom_core.storage import RefusedConditionError, check_arguments, open_client, translated

_BLOCK = 8 * 2**20


class S3Folder:
    """Extracts under a prefix of a bucket. They are downloaded into a temporary folder, one at a time.

    Args:
        bucket: its name.
        prefix: the folder in it; its subfolders are not read.
        credentials: where they come from, as for `S3Store`; rights to read and list are enough.
        region, endpoint_url, addressing, config: as for `S3Store`.
    """

    @fitting
    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        credentials: CredentialSource,
        region: str = "us-east-1",
        endpoint_url: str | None = None,
        addressing: str = "auto",
        config: Mapping[str, Any] | None = None,
    ) -> None:
        credentials, config = veiled(credentials), veiled(config)
        check_arguments(bucket, prefix, region, endpoint_url, addressing, None, config)
        config = veiled({**(config or {})})
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._credentials = check_credentials(credentials)
        self._how = (region, endpoint_url, addressing, config)

    @property
    def location(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}"

    @cached_property
    def _client(self) -> Any:
        return open_client(self._credentials, *self._how)

    def list(self) -> Listing:
        files: list[ExtractFile] = []
        others: list[str] = []
        with translated("s3:ListBucket", self._bucket):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix, Delimiter="/"
            )
            for page in pages:
                others += [p["Prefix"].removeprefix(self._prefix) for p in page.get("CommonPrefixes", ())]
                for found in page.get("Contents", ()):
                    name = found["Key"].removeprefix(self._prefix)
                    if name:  # it is empty for the prefix itself, which consoles create to show a folder
                        tag = found["ETag"].strip('"')
                        files.append(ExtractFile(name, found["Size"], found["LastModified"], tag))
        return Listing(tuple(files), tuple(others))

    def fetch(self, file: ExtractFile, folder: Path) -> Path:
        if odd_name(file.name):
            raise InvalidInputError(f"{file.name!r} is no name of a file.", file=file.name)
        key = self._prefix + file.name
        path = folder / file.name
        try:
            with translated("s3:GetObject", self._bucket, key, conditional=True), path.open("wb") as to:
                answer = self._client.get_object(Bucket=self._bucket, Key=key, IfMatch=file.tag)
                for block in answer["Body"].iter_chunks(_BLOCK):
                    to.write(block)
        except RefusedConditionError as error:
            raise ConflictError(f"{file.name}: the object changed since it was listed. Try again.") from error
        return path

    def check(self, file: ExtractFile) -> None:
        """Nothing to check: a downloaded copy does not change."""

    def __repr__(self) -> str:
        return f"S3Folder({self._bucket!r}, {self._prefix!r})"
