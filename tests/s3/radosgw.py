"""Ceph's radosgw: a second server for the same suites, so that what moto hides shows.

A whole cluster in three processes: a monitor, one object store in memory, and the gateway. A manager would only gather
statistics.
"""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import datom_core as dc
from tests.s3.server import EVERYTHING, S3Server
from tests.servers import free_port, running, started

_CONFIG = """\
[global]
fsid = {fsid}
mon host = v2:127.0.0.1:{port}
ms bind msgr1 = false
# Without keys, the default, secure first, hangs.
ms mon client mode = crc secure
auth cluster required = none
auth service required = none
auth client required = none

mon data = {folder}/mon
osd data = {folder}/osd
rgw data = {folder}/rgw
# Nothing outside of the folder: what they say goes to the files that take their output.
run dir = {folder}
admin socket =
log file =
log to stderr = true
mon cluster log to file = false

# One copy, in memory. The monitor decides at once: waiting for more to decide about makes the start ten times as long.
osd objectstore = memstore
memstore device bytes = 4294967296
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
paxos propose interval = 0.05
paxos min wait = 0.01
# A full disk is not its affair.
mon data avail crit = 0
mon data avail warn = 0

# The log of requests.
debug rgw = 1
rgw s3 auth use sts = true
rgw sts key = abcdefghijklmnop
# Keys for encryption out of this file, and without TLS.
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = alias/study=YWJjZGVmZ2hpamtsbW5vcGFiY2RlZmdoaWprbG1ub3A=

[osd]
public addr = 127.0.0.1
"""


class Radosgw(S3Server):
    """radosgw, administered through its own command."""

    name = "radosgw"
    regions = False
    bucket_encryption = False
    object_encryption = False
    conditional_parts = False
    conditional_versions = False
    # It tells them apart only where it does not take the tokens of roles.
    tells_bad_keys = False

    def __init__(self, endpoint: str, log: Path, config: Path) -> None:
        self._config = config
        super().__init__(endpoint, log)
        # Objects belong to whoever wrote them, even in the owner's own bucket.
        self._allow("owner", EVERYTHING)

    def _found(self) -> dc.Credentials:
        return self._create("owner", "--caps", "user-policy=*;roles=*")

    def _new_user(self, name: str) -> dc.Credentials:
        # Whatever its policies say, a user may make buckets, as long as it may have any.
        return self._create(name, "--max-buckets=-1")

    def _create(self, name: str, *options: str) -> dc.Credentials:
        command = ["user", "create", "--uid", name, "--display-name", name, *options]
        key = json.loads(_run("radosgw-admin", self._config, *command))["keys"][0]
        return dc.Credentials(key["access_key"], key["secret_key"])

    def requests(self, bucket: str) -> list[str]:
        # It writes its log a little later than its answers, in order: once this one shows, all before it do.
        last = uuid.uuid4().hex
        urllib.request.urlopen(f"{self.endpoint}/?{last}").close()
        while last not in self.log.read_text(errors="replace"):
            time.sleep(0.01)
        return super().requests(bucket)


@contextmanager
def radosgw(folder: Path) -> Iterator[Radosgw]:
    """The server, over nothing."""
    fsid, disk, port = str(uuid.uuid4()), str(uuid.uuid4()), free_port()
    config = folder / "ceph.conf"
    config.write_text(_CONFIG.format(fsid=fsid, port=free_port(), folder=folder))
    for name in ("mon", "osd"):
        (folder / name).mkdir()
    url, log = f"http://127.0.0.1:{port}", folder / "radosgw.log"
    _run("ceph-mon", config, "-i", "a", "--mkfs")
    with started(_command("ceph-mon", config, "-f", "-i", "a"), folder / "mon.log"):
        _run("ceph", config, "--connect-timeout", "60", "osd", "new", disk)
        _run("ceph-osd", config, "-i", "0", "--mkfs", "--osd-uuid", disk)
        gateway = ["-f", "-n", "client.rgw", f"--rgw-frontends=beast endpoint=127.0.0.1:{port} tcp_nodelay=1"]
        with (
            started(_command("ceph-osd", config, "-f", "-i", "0"), folder / "osd.log"),
            running(_command("radosgw", config, *gateway), url, log),
        ):
            yield Radosgw(url, log, config)


def _command(program: str, config: Path, *arguments: str) -> list[str]:
    return [program, "-c", str(config), *arguments]


def _run(program: str, config: Path, *arguments: str) -> str:
    done = subprocess.run(_command(program, config, *arguments), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout
