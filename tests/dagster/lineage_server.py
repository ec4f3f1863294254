"""A lineage service on loopback that behaves as told, and events as their specification wants them."""

from __future__ import annotations

import functools
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

import jsonschema

import datom_dagster

_SPECIFIED = Path(__file__).with_name("openlineage.schema.json")
_OURS = Path(datom_dagster.__file__).with_name("lineage") / "datom_version.schema.json"


@functools.cache
def _validator(of: Path, definition: str | None) -> jsonschema.Draft202012Validator:
    schema = json.loads(of.read_text())
    if definition is not None:
        assert definition in schema["$defs"], f"{definition} is no facet that is known here"
        schema = {"$schema": schema["$schema"], "$ref": f"#/$defs/{definition}", "$defs": schema["$defs"]}
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


def checked(event: dict[str, Any]) -> dict[str, Any]:
    """The event, once it and each of its facets are what their schemas say."""
    _validator(_SPECIFIED, None).validate(event)
    datasets = [*event["inputs"], *event["outputs"]]
    held = [event["run"], event["job"], *datasets]
    groups = [part.get(name, {}) for part in held for name in ("facets", "inputFacets", "outputFacets")]
    for facets in groups:
        for name, facet in facets.items():
            definition = facet["_schemaURL"].rpartition("/")[2]
            ours = name.startswith("datom_")
            assert facet["_schemaURL"].startswith("urn:datom:" if ours else "https://openlineage.io/spec/facets/")
            _validator(_OURS if ours else _SPECIFIED, definition).validate(facet)
    return event


def in_file(path: Path) -> list[dict[str, Any]]:
    """The events in a file, which are what they should be, in the order in which they happened."""
    return [checked(json.loads(line)) for line in path.read_text().splitlines()]


Behaviour = Literal["takes", "500", "garbage", "silent"]


@dataclass
class Service:
    """What a service got.

    Attributes:
        url: where it is.
        bodies: of the requests, in their order.
        headers: the same.
    """

    url: str
    bodies: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def service(behaviour: Behaviour) -> Iterator[Service]:
    """A service that takes events, fails, answers nonsense, or never answers."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            got.bodies.append(body)
            got.headers.append(dict(self.headers))
            if behaviour == "silent":
                over.wait()
                self.close_connection = True
            elif behaviour == "garbage":
                self.wfile.write(b"\x00\x01 planted-answer\r\n\r\n")
                self.close_connection = True
            else:
                self.send_response(201 if behaviour == "takes" else 500)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as its base has it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    got = Service(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield got
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def nowhere() -> str:
    """The URL of a port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
