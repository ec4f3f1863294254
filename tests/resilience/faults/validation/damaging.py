"""A copy of a sound project, and what harms it in storage and in git."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import datom_core as dc

LEVELS = ("quick", "deep", "full")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ME = "Test Author <test@example.org>"
Change = Callable[[bytes], bytes | None]


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def sv1(member: Mapping[str, str]) -> str:
    """The content hash of a set of this one member without tags, spelled out (docs/format.md, "Set hash")."""

    def h(kind: int, *parts: bytes) -> bytes:
        return hashlib.sha256(bytes([kind]) + b"".join(parts)).digest()

    labels = [part for key in sorted(member) for part in (h(1, key.encode()), h(2, h(1, member[key].encode())))]
    return h(6, b"datom-sv1", h(5, h(3), h(4, h(3, *labels), h(3)))).hex()


def git(remote: Path, *args: str) -> str:
    return subprocess.run(["git", "-C", remote, *args], check=True, capture_output=True, text=True).stdout


def edit_git(remote: Path, edits: Mapping[str, Callable[[Any], Any]]) -> None:
    """Change JSON files in the data repo, or remove them, by hand."""
    work = remote.with_name(f"work-{len(list(remote.parent.iterdir()))}")
    git(remote.parent, "clone", "-q", str(remote), str(work))
    for path, edit in edits.items():
        file = work / path
        after = edit(json.loads(file.read_text()) if file.exists() else None)
        file.parent.mkdir(exist_ok=True)
        if after is None:
            file.unlink()
        else:
            file.write_text(after if isinstance(after, str) else json.dumps(after, indent=2) + "\n")
    git(work, "add", "-A")
    git(work, "-c", "user.name=X", "-c", "user.email=x@example.org", "commit", "-qm", "By hand")
    git(work, "push", "-q")


def push_set(remote: Path, members: str) -> tuple[str, str, bytes]:
    """Record a version of the set ``spec`` as R 0.2 does: its version, its content hash, and its payload."""
    member = {"id": {"kind": "table", "name": members, "project": "STUDY_001", "version": "a" * 64}}
    payload = json.dumps({"members": [member]}, indent=2) + "\n"
    data_sha, document_sha = sv1(member["id"]), sha(payload)
    version = sha(f'{{"data_sha":"{data_sha}","hash_algo":"datom-sv1","kind":"set"}}')
    at = "2026-03-01T12:00:00Z"
    document = {"schema_version": 2, "kind": "set", "data_sha": data_sha, "hash_algo": "datom-sv1"}
    document |= {"document_sha": document_sha, "created_at": at, "datom_version": "0.2.0", "project": "STUDY_001"}
    entry = {"version": version, "data_sha": data_sha, "timestamp": at, "author": "R", "commit_message": "Update spec"}
    entry |= {"document_sha": document_sha}

    def list_it(manifest: Any) -> Any:
        row = {"kind": "set", "current_version": version, "current_data_sha": data_sha, "last_updated": at}
        versions = (manifest["artifacts"].get("spec") or {}).get("version_count", 0) + 1
        manifest["artifacts"]["spec"] = {**row, "member_count": 1, "version_count": versions}
        return manifest

    edit_git(
        remote,
        {
            "spec/set.json": lambda _: payload,
            "spec/metadata.json": lambda _: document,
            "spec/version_history.json": lambda old: [entry, *(old or [])],
            ".datom/manifest.json": list_it,
        },
    )
    return version, data_sha, payload.encode()


@dataclass(frozen=True)
class Prepared:
    """A sound project: its remote, its objects, and the ids of its versions by label."""

    remote: Path
    objects: Mapping[str, bytes]
    ids: Mapping[str, str]


def objects(store: dc.ObjectStore) -> dict[str, bytes]:
    return {o.key: bytes(store.get(o.key).data) for o in store.list()}


class Study:
    """A copy of the prepared project that may be damaged."""

    def __init__(self, prepared: Prepared, folder: Path, store: dc.ObjectStore | None = None) -> None:
        self.ids, self.sound = prepared.ids, dict(prepared.objects)
        self.store = dc.MemoryStore() if store is None else store
        for key, data in self.sound.items():
            self.store.create(key, data)
        self.remote = folder / "remote.git"
        shutil.copytree(prepared.remote, self.remote)
        self.project = dc.Project.open(self.store, remote=self.remote, author=ME)

    def key(self, template: str) -> str:
        return template.format(**self.ids)

    def put(self, key: str, data: bytes | None) -> None:
        self.store.delete(key)
        if data is not None:
            self.store.create(key, data)

    def damage(self, template: str, change: Change) -> None:
        key = self.key(template)
        self.put(key, change(bytes(self.store.get(key).data)))

    def problems(self, level: str, *, fix: bool = False) -> dc.ValidationReport:
        with pytest.raises(dc.IntegrityError) as caught:
            self.project.validate(level, fix=fix)  # type: ignore[arg-type]
        report = caught.value.report
        assert isinstance(report, dc.ValidationReport)
        assert not report.ok
        for problem in report.problems[:10]:
            assert str(problem) in str(caught.value)
        return report


def gone(_: bytes) -> None:
    return None


def emptied(_: bytes) -> bytes:
    return b""


def truncated(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    return data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]


def replaced(*parts: str) -> Change:
    """Another text in place of each of the odd ones, as a hand would do it."""

    def change(data: bytes) -> bytes:
        text = data.decode()
        for old, new in zip(parts[::2], parts[1::2], strict=True):
            assert old in text
            text = text.replace(old, new)
        return text.encode()

    return change


def without_newest(data: bytes) -> bytes:
    return json.dumps(json.loads(data)[1:]).encode()


def other_hash(data: bytes) -> bytes:
    return json.dumps({**json.loads(data), "parquet_sha": "0" * 64}).encode()


OLD, CURRENT = "dm/.metadata/{dm2}.json", "dm/.metadata/{dm4}.json"
