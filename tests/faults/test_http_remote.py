"""A remote over HTTP: git's own server program behind a small server on loopback."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import datom_core as dc

PASSWORD = "planted-password"


class GitHandler(BaseHTTPRequestHandler):
    """Hands requests to ``git http-backend``; the server's ``mode`` makes it refuse some."""

    server: GitServer

    def handle_git(self) -> None:
        path, _, query = self.path.partition("?")
        refusal = self.server.refusal(self.headers.get("Authorization"), path + query)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.dechunked() if self.headers.get("Transfer-Encoding") == "chunked" else self.rfile.read(length)
        if refusal:
            self.send_response(refusal)
            if refusal == 401:
                self.send_header("WWW-Authenticate", "Basic")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_USER": "writer",
        }
        if self.headers.get("Content-Encoding"):
            environment["HTTP_CONTENT_ENCODING"] = self.headers["Content-Encoding"]
        answer = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=environment).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(fields.pop("Status", "200 OK").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = handle_git  # noqa: N815 - the names that http.server calls

    def dechunked(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().strip(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


class GitServer(ThreadingHTTPServer):
    daemon_threads = True
    disable_nagle_algorithm = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), GitHandler)
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


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    root = tmp_path / "served"
    root.mkdir()
    for name, branch in (("study.git", "trunk"), ("other.git", "main")):
        subprocess.run(["git", "init", "-q", "--bare", f"--initial-branch={branch}", root / name], check=True)
        subprocess.run(["git", "-C", root / name, "config", "http.receivepack", "true"], check=True)
    server = GitServer(root)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"s{i}" for i in range(n)]})


def test_the_whole_way_over_http(server: GitServer, store: dc.LocalStore, tmp_path: Path) -> None:
    url = server.url("study.git")
    project = dc.Project.init("STUDY_001", store, remote=url)
    assert project.branch == "trunk", "what the empty remote's HEAD names, so that R can clone it"
    first = project.write("dm", frame(2), message="über HTTP")
    other = dc.Project.open(store, remote=url, cache_dir=tmp_path / "another machine")
    other.write("ex", frame(1))
    project.write("dm", frame(3))
    assert {t.name: t.versions for t in project.reader.list()} == {"dm": 2, "ex": 1}
    assert len(project.reader.read("dm", first.version)) == 2
    log = subprocess.run(
        ["git", "-C", server.root / "study.git", "log", "--format=%s"], capture_output=True, text=True
    ).stdout
    assert log.splitlines() == ["Update dm", "Update ex", "über HTTP", "Initialize datom repository"]


def test_a_remote_that_asks_for_a_password(
    server: GitServer, store: dc.LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.mode = "password"
    with pytest.raises(dc.AccessDeniedError, match="Not allowed to read"):
        dc.Project.init("STUDY_001", store, remote=server.url("study.git"))
    helper = tmp_path / "askpass"
    helper.write_text(f'#!/bin/sh\ncase "$1" in User*) echo writer ;; *) echo {PASSWORD} ;; esac\n')
    helper.chmod(0o700)
    monkeypatch.setenv("GIT_ASKPASS", str(helper))
    project = dc.Project.init("STUDY_001", store, remote=server.url("study.git"))
    project.write("dm", frame(2))
    assert PASSWORD not in repr(project)
    cached = [p for p in (tmp_path / "cache").rglob("*") if p.is_file()]
    assert cached
    assert not [p for p in cached if PASSWORD.encode() in p.read_bytes()]


def test_a_remote_that_may_only_be_read(server: GitServer, store: dc.LocalStore) -> None:
    project = dc.Project.init("STUDY_001", store, remote=server.url("study.git"))
    project.write("dm", frame(2))
    server.mode = "read only"
    with pytest.raises(dc.AccessDeniedError, match="Not allowed to push to"):
        project.write("dm", frame(3))
    assert len(project.reader.read("dm")) == 2
    server.mode = "open"
    assert project.write("dm", frame(3)).action == "created"


def test_a_remote_that_fails_for_a_while(server: GitServer, store: dc.LocalStore) -> None:
    project = dc.Project.init("STUDY_001", store, remote=server.url("study.git"))
    server.mode = "broken"
    with pytest.raises(dc.StorageError, match="503"):
        project.write("dm", frame(2))
    server.mode = "open"
    assert project.write("dm", frame(2)).action == "created"


def test_a_repository_that_the_server_does_not_have(server: GitServer, store: dc.LocalStore) -> None:
    with pytest.raises(dc.NotFoundError, match="no git repository at"):
        dc.Project.open(store, remote=server.url("nowhere.git"))
