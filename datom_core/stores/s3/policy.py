"""The least rights that a reader or a writer of a project needs, as an IAM policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from datom_core import names
from datom_core.errors import InvalidInputError

if TYPE_CHECKING:
    from datom_core.stores.s3.store import S3Store

Role = Literal["reader", "writer"]
Scope = Literal["project", "prefix"]


def iam_policy(store: S3Store, role: Role = "reader", *, scope: Scope = "project") -> dict[str, Any]:
    """An IAM policy document, ready for ``json.dumps``.

    Args:
        store: where the data lies.
        role: ``"reader"`` may list and read; ``"writer"`` may also put objects, and remove nothing but the claim that
            stands while a project is being created.
        scope: ``"project"``: the one at the store's prefix; ``"prefix"``: every project at or below it.

    Raises:
        InvalidInputError: another role or scope.
    """
    if role not in ("reader", "writer") or scope not in ("project", "prefix"):
        raise InvalidInputError(f"role is 'reader' or 'writer', scope 'project' or 'prefix'; got {role!r}, {scope!r}.")
    at = store.location
    partition = _partition(str(at.region))
    bucket = f"arn:{partition}:s3:::{at.root}"
    prefix = f"{at.prefix}/" if at.prefix else ""
    folder = prefix if scope == "prefix" else f"{prefix}datom/"
    statements: list[dict[str, Any]] = [
        {
            "Sid": "List",
            "Effect": "Allow",
            "Action": ["s3:ListBucket"],
            "Resource": [bucket],
            "Condition": {"StringLike": {"s3:prefix": [f"{folder}*"]}},
        },
        {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"{bucket}/{folder}*"]},
    ]
    if role == "writer":
        claim = f"{folder}{'*' if scope == 'prefix' else ''}{names.CLAIM_KEY}"
        statements += [
            {
                "Sid": "Write",
                "Effect": "Allow",
                "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
                "Resource": [f"{bucket}/{folder}*"],
            },
            {"Sid": "Claim", "Effect": "Allow", "Action": ["s3:DeleteObject"], "Resource": [f"{bucket}/{claim}"]},
        ]
    if store.kms_key is not None and store.kms_key.startswith("arn:"):
        actions = ["kms:Decrypt"] + (["kms:GenerateDataKey"] if role == "writer" else [])
        statements.append({"Sid": "Key", "Effect": "Allow", "Action": actions, "Resource": [store.kms_key]})
    return {"Version": "2012-10-17", "Statement": statements}


def _partition(region: str) -> str:
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
