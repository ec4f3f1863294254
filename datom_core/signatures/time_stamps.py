"""RFC 3161: a server's signed word that a record was there at a time. Nothing else needs network."""

from __future__ import annotations

import base64
import binascii
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from datom_core.common import needing
from datom_core.documents import Approval, format_timestamp, record_text
from datom_core.errors import IntegrityError, InvalidInputError, NotFoundError, StorageError

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

_NEED = "A time stamp"
_TOLERANCE = timedelta(minutes=5)
_LARGEST = 2**20
_GRANTED = bytes.fromhex("3003020100")  # the status that stands before a token in a server's answer


@dataclass(frozen=True)
class TimeStampServer:
    """A server that stamps by RFC 3161, and whom to believe.

    Args:
        url: where it answers.
        ca: path of a PEM file with the certificate of the authority behind it, and any between.
        timeout: seconds.

    Raises:
        InvalidInputError: the URL is no address of a server, or carries a password.
        NotFoundError: there is no such file.
    """

    url: str
    ca: str | os.PathLike[str]
    timeout: float = 30.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise InvalidInputError("The address of a time stamp server is an http or https URL without a password.")
        if not Path(self.ca).is_file():
            raise NotFoundError(f"There is no file {os.fspath(self.ca)} with the certificate of {self.url}.")

    def stamp(self, record: Mapping[str, Any], now: datetime) -> dict[str, str]:
        """A time stamp of a record, verified, as the record holds it.

        Raises:
            StorageError: the server does not answer, or refuses.
            IntegrityError: its answer is of something else, or not of whom to believe.
            InvalidInputError: it is more than five minutes off this machine's clock.
        """
        with needing(_NEED, "evidence"):
            from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response
        builder = TimestampRequestBuilder().data(record_text(record).encode()).hash_algorithm(HashAlgorithm.SHA256)
        asked = builder.build()
        try:
            answer = decode_timestamp_response(self._post(asked.as_bytes()))
            granted, token = answer.status in (0, 1), answer.time_stamp_token()
        except ValueError as error:
            raise StorageError(f"{self.url} gave no time stamp: {error}.", url=self.url) from error
        if not granted:
            raise StorageError(f"{self.url} gave no time stamp: {'; '.join(answer.status_string)}.", url=self.url)
        problem = self._problem(answer, bytes.fromhex(record["id"]), asked.nonce)
        if problem is not None:
            raise IntegrityError(f"The time stamp of {self.url} proves nothing: {problem}.", url=self.url)
        stamped = answer.tst_info.gen_time
        if abs(stamped - now) > _TOLERANCE:
            raise InvalidInputError(
                f"{self.url} says that it is {format_timestamp(stamped)}, and this machine {format_timestamp(now)}: "
                "more than five minutes apart. Set the clock.",
                url=self.url,
            )
        return {"server": self.url, "token": base64.b64encode(token).decode()}

    def problem_of(self, record: Approval) -> str | None:
        """What is wrong with the time stamp of a record; ``None`` if nothing is."""
        answer = _answer(record)
        if answer is None:
            return "its time stamp cannot be read"
        return self._problem(answer, bytes.fromhex(record.id), None)

    def _problem(self, answer: TimeStampResponse, digest: bytes, nonce: int | None) -> str | None:
        from cryptography import x509
        from rfc3161_client import VerificationError, VerifierBuilder

        try:
            given = x509.load_pem_x509_certificates(Path(self.ca).read_bytes())
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"{os.fspath(self.ca)} holds no certificate: {error}.") from error
        builder = VerifierBuilder(nonce=nonce)
        for certificate in given:
            own = certificate.issuer == certificate.subject
            builder = (
                builder.add_root_certificate(certificate) if own else builder.add_intermediate_certificate(certificate)
            )
        try:
            builder.build().verify(answer, digest)
        except (VerificationError, ValueError) as error:
            return str(error).rstrip(".")
        return None

    def _post(self, request: bytes) -> bytes:
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        asked = urllib.request.Request(self.url, data=request, headers=headers, method="POST")  # noqa: S310 - http alone
        try:
            with urllib.request.urlopen(asked, timeout=self.timeout) as answer:  # noqa: S310
                data: bytes = answer.read(_LARGEST + 1)
        except (OSError, http.client.HTTPException) as error:
            why = error.reason if isinstance(error, urllib.error.URLError) else error
            raise StorageError(
                f"The time stamp server {self.url} does not answer: {why}. Nothing was recorded.", url=self.url
            ) from error
        if len(data) > _LARGEST:
            raise StorageError(f"{self.url} gave more than a time stamp.", url=self.url)
        return data


def stamped_at(record: Approval) -> datetime | None:
    """The time that a record's time stamp says, whoever signed that; ``None`` if there is none to be read."""
    answer = _answer(record)
    return None if answer is None else answer.tst_info.gen_time


def stamp_problem(record: Approval, server: TimeStampServer | None) -> str | None:
    """What is wrong with a record's time stamp, as far as one can tell without, or with, whom to believe."""
    return None if record.time_stamp is None or server is None else server.problem_of(record)


def _answer(record: Approval) -> TimeStampResponse | None:
    """A record's token, in the form in which a server gives it."""
    if record.time_stamp is None:
        return None
    with needing(_NEED, "evidence"):
        from rfc3161_client import decode_timestamp_response
    try:
        body = _GRANTED + base64.b64decode(record.time_stamp["token"], validate=True)
        size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
        head = bytes([0x30, len(body)]) if len(body) < 128 else bytes([0x30, 0x80 | len(size)]) + size
        answer: TimeStampResponse = decode_timestamp_response(head + body)
    except (binascii.Error, ValueError):
        return None
    return answer
