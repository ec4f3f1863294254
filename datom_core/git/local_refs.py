"""The branches of a repository on this machine, read from its files: what ``git ls-remote`` says, without a program.

It answers only where the answer is sure: a bare repository of this user, with refs and objects in files of their own
and plain configuration. All else, and with it every error, is left to the program.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from datom_core.git.cache import GitFailedError, gitpython, run_anywhere

_NAME = r"[A-Za-z0-9_+-]+(?:[./][A-Za-z0-9_+-]+)*"
_PLAIN_NAME = re.compile(rf"(?!.*\.lock(?:/|$)){_NAME}")
_SYMBOLIC = re.compile(rf"ref: refs/heads/({_NAME})\n")
_COMMIT = re.compile(r"([0-9a-f]{40})\n")

# Configuration of the repository that changes nothing about its refs: what `git init --bare` writes, and a few more.
_OF_THE_REPOSITORY = re.compile(
    r"(?:\[core\]\n(?:\s+(?:repositoryformatversion = 0|(?:filemode|bare|logallrefupdates) = (?:true|false))\n)*"
    r"|\[(?:gc|receive|remote \"[\w./-]+\"|branch \"[\w./-]+\")\]\n(?:\s+[A-Za-z]+ = [\w.,:/@+*-]+\n)*)*"
)
# Configuration of the user or the machine that leads elsewhere or hides refs, or that takes more to understand.
_SAYS_MORE = re.compile(r"insteadof|hiderefs|include|\\", re.IGNORECASE)
_LINE = re.compile(
    r"\s*(?:[#;].*|\[[A-Za-z0-9.-]+(?: \"[^\"]*\")?\]|[A-Za-z][A-Za-z0-9-]*(?:\s*=(?:[^\"]|\"[^\"]*\")*)?)?\s*"
)
_CONFIGURING = frozenset({"GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS", "GIT_TEST_ASSUME_DIFFERENT_OWNER"})


class _UnsureError(Exception):
    """Only the program can tell."""


def local_tips(url: str, branch: str | None = None) -> tuple[str | None, dict[str, str]] | None:
    """The branch that HEAD names, if it exists, and branches with their commits; ``None`` if only git can tell.

    Args:
        url: of the remote.
        branch: the only one to look for; by default all.

    Raises:
        NotFoundError: there is no git program.
    """
    if not os.path.isabs(url):
        return None
    gitpython()
    folder = Path(url)
    try:
        _check_user()
        head = _head(folder)
        tips = {name: tip for name in ([branch] if branch else _names(folder)) if (tip := _tip(folder, name))}
        # Looked for last: git packs refs before it removes them.
        if os.path.lexists(folder / "packed-refs"):
            return None
    except (_UnsureError, OSError, ValueError):
        return None
    return (head if head in tips else None), tips


def _check_user() -> None:
    """That no configuration of the machine, the user or the environment says anything about remotes on disk.

    Raises:
        _UnsureError: it may.
    """
    plain = not _CONFIGURING & os.environ.keys() and "HOME" in os.environ
    if os.environ.get("GIT_CONFIG_NOSYSTEM") != "1":
        plain = plain and _system_is_plain(os.environ.get("PATH"), os.environ.get("GIT_CONFIG_SYSTEM"))
    if not plain:
        raise _UnsureError
    named, home = os.environ.get("GIT_CONFIG_GLOBAL"), Path(os.environ["HOME"])
    xdg = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    for file in [xdg / "git" / "config", home / ".gitconfig"] if named is None else [Path(named)]:
        try:
            text = file.read_text("utf-8")
        except FileNotFoundError:
            continue
        if not _is_plain(text):
            raise _UnsureError


@cache
def _is_plain(text: str) -> bool:
    return _SAYS_MORE.search(text) is None and all(map(_LINE.fullmatch, text.split("\n")))


@cache
def _system_is_plain(path: str | None, named: str | None) -> bool:
    """Where the machine's configuration lies only the program knows: it is asked once."""
    try:
        said = run_anywhere("config", "--system", "--list").decode("utf-8", "replace")
    except GitFailedError as error:
        return "unable to read config file" in error.stderr and "No such file" in error.stderr
    return _SAYS_MORE.search(said) is None


def _head(folder: Path) -> str:
    """The branch that HEAD names, of a folder that is a bare repository of this user.

    Raises:
        _UnsureError: it may be none, or git may refuse it.
    """
    owners = {folder.lstat().st_uid, folder.stat().st_uid}
    odd = any(os.path.lexists(folder / name) for name in (".git", "commondir"))
    whole = all((folder / name).is_dir() and os.access(folder / name, os.X_OK) for name in ("objects", "refs"))
    plain = _OF_THE_REPOSITORY.fullmatch((folder / "config").read_text("utf-8"))
    head = _SYMBOLIC.fullmatch(_text(folder / "HEAD"))
    if owners != {os.geteuid()} or odd or not whole or not plain or not head or not _PLAIN_NAME.fullmatch(head[1]):
        raise _UnsureError
    return head[1]


def _names(folder: Path) -> Iterator[str]:
    heads = os.fspath(folder / "refs" / "heads")
    for parent, folders, files in os.walk(heads, onerror=_unsure):
        if any(os.path.islink(os.path.join(parent, name)) for name in folders):
            raise _UnsureError
        below = os.path.relpath(parent, heads)
        for name in files:
            if not name.endswith(".lock"):  # another process is writing
                yield name if below == "." else f"{below}/{name}"


def _tip(folder: Path, branch: str) -> str | None:
    if not _PLAIN_NAME.fullmatch(branch):
        raise _UnsureError
    try:
        found = _COMMIT.fullmatch(_text(folder / "refs" / "heads" / branch))
    except FileNotFoundError:
        return None
    # git leaves out what leads to nothing; and whether a pack has the commit takes more to find out.
    if not found or not (folder / "objects" / found[1][:2] / found[1][2:]).is_file():
        raise _UnsureError
    return found[1]


def _text(file: Path) -> str:
    if file.is_symlink():
        raise _UnsureError
    return file.read_text("utf-8")


def _unsure(error: OSError) -> None:
    raise _UnsureError from error
