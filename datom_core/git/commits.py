"""Make a commit in a clone: no work tree, no index, and nothing pushed."""

from __future__ import annotations

from collections.abc import Mapping

from datom_core.git.cache import CloneCache
from datom_core.git.signing import SigningKey, signed
from datom_core.git.streams import Makers, commit_stream


def commit_of(
    cache: CloneCache,
    files: Mapping[str, bytes | None],
    message: str,
    parent: str | None,
    by: Makers,
    key: SigningKey | None = None,
) -> str:
    """The id of a commit as `GitRepo.publish` describes it, signed if there is a key.

    Raises:
        GitFailedError: the clone is broken.
        The errors of `SigningKey.ready`.
    """
    stream = commit_stream(cache.new_ref(), files, message, parent, by)
    # One small pack per commit: otherwise git packs a long history file, unpacks it, and packs it again to push it.
    packed = ("-c", "fastimport.unpackLimit=1", "-c", "core.compression=1")
    commit = cache.run(*packed, "fast-import", "--quiet", "--done", stdin=stream).decode().strip()
    return commit if key is None else signed(cache, commit, message, parent, by, key)
