"""Two values that differ are shown as two texts that differ."""

from __future__ import annotations

import pyarrow as pa
import pytest

import datom_core as dc


def changed(before: pa.Array, after: pa.Array) -> dc.CellChange:
    """How `diff` shows one value that changed."""
    old, new = (pa.table({"K": ["a"], "V": v}) for v in (before, after))
    return dc.diff(old, new, key="K").changed_rows[0].cells[0]


def text(value: str) -> pa.Array:
    return pa.array([value], pa.string())


def us(value: int) -> pa.Array:
    return pa.array([value], pa.duration("us"))


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (us(2), us(3), ("0.000002 s", "0.000003 s")),
        (us(-1_500_000), us(90_061_500_000), ("-1.5 s", "90061.5 s")),
        (pa.array([2], pa.duration("s")), us(2_000_001), ("2 s", "2.000001 s")),
        (pa.array([2], pa.time64("us")), us(86_400_000_000), ("00:00:00.000002", "86400 s")),
        (pa.array([90_000_000_000]).view(pa.time64("us")), us(5), ("90000 s", "0.000005 s")),
        (pa.array([0.1], pa.float32()), pa.array([0.1]), ("0.10000000149011612", "0.1")),
        (pa.array([0.1], pa.float32()), pa.array([0.25]), ("0.1", "0.25")),
        (pa.array([0.1]), pa.array([0.1 + 2**-56]), ("0.1", "0.10000000000000002")),
        (pa.array([0], pa.timestamp("us", "Mars/X")), pa.array([1], pa.timestamp("us", "UTC")),
         ("1970-01-01 00:00:00.000000Z", "1970-01-01 00:00:00.000001Z")),
        (pa.array([-719529], pa.int32()).cast(pa.date32()), pa.array([-719528], pa.int32()).cast(pa.date32()),
         ("-0001-12-31", "0000-01-01")),
        (pa.array(["a"]).dictionary_encode(), text("a "), ("a", '"a "')),
        (text(""), text(" "), ('""', '" "')),
        (text("(missing)"), pa.array([None], pa.string()), ('"(missing)"', "(missing)")),
        (text('"a "'), text("a "), (r'"\"a \""', '"a "')),
        (text("a\u200bb"), text("ab"), (r'"a\u200bb"', "ab")),
        (text("a\xa0b"), text("a b"), (r"a\xa0b", "a b")),
        (text("a\tb"), text(r"a\tb"), (r'"a\tb"', r"a\tb")),
        (text("é"), text("e\u0301"), (r"\xe9", r"e\u0301")),
        (text("раin"), text("pain"), (r"\u0440\u0430in", "pain")),
        (text("Müller"), text("Muller"), ("Müller", "Muller")),
        (text("ﬁ"), text("fi"), (r"\ufb01", "fi")),
        (text("\ue000"), text("\ue001"), (r"\ue000", r"\ue001")),
        (text("a"), text("a\u3164"), ("a", r'"a\u3164"')),
        (text("❤"), text("❤\ufe0f"), ("❤", r'"❤\ufe0f"')),
        (text("-5"), text("−5"), ("-5", r"\u22125")),
        (text("٣"), text("۳"), (r"\u0663", r"\u06f3")),
    ],
)  # fmt: skip
def test_what_differs_looks_different(before: pa.Array, after: pa.Array, shown: tuple[str, str]) -> None:
    cell = changed(before, after)
    assert str(cell) == f"V: {shown[0]} → {shown[1]}"
    assert cell.before != cell.after


def test_a_long_value_is_cut_around_its_first_difference() -> None:
    cell = changed(text("x" * 500 + "A" + "y" * 500), text("x" * 500 + "B" + "y" * 500))
    assert len(str(cell.before)) == 1001, "the record has all of it"
    assert str(cell) == f"V: …{'x' * 10}A{'y' * 19}… → …{'x' * 10}B{'y' * 19}…"
    longer = changed(text("x" * 100), text("x" * 100 + "!"))
    assert str(longer) == f"V: …{'x' * 10} → …{'x' * 10}!"
