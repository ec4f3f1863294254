"""Quotes of a text with separators, judged block by block."""

from __future__ import annotations

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from datom_core.extracts.formats.quotes import QuoteCheck
from tests.long import examples

ODD = st.text(st.sampled_from('""",a\n\r'), max_size=12)


@settings(max_examples=examples(400))
@given(text=ODD, sizes=st.lists(st.integers(1, 5), min_size=12, max_size=12))
def test_blocks_of_any_size_are_judged_alike(text: str, sizes: list[int]) -> None:
    whole, blocks = QuoteCheck(","), QuoteCheck(",")
    whole.feed(text.encode())
    rest = text.encode()
    for size in sizes:
        blocks.feed(rest[:size])
        rest = rest[size:]
    problems = whole.end()
    assert blocks.end() == problems
    if not problems:
        list(csv.reader(io.StringIO(text, newline=""), strict=True))  # which raises where quotes are wrong


def test_a_mark_of_the_encoding_is_no_text() -> None:
    check = QuoteCheck(",")
    for byte in '\ufeff"a"x'.encode():
        check.feed(bytes([byte]))
    assert check.end() == ["line 1 has text after the closing quote"]
