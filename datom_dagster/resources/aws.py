"""dagster-aws's resource, if dagster-aws is installed.

dagster-aws pins the release of Dagster's core that it belongs to, and is released later. So it is an extra: anybody who
stores elsewhere, or gives credentials in another way, can follow the core at once.
"""

# Dagster reads annotations at run time, to know which resources are configured at launch: no `annotations` import.
from typing import TYPE_CHECKING, Any

import datom_core as dc

if TYPE_CHECKING:
    from dagster_aws.s3 import S3Resource
else:
    try:
        from dagster_aws.s3 import S3Resource
    except ImportError as error:
        import dagster as dg

        _REASON = str(error)

        class S3Resource(dg.ConfigurableResource):
            """Stands in for dagster-aws's resource, so that `S3Storage` has the same fields without it."""

            profile_name: str | None = None
            region_name: str | None = None
            endpoint_url: str | None = None
            aws_access_key_id: str | None = None
            aws_secret_access_key: str | None = None
            aws_session_token: str | None = None

            def __init__(self, **data: Any) -> None:
                raise dc.NotFoundError(
                    f"An S3Resource needs dagster-aws, which cannot be imported ({_REASON}): "
                    "pip install 'datom-dagster[aws]'. S3Storage has other ways to name credentials.",
                    package="dagster-aws",
                )


__all__ = ["S3Resource"]
