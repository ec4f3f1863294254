"""The JSON behind a version id, against what R wrote and the record's worked examples."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datom_core.documents.canonical import canonical, dump, format_number, identity, metadata_sha
from tests.conftest import GOLDEN

NUMBERS = [n for n in json.loads((GOLDEN / "json_numbers.json").read_text()) if "N" not in n["hex"] + n["r"][:0]]
FINITE = [n for n in NUMBERS if "Inf" not in n["hex"]]
DOCUMENTS = [d for d in json.loads((GOLDEN / "metadata_sha.json").read_text()) if "error" not in d]


@pytest.mark.parametrize("number", FINITE, ids=lambda n: n["hex"])
def test_numbers_print_as_in_r(number: dict[str, str]) -> None:
    assert f'{{"x":{format_number(float.fromhex(number["hex"]))}}}' == number["json"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_without_json_text_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="no JSON text"):
        format_number(value)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d["id"])
def test_documents_that_r_wrote(document: dict[str, Any]) -> None:
    parsed = json.loads(document["file_text"])
    assert canonical(identity(parsed)) == document.get("canonical_reread", document["canonical"])
    assert metadata_sha(parsed) == document["metadata_sha_reread"]
    assert dump(parsed).decode() == document["file_text"]


ONE_COLUMN = {
    "data_sha": "a19b3ee47d4b3ac485b8becbd2b51dbb18ddc5d312bed0677936f07f62b7c58e",
    "hash_algo": "datom-cv1",
    "table_type": "derived",
    "nrow": 1,
    "ncol": 1,
    "colnames": "x",
}
CUSTOM = {
    "data_sha": "00",
    "hash_algo": "datom-cv1",
    "ncol": 1,
    "nrow": 3,
    "table_type": "derived",
    "colnames": "x",
    "custom": {
        "source": "EDC",
        "n_sites": 14,
        "locked": True,
        "ratio": 0.3333333,
        "big": 123456789012,
        "tags": ["a", "b"],
        "one": ["a"],
        "nested": {"z": 1, "a": "q"},
    },
}
IMPORTED = {
    "colnames": "STUDYID DOMAIN USUBJID SUBJID AGE AGEU SEX RACE ETHNIC COUNTRY RFSTDTC DMDTC".split(),
    "data_sha": "e547f03de41b870daad994cea8f1ec492302ff682bdaaf96623efd52d4542faf",
    "hash_algo": "datom-cv1",
    "ncol": 12,
    "nrow": 25,
    "original_file_sha": "d303644a45120ac66d9c0acddb389bb086f9f5b47abfedcf958ac74bd08457f3",
    "source_lineage": [
        {
            "project": "study001-imported",
            "table": "dm",
            "version_sha": "e547f03de41b870daad994cea8f1ec492302ff682bdaaf96623efd52d4542faf",
        }
    ],
    "table_type": "imported",
}
PACKAGE = {
    "data_sha": "abc123",
    "hash_algo": "datom-cv1",
    "name": "mytable",
    "ncol": 5,
    "nrow": 100,
    "table_type": "imported",
}
SET = {
    "kind": "set",
    "data_sha": "155aa3722e58a4d7e26d58efc011a87a5f7c06172ea20df1c3bf96e00979888a",
    "hash_algo": "datom-sv1",
}
WORKED: list[tuple[str, dict[str, Any], str]] = [
    ("a", ONE_COLUMN, "0d0f5dd2a8d08b6b70963cb985275ed02522547e591cefcc00da0f17b9c8f33e"),
    ("b", {"kind": "table", **ONE_COLUMN}, "c34b6d5aa2d72a2b13093a6d9a55218b6e13e3c59a0e5a85c647ab48425d9808"),
    ("c, schema 2", {"kind": "table", **IMPORTED}, "773e6862cadac8e2dbc4f17927bffc21564693b420eb979c9ed80c15ea84565f"),
    ("c, schema 1", IMPORTED, "ed1e64d7d3dee4da6a1e37030cb4644da1d53aa0cbd8106cf444717cc9063e38"),
    ("e, schema 1", CUSTOM, "7198180990dd489deea3da537915cc726fe614a751bb37d55e484a673a24d833"),
    ("e, schema 2", {"kind": "table", **CUSTOM}, "f74ba9b97f3d1e8206d52f358b9a09f9164e310cb89c2476d04818edf301d428"),
    ("f", SET, "d2d0456b719244fe18d01f74a59b4e77637108405b716037c8e8b960dc15d786"),
    ("h", PACKAGE, "59f1f1d936c5d65472733a924493ce2362255d442ebea6d41f7c3c9e7069d326"),
]


@pytest.mark.parametrize(("_name", "document", "sha"), WORKED, ids=[w[0] for w in WORKED])
def test_worked_examples_of_the_record(_name: str, document: dict[str, Any], sha: str) -> None:
    assert metadata_sha({**document, "created_at": "2026-01-01T00:00:00Z", "size_bytes": 1}) == sha


def test_identity_ignores_what_is_not_identity_and_the_order_of_top_level_keys() -> None:
    shuffled = dict(reversed(list(ONE_COLUMN.items())))
    assert metadata_sha({**shuffled, "parquet_sha": "x", "datom_version": "9"}) == metadata_sha(ONE_COLUMN)


def test_identity_keeps_the_order_inside_custom() -> None:
    one, other = ({**ONE_COLUMN, "custom": c} for c in ({"a": 1, "b": 2}, {"b": 2, "a": 1}))
    assert metadata_sha(one) != metadata_sha(other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("</b>", '"<\\/b>"'),
        ("a/b", '"a/b"'),
        ('"\\\n\t', '"\\"\\\\\\n\\t"'),
        ("\x01", '"\\u0001"'),
        ("é\x7f", '"é\x7f"'),
    ],
)
def test_strings_are_escaped_as_in_r(text: str, expected: str) -> None:
    assert canonical(text) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_what_is_dumped_reads_back_as_it_was(value: Any) -> None:
    assert json.loads(dump(value)) == value
