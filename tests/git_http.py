"""git's own server program behind an HTTP handler; what a host does around it is up to the handler's subclass."""

from __future__ import annotations

import base64
import io
import os
import socket
import struct
import subprocess
from collections.abc import Mapping
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.servers import serving

PASSWORD = "planted-password"


class GitHandler(BaseHTTPRequestHandler):
    """Knows how to read a request, answer it, and hand it to ``git http-backend``."""

    disable_nagle_algorithm = True

    def body(self) -> bytes:
        """What the client sent, to be read before anything is answered."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            return self._dechunked()
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status: int, content: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def serve_git(self, root: Path, path: str, query: str, body: bytes, user: str) -> None:
        """Answer what git asks of the repository at ``path`` below ``root``."""
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_USER": user,
        }
        if self.headers.get("Content-Encoding"):
            environment["HTTP_CONTENT_ENCODING"] = self.headers["Content-Encoding"]
        answer = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=environment).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        status = int(fields.pop("Status", "200 OK").split()[0])
        self.answer(status, content, fields)

    def _dechunked(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().strip(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


def bare_repository(folder: Path, branch: str = "main") -> None:
    """Make an empty repository that takes pushes over HTTP."""
    folder.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "--bare", "--template=", f"--initial-branch={branch}", folder], check=True)
    subprocess.run(["git", "-C", folder, "config", "http.receivepack", "true"], check=True)


class _Handler(GitHandler):
    """Hands requests to git; the server's ``mode`` makes it refuse some."""

    server: GitServer

    def handle_git(self) -> None:
        path, _, query = self.path.partition("?")
        refusal = self.server.refusal(self.headers.get("Authorization"), path + query)
        body = self.body()
        breaks = self.server.breaks()
        if breaks and not self.server.after:
            self._hang_up()
            return
        if refusal:
            self.answer(refusal, headers={"WWW-Authenticate": "Basic"} if refusal == 401 else {})
            return
        if breaks:
            answer, self.wfile = self.wfile, io.BytesIO()  # git does it, and nobody hears of it
            self.serve_git(self.server.root, path, query, body, "writer")
            self.wfile = answer
            self._hang_up()
            return
        self.serve_git(self.server.root, path, query, body, "writer")

    def _hang_up(self) -> None:
        self.close_connection = True
        # Nothing is waited for, so that the other side gets a reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    do_GET = do_POST = handle_git  # noqa: N815 - the names that http.server calls


class GitServer(ThreadingHTTPServer):
    daemon_threads = True
    #: Of a connection that `breaks`: whether git does first what was asked.
    after = False

    def breaks(self) -> bool:
        """Whether the connection of this request breaks."""
        return False

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.mode = "open"

    def refusal(self, authorization: str | None, request: str) -> int | None:
        if self.mode == "password":
            expected = "Basic " + base64.b64encode(f"writer:{PASSWORD}".encode()).decode()
            return None if authorization == expected else 401
        if self.mode == "read only" and "receive-pack" in request:
            return 403
        return 503 if self.mode == "broken" else None

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"


def served(root: Path) -> AbstractContextManager[GitServer]:
    """A server of the repositories in a folder, while the block runs."""
    return serving(GitServer(root))
