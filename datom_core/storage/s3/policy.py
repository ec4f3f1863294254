"""The least rights that a reader or a writer of a project needs, as an IAM policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from datom_core.common import fitting, names
from datom_core.errors import InvalidInputError

if TYPE_CHECKING:
    from datom_core.storage.s3.store import S3Store

Role = Literal["reader", "writer", "mover"]
Scope = Literal["project", "prefix"]


@fitting
def iam_policy(store: S3Store, role: Role = "reader", *, scope: Scope = "project") -> dict[str, Any]:
    """An IAM policy document, ready for ``json.dumps``.

    Args:
        store: where the data lies.
        role: ``"reader"`` may list and read; ``"writer"`` may also put objects, and remove nothing but the claim that
            stands while a project is being created or moved here; ``"mover"`` may also remove what is here, which
            `migrate` with ``delete_source`` needs at the old place.
        scope: ``"project"``: the one at the store's prefix; ``"prefix"``: every project at or below it.

    Raises:
        InvalidInputError: another role or scope.
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
    if role != "reader":
        removable = "*" if role == "mover" else f"{'*' if scope == 'prefix' else ''}{names.CLAIM_KEY}"
        statements += [
            {
                "Sid": "Write",
                "Effect": "Allow",
                "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
                "Resource": [f"{bucket}/{folder}*"],
            },
            {
                "Sid": "Remove",
                "Effect": "Allow",
                "Action": ["s3:DeleteObject"],
                "Resource": [f"{bucket}/{folder}{removable}"],
            },
        ]
    if store.kms_key is not None and store.kms_key.startswith("arn:"):
        actions = ["kms:Decrypt"] + ([] if role == "reader" else ["kms:GenerateDataKey"])
        statements.append({"Sid": "Key", "Effect": "Allow", "Action": actions, "Resource": [store.kms_key]})
    return {"Version": "2012-10-17", "Statement": statements}


def _literally(text: str) -> str:
    """Text in which IAM takes nothing for a wildcard or a variable."""
    return "".join(f"${{{c}}}" if c in "*?$" else c for c in text)


def _partition(region: str) -> str:
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
