"""An S3 server with authentication on, as a process of its own: moto's, or a second one for `make test-s3`."""

from __future__ import annotations

import itertools
import json
import re
import sys
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

import datom_core as dc
from tests.servers import free_port, running

REGION = "us-east-1"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class S3Server(ABC):
    """What the suites need of a server. Its log tells every request.

    Attributes:
        name: for the reasons of skips.
        regions: it has more than one.
        bucket_encryption, object_encryption: it knows keys of its own, by a bucket's default or when asked to.
        conditional_parts, conditional_versions: it heeds conditions on uploads in parts, and where versions are kept.
        policy_conditions: it heeds the conditions in policies.
        open_settings: whoever sees a bucket may ask for its encryption and object lock.
        tells_bad_keys: it tells an access key that it does not know from a secret that does not fit.
    """

    name: str
    regions = True
    bucket_encryption = True
    object_encryption = True
    conditional_parts = True
    conditional_versions = True
    policy_conditions = True
    open_settings = False
    tells_bad_keys = True

    def __init__(self, endpoint: str, log: Path) -> None:
        self.endpoint = endpoint
        self.log = log
        self._numbers = itertools.count(1)
        self.owner = self._found()
        self._iam = self.client("iam", self.owner)
        self.s3 = self.client("s3", self.owner)

    @abstractmethod
    def _found(self) -> dc.Credentials:
        """Keys of the user who owns all buckets and may make users."""

    @abstractmethod
    def _new_user(self, name: str) -> dc.Credentials:
        """Keys of a new user who may do nothing."""

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

    def user(self, *policies: Mapping[str, Any]) -> dc.Credentials:
        """Keys of a new user who may do what the policies say."""
        name = f"user-{next(self._numbers)}"
        keys = self._new_user(name)
        self._allow(name, *policies)
        return keys

    def role(self, name: str) -> dc.RoleCredentials:
        """Keys of a new role that may do everything, for a while; the server's owner takes it on."""
        trust = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}],
        }
        # Without blanks: radosgw takes the "+" that stands for one in a form as it is.
        documents = [json.dumps(document, separators=(",", ":")) for document in (trust, EVERYTHING)]
        iam = self.client("iam", self.owner)
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=documents[0])["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=documents[1])
        return dc.RoleCredentials(arn, self.owner, endpoint_url=self.endpoint)

    def _allow(self, name: str, *policies: Mapping[str, Any]) -> None:
        for number, policy in enumerate(policies):
            self._iam.put_user_policy(UserName=name, PolicyName=f"p{number}", PolicyDocument=json.dumps(policy))

    def bucket(self, region: str = REGION, **options: Any) -> str:
        """A new bucket."""
        name = f"study-{next(self._numbers)}-{region}"
        if region != REGION:
            options["CreateBucketConfiguration"] = {"LocationConstraint": region}
        client = self.s3 if region == REGION else self.client("s3", self.owner, region)
        client.create_bucket(Bucket=name, **options)
        return name

    def store(self, bucket: str, prefix: str = "", **options: Any) -> dc.S3Store:
        """A store of the owner, unless other credentials are given."""
        return dc.S3Store(bucket, prefix, **{"credentials": self.owner, "endpoint_url": self.endpoint, **options})

    def requests(self, bucket: str) -> list[str]:
        """Every request for a bucket so far, as ``METHOD path``."""
        lines = self.log.read_text(errors="replace").splitlines()
        # It colours what it did not find, or refused.
        found = [_COLOUR.sub("", line.split('"')[1]) for line in lines if f" /{bucket}" in line]
        return [line.rpartition(" HTTP")[0] for line in found]


class Moto(S3Server):
    """moto's server."""

    name = "moto"
    policy_conditions = False
    open_settings = True

    def __init__(self, endpoint: str, log: Path, *, auth: bool) -> None:
        self._auth = auth
        super().__init__(endpoint, log)

    def _found(self) -> dc.Credentials:
        self._iam = self.client("iam", dc.Credentials("root", "root-secret"))
        owner = self.user(EVERYTHING)
        if self._auth:
            # Only from now on does it look at signatures and policies.
            url = f"{self.endpoint}/moto-api/reset-auth"
            urllib.request.urlopen(urllib.request.Request(url, b"0", {"Content-Type": "text/plain"})).close()
        return owner

    def _new_user(self, name: str) -> dc.Credentials:
        self._iam.create_user(UserName=name)
        key = self._iam.create_access_key(UserName=name)["AccessKey"]
        return dc.Credentials(key["AccessKeyId"], key["SecretAccessKey"])


@contextmanager
def moto(folder: Path, *, auth: bool = True) -> Iterator[Moto]:
    """The server, over nothing."""
    port = free_port()
    command = [sys.executable, "-m", "tests.s3.moto_server", str(port)]
    log = folder / "moto.log"
    root = Path(__file__).resolve().parents[2]
    with running(command, f"http://127.0.0.1:{port}/moto-api/data.json", log, cwd=root):
        yield Moto(f"http://127.0.0.1:{port}", log, auth=auth)
