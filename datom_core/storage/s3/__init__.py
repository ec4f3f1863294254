"""S3 as an object store. boto3 is imported when a store is first used."""

from datom_core.storage.s3.policy import iam_policy
from datom_core.storage.s3.preflight import PreflightCheck, keeps_versions
from datom_core.storage.s3.store import S3Store

__all__ = ["PreflightCheck", "S3Store", "iam_policy", "keeps_versions"]
