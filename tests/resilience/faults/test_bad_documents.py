"""Damaged data, documents that a release may not rewrite, and what readers ask for that there is not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import datom_core as dc
from tests.resilience.faults.by_hand import Frame, edit, git


class TestReading:
    @pytest.mark.parametrize(
        ("kwargs", "error", "message"),
        [
            ({"version": "ffffffffff"}, dc.NotFoundError, "no version ffffffffff; the newest are"),
            ({"version": "../../x"}, dc.InvalidInputError, "hex digits"),
            ({"version": ""}, dc.InvalidInputError, "hex digits"),
            ({"cut": "nope"}, dc.NotFoundError, "no cut 'nope'; the latest are 'c'"),
            ({"cut": "c", "version": "0"}, dc.InvalidInputError, "by version or by cut"),
            ({"as_of": "yesterday"}, dc.InvalidInputError, "as_of must be"),
            ({"as_of": "2020-01-01"}, dc.NotFoundError, "the first is of"),
            ({"as_of": 3}, dc.InvalidInputError, "as_of must be"),
            ({"as_of": pd.NaT}, dc.InvalidInputError, "as_of must be"),
            ({"columns": ["AGE", "NOPE", "NADA"]}, dc.InvalidInputError, "'NOPE', 'NADA'.*it has"),
            ({"columns": ["AGE", "AGE"]}, dc.InvalidInputError, "Asked for twice: 'AGE'"),
            ({"columns": "AGE"}, dc.InvalidInputError, r"write \['AGE'\]"),
        ],
    )
    def test_arguments(
        self, project: dc.Project, dm: Frame, kwargs: dict[str, Any], error: type[dc.DatomError], message: str
    ) -> None:
        project.write("dm", dm(3), cut="c")
        with pytest.raises(error, match=message):
            project.reader.read("dm", **kwargs)

    def test_unknown_table_names_the_known_ones(self, project: dc.Project, dm: Frame) -> None:
        project.write("dm", dm(3))
        for call in (project.reader.read, project.reader.metadata, project.reader.parents, project.parent):
            with pytest.raises(dc.NotFoundError, match=r"no table 'ex'\. It has: dm"):
                call("ex")
        with pytest.raises(dc.NotFoundError):
            project.reader.history("ex")

    def test_a_table_that_a_cut_does_not_hold(self, project: dc.Project, dm: Frame) -> None:
        project.write("dm", dm(3), cut="c")
        project.write("ex", dm(3))
        with pytest.raises(dc.NotFoundError, match="does not hold ex; it holds dm"):
            project.reader.read("ex", cut="c")

    def test_an_ambiguous_prefix_names_the_candidates(self, project: dc.Project, dm: Frame) -> None:
        versions = [project.write("dm", dm(n)).version for n in range(1, 18)]  # 17 into 16 first digits
        digit, _ = Counter(v[0] for v in versions).most_common(1)[0]
        with pytest.raises(dc.InvalidInputError, match="Give more digits") as caught:
            project.reader.read("dm", version=digit)
        assert all(v[:16] in str(caught.value) for v in versions if v[0] == digit)

    @pytest.mark.parametrize("flip", [0, 4, 200, -5, -1])
    def test_a_corrupt_payload(self, project: dc.Project, dm: Frame, store: dc.LocalStore, flip: int) -> None:
        result = project.write("dm", dm(3))
        path = Path(store.location.root) / "datom" / "dm" / f"{result.data_sha}.parquet"
        data = bytearray(path.read_bytes())
        data[flip] ^= 0x10
        path.write_bytes(data)
        for kwargs in ({}, {"version": result.version}, {"columns": ["AGE"]}):
            with pytest.raises(dc.IntegrityError, match="Do not use this data") as caught:
                project.reader.read("dm", **kwargs)
        assert caught.value.expected != caught.value.actual

    @pytest.mark.parametrize("harm", [b"", b"<html>", b"PAR1"])
    def test_a_replaced_payload(self, project: dc.Project, dm: Frame, store: dc.LocalStore, harm: bytes) -> None:
        result = project.write("dm", dm(3))
        (Path(store.location.root) / "datom" / "dm" / f"{result.data_sha}.parquet").write_bytes(harm)
        with pytest.raises(dc.IntegrityError):
            project.reader.read("dm")

    @pytest.mark.parametrize("key", ["dm/.metadata/metadata.json", "dm/.metadata/version_history.json"])
    def test_a_damaged_document(self, project: dc.Project, dm: Frame, store: dc.LocalStore, key: str) -> None:
        version = project.write("dm", dm(3)).version
        sound = bytes(store.get(key).data)
        path = Path(store.location.root) / "datom" / key
        for harmed in (
            sound[: len(sound) // 2],
            b"",
            b"\xff\xfe",
            b"[" * 100_000,
            b'{"a": NaN}',
            b'{"data_sha": "x", "data_sha": "y"}',
            b"null",
            b"7",
            b'[{"version": 3}]',
            b'{"data_sha": {"a": 1}}',
            sound.replace(b'"nrow": 3', b'"nrow": 1e999').replace(b'"timestamp"', b'"x": 1e999, "timestamp"'),
        ):
            assert harmed != sound
            path.write_bytes(harmed)
            with pytest.raises(dc.FormatError, match=key.rsplit("/", 1)[-1]):
                project.reader.read("dm", version=version)

    @pytest.mark.parametrize("field", ["data_sha"])
    def test_a_document_that_points_outside(
        self, project: dc.Project, dm: Frame, store: dc.LocalStore, field: str
    ) -> None:
        project.write("dm", dm(3))
        stored = store.get("dm/.metadata/metadata.json")
        document = {**json.loads(stored.data), field: "../../../etc/passwd"}
        store.replace("dm/.metadata/metadata.json", json.dumps(document).encode(), stored.etag)
        with pytest.raises(dc.FormatError, match="not a content hash"):
            project.reader.read("dm")


def change_json(path: Path, change: Callable[[Any], Any]) -> Callable[[Path], Any]:
    def apply(folder: Path) -> None:
        document = json.loads((folder / path).read_text())
        change(document)
        (folder / path).write_text(json.dumps(document))

    return apply


NEWER: list[tuple[str, Callable[[Path], Any], str]] = [
    ("manifest schema", change_json(Path(".datom/manifest.json"), lambda d: d.update(schema_version=3)), "schema 3"),
    ("table schema", change_json(Path("dm/metadata.json"), lambda d: d.update(schema_version=3)), "schema 3"),
    ("odd schema", change_json(Path(".datom/manifest.json"), lambda d: d.update(schema_version=True)), "whole number"),
    ("manifest field", change_json(Path(".datom/manifest.json"), lambda d: d.update(retention={})), "retention"),
    (
        "entry field",
        change_json(Path(".datom/manifest.json"), lambda d: d["artifacts"]["dm"].update(locked=True)),
        r"dm\.locked",
    ),
    ("table field", change_json(Path("dm/metadata.json"), lambda d: d.update(signature="x")), "signature"),
    ("cuts schema", change_json(Path(".datom/cuts.json"), lambda d: d.update(schema_version=2)), "schema 2"),
    (
        "writer floor",
        lambda folder: (folder / ".datom/project.yaml").open("a").write('min_writer_version: "9.0.0"\n'),
        "datom 9.0.0 or newer",
    ),
    (
        "writer floor that cannot be read",
        lambda folder: (folder / ".datom/project.yaml").open("a").write("min_writer_version: soon\n"),
        "soon",
    ),
    ("governance", lambda folder: (folder / ".datom/governance.json").write_text("{}"), "gov_repo_url"),
    ("damaged manifest", lambda folder: (folder / ".datom/manifest.json").write_text("{"), "not a readable JSON"),
    ("damaged project file", lambda folder: (folder / ".datom/project.yaml").write_text("a: ["), "not a readable YAML"),
    ("no history", lambda folder: (folder / "dm/version_history.json").unlink(), "version_history.json is missing"),
]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(("_name", "change", "message"), NEWER, ids=[n[0] for n in NEWER])
def test_documents_that_this_release_may_not_rewrite(
    project: dc.Project,
    store: dc.LocalStore,
    remote: Path,
    tmp_path: Path,
    dm: Frame,
    _name: str,
    change: Callable[[Path], Any],
    message: str,
) -> None:
    project.write("dm", dm(3), cut="c")
    edit(remote, tmp_path / "clone", change)
    head = git(remote, "rev-parse", "HEAD")
    before = {o.key: store.get(o.key).data for o in store.list()}
    with pytest.raises(dc.FormatError, match=message):
        project.write("dm", dm(4))
    with pytest.raises(dc.FormatError, match=message):
        project.cut("next", {"ex": dm(2), "dm": dm(4)})
    assert git(remote, "rev-parse", "HEAD") == head
    assert {o.key: store.get(o.key).data for o in store.list()} == before
    assert len(project.reader.read("dm")) == 3
