"""Ask a remote which branches it has, without a clone."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass

from datom_core.common import fitting
from datom_core.errors import InvalidInputError, NotFoundError
from datom_core.git.answers import translated
from datom_core.git.cache import GitFailedError, run_anywhere
from datom_core.git.local_refs import local_tips
from datom_core.git.remote import Remote, as_remote, redact, unshown

DEFAULT_BRANCH = "main"

_HEADS = "refs/heads/"
_NOT_A_BRANCH = re.compile(r"[\s~^:?*\[\\\x00-\x20\x7f]|\.\.|@\{|//|^[-/.]|[/.]$|\.lock$|/\.|^HEAD$|^@$|^refs/")


@dataclass(frozen=True)
class Branches:
    """A remote's answer.

    Attributes:
        head: the branch that its HEAD names, if that branch exists.
        tips: every branch with its commit.
    """

    head: str | None
    tips: dict[str, str]


def check_branch(branch: str) -> str:
    """Return ``branch`` if it can name a branch (`git check-ref-format`).

    Raises:
        InvalidInputError: it cannot.
    """
    given: object = branch
    if not isinstance(given, str) or not given or _NOT_A_BRANCH.search(given):
        raise InvalidInputError(f'{branch!r} cannot be the name of a branch; give it as in "main".', branch=branch)
    return branch


def tip_of(remote: Remote, branch: str) -> str | None:
    """The commit at a branch of the remote, or ``None`` if it has no such branch."""
    near = local_tips(remote.url, branch)
    return (near[1] if near is not None else _ask(remote, _HEADS + branch).tips).get(branch)


def head_of(remote: Remote, branch: str | None) -> str | None:
    """The commit at the branch, or where the remote's HEAD points: one query, and no clone."""
    if branch is not None:
        return tip_of(remote, branch)
    found = _all(remote)
    return found.tips.get(found.head) if found.head is not None else next(iter(found.tips.values()), None)


def default_branch(remote: Remote) -> tuple[str, str | None]:
    """The branch to use if none is named, and its commit; ``None`` if nothing has been pushed to it.

    It is the branch that HEAD names; or the only branch, if HEAD names none that exists; or, for an empty remote, the
    branch that HEAD will name after the first push, so that R clones what was pushed.

    Raises:
        NotFoundError: there are several branches, and HEAD names none of them.
    """
    found = _all(remote)
    if found.head is not None:
        return found.head, found.tips.get(found.head)
    if len(found.tips) > 1:
        raise NotFoundError(
            f"The HEAD of {redact(remote.url)} names no branch that exists; it has {', '.join(sorted(found.tips))}. "
            "Say which one with branch=.",
            branches=tuple(sorted(found.tips)),
        )
    return next(iter(found.tips.items()), None) or (_unborn_branch(remote), None)


def no_branch(remote: Remote, branch: str) -> NotFoundError:
    """The error for a branch that does not exist, most often because it was renamed; names those that do."""
    others = sorted(all_branches(remote) - {branch})
    return NotFoundError(
        f"{redact(remote.url)} has no branch {branch}; it has {', '.join(others) or 'none'}. If it was renamed, open "
        "the project again, without branch= or with the new name. If it was deleted, push it again from a clone.",
        branch=branch,
        branches=tuple(others),
    )


def all_branches(remote: Remote) -> set[str]:
    """Every branch of the remote; none if nothing was ever pushed to it."""
    return set(_all(remote).tips)


def _unborn_branch(remote: Remote) -> str:
    with tempfile.TemporaryDirectory(prefix="datom-") as folder:
        try:
            # Only a clone learns the name of a branch that does not exist yet.
            run_anywhere(
                "clone", "--quiet", "--bare", "--template=", "--", remote.url, f"{folder}/empty.git", to=remote
            )
            head = run_anywhere("--git-dir", f"{folder}/empty.git", "symbolic-ref", "HEAD")
        except GitFailedError:
            return DEFAULT_BRANCH
    return head.decode().strip().removeprefix(_HEADS)


def _all(remote: Remote) -> Branches:
    near = local_tips(remote.url)
    return Branches(*near) if near is not None else _ask(remote, "HEAD", _HEADS + "*")


def _ask(remote: Remote, *patterns: str) -> Branches:
    try:
        out = run_anywhere("ls-remote", "--quiet", "--symref", "--", remote.url, *patterns, to=remote)
    except GitFailedError as error:
        raise translated(remote, "read", error.stderr) from error
    head, tips = None, {}
    for line in out.decode("utf-8", "replace").splitlines():
        left, _, right = line.partition("\t")
        if left.startswith("ref: ") and right == "HEAD":
            head = left.removeprefix("ref: ").removeprefix(_HEADS)
        elif right.startswith(_HEADS):
            tips[right.removeprefix(_HEADS)] = left
    return Branches(head, tips)


@fitting
def remote_head(remote: str | os.PathLike[str] | Remote, branch: str | None = None) -> str | None:
    """The newest commit of a remote's branch, by default the one that its HEAD names; ``None`` if it is empty.

    It makes one query to the remote (``git ls-remote``, of which a repository on this machine mostly needs none) and
    fetches nothing: cheap enough for every minute.

    Raises:
        NotFoundError, AccessDeniedError, StorageError: the remote does not exist, denies access, or is failing.
    """
    remote = unshown(remote)
    return head_of(as_remote(remote), check_branch(branch) if branch is not None else None)
