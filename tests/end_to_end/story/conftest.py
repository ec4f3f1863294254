"""An organization with a GitHub and a bucket, and keys for each role in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.end_to_end.story.witness import Witness
from tests.github.conftest import FULL, HASTY
from tests.github.server import GitHubServer, github_server
from tests.s3.server import S3Server

KEEPER, ENGINEER = "Kim Keeper <kim@acme.example>", "Eli Engineer <eli@acme.example>"


@dataclass
class Acme:
    """An organization, and who has which keys in it.

    Attributes:
        keeper, engineer: GitHub for who may create and delete repositories, and for who may push.
        keys: role -> its keys for the bucket.
    """

    folder: Path
    github: GitHubServer
    keeper: dc.GitHub
    engineer: dc.GitHub
    s3: S3Server
    bucket: str
    keys: Mapping[str, dc.Credentials]
    clock: Clock
    witness: Witness

    def store(self, prefix: str, role: str) -> dc.S3Store:
        return self.s3.store(self.bucket, prefix, credentials=self.keys[role])

    def objects(self, prefix: str = "") -> dict[str, str]:
        listed = self.s3.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return {o["Key"]: o["ETag"] for o in listed}

    @property
    def by_keeper(self) -> dict[str, Any]:
        return {"author": KEEPER, "clock": self.clock}

    @property
    def by_engineer(self) -> dict[str, Any]:
        return {"author": ENGINEER, "clock": self.clock}


@pytest.fixture
def acme(tmp_path: Path, s3_server: S3Server, clock: Clock) -> Iterator[Acme]:
    bucket = s3_server.bucket()
    keys = keys_of_the_roles(s3_server, bucket)
    with github_server(tmp_path / "github") as github:
        github.org("acme", {"kim": "admin", "eli": "write"})
        tokens = {"kim": github.user("kim", FULL), "eli": github.user("eli", ["repo"])}
        secrets = {**tokens, **{role: str(c.secret_key.reveal()) for role, c in keys.items()}}
        witness = Witness(secrets, tmp_path, s3_server, [bucket])
        keeper, engineer = (dc.GitHub(t, github.api_url, "acme", **HASTY) for t in tokens.values())
        witness.sees((keeper, engineer, keys))
        yield Acme(tmp_path, github, keeper, engineer, s3_server, bucket, keys, clock, witness)


def keys_of_the_roles(s3: S3Server, bucket: str) -> dict[str, dc.Credentials]:
    """Keys that can do what a role has to do, and no more, by the policies that datom gives."""
    register, data = s3.store(bucket, "register"), s3.store(bucket, "studies")
    rights = {
        "registrar": ("writer", "writer"),
        "keeper": ("mover", "mover"),
        "engineer": ("reader", "writer"),
        "statistician": ("reader", "reader"),
    }
    return {
        role: s3.user(dc.iam_policy(register, on_register), dc.iam_policy(data, on_data, scope="prefix"))
        for role, (on_register, on_data) in rights.items()
    }
