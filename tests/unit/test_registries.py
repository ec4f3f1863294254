"""Backends and formats of a user's own: what is refused, and what the tables of the known ones say."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import datom_core as dc
from datom_core.documents import GovernanceFile, location, same_place
from datom_core.extracts.formats import formats
from datom_core.storage import abilities
from datom_core.testing import FailingStore


@pytest.fixture(autouse=True)
def own_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(location, "_KINDS", dict(location._KINDS))
    monkeypatch.setattr(formats, "_FORMATS", dict(formats._FORMATS))


def opened(opening: dc.Opening) -> dc.ObjectStore:
    return dc.MemoryStore(opening.location.root, opening.location.prefix)


class TestBackends:
    @pytest.mark.parametrize("name", ["", "S3", "a b", "x" * 33, "local", "s3", "memory"])
    def test_a_name_that_cannot_be_or_is_taken_is_refused(self, name: str) -> None:
        with pytest.raises(dc.InvalidInputError, match=r"lower-case letters|already"):
            dc.register_backend(dc.Backend(name=name, open=opened))

    def test_what_is_no_backend_is_refused(self) -> None:
        with pytest.raises(dc.InvalidInputError, match="takes a Backend, not function"):
            dc.register_backend(opened)  # type: ignore[arg-type]

    def test_an_unknown_place_is_not_opened_and_the_known_kinds_are_named(self) -> None:
        for backend in ("nowhere", "memory"):
            with pytest.raises(dc.InvalidInputError, match=r"no place that another.*local, s3"):
                dc.open_store(dc.Location(backend, "x"))

    def test_an_opener_gets_what_there_is_to_open_with(self) -> None:
        seen: list[dc.Opening] = []
        dc.register_backend(dc.Backend(name="own", open=lambda o: seen.append(o) or opened(o)))  # type: ignore[func-returns-value]
        near = dc.MemoryStore()
        dc.open_store(dc.Location("own", "r"), near=(None, near), credentials=dc.AmbientCredentials(), size=3)
        [opening] = seen
        assert (opening.near, dict(opening.options)) == ([near], {"size": 3})
        assert isinstance(opening.credentials, dc.AmbientCredentials)

    def test_a_document_may_name_it_from_then_on(self) -> None:
        document = b'{"gov_repo_url": "u", "gov_storage": {"type": "own", "root": "/r"}}'
        with pytest.raises(dc.FormatError, match="one of local, s3, not 'own'"):
            GovernanceFile.from_json(document, "governance.json")
        dc.register_backend(dc.Backend(name="own", open=opened, root_is_path=True, default_region="here"))
        assert GovernanceFile.from_json(document, "governance.json").storage == dc.Location("own", "/r", region="here")
        with pytest.raises(dc.FormatError, match="absolute path"):
            GovernanceFile.from_json(document.replace(b'"/r"', b'"r"'), "governance.json")

    def test_two_places_are_one_by_what_the_backend_says(self, tmp_path: Path) -> None:
        dc.register_backend(dc.Backend(name="own", open=opened, identity=lambda at: at.root.lower()))
        assert same_place(dc.Location("own", "A"), dc.Location("own", "a", "other"))
        assert not same_place(dc.Location("s3", "a"), dc.Location("own", "a"))
        os.symlink(tmp_path, tmp_path / "link")
        assert same_place(dc.Location("local", str(tmp_path)), dc.Location("local", str(tmp_path / "link")))

    def test_each_kind_has_addresses_of_its_own(self) -> None:
        places = [dc.Location("local", "/a b"), dc.Location("s3", "bucket"), dc.Location("memory", "m")]
        assert [at.uri("datom/dm") for at in places] == [
            "file:///a%20b/datom/dm",
            "s3://bucket/datom/dm",
            "memory:m/datom/dm",
        ]


def test_what_a_store_cannot_do_is_done_without(store: dc.LocalStore) -> None:
    abilities.prepare(store)
    store.create("dm/x.parquet", b"1")
    store.delete("dm/x.parquet")
    wrapped = FailingStore(store)  # has no abilities
    abilities.clean_up(wrapped)
    assert (abilities.free_bytes(wrapped), abilities.kept_after_delete(wrapped)) == (None, "")
    assert not abilities.copy_within(store, wrapped, "k", 1)
    assert Path(store.location.root, "datom", "dm").exists()
    abilities.clean_up(store)
    assert list(Path(store.location.root).iterdir()) == []
    assert (abilities.free_bytes(store) or 0) > 0


class TestFormats:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "dm.own"
        path.write_bytes(b"OWN1")
        return path

    def add(self, table: Any) -> None:
        dc.register_format(dc.ExtractFormat("own", lambda _: table, begins=re.compile(b"OWN1")))

    @pytest.mark.parametrize("name", ["", "CSV", ".own", "csv", "xlsb"])
    def test_a_name_that_cannot_be_or_is_taken_is_refused(self, name: str) -> None:
        with pytest.raises(dc.InvalidInputError, match=r"extension of its files|already"):
            dc.register_format(dc.ExtractFormat(name, lambda _: pa.table({})))

    def test_what_is_no_format_is_refused(self) -> None:
        with pytest.raises(dc.InvalidInputError, match="takes an ExtractFormat, not str"):
            dc.register_format("own")  # type: ignore[arg-type]

    def test_its_table_has_the_types_that_are_declared(self, file: Path) -> None:
        with pytest.raises(dc.InvalidInputError, match=r"'\.own' is not the extension of a format"):
            dc.read_extract(file)
        self.add(pa.table({"AGE": ["63"]}))
        assert dc.read_extract(file, schema={"AGE": "int64"}).to_pylist() == [{"AGE": 63}]

    @pytest.mark.parametrize(
        ("table", "schema", "said"),
        [
            ([1], None, "must give a pyarrow Table, not list"),
            (pa.Table.from_arrays([pa.array([1])] * 2, names=["A", "A"]), None, "'A' occurs 2 times"),
            (pa.table({"A": [1]}), {"B": "int64"}, "columns that are not there: 'B'"),
            (pa.table({"A": ["x"]}), {"A": "int64"}, "values do not fit the schema"),
            (pa.table({"A": pa.array([], pa.int64())}), None, "there is no row"),
        ],
    )
    def test_a_table_that_cannot_be_taken_is_refused(self, file: Path, table: Any, schema: Any, said: str) -> None:
        self.add(table)
        with pytest.raises(dc.InvalidInputError, match=said):
            dc.read_extract(file, schema=schema)

    def test_a_file_of_another_format_is_refused_either_way(self, file: Path, tmp_path: Path) -> None:
        self.add(pa.table({"A": [1]}))
        file.write_bytes(b"PAR1")
        with pytest.raises(dc.InvalidInputError, match="by its first bytes it is parquet"):
            dc.read_extract(file)
        (tmp_path / "dm.csv").write_bytes(b"OWN1\n1\n")
        with pytest.raises(dc.InvalidInputError, match="by its first bytes it is own"):
            dc.read_extract(tmp_path / "dm.csv")
