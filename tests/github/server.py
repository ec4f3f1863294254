"""A GitHub on loopback: the part of the REST API that is used, and real git over HTTP, with tokens and their limits.

with github_server(folder) as server:
    token = server.user("alice", scopes=["repo"])
    github = dc.GitHub(token, api_url=server.api_url)
"""

from __future__ import annotations

import base64
import secrets
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path

from tests.git_http import GitHandler, bare_repository
from tests.github.accounts import Level, Repository, Token
from tests.github.rest import PREFIX, Answer, Rest, refused
from tests.patience import PATIENCE
from tests.servers import serving

_PROTECTED = """#!/bin/sh
while read old new ref; do
    if [ "$ref" = "refs/heads/{branch}" ]; then
        echo "error: GH006: Protected branch update failed for $ref."
        echo "error: Changes must be made through a pull request."
        exit 1
    fi
done
"""


@dataclass
class Request:
    """A request that was made.

    Attributes:
        scheme: ``"token"`` or ``"Basic"``, or ``None`` for a request without authorization.
        token: the label of the token that it carried, ``"unknown"``, or ``None``.
        status: what was answered; 0 for a connection that was dropped.
    """

    method: str
    path: str
    scheme: str | None
    token: str | None
    status: int = 0

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Fault:
    """What happens to the next requests that contain ``match`` in their ``METHOD /path?query``."""

    match: str
    times: int
    answer: Answer | None = None
    held: threading.Event | None = None
    drops: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


