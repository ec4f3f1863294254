"""The least rights that a reader or writer of a project needs, as an IAM policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from datom_core.common import fitting, names
from datom_core.errors import InvalidInputError

if TYPE_CHECKING:
    from datom_core.storage.s3.store import S3Store

Role = Literal["reader", "writer", "mover", "approver"]
Scope = Literal["project", "prefix"]


@fitting
def iam_policy(store: S3Store, role: Role = "reader", *, scope: Scope = "project") -> dict[str, Any]:
    """An IAM policy document, ready for ``json.dumps``.

    Args:
        store: where the data lies.
        role: ``"reader"`` may list and read; ``"writer"`` may also put objects, and remove nothing but the claim that
            exists while a project is being created or moved here; ``"mover"`` may also remove what is here, as
            `migrate` with ``delete_source`` must at the old place, and look at legal holds; ``"approver"`` may write,
            and put objects under legal hold, as `Project.hold` does.
        scope: ``"project"``: the one at the store's prefix; ``"prefix"``: every project at or below it.

    Raises:
        InvalidInputError: there is no such role or scope.
    """
    if role not in get_args(Role) or scope not in get_args(Scope):
        raise InvalidInputError(
            f"role is one of {', '.join(get_args(Role))}, and scope one of {', '.join(get_args(Scope))}; "
            f"got {role!r} and {scope!r}."
        )
    at = store.location
    partition = _partition(str(at.region))
    bucket = f"arn:{partition}:s3:::{at.root}"
    prefix = _literally(f"{at.prefix}/") if at.prefix else ""
    folder = prefix if scope == "prefix" else f"{prefix}datom/"
    below = f"{bucket}/{folder}"
    statements = _reading(bucket, folder, below)
    if role != "reader":
        removable = "*" if role == "mover" else f"{'*' if scope == 'prefix' else ''}{names.CLAIM_KEY}"
        statements += _writing(below, removable)
    if role in ("mover", "approver"):
        statements += _holding(bucket, below, role)
    if store.kms_key is not None and store.kms_key.startswith("arn:"):
        actions = ["kms:Decrypt"] + ([] if role == "reader" else ["kms:GenerateDataKey"])
        statements.append(_allowed("Key", actions, store.kms_key))
    return {"Version": "2012-10-17", "Statement": statements}


def _reading(bucket: str, folder: str, below: str) -> list[dict[str, Any]]:
    only_there = {"StringLike": {"s3:prefix": [f"{folder}*"]}}
    listing = _allowed("List", ["s3:ListBucket"], bucket)
    return [{**listing, "Condition": only_there}, _allowed("Read", ["s3:GetObject"], f"{below}*")]


def _writing(below: str, removable: str) -> list[dict[str, Any]]:
    return [
        _allowed("Write", ["s3:PutObject", "s3:AbortMultipartUpload"], f"{below}*"),
        _allowed("Remove", ["s3:DeleteObject"], f"{below}{removable}"),
    ]


def _holding(bucket: str, below: str, role: Role) -> list[dict[str, Any]]:
    actions = ["s3:GetObjectLegalHold", *(["s3:PutObjectLegalHold"] if role == "approver" else [])]
    lock = _allowed("Lock", ["s3:GetBucketObjectLockConfiguration"], bucket)
    return [lock, _allowed("Hold", actions, f"{below}*")]


def _allowed(name: str, actions: list[str], resource: str) -> dict[str, Any]:
    return {"Sid": name, "Effect": "Allow", "Action": actions, "Resource": [resource]}


def _literally(text: str) -> str:
    """Text in which IAM sees no wildcard or variable."""
    return "".join(f"${{{c}}}" if c in "*?$" else c for c in text)


def _partition(region: str) -> str:
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
