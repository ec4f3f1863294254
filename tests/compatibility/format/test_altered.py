"""What was altered in storage, the stranger finds, as far as the page says that it can be found there."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.compatibility.format.conftest import Made
from tests.compatibility.format.stranger import Stranger, content_hash, set_hash, version_id

Alter = Callable[[Path], None]
Change = Callable[[Any], object]
SNAPSHOT, POINTER, HISTORY = (
    "sites/.metadata/[0-9a-f]*.json",
    "*/.metadata/metadata.json",
    "*/.metadata/version_history.json",
)
OTHER = "0" * 64


@pytest.fixture
def storage(made: Made, tmp_path: Path) -> Path:
    """A copy of the study's storage."""
    shutil.copytree(made.storage, tmp_path / "altered")
    return tmp_path / "altered"


def edit(pattern: str, change: Change) -> Alter:
    """Have each document that the pattern finds changed in place."""

    def alter(storage: Path) -> None:
        found = sorted(storage.glob(pattern))
        assert found
        for path in found:
            document = json.loads(path.read_text())
            change(document)
            path.write_text(json.dumps(document))

    return alter


def put(**fields: Any) -> Change:
    """Set fields of a document, or of the first entry of an array."""
    return lambda document: (document[0] if isinstance(document, list) else document).update(fields)


def flip(where: float) -> Alter:
    """Change one bit of a payload, so far into it."""

    def alter(storage: Path) -> None:
        (path,) = storage.glob("sites/*.parquet")
        data = bytearray(path.read_bytes())
        data[int(where * (len(data) - 1))] ^= 1
        path.write_bytes(data)

    return alter


def forged(*, content: bool = False, id_too: bool = False) -> Alter:
    """Another table and the hash of its bytes; if asked for, its content hash; and then its version id, too."""

    def alter(storage: Path) -> None:
        (path,), (snapshot,) = storage.glob("sites/*.parquet"), storage.glob(SNAPSHOT)
        table = pa.table({"SITE": ["Bern"]})
        pq.write_table(table, path)
        fields = {"parquet_sha": hashlib.sha256(path.read_bytes()).hexdigest()}
        if content:
            fields["data_sha"] = content_hash(table)
            path.rename(path.with_stem(fields["data_sha"]))
        edit("sites/.metadata/*.json", put(**fields))(storage)
        if id_too:
            version = version_id(json.loads(snapshot.read_text()))
            snapshot.rename(snapshot.with_stem(version))
            edit("sites/.metadata/version_history.json", put(version=version))(storage)
            edit(".metadata/manifest.json", lambda m: m["artifacts"]["sites"].update(current_version=version))(storage)

    return alter


FOUND: dict[str, tuple[Alter, str]] = {
    **{f"a bit of a payload, at {where}": (flip(where), "bytes of sites") for where in (0, 0.2, 0.5, 0.8, 1)},
    "a payload and the hash of its bytes": (forged(), "content of sites"),
    "these and the content hash": (forged(content=True), "document of sites"),
    **{
        f"a document: {field}": (edit(SNAPSHOT, put(**{field: value})), "document of sites")
        for field, value in {
            "kind": "set",
            "data_sha": OTHER,
            "hash_algo": "datom-cv2",
            "table_type": "imported",
            "nrow": 2,
            "ncol": 2,
            "colnames": ["SITES"],
            "parents": [],
            "source_lineage": [],
            "custom": {"source": "EDC", "share": 0.3334, "locked": True},
            "original_file_sha": OTHER,
        }.items()
    },
    "a document: the order inside of custom": (
        edit(SNAPSHOT, put(custom={"share": 0.3333, "source": "EDC", "locked": True})),
        "document of sites",
    ),
    "a document: a parent's version": (
        edit(SNAPSHOT, lambda d: d["parents"][0].update(version=OTHER)),
        "document of sites",
    ),
    "a history: data_sha": (edit(HISTORY, put(data_sha=OTHER)), "content in the history|current version"),
    "a history: the contents of two versions": (
        edit("visits/.metadata/version_history.json", lambda h: h[0].update(data_sha=h[1]["data_sha"])),
        "content in the history",
    ),
    "a history: parquet_sha": (edit(HISTORY, put(parquet_sha=OTHER)), "bytes of"),
    "a history: a version less": (
        edit("visits/.metadata/version_history.json", lambda h: h.pop(0)),
        "number of versions of visits",
    ),
    "the pointer": (
        edit(
            "visits/.metadata/metadata.json",
            put(data_sha="d606602e74d31a98d1e1c68636873df57e4c85e0e150f91a116b103bb4fd9c0e"),
        ),
        "current version of visits",
    ),
    "the manifest": (
        edit(".metadata/manifest.json", lambda m: m["artifacts"]["dm"].update(current_version=OTHER)),
        "current version of dm",
    ),
    "a cut": (
        edit(".metadata/cuts.json", lambda c: c["cuts"]["2026-01"]["tables"]["visits"][0].update(version=OTHER)),
        "versions of a cut",
    ),
    "a review mark": (
        edit(".metadata/cuts.json", lambda c: c["reviews"]["reviewed"][0]["versions"].update(visits=OTHER)),
        "versions of a cut",
    ),
}


