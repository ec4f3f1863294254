"""The one place where S3's errors become ours."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from datom_core.common import masked, without_frames
from datom_core.errors import AccessDeniedError, DatomError, InvalidInputError, NotFoundError, StorageError

_BAD_KEYS = {
    "InvalidAccessKeyId": "the access key is not known there",
    "SignatureDoesNotMatch": "the secret key does not belong to the access key",
    "InvalidToken": "the session token is not valid",
    "InvalidClientTokenId": "the access key or session token is not known there",
}
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"})
_WRONG_REGION = frozenset(
    {
        "PermanentRedirect",
        "TemporaryRedirect",
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
        "301",
    }
)
_ABSENT = frozenset({"NoSuchKey", "NotFound", "404"})
# What AWS clients call on their own to get credentials, in the middle of a request to S3.
_FOREIGN = {
    "AssumeRole": "sts:AssumeRole",
    "AssumeRoleWithWebIdentity": "sts:AssumeRoleWithWebIdentity",
    "GetRoleCredentials": "sso:GetRoleCredentials",
    "CreateToken": "sso-oauth:CreateToken",
}
# The answer to a HEAD has no body to say more: for an expired token it is a bare 400.
_VAGUE = frozenset({"AccessDenied", "403", "400"})


NOT_S3 = "What answered is not S3; check the endpoint, and whatever is between it and this machine."


class RefusedConditionError(Exception):
    """The object was not in the state that the request named; only this package sees this error."""


def code_of(error: Any) -> str:
    """S3's own code for what happened, or the status if there is no body."""
    return str(error.response.get("Error", {}).get("Code", ""))


def tag_of(answer: Any) -> str:
    """The tag in an answer about an object.

    Raises:
        StorageError: there is none, as when something in the network answers instead of S3.
    """
    tag = str(answer.get("ETag") or "").strip('"')
    if not tag:
        raise StorageError(NOT_S3)
    return tag


def status_of(error: Any) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


@contextlib.contextmanager
def translated(action: str, bucket: str, key: str = "", *, conditional: bool = False) -> Iterator[None]:
    """Raise our errors for those of boto3.

    Args:
        action: the request, as IAM names it, for example ``"s3:GetObject"``.
        bucket, key: what it is about.
        conditional: whether the request carried a precondition.

    Raises:
        RefusedConditionError: the precondition did not hold.
        NotFoundError, AccessDeniedError, InvalidInputError, StorageError.
    """
    from botocore import exceptions as theirs
    from botocore.parsers import ResponseParserError

    resource = f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "")
    try:
        yield
    except (DatomError, RefusedConditionError, GeneratorExit):
        raise
    except theirs.ClientError as error:
        if conditional and status_of(error) in (409, 412):
            raise RefusedConditionError(code_of(error)) from without_frames(error)
        raise _of_answer(error, action, bucket, key, resource) from without_frames(error)
    except (theirs.ConnectionError, theirs.HTTPClientError) as error:
        raise StorageError(
            f"S3 could not be reached for {action} on {resource}: {masked(str(error))}. Try again; check the network, "
            "the endpoint and its certificate.",
            action=action,
            resource=resource,
        ) from without_frames(error)
    except ResponseParserError as error:
        raise StorageError(
            f"{NOT_S3} It answered {action} on {resource} with {masked(str(error))[:200]}.",
            action=action,
            resource=resource,
        ) from without_frames(error)
    except theirs.BotoCoreError as error:
        raise _of_client(error, action, resource) from without_frames(error)
    except BaseException as error:
        without_frames(error)
        raise


def is_vague(error: DatomError) -> bool:
    """Whether S3 refused without saying why; a listing would tell more."""
    return error.details.get("code") in _VAGUE


@contextlib.contextmanager
def translated_head(bucket: str, key: str, listed: Callable[[], bool], *, conditional: bool = False) -> Iterator[None]:
    """`translated`, for queries about an object that may not exist.

    Whether S3 calls a missing object missing or denied depends on the right to list the bucket; to users who may only
    list a prefix, radosgw denies it, and AWS may.

    Args:
        bucket, key: what it is about.
        listed: whether a listing shows it; called only if S3 refused without saying why.
        conditional: as `translated`.
    """
    try:
        with translated("s3:GetObject", bucket, key, conditional=conditional):
            yield
    except (AccessDeniedError, StorageError) as error:
        if not is_vague(error):
            raise
        try:
            there = listed()
        except AccessDeniedError as reason:
            if is_vague(reason):
                raise error from reason  # listing is denied, too: report the original request
            raise
        if there:
            raise
        raise _no_object(bucket, key) from error


def _no_object(bucket: str, key: str) -> NotFoundError:
    return NotFoundError(f"There is no object {key} in the bucket {bucket}.", key=key)


def _of_answer(error: Any, action: str, bucket: str, key: str, resource: str) -> Exception:
    code, status, said = code_of(error), status_of(error), masked(str(error))
    foreign = _FOREIGN.get(error.operation_name)
    if foreign is not None:
        return AccessDeniedError(
            f"Getting credentials for {resource} failed: {said}.", action=foreign, resource=resource, code=code
        )
    facts = {"action": action, "resource": resource, "code": code}
    if code == "NoSuchBucket" or (status == 404 and not key):
        return NotFoundError(
            f"There is no bucket {bucket!r}. datom never makes one: create it, or correct its name.", bucket=bucket
        )
    if code in _ABSENT or status == 404:
        return _no_object(bucket, key)
    if code in _BAD_KEYS:
        return AccessDeniedError(f"S3 refused the credentials for {resource}: {_BAD_KEYS[code]}.", **facts)
    if code in _EXPIRED:
        return AccessDeniedError(
            f"The credentials for {resource} have expired. Get new ones, or give a source that renews them.", **facts
        )
    if code == "RequestTimeTooSkewed":
        return AccessDeniedError(
            "The clock of this machine is off by more than S3 accepts. Set it, and try again.", **facts
        )
    if code in _WRONG_REGION:
        right = region_in(error)
        named = f"; it is in {right}" if right else ""
        return InvalidInputError(
            f"The bucket {bucket} is not in the region that was given{named}. Correct the region.",
            bucket=bucket,
            region=right,
        )
    if code.startswith("KMS."):
        return InvalidInputError(f"The key for encryption cannot be used: {said}", **facts)
    if status == 403:
        return AccessDeniedError(
            f"Not allowed: {action} on {resource}. Ask for that permission, or use other credentials.", **facts
        )
    return StorageError(f"S3 failed at {action} on {resource}: {said}. Try again.", **facts)


def region_in(error: Any) -> str | None:
    """The region that S3 named in its refusal; ``error`` is boto3's, or one of ours caused by it."""
    response = getattr(error, "response", None) or getattr(error.__cause__, "response", {})
    found = response.get("Error", {}).get("Region")
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    region = found or headers.get("x-amz-bucket-region")
    return str(region) if region else None


def _of_client(error: Exception, action: str, resource: str) -> DatomError:
    """Errors that botocore finds by itself: before a request, or in the middle of an answer."""
    said, name = masked(str(error)), type(error).__name__
    if "Credential" in name or "Token" in name or "SSO" in name:
        return AccessDeniedError(
            f"There are no usable credentials for {resource}: {said}", action=action, resource=resource
        )
    if name in ("ParamValidationError", "InvalidRegionError", "UnsupportedS3ConfigurationError"):
        return InvalidInputError(f"S3 cannot be asked for {resource}: {said}")
    return StorageError(f"S3 failed at {action} on {resource}: {said}. Try again.", action=action, resource=resource)
