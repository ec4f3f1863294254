"""A proxy on loopback between a store and its server, which can do what networks and servers do on bad days."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.servers import serving

_HOP = frozenset({"connection", "transfer-encoding", "content-length", "date", "server"})


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    size: int


@dataclass(frozen=True)
class Fault:
    """What happens instead of, or to, a request.

    Attributes:
        status, code: answer with this error, unasked of the server.
        keep_request: read this many bytes of the request's body, then break the connection.
        keep_answer: hand on this many bytes of the answer's body, then break the connection.
        drop_answer: let the server do it, and break the connection instead of answering.
        html: answer with a page, as a hotel's network does.
        seconds: wait before anything else.
        before: do something first, while the request waits.
    """

    status: int | None = None
    code: str = "SlowDown"
    keep_request: int | None = None
    keep_answer: int | None = None
    drop_answer: bool = False
    html: bool = False
    seconds: float = 0.0
    before: Callable[[], object] | None = None


@dataclass
class Proxy:
    """Counts requests and asks `faults` about each of them; the first that is not ``None`` happens."""

    target: str
    endpoint: str = ""
    seen: list[Request] = field(default_factory=list)
    fault: Callable[[Request], Fault | None] = lambda _: None
    dropped_headers: frozenset[str] = frozenset()
    missing_is_forbidden: bool = False
    added_headers: dict[str, str] = field(default_factory=dict)

    def only(self, method: str, part: str, fault: Fault, *, times: int = 1) -> None:
        """Let ``fault`` happen to the first requests of this method whose path holds ``part``."""
        left = [times]

        def pick(request: Request) -> Fault | None:
            if request.method == method and part in request.path and left[0]:
                left[0] -= 1
                return fault
            return None

        self.fault = pick

    def lines(self) -> list[str]:
        return [f"{r.method} {r.path}" for r in self.seen]


@contextmanager
def proxy_to(endpoint: str) -> Iterator[Proxy]:
    """A proxy in front of ``endpoint``, in threads of this process."""
    proxy = Proxy(endpoint)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(proxy))
    server.daemon_threads = True
    proxy.endpoint = f"http://127.0.0.1:{server.server_port}"
    with serving(server):
        yield proxy


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            request = Request(self.command, self.path, dict(self.headers), size)
            proxy.seen.append(request)
            fault = proxy.fault(request) or Fault()
            time.sleep(fault.seconds)
            if fault.before is not None:
                fault.before()
            if fault.keep_request is not None:
                self.rfile.read(min(size, fault.keep_request))
                return self.break_off()
            body = self.rfile.read(size)
            if fault.html:
                return self.answer(200, "text/html", b"<html><body>Welcome! Please sign in.</body></html>")
            if fault.status is not None:
                text = f"<?xml version='1.0'?><Error><Code>{fault.code}</Code><Message>by the proxy</Message></Error>"
                return self.answer(fault.status, "application/xml", text.encode())
            return self.hand_on(body, fault)

        def hand_on(self, body: bytes, fault: Fault) -> None:
            host = urlsplit(proxy.target)
            connection = http.client.HTTPConnection(str(host.hostname), host.port, timeout=60)
            try:
                # The signature covers the host that was asked for: that stays.
                dropped = proxy.dropped_headers | {"connection", "expect"}
                kept = {k: v for k, v in self.headers.items() if k.lower() not in dropped}
                connection.request(self.command, self.path, body or None, kept)
                answer = connection.getresponse()
                data = answer.read()
                if proxy.missing_is_forbidden and answer.status == 404 and self.command in ("GET", "HEAD"):
                    text = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>no</Message></Error>"
                    return self.answer(403, "application/xml", text)
                if fault.drop_answer:
                    return self.break_off()
                self.send_response(answer.status)
                for key, value in answer.getheaders():
                    if key.lower() not in _HOP:
                        self.send_header(key, value)
                for key, value in proxy.added_headers.items():
                    self.send_header(key, value)
                length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(data))
                self.send_header("Content-Length", length or "0")
                self.end_headers()
                if fault.keep_answer is not None:
                    self.wfile.write(data[: fault.keep_answer])
                    return self.break_off()
                self.wfile.write(data)
            finally:
                connection.close()
            return None

        def answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", "0" if self.command == "HEAD" else str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def break_off(self) -> None:
            self.close_connection = True
            self.wfile.flush()
            self.connection.close()

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_any  # noqa: N815 - names that the library looks for

        def log_message(self, *_: object) -> None:
            """Nothing: tests read `Proxy.seen`."""

    return Handler
