"""Large objects in parts, several at a time."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import secrets
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from datom_core.common import Progress, watcher
from datom_core.documents import Buffer
from datom_core.errors import StorageError
from datom_core.storage.s3.client import ATTEMPTS
from datom_core.storage.s3.errors import NOT_S3, code_of, tag_of

#: Objects of this size or more are transferred in parts of this size.
PART_BYTES = 16 * 2**20
_MAX_PARTS = 10_000
_THREADS = 8


@dataclass(frozen=True)
class Download:
    """An object's bytes, with the SHA-256 computed as they arrived."""

    data: Buffer
    etag: str
    sha256: str


def body(data: Buffer) -> Any:
    """The bytes as a file that boto3 can read again for a retry; they are not copied."""
    if isinstance(data, bytes):
        return data
    import pyarrow as pa

    return pa.BufferReader(pa.py_buffer(data))


def distinct(key: str, data: Buffer) -> Buffer:
    """A document with a unique run of white space at its end.

    S3 tags an object by its bytes: after A, B, A, a writer that stalled since the first A would mistake the second one
    for it, and replace it with something old. JSON ignores the white space.
    """
    if not key.endswith(".json"):
        return data
    return bytes(data) + bytes(b" \t\r\n"[byte & 3] for byte in secrets.token_bytes(24))


def checksum(data: Buffer) -> dict[str, str]:
    """SHA-256 as arguments of an upload; a bucket with object lock also requires the algorithm's name."""
    return {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": base64.b64encode(hashlib.sha256(data).digest()).decode()}


def download(client: Any, bucket: str, key: str) -> Download:
    """Read an object: in one request or, if it is large, in parallel ranges of one and the same state.

    If it is replaced meanwhile, it is read again from the start, a few times.
    """
    from botocore.exceptions import ClientError
    from tenacity import Retrying, retry_if_exception, stop_after_attempt

    def replaced(error: BaseException) -> bool:
        return isinstance(error, ClientError) and code_of(error) in ("PreconditionFailed", "412")

    again = Retrying(retry=retry_if_exception(replaced), stop=stop_after_attempt(ATTEMPTS), reraise=True)
    return again(_download, client, bucket, key, PART_BYTES)


def _download(client: Any, bucket: str, key: str, part: int) -> Download:
    place = {"Bucket": bucket, "Key": key}
    answer, data = _ask(client, place, limit=part)
    size, etag = int(answer["ContentLength"]), tag_of(answer)
    if size == len(data):
        return Download(data, etag, hashlib.sha256(data).hexdigest())
    whole = memoryview(bytearray(size))
    whole[: len(data)] = data
    digest = hashlib.sha256(data)
    tell, ranges = watcher(), range(len(data), size, part)

    def fetch(start: int) -> tuple[int, int]:
        end = min(start + part, size)
        # The tag makes sure that all ranges come from one state, whoever writes meanwhile.
        _, window = _ask(client, {**place, "Range": f"bytes={start}-{end - 1}", "IfMatch": etag})
        if len(window) != end - start:
            raise StorageError(NOT_S3)
        whole[start:end] = window
        return start, end

    with ThreadPoolExecutor(_THREADS, thread_name_prefix="datom-s3") as pool:
        for number, (start, end) in enumerate(pool.map(fetch, ranges), 2):
            digest.update(whole[start:end])
            tell(Progress("download", number, len(ranges) + 1, end, size, key))
    return Download(whole.toreadonly(), etag, digest.hexdigest())


class _BrokenOffError(Exception):
    """An answer broke off midway; the cause is the library's own error."""


def _ask(client: Any, arguments: Mapping[str, Any], *, limit: int | None = None) -> tuple[Mapping[str, Any], bytes]:
    """An object's answer, and its body up to ``limit`` bytes: the rest of a large one is not read.

    boto3 retries if no answer comes; it leaves answers that break off midway to its callers.
    """
    from botocore.exceptions import HTTPClientError, IncompleteReadError, ResponseStreamingError
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

    def ask() -> tuple[Mapping[str, Any], bytes]:
        answer = client.get_object(**arguments)
        stream = answer["Body"]
        try:
            tag_of(answer)
            large = limit is not None and int(answer["ContentLength"]) > limit
            return answer, stream.read(limit) if large else stream.read()
        except (HTTPClientError, IncompleteReadError, ResponseStreamingError) as error:
            raise _BrokenOffError from error
        finally:
            stream.close()

    again = Retrying(
        retry=retry_if_exception_type(_BrokenOffError),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.1, max=5),
        reraise=True,
    )
    try:
        return again(ask)
    except _BrokenOffError as error:
        raise (error.__cause__ or error) from None


def upload_parts(
    client: Any, bucket: str, key: str, data: Buffer, options: Mapping[str, Any], condition: Mapping[str, str]
) -> None:
    """Store a large object in parallel parts; it appears whole if ``condition`` holds at the end, otherwise not at all.

    If the upload fails, its parts are removed.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    whole = memoryview(data).cast("B")
    place = {"Bucket": bucket, "Key": key}
    upload = client.create_multipart_upload(**place, ChecksumAlgorithm="SHA256", **options)["UploadId"]

    windows, tell = list(_windows(whole)), watcher()

    def put(part: tuple[int, memoryview]) -> dict[str, Any]:
        number, window = part
        digest = checksum(window)
        answer = client.upload_part(**place, **digest, UploadId=upload, PartNumber=number, Body=body(window))
        return {"PartNumber": number, "ETag": tag_of(answer), "ChecksumSHA256": digest["ChecksumSHA256"]}

    try:
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="datom-s3") as pool:
            parts: list[dict[str, Any]] = []
            for part in pool.map(put, enumerate(windows, 1)):
                parts.append(part)
                sent = sum(len(window) for window in windows[: len(parts)])
                if len(windows) > 1:
                    tell(Progress("upload", len(parts), len(windows), sent, len(whole), key))
        client.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts}, **condition)
    except BaseException:
        # What went wrong first matters; a lifecycle rule of the bucket removes parts that stay.
        with contextlib.suppress(BotoCoreError, ClientError):
            client.abort_multipart_upload(**place, UploadId=upload)
        raise


def _windows(whole: memoryview) -> Iterator[memoryview]:
    size = max(PART_BYTES, -(-len(whole) // _MAX_PARTS))
    for start in range(0, len(whole), size):
        yield whole[start : start + size]
