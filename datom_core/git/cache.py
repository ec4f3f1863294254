"""A bare clone in the user's cache directory. It is only a cache: deleting it costs time, never correctness.

Several processes share one clone. None of them has a work tree, an index, or a ref that another one moves: every fetch
and every new commit gets a ref of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from datom_core.common import masked, needing, without_frames
from datom_core.errors import MissingPackageError, NotFoundError
from datom_core.git.login import Login, login_to
from datom_core.git.remote import Remote
from datom_core.git.streams import batch_contents

_OLDEST = (2, 29)  # the first with `git fetch --no-write-fetch-head`, the newest of all options in use
_REFS_KEPT = 16
_REFS_TOLERATED = 64
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "LC_ALL": "C",
    "LANGUAGE": "C",
}
# Variables that a hook or another tool may have set for its own repository, or that change what paths mean.
# Configuration in the environment stays: that is how git receives credentials.
_FOREIGN = frozenset(
    "GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_OBJECT_DIRECTORY GIT_DIR "
    "GIT_WORK_TREE GIT_IMPLICIT_WORK_TREE GIT_GRAFT_FILE GIT_INDEX_FILE GIT_NO_REPLACE_OBJECTS GIT_REPLACE_REF_BASE "
    "GIT_PREFIX GIT_SHALLOW_FILE GIT_COMMON_DIR GIT_INTERNAL_SUPER_PREFIX GIT_NAMESPACE GIT_LITERAL_PATHSPECS "
    "GIT_GLOB_PATHSPECS GIT_NOGLOB_PATHSPECS GIT_ICASE_PATHSPECS".split()
)
_OPTIONS = [
    # No hooks may run, neither the user's nor a repository's, and maintenance must not outlive the command.
    *("-c", f"core.hooksPath={os.devnull}", "-c", "gc.autoDetach=false", "-c", "maintenance.autoDetach=false"),
    # Give up after a minute on a server that accepts and then says nothing.
    *("-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60"),
]


class Git(Protocol):
    """Runs ``git`` with arguments in a clone, and returns its output; ``to`` as in `CloneCache.run`."""

    def __call__(self, args: Sequence[str], *, to: Remote | None = None) -> bytes: ...


class GitFailedError(Exception):
    """A git command failed; ``stderr`` is what it said. Only this package sees it."""

    def __init__(self, stderr: str) -> None:
        super().__init__(stderr)
        self.stderr = stderr


class CloneCache:
    """Runs git in the cached clone of one remote and branch.

    Args:
        remote: as returned by `check_remote`.
        branch: the branch, or ``""`` for the remote's default.
        directory: where to keep clones; by default, the user's cache directory.
    """

    def __init__(self, remote: str, branch: str, directory: str | os.PathLike[str] | None = None) -> None:
        with needing("Writing to a project", "write"):
            import platformdirs
        root = Path(directory) if directory is not None else platformdirs.user_cache_path("datom") / "git"
        name = hashlib.sha256(f"{remote}\0{branch}".encode()).hexdigest()[:32]
        self.path = root / f"{name}.git"

    def run(
        self,
        *args: str,
        stdin: bytes | None = None,
        to: Remote | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> bytes:
        """Run ``git *args`` in the clone and return its output.

        Args:
            to: the remote that the command talks to; its token lets the command log in.
            environment: variables for this command.

        Raises:
            GitFailedError: the command failed.
        """
        return _run([f"--git-dir={self.path}", *_OPTIONS], args, stdin=stdin, to=to, variables=environment)

    def contents(self, objects: Sequence[str]) -> list[bytes | None]:
        """The contents of objects, named as git names them; ``None`` for one that does not exist.

        Raises:
            GitFailedError: the clone is damaged.
        """
        if not objects:
            return []
        out = self.run("cat-file", "--batch", stdin="".join(f"{o}\n" for o in objects).encode())
        return batch_contents(out, len(objects))

    @contextlib.contextmanager
    def streaming(self, *args: str, stdin: bytes) -> Iterator[BinaryIO]:
        """As `run`, for an output that is read little by little; whoever leaves before its end stops the command.

        Raises:
            GitFailedError: the command failed.
        """
        git, words, environment, _ = _prepared([f"--git-dir={self.path}", *_OPTIONS], args, None)
        with _given(stdin) as source:
            guard = git.Git(None).execute(words, istream=source, env=environment, as_process=True)
            process = guard.proc  # which lives as long as its guard
            try:
                yield process.stdout
            finally:
                if process.stdout.read(1):
                    process.kill()
                process.stdout.close()
                process.stderr.close()
                status = process.wait()
        if status:
            raise GitFailedError(f"git {args[0]} ended with {status}")

    def ensure(self, fill: Callable[[Git], object]) -> None:
        """Make a clone if there is none; ``fill`` gets git to use in it before anyone else can see it."""
        if (self.path / "HEAD").exists():
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = tempfile.mkdtemp(prefix="new-", dir=self.path.parent)
        try:
            _run([], ("init", "--quiet", "--bare", "--template=", fresh))
            fill(partial(_run, [f"--git-dir={fresh}", *_OPTIONS]))
            # If several processes get here at once, one wins and the others use its clone.
            with contextlib.suppress(OSError):
                os.rename(fresh, self.path)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def is_shallow(self) -> bool:
        """Whether the clone lacks the older part of the history."""
        return (self.path / "shallow").exists()

    def discard(self) -> None:
        """Move the clone away and remove it, so that the next `ensure` starts afresh."""
        aside = self.path.with_name(f"old-{secrets.token_hex(8)}")
        with contextlib.suppress(OSError):
            os.rename(self.path, aside)
        shutil.rmtree(aside, ignore_errors=True)

    def new_ref(self) -> str:
        """A ref name that no other process uses; removes old refs when they pile up."""
        folder = self.path / "refs" / "datom"
        with contextlib.suppress(OSError):
            if len(os.listdir(folder)) > _REFS_TOLERATED:
                self._tidy()
        return f"refs/datom/{secrets.token_hex(12)}"

    def _tidy(self) -> None:
        """Drop old refs, and let git pack what has piled up; otherwise a clone that only pushes is never packed."""
        refs = self.run("for-each-ref", "--sort=-creatordate", "--format=%(refname)", "refs/datom").decode().split()
        # It does no harm if another process removes a ref first.
        with contextlib.suppress(GitFailedError):
            self.run("update-ref", "--stdin", stdin="".join(f"delete {r}\n" for r in refs[_REFS_KEPT:]).encode())
            self.run("gc", "--auto", "--quiet")

    def is_sound(self) -> bool:
        """Whether every commit that a ref of the clone names is there with all its files."""
        try:
            self.run("fsck", "--connectivity-only", "--no-dangling", "--no-progress")
        except GitFailedError:
            return False
        return True


def run_anywhere(*args: str, to: Remote | None = None) -> bytes:
    """Run ``git *args`` outside any repository; ``to`` as in `CloneCache.run`.

    Raises:
        GitFailedError: the command failed.
    """
    return _run(_OPTIONS, args, cwd=tempfile.gettempdir(), to=to)


def _run(
    options: Sequence[str],
    args: Sequence[str],
    *,
    stdin: bytes | None = None,
    cwd: str | None = None,
    to: Remote | None = None,
    variables: Mapping[str, str] | None = None,
) -> bytes:
    failed: GitFailedError | None = None
    missing = no_git()
    # The login is held until what git said is masked: only then is its token known.
    git, words, environment, _login = _prepared(options, args, to)
    environment |= variables or {}
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(_given(stdin)) if stdin is not None else None
        try:
            result: Any = git.Git(cwd).execute(
                words, istream=source, env=environment, stdout_as_string=False, strip_newline_in_stdout=False
            )
            return bytes(result)
        except git.GitCommandError as error:
            # What git said may not be valid text: it may quote a path, or part of an object.
            failed = GitFailedError(masked(_said(error)).encode("utf-8", "backslashreplace").decode())
        except git.GitCommandNotFound:
            pass
        except BaseException as error:
            without_frames(error)  # GitPython's variables hold the whole environment
            raise
    # Out here, GitPython's error is not attached to ours: the host's answer may repeat the token.
    raise failed or missing


def _prepared(
    options: Sequence[str], args: Sequence[str], to: Remote | None
) -> tuple[Any, list[str], dict[str, str], Login]:
    """GitPython, the words of a command, its environment, and the login, whose token is masked while it is held."""
    git = gitpython()
    login = login_to(to)
    environment = {**_ENVIRONMENT, **dict(login.environment)}
    if not {"GIT_SSH", "GIT_SSH_COMMAND"} & os.environ.keys():
        environment["GIT_SSH_COMMAND"] = "ssh -oBatchMode=yes -oConnectTimeout=30"
    foreign = sorted((_FOREIGN | login.dropped) & os.environ.keys())
    clean = ["env", *(f"--unset={name}" for name in foreign)] if foreign else []
    words = [*clean, git.Git.GIT_PYTHON_GIT_EXECUTABLE or "git", *options, *login.options, *args]
    return git, words, environment, login


@contextlib.contextmanager
def _given(stdin: bytes) -> Iterator[BinaryIO]:
    """A file for a command to read."""
    with tempfile.TemporaryFile() as source:
        source.write(stdin)
        source.seek(0)
        yield cast(BinaryIO, source)


def gitpython() -> Any:
    """The package, imported only when needed: the import fails where there is no git program.

    Raises:
        MissingPackageError: it is not installed.
        NotFoundError: says how to install git, or a newer one.
    """
    try:
        with needing("Writing to a project", "write"):
            import git
    except MissingPackageError:
        raise
    except ImportError as error:
        raise no_git() from error
    if not hasattr(git, "Git") or git.Git.GIT_PYTHON_GIT_EXECUTABLE is None:
        raise no_git()  # GIT_PYTHON_REFRESH=quiet lets the import succeed
    version = None
    with contextlib.suppress(git.CommandError, OSError):  # whoever runs it next reports what is wrong
        version = _version(git.Git.GIT_PYTHON_GIT_EXECUTABLE, os.environ.get("PATH"))
    if version is not None and version < _OLDEST:
        raise no_git(".".join(map(str, version)))
    return git


@cache
def _version(program: str, path: str | None) -> tuple[int, ...] | None:
    """The version of the git program found on a PATH; ``None`` if it does not say."""
    import git

    found = re.search(r"(\d+)\.(\d+)", str(git.Git().execute([program, "version"])))
    return None if found is None else tuple(map(int, found.groups()))


def no_git(version: str | None = None) -> NotFoundError:
    """The error if there is no git program, or only one that is too old."""
    oldest = ".".join(map(str, _OLDEST))
    return NotFoundError(
        f"Writing to a project needs the git program, {oldest} or newer, "
        + ("which is not found on this machine (PATH" if version is None else f"and this machine has {version} (PATH")
        + ("" if os.environ.get("GIT_PYTHON_GIT_EXECUTABLE") is None else ", GIT_PYTHON_GIT_EXECUTABLE")
        + f"). Install {'it' if version is None else 'a newer one'}: "
        "`apt-get install git` (Debian, Ubuntu), `dnf install git` (Fedora, RHEL), `apk add git` "
        "(Alpine), `brew install git` (macOS), `winget install Git.Git` (Windows) or `conda install git`. Reading "
        "needs no git: ProjectReader.open(store).",
        program="git",
    )


def _said(error: Any) -> str:
    return error.stderr.strip().removeprefix("stderr: ").strip("'") if error.stderr else str(error)


def configured(section: str) -> dict[str, str]:
    """A section of the user's git configuration: key, without the section's name, to value."""
    try:
        said = run_anywhere("config", "-z", "--get-regexp", rf"^{section}\.").decode("utf-8", "replace")
    except GitFailedError:
        return {}
    pairs = (entry.partition("\n") for entry in said.split("\0") if entry)
    return {key.removeprefix(f"{section}."): value.strip() for key, _, value in pairs}
