"""Files for people to open, in a place of their own: written whole, once, and never changed."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import datom_core as dc

_MANIFEST = ".metadata/manifest.json"
_TEXT = {".html": "text/html; charset=utf-8", ".md": "text/markdown; charset=utf-8"}
# What S3 answers, if an object of that name is there, or is being written just now.
_TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


def publish_in_folder(folder: Path, path: str, data: bytes) -> str:
    """Write a file below a folder, and return its path; the same file may be there already.

    Raises:
        InvalidInputError: a project's data lies there.
        IntegrityError: something else lies under its name.
        AccessDeniedError, StorageError: it cannot be written.
    """
    target = Path(os.path.abspath(folder / dc.check_key(path)))
    among = next((p for p in target.parents if p.name == "datom" and (p / _MANIFEST).exists()), None)
    if among is not None:
        raise dc.InvalidInputError(
            f"A project's data lies in {among}, and reports may not lie among it: give another folder.",
            location=str(among),
        )
    try:
        if target.exists():
            if target.read_bytes() != data:
                raise _other(str(target))
            return str(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        # Names tell contents apart: whoever was faster wrote the same.
        with dc.whole_file(target) as file:
            file.write(data)
    except PermissionError as error:
        raise dc.AccessDeniedError(f"Not allowed to write {target}: {error}.", resource=str(target)) from error
    except OSError as error:
        raise dc.StorageError(f"{target} cannot be written: {error.strerror or error}.", path=str(target)) from error
    return str(target)


def publish_in_bucket(store: dc.S3Store, path: str, data: bytes) -> str:
    """Put an object below a bucket's prefix, beside ``datom/``; return the address at which people open it.

    On AWS that is its page in the console, because reports are not for everybody, and the console asks who is there;
    on another server the object itself. The same object may be there already.

    Raises:
        IntegrityError: something else lies under its name.
        StorageError: it cannot be written; says what the server answered.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    at = store.location
    key = "/".join(filter(None, (at.prefix, dc.check_key(path))))
    target: dict[str, Any] = {"Bucket": at.root, "Key": key}
    kind = _TEXT.get(Path(path).suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    try:
        try:
            store.client.put_object(
                **target, Body=data, ContentType=kind, IfNoneMatch="*", **store.encryption_options()
            )
        except ClientError as error:
            if _code(error) not in _TAKEN:
                raise
            if store.client.get_object(**target)["Body"].read() != data:
                raise _other(at.uri(key)) from error
    except ClientError as error:
        answer: Mapping[str, Any] = error.response.get("Error", {})
        said = f"{answer.get('Code')}: {answer.get('Message')}"
        raise dc.StorageError(f"{key} cannot be written into the bucket {at.root}: {said}.", key=key) from error
    except BotoCoreError as error:
        raise dc.StorageError(
            f"{key} cannot be written into the bucket {at.root}: {type(error).__name__}.", key=key
        ) from error
    if store.endpoint_url is not None:
        return f"{store.endpoint_url.rstrip('/')}/{at.root}/{quote(key)}"
    return f"https://{at.region}.console.aws.amazon.com/s3/object/{at.root}?region={at.region}&prefix={quote(key)}"


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code"))


def _other(address: str) -> dc.IntegrityError:
    return dc.IntegrityError(
        f"{address} holds something else than the report of this name. Nothing was overwritten; look at it, and remove "
        "it.",
        path=address,
    )
