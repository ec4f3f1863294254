"""Storage in a bucket: conditional writes, multipart uploads, what a policy must allow, a check before the first write.

Nothing here keeps credentials: each process makes its client from their source.
"""

from datom_core.storage.s3 import backend as backend
from datom_core.storage.s3.arguments import check_arguments
from datom_core.storage.s3.client import open_client
from datom_core.storage.s3.errors import RefusedConditionError, translated
from datom_core.storage.s3.policy import iam_policy
from datom_core.storage.s3.preflight import PreflightCheck
from datom_core.storage.s3.store import S3Store

__all__ = [
    "PreflightCheck",
    "RefusedConditionError",
    "S3Store",
    "check_arguments",
    "iam_policy",
    "open_client",
    "translated",
]
