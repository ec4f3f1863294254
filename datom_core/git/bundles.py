"""A branch's whole history in one file, from which git clones: the same commits give the same bytes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from datom_core.errors import StorageError
from datom_core.git.cache import GitFailedError
from datom_core.git.remote import redact
from datom_core.git.repo import GitRepo

_BLOCK = 1 << 20
# What a clone happens to hold, how many processors there are and what the user configured would all change the bytes.
_SETTINGS = {
    "core.bigFileThreshold": "512m",
    "core.commitGraph": "false",
    "pack.allowPackReuse": "false",
    "pack.compression": "6",
    "pack.depth": "50",
    "pack.packSizeLimit": "0",
    "pack.threads": "1",
    "pack.useBitmaps": "false",
    "pack.useSparse": "false",
    "pack.window": "10",
    "pack.windowMemory": "0",
    "pack.writeReverseIndex": "false",
}
_ANEW = ("--no-reuse-delta", "--no-reuse-object", "--delta-base-offset", "--threads=1")


def history_bundle(repo: GitRepo, commit: str, folder: Path) -> Iterator[bytes]:
    """A git bundle of the branch up to a commit, with every commit as it was signed, piece by piece.

    Git's own command for it takes over what the clone's packs hold; so the pack is made here, with nothing reused.
    Other releases of git and zlib may still pack otherwise.

    Args:
        repo: whose branch.
        commit: the branch's last one.
        folder: where the pack lies meanwhile; nothing is left there.

    Raises:
        NotFoundError, AccessDeniedError, StorageError: the remote does not exist, denies access, or is failing; or
            there is no space for the pack.
    """
    repo.root(commit)  # fetches the whole history
    head = f"# v2 git bundle\n{commit} HEAD\n{commit} refs/heads/{repo.branch}\n\n"
    if len(commit) == 64:
        head = head.replace("# v2 git bundle\n", "# v3 git bundle\n@object-format=sha256\n")
    settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
    with tempfile.TemporaryDirectory(prefix="pack-", dir=folder) as place:
        try:
            out = repo._cache.run(
                *settings, "pack-objects", "--quiet", "--revs", *_ANEW, os.path.join(place, "history"),
                stdin=f"{commit}\n".encode(),
            )  # fmt: skip
        except GitFailedError as error:
            raise StorageError(
                f"git could not pack the history of {redact(repo.remote)}: {error.stderr[:300]}"
            ) from error
        yield head.encode()
        with open(Path(place, f"history-{out.decode().strip()}.pack"), "rb") as pack:
            while block := pack.read(_BLOCK):
                yield block
