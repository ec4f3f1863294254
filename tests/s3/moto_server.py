"""moto's server, made honest about conditional writes.

S3 compares and writes in one step. moto does one after the other in threads of one process, so that of two swaps
at the same moment both may win; here, one conditional request is answered at a time.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto import backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, run_simple

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def one_at_a_time(application: Application) -> Application:
    """The application, with conditional writes in single file."""
    lock = threading.Lock()

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        conditional = "HTTP_IF_MATCH" in environ or "HTTP_IF_NONE_MATCH" in environ
        if environ["REQUEST_METHOD"] == "GET" or not conditional:
            return application(environ, start_response)
        with lock:
            return list(application(environ, start_response))

    return serve


def look_once() -> None:
    """At each request moto looks twice through its own folders for the services that it has; those do not change."""
    services = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: iter(services)


if __name__ == "__main__":
    look_once()
    WSGIRequestHandler.protocol_version = "HTTP/1.1"  # else a connection and a thread for each request
    run_simple(
        "127.0.0.1", int(sys.argv[1]), one_at_a_time(DomainDispatcherApplication(create_backend_app)), threaded=True
    )
