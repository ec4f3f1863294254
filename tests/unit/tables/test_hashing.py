"""The bits of a value as they are hashed, whatever lies in memory: one for each of NaN, zero and missing."""

from __future__ import annotations

import hashlib
import struct

import pyarrow as pa
import pytest

from datom_core.tables.hashing import column_digest

_MISSING, _NAN = 0x7FF00000000007A2, 0x7FF8000000000000
#: As they lie in memory -> as they are hashed.
DOUBLES = {
    0x0000000000000000: 0,  # zero
    0x8000000000000000: 0,  # minus zero
    0x3FF8000000000000: 0x3FF8000000000000,  # 1.5
    0x0000000000000001: 0x0000000000000001,  # the smallest
    0x8000000000000001: 0x8000000000000001,
    0x7FF0000000000000: 0x7FF0000000000000,  # infinity
    0xFFF0000000000000: 0xFFF0000000000000,
    0x7FF8000000000000: _NAN,
    0xFFF8000000000000: _NAN,
    0x7FF0000000000001: _NAN,  # a NaN that signals
    0x7FF00000000007A2: _NAN,  # R's NA, as a value
    0x7FFFFFFFFFFFFFFF: _NAN,
}


def digest_of(tag: str, words: list[int]) -> str:
    return hashlib.sha256(tag.encode() + b"\0" + struct.pack(f"<{len(words)}Q", *words)).hexdigest()


def doubles(words: list[int], missing: frozenset[int] = frozenset()) -> pa.Array:
    """An array with these bits, of which some places are missing; the bits below those are there, too."""
    valid = bytearray((len(words) + 7) // 8)
    for place in range(len(words)):
        valid[place // 8] |= (place not in missing) << place % 8
    buffers = [pa.py_buffer(bytes(valid)), pa.py_buffer(struct.pack(f"={len(words)}Q", *words))]
    return pa.Array.from_buffers(pa.float64(), len(words), buffers)


@pytest.mark.parametrize("begin", [0, 1, 5])
def test_each_double_has_its_one_pattern(begin: int) -> None:
    part = pa.chunked_array([doubles([*DOUBLES]).slice(begin)])
    assert column_digest(part, "num") == digest_of("num", [*DOUBLES.values()][begin:])


@pytest.mark.parametrize("begin", [0, 3])
def test_whatever_lies_below_a_missing_value_counts_for_nothing(begin: int) -> None:
    missing = frozenset({0, 2, 4, 7, 9, 11})
    part = pa.chunked_array([doubles([*DOUBLES], missing).slice(begin)])
    expected = [_MISSING if place in missing else bits for place, bits in enumerate(DOUBLES.values())]
    assert column_digest(part, "num") == digest_of("num", expected[begin:])


def test_a_column_in_many_chunks_is_the_same_column() -> None:
    whole = doubles([*DOUBLES] * 3, frozenset({5, 20}))
    parts = pa.chunked_array([whole.slice(0, 1), whole.slice(1, 0), whole.slice(1, 17), whole.slice(18)])
    assert column_digest(parts, "num") == column_digest(pa.chunked_array([whole]), "num")


def test_the_least_byte_comes_first_on_every_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    column = pa.chunked_array([pa.array([1.5, -2.25, None])])
    words = [struct.unpack("=Q", struct.pack(">d", value))[0] for value in (1.5, -2.25)]
    turned = int.from_bytes(_MISSING.to_bytes(8, "little"), "big")
    monkeypatch.setattr("sys.byteorder", "big")
    assert column_digest(column, "num") == digest_of("num", [*words, turned])