class _Handler(GitHandler):
    server: GitHubServer
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        body = self.body()
        path, _, query = self.path.partition("?")
        text, scheme = _authorization(self.headers.get("Authorization"))
        token = self.server.tokens.get(text or "")
        label = token.label if token else "unknown" if text else None
        self.seen = Request(self.command, self.path, scheme, label)
        self.server.requests.append(self.seen)
        self.fault = self.server.fault_of(str(self.seen))
        if self.fault is not None:
            if self.fault.held is not None:
                self.fault.held.wait(PATIENCE)
            if self.fault.answer is not None:
                self.answer(self.fault.answer.status, self.fault.answer.content, self.fault.answer.headers)
                return
        if path.startswith(PREFIX + "/"):
            self.rest(path.removeprefix(PREFIX), body, token)
        else:
            self.git(path, query, body, token, with_password=text is not None)

    do_GET = do_POST = do_DELETE = handle_any  # noqa: N815 - the names that http.server calls

    def answer(self, status: int, content: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        if self.fault is not None and self.fault.drops:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.seen.status = status
        super().answer(status, content, headers)

    def rest(self, path: str, body: bytes, token: Token | None) -> None:
        if token is None or token.expired:
            answer = refused(401, "Bad credentials")
        else:
            with self.server.lock:
                answer = Rest(self.server, token).answer(self.command, path, body)
        headers = {"Content-Type": "application/json; charset=utf-8", "X-RateLimit-Limit": "5000",
                   "X-RateLimit-Remaining": "4999", "X-RateLimit-Reset": str(int(time.time()) + 3600)}  # fmt: skip
        if token is not None and token.permissions is None:
            headers["X-OAuth-Scopes"] = ", ".join(sorted(token.scopes))
        self.answer(answer.status, answer.content, {**headers, **answer.headers})

    def git(self, path: str, query: str, body: bytes, token: Token | None, with_password: bool) -> None:
        owner, name, rest = (*path.strip("/").split("/", 2), "", "")[:3]
        found = self.server.find(f"{owner}/{name.removesuffix('.git')}")
        if found is not None and found.moved_to is not None:
            self.answer(302, headers={"Location": f"{found.moved_to}/{rest}" + (f"?{query}" if query else "")})
            return
        refusal = self.refusal(found, token, with_password, writes="receive-pack" in path + query)
        if refusal is not None or found is None:
            status, text = refusal or (404, "Repository not found.")
            headers = {"Content-Type": "text/plain; charset=utf-8"}
            if status == 401:
                headers["WWW-Authenticate"] = 'Basic realm="GitHub"'
            self.answer(status, text.encode(), headers)
            return
        folder = found.folder
        self.serve_git(folder.parent, f"/{folder.name}/{rest}", query, body, token.login if token else "")

    def refusal(
        self, found: Repository | None, token: Token | None, with_password: bool, writes: bool
    ) -> tuple[int, str] | None:
        """Why git gets nothing of a repository: status and text."""
        if token is None or token.expired:
            if with_password or found is None or found.private or writes:
                return 401, "Invalid username or token. Password authentication is not supported for Git operations."
            return None
        role = found.role(token.login) if found else Level.NONE
        contents = token.contents(found.private) if found else Level.NONE
        if found is None or not role or (found.private and not contents):
            return 404, "Repository not found."
        if writes and role < Level.WRITE:
            return 403, f"Permission to {found.full_name}.git denied to {token.login}."
        if writes and contents < Level.WRITE:
            return 403, "Write access to repository not granted."
        return None


class GitHubServer(ThreadingHTTPServer):
    """The server and everything on it.

    Attributes:
        repositories: full name -> repository.
        orgs: name -> login -> ``"read"``, ``"write"`` or ``"admin"``.
        requests: every request so far, in order; tokens stand in it by their labels.
        url: where the repositories are.
        clone_base: what the API says of where they are.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.url = self.clone_base = f"http://127.0.0.1:{self.server_port}"
        self.api_url = self.url + PREFIX
        self.tokens: dict[str, Token] = {}
        self.orgs: dict[str, dict[str, str]] = {}
        self.repositories: dict[str, Repository] = {}
        self.requests: list[Request] = []
        self.lock = threading.Lock()
        self._renamed: dict[str, str] = {}
        self._faults: list[Fault] = []
        self._made = 0

    def user(
        self, login: str, scopes: Iterable[str] = ("repo",), *, permissions: Mapping[str, str] | None = None
    ) -> str:
        """A new token of a user: classic, or fine-grained with permissions (``contents``, ``administration``)."""
        kind = "ghp_" if permissions is None else "github_pat_"
        text = kind + secrets.token_hex(18)
        label = f"{login}#{sum(t.login == login for t in self.tokens.values()) + 1}"
        self.tokens[text] = Token(label, login, frozenset(scopes), permissions)
        return text

    def expire(self, token: str) -> None:
        self.tokens[token].expired = True

    def org(self, name: str, members: Mapping[str, str]) -> None:
        """An organization, and what its members may do with each of its repositories."""
        self.orgs[name] = dict(members)

    def add(self, full_name: str, *, private: bool = True, description: str = "") -> Repository:
        """An empty repository, as somebody would make it on the host's pages."""
        owner, name = full_name.split("/")
        self._made += 1
        folder = self.folder / f"{self._made}.git"
        bare_repository(folder)
        members = self.orgs.get(owner, {})
        self.repositories[full_name] = made = Repository(
            self._made, owner, name, private, description, folder, dict(members)
        )
        return made

    def find(self, full_name: str) -> Repository | None:
        """A repository by its name, or by one that it had; case does not count."""
        wanted = self._renamed.get(full_name.lower(), full_name).lower()
        return next((r for name, r in self.repositories.items() if name.lower() == wanted), None)

    def exists(self, full_name: str) -> bool:
        """Whether the name is taken; one that a repository had before is not."""
        return any(name.lower() == full_name.lower() for name in self.repositories)

    def remove(self, repository: Repository) -> None:
        del self.repositories[repository.full_name]
        shutil.rmtree(repository.folder)

    def rename(self, full_name: str, new: str) -> None:
        repository = self.repositories.pop(full_name)
        repository.owner, repository.name = new.split("/")
        self.repositories[new] = repository
        self._renamed[full_name.lower()] = new

    def protect(self, full_name: str, branch: str = "main") -> None:
        """Let nobody push to a branch."""
        hook = self.repositories[full_name].folder / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(_PROTECTED.format(branch=branch))
        hook.chmod(0o755)

    def fail(self, status: int, match: str = "", *, times: int = 1, message: str = "") -> None:
        """Answer the next requests with a status."""
        self._faults.append(Fault(match, times, refused(status, message or "Server Error")))

    def limit(self, seconds: int, match: str = "", *, times: int = 1) -> None:
        """The hourly limit is used up until so many seconds from now."""
        headers = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0",
                   "X-RateLimit-Reset": str(int(time.time()) + seconds)}  # fmt: skip
        body = {"message": "API rate limit exceeded for user ID 1."}
        self._faults.append(Fault(match, times, Answer(403, body, headers)))

    def slow_down(self, seconds: int | None, match: str = "", *, times: int = 1) -> None:
        """The secondary limit, with the time to wait or without it."""
        headers = {} if seconds is None else {"Retry-After": str(seconds)}
        body = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
        self._faults.append(Fault(match, times, Answer(403, body, headers)))

    def hold(self, until: threading.Event, match: str = "", *, times: int = 1) -> None:
        """Leave requests without an answer until something has happened."""
        self._faults.append(Fault(match, times, held=until))

    def drop(self, match: str = "", *, times: int = 1) -> None:
        """Do what is asked, and drop the connection instead of an answer."""
        self._faults.append(Fault(match, times, drops=True))

    def fault_of(self, request: str) -> Fault | None:
        with self.lock:
            found = next((f for f in self._faults if f.match in request and f.times > 0), None)
            if found is not None:
                found.times -= 1
            return found

    def git(self, full_name: str, *args: str) -> str:
        """Ask git about a repository as it is on the server."""
        folder = self.repositories[full_name].folder
        return subprocess.run(["git", "-C", folder, *args], capture_output=True, text=True, check=True).stdout


def _authorization(header: str | None) -> tuple[str | None, str | None]:
    """The token of a header, and how it came."""
    if not header:
        return None, None
    scheme, _, value = header.partition(" ")
    if scheme == "Basic":
        return base64.b64decode(value).decode().partition(":")[2], scheme
    return value, "token"


@contextmanager
def github_server(folder: Path) -> Iterator[GitHubServer]:
    """The server, over nothing; its repositories lie in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with serving(GitHubServer(folder)) as server:
        yield server