@pytest.mark.parametrize("what", FOUND)
def test_what_is_found(storage: Path, what: str) -> None:
    alter, where = FOUND[what]
    assert len(list(Stranger(storage).read_all())) == 4
    alter(storage)
    with pytest.raises(ValueError, match=rf"^({where}).*: not what its name says$"):
        list(Stranger(storage).read_all())


def test_another_id_is_not_found_under_the_one_that_is_held(storage: Path) -> None:
    held = Stranger(storage).current("sites")
    forged(content=True, id_too=True)(storage)
    forgery = Stranger(storage)
    assert len(list(forgery.read_all())) == 4, "all of it agrees, but it is another version"
    assert forgery.current("sites") != held
    with pytest.raises(StopIteration):
        forgery.read("sites", held)


@pytest.mark.parametrize("where", [HISTORY, POINTER])
@pytest.mark.parametrize(
    "fields", [{"timestamp": "2020-01-01T00:00:00Z"}, {"commit_message": "Else"}, {"author": "unknown"}, {"later": [1]}]
)
def test_what_only_git_can_tell(storage: Path, where: str, fields: dict[str, Any]) -> None:
    edit(where, put(**fields))(storage)
    assert len(list(Stranger(storage).read_all())) == 4


def test_any_layout_of_a_document_is_the_same_document(storage: Path) -> None:
    """The order of the outermost fields, escapes and white space, which S3 and other writers change."""
    for path in storage.rglob("*.json"):
        document = json.loads(path.read_text())
        turned = dict(reversed(document.items())) if isinstance(document, dict) else document
        path.write_text(json.dumps(turned, indent=1) + " \r\n\t")
    assert len(list(Stranger(storage).read_all())) == 4


def add_set(storage: Path) -> tuple[str, Path]:
    """A set of two versions, as R's datom 0.2 stores one: its id, and its payload."""
    members = [
        {"id": {"kind": "table", "name": name, "project": "STUDY_001", "version": Stranger(storage).current(name)}}
        for name in ("dm", "visits")
    ]
    payload = json.dumps({"tags": {"use": ["safety", "efficacy"]}, "members": members}).encode()
    hashes = {"data_sha": set_hash(json.loads(payload)), "document_sha": hashlib.sha256(payload).hexdigest()}
    at = {"datom_version": "0.2.0", "created_at": "2026-01-20T12:00:00Z"}
    document = {"schema_version": 2, "kind": "set", **hashes, "hash_algo": "datom-sv1", **at, "project": "STUDY_001"}
    version = version_id(document)
    folder = storage / "spec" / ".metadata"
    folder.mkdir(parents=True)
    for name in ("metadata", version):
        (folder / f"{name}.json").write_text(json.dumps(document))
    (folder / "version_history.json").write_text(
        json.dumps([{"version": version, **hashes, "timestamp": at["created_at"], "author": "R", "commit_message": ""}])
    )
    row = {"kind": "set", "current_version": version, "current_data_sha": hashes["data_sha"], "version_count": 1}
    edit(".metadata/manifest.json", lambda m: m["artifacts"].update(spec=row))(storage)
    file = storage / "spec" / f"{hashes['data_sha']}.json"
    file.write_bytes(payload)
    return version, file


def test_a_set(storage: Path) -> None:
    version, file = add_set(storage)
    stranger = Stranger(storage)
    assert [name for name, _, _ in stranger.read_all()] == ["dm", "visits", "visits", "sites", "spec"]
    assert [m["id"]["name"] for m in stranger.read("spec", version)["members"]] == ["dm", "visits"]
    file.write_bytes(file.read_bytes().replace(b"safety", b"danger"))
    with pytest.raises(ValueError, match="bytes of spec"):
        stranger.read("spec", version)
    edit("spec/.metadata/*.json", put(document_sha=hashlib.sha256(file.read_bytes()).hexdigest()))(storage)
    with pytest.raises(ValueError, match="content of spec"):
        Stranger(storage).read("spec", version)
