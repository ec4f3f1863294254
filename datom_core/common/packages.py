"""Packages that only an extra of the distribution installs: one sentence, wherever one of them is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from datom_core.errors import MissingPackageError

_OURS = __name__.partition(".")[0]
#: What is asked for by another name than it is imported by.
_INSTALLED_AS = {"github": "PyGithub", "botocore": "boto3"}


@contextmanager
def needing(what: str, extra: str) -> Iterator[None]:
    """Imports inside, of packages of an extra, which may not be installed.

    Args:
        what: needs them, as the beginning of a sentence.
        extra: of the distribution, which has them.

    Raises:
        MissingPackageError: one is not installed; names it and the extra.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", _OURS):
            raise
        package = _INSTALLED_AS.get(package, package)
        raise MissingPackageError(
            f"{what} needs {package}, which is not installed: pip install 'datom-dagster[{extra}]'.", package=package
        ) from error
