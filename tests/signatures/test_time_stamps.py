"""Time stamps by RFC 3161, of a server on loopback that answers with openssl's."""

from __future__ import annotations

import base64
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

import datom_core as dc
from tests.signatures.conftest import ADA, Keys, frame, git

CONFIG = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


@dataclass(frozen=True)
class Authority:
    """An authority that certifies a server: its folder, and where that answers."""

    folder: Path
    url: str

    @property
    def server(self) -> dc.TimeStampServer:
        return dc.TimeStampServer(self.url, self.folder / "ca.pem", timeout=20)


def openssl(*args: object) -> None:
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    folder = tmp_path_factory.mktemp("tsa")
    (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))
    (folder / "serial").write_text("01\n")
    (folder / "extensions").write_text("extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n")
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *new, "-subj", "/CN=CA", "-keyout", folder / "ca.key", "-out", folder / "ca.pem")
    openssl("req", *new, "-subj", "/CN=TSA", "-keyout", folder / "tsa.key", "-out", folder / "tsa.csr")
    openssl(
        "x509", "-req", "-in", folder / "tsa.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
        "-CAcreateserial", "-extfile", folder / "extensions", "-out", folder / "tsa.pem",
    )  # fmt: skip
    openssl("req", "-x509", *new, "-subj", "/CN=Other", "-keyout", folder / "other.key", "-out", folder / "other.pem")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = folder / "asked"
            asked.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            given = b"nothing of the kind"
            if self.path == "/tsa":
                openssl("ts", "-reply", "-config", folder / "tsa.cnf", "-queryfile", asked, "-out", folder / "reply")
                given = (folder / "reply").read_bytes()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(given)

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield Authority(folder, f"http://127.0.0.1:{server.server_port}/tsa")
        server.shutdown()
        thread.join()


@pytest.fixture
def project(store: dc.LocalStore, remote: Path, keys: Keys) -> dc.Project:
    """As `study`, at the present time."""
    project = dc.Project.init("STUDY_001", store, remote=remote, author=ADA, signing=keys.ada)
    project.allow_signer("ada@example.org", keys.public("ada"))
    project.cut("2026-01", {"dm": frame(3)})
    return project


def test_a_record_is_stamped_and_its_stamp_verified(project: dc.Project, authority: Authority, tmp_path: Path) -> None:
    project.approve("2026-01", meaning="approved", reason="done", time_stamp=authority.server)
    (found,) = project.reader.approvals()
    assert found.time_stamp is not None
    assert found.time_stamp["server"] == authority.url
    assert found.intact, "the id is not of the stamp"
    token = tmp_path / "token"
    token.write_bytes(base64.b64decode(found.time_stamp["token"]))
    openssl("ts", "-verify", "-token_in", "-in", token, "-digest", found.id, "-CAfile", authority.folder / "ca.pem")
    assert project.verify_signatures(time_stamp=authority.server).ok
    other = dc.TimeStampServer(authority.url, authority.folder / "other.pem")
    (problem,) = project.verify_signatures(time_stamp=other).problems
    assert (problem.kind, problem.record) == ("time stamp", found.id)
    assert project.verify_signatures().ok, "nobody was named whom to believe"


def test_without_a_good_stamp_nothing_is_recorded(
    project: dc.Project, authority: Authority, remote: Path, store: dc.LocalStore, keys: Keys, clock: object
) -> None:
    before, ca = git(remote, "rev-parse", "HEAD"), authority.folder / "ca.pem"
    cases: list[tuple[dc.TimeStampServer, type[dc.DatomError], str]] = [
        (dc.TimeStampServer("http://127.0.0.1:9/", ca), dc.StorageError, "does not answer"),
        (dc.TimeStampServer(f"{authority.url}/not", ca), dc.StorageError, "gave no time stamp"),
        (dc.TimeStampServer(authority.url, authority.folder / "other.pem"), dc.IntegrityError, "proves nothing"),
    ]
    for server, error, said in cases:
        with pytest.raises(error, match=said):
            project.approve("2026-01", meaning="approved", reason="done", time_stamp=server)
    other = dc.Project.open(store, remote=remote, author=ADA, signing=keys.ada, clock=clock)  # type: ignore[arg-type]
    with pytest.raises(dc.InvalidInputError, match="more than five minutes apart"):
        other.approve("2026-01", meaning="approved", reason="done", time_stamp=authority.server)
    assert git(remote, "rev-parse", "HEAD") == before
    with pytest.raises(dc.InvalidInputError, match="without a password") as caught:
        dc.TimeStampServer("http://ada:hunter2@localhost/", ca)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(dc.NotFoundError, match="There is no file"):
        dc.TimeStampServer("http://localhost/", "nowhere.pem")
