"""An S3 server with authentication on, as a process of its own: moto's, or a second one for `make test-s3`."""

from __future__ import annotations

import itertools
import json
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

import datom_core as dc
from tests.servers import free_port, running

REGION = "us-east-1"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class Moto:
    """moto's server. Its log tells every request."""

    name = "moto"

    def __init__(self, endpoint: str, log: Path, *, auth: bool) -> None:
        self.endpoint = endpoint
        self.log = log
        self._numbers = itertools.count(1)
        self._iam = self.client("iam", dc.Credentials("root", "root-secret"))
        self.owner = self.user(EVERYTHING)
        if auth:
            # Only from now on does it look at signatures and policies.
            request = urllib.request.Request(f"{endpoint}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"})
            urllib.request.urlopen(request).close()
        self._iam = self.client("iam", self.owner)
        self.s3 = self.client("s3", self.owner)

    def client(self, service: str, credentials: dc.Credentials, region: str = REGION) -> Any:
        token = credentials.session_token
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key.reveal(),
            aws_session_token=token.reveal() if token is not None else None,
            config=Config(s3={"addressing_style": "path"}, ignore_configured_endpoint_urls=True),
        )

    def user(self, policy: Mapping[str, Any]) -> dc.Credentials:
        """Keys of a new user who may do what the policy says."""
        name = f"user-{next(self._numbers)}"
        self._iam.create_user(UserName=name)
        self._iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        key = self._iam.create_access_key(UserName=name)["AccessKey"]
        return dc.Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    def bucket(self, region: str = REGION, **options: Any) -> str:
        """A new bucket."""
        name = f"study-{next(self._numbers)}-{region}"
        if region != REGION:
            options["CreateBucketConfiguration"] = {"LocationConstraint": region}
        self.client("s3", self.owner, region).create_bucket(Bucket=name, **options)
        return name

    def store(self, bucket: str, prefix: str = "", **options: Any) -> dc.S3Store:
        """A store of the owner, unless other credentials are given."""
        return dc.S3Store(bucket, prefix, **{"credentials": self.owner, "endpoint_url": self.endpoint, **options})

    def requests(self, bucket: str) -> list[str]:
        """Every request for a bucket so far, as ``METHOD path``."""
        lines = self.log.read_text(errors="replace").splitlines()
        found = [line.split('"')[1].removeprefix("\x1b[31m\x1b[1m") for line in lines if f" /{bucket}" in line]
        return [line.rpartition(" HTTP")[0] for line in found]


@contextmanager
def moto(folder: Path, *, auth: bool = True) -> Iterator[Moto]:
    """The server, over nothing."""
    port = free_port()
    command = [sys.executable, "-m", "tests.s3.moto_server", str(port)]
    log = folder / "moto.log"
    root = Path(__file__).resolve().parents[2]
    with running(command, f"http://127.0.0.1:{port}/moto-api/data.json", log, cwd=root):
        yield Moto(f"http://127.0.0.1:{port}", log, auth=auth)
