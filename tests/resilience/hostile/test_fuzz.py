"""Every reader of documents, on bytes that were found by fuzzing and on what is near them."""

from __future__ import annotations

import random

import pytest

from tests.long import LONG
from tests.resilience.hostile import fuzz

MANY = 20_000 if LONG else 400


@pytest.mark.parametrize("reader", fuzz.READERS)
def test_what_was_found(reader: str) -> None:
    came = {fuzz.check(reader, data) for data in fuzz.corpus(reader)}
    assert came == {"read", "refused"}, "the corpus has both kinds"


@pytest.mark.parametrize("reader", fuzz.READERS)
def test_what_is_near_it(reader: str) -> None:
    known = fuzz.corpus(reader)
    for seed in range(MANY if reader != "project" else MANY // 4):  # YAML takes its time
        chance = random.Random(seed)
        data = fuzz.mutated(chance.choice(known), chance)
        try:
            fuzz.check(reader, data)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {data!r}") from error


def test_a_reader_that_lets_another_error_through_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(data: bytes, source: str) -> object:
        if b"../" in data:
            raise KeyError("x")
        return fuzz.Cuts.from_json(data, source)

    monkeypatch.setitem(fuzz.READERS, "cuts", careless)
    with pytest.raises(AssertionError, match="seed"):
        test_what_is_near_it("cuts")
