"""Rules about names, prefixes and keys."""

from __future__ import annotations

import pytest

from datom_core import InvalidInputError
from datom_core.common import names


@pytest.mark.parametrize("name", ["dm", "My Table (v1)-x_y", "A", "a" * 128])
def test_good_names(name: str) -> None:
    assert names.check_new_name(name) == name


BAD = ["", "1dm", "_dm", "dm.csv", "dm/ex", "../dm", "dm\n", "dät", "a" * 129, "datom", "RENV", "input_files", None, 7]


@pytest.mark.parametrize("name", BAD, ids=repr)
def test_bad_names(name: object) -> None:
    with pytest.raises(InvalidInputError):
        names.check_name(name)


@pytest.mark.parametrize("name", ["R", "src", "man", "tests", "vignettes", "Src"])
def test_names_that_r_would_skip_are_refused_for_new_tables_and_readable(name: str) -> None:
    assert names.check_name(name) == name
    with pytest.raises(InvalidInputError, match="skips"):
        names.check_new_name(name)


@pytest.mark.parametrize(
    ("prefix", "expected"), [(None, ""), ("", ""), ("raw", "raw"), ("raw/", "raw"), ("/a/b/", "a/b")]
)
def test_one_place_has_one_prefix(prefix: str | None, expected: str) -> None:
    assert names.normalise_prefix(prefix) == expected


@pytest.mark.parametrize("prefix", ["..", "a/../b", "a//b", "datom", "a/datom/b", "a\\b", "a\x00"])
def test_bad_prefixes(prefix: str) -> None:
    with pytest.raises(InvalidInputError):
        names.normalise_prefix(prefix)


@pytest.mark.parametrize("key", ["", "/dm", "dm/", "dm/../x", "datom/dm", "dm//x", "a\\b", "a\0"])
def test_bad_keys(key: str) -> None:
    with pytest.raises(InvalidInputError):
        names.check_key(key)


@pytest.mark.parametrize("name", ["2026-02-28", "dry-run-2", "lock", "A|2026-01", "Zwischenanalyse №2"])
def test_good_cut_names(name: str) -> None:
    assert names.check_cut_name(name) == name


@pytest.mark.parametrize("name", ["", " lock", "lock ", "a\nb", "x" * 129, "\ud800", None], ids=repr)
def test_bad_cut_names(name: object) -> None:
    with pytest.raises(InvalidInputError):
        names.check_cut_name(name)


@pytest.mark.parametrize("version", ["", "g", "ABC", "0" * 65, "../x", 7])
def test_bad_versions(version: object) -> None:
    with pytest.raises(InvalidInputError):
        names.check_version(version)
