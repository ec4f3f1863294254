"""For the unit tests of assets: a study that is gone afterwards, and what an asset wrote.

The package never imports this one.
"""

from datom_dagster.testing.results import assert_wrote_version, metadata_of
from datom_dagster.testing.studies import temporary_study

__all__ = ["assert_wrote_version", "metadata_of", "temporary_study"]
