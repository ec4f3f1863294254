"""Text that means something to a browser, a spreadsheet or a markdown page is only text there."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import openpyxl
import pyarrow as pa
import pytest

from datom_core.comparing import ColumnChange, ComparisonSettings, KeyDecision, RejectedKey, Side, StudyChanges
from datom_core.documents import Author
from datom_core.reports import render_report
from datom_core.reports.markdown import code
from tests.unit.reports.parsing import Page
from tests.unit.reports.studies import COLUMNS, changes, every_kind, rows, study, version

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "end of data": "]]>",
    "attribute": '"><img src=x onerror=alert(1)>',
    "template": "{{ 7 * 7 }}{% raw %}",
    "right to left": "abc\u202edef",
    "nul": "a\x00b",
    "escape": "\x1b[31mred",
    "lines": "one\r\ntwo\n\n# three",
    "emoji": "🤕🏽 headache",
    "not a character": "\uffff\ufffe",
    "long": "x" * 100_000,
    "long emoji": "🤕" * 40_000,
    "formula": "=1+1",
    "command": "@SUM(1+1)*cmd|' /C calc'!A0",
    "minus": "-2+3",
    "link": "http://example.com/x?a=1&b=2",
    "internal link": "internal:Sheet2!A1",
    "number": "001",
    "exponent": "1E5",
    "escaped": "_x0041_",
    "pipe": "a|b",
    "escaped pipe": "a\\|b",
    "backticks": "`a``b`",
    "emphasis": "**a** _b_ ~~c~~",
    "image": "![x](javascript:alert(1))",
    "mention": "@octocat #12",
    "entity": "&lt;b&gt; &amp;",
    "blanks": "a  b",
    "edges": " a ",
    "empty": "",
    "masked": "(masked)",
    "missing": "(missing)",
}
CASES = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())


def everywhere(text: str) -> StudyChanges:
    """A study with this text in every place where others may write it."""
    said = replace(version("a", text, text), author=Author(text, text))
    row = ("S" + text, 1, text, text, None, text)
    whole = every_kind()
    given = changes(
        text,
        [((text, 1), "AETERM", text, text + "."), ((text, 2), "AESEV", text, None)],
        before=Side(1, COLUMNS, said, text),
        after=Side(1, (*COLUMNS, text), said, text),
        key=KeyDecision(("USUBJID", "AESEQ"), "given", text, (RejectedKey((text,), "data", text),)),
        settings=ComparisonSettings(absolute={text: 0.5}, fold_case=(text,)),
        columns_added=(text,),
        columns_renamed={"ARM": text},
        columns_changed=(ColumnChange(text, "label", text, None),),
        attributes_changed=(ColumnChange(text, "label", None, text),),
        added=rows(whole.added.schema, [row]).append_column(text, pa.array([text])),
        removed=rows(whole.added.schema, [row]),
        renumbered=rows(whole.renumbered.schema, [(text, 1, 2)]),
        rekeyed=rows(whole.rekeyed.schema, [(text, text + ".", 1, 1)]),
        duplicates=rows(whole.duplicates.schema, [("before", 1, *row)]),
        by_subject=rows(whole.by_subject.schema, [(text, 1, 1, 1, 1, 1, 1, 1)]),
    )
    return StudyChanges(text, text, text, {text: given})


@CASES
def test_page(text: str) -> None:
    data = render_report(everywhere(text), "html")
    page = Page(data.decode())
    assert not {"script", "img", "iframe", "object", "link"} & {tag for tag, _ in page.tags}
    assert not any(name.startswith("on") or name in ("src", "style") for _, given in page.tags for name in given)
    assert all(c.isprintable() or c in "\n" for c in data.decode())
    assert len(data) < 200_000


@CASES
def test_workbook(text: str) -> None:
    data = render_report(everywhere(text), "xlsx")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            member = archive.read(name)
            ElementTree.fromstring(member)
            assert b"<f>" not in member
            assert name.endswith(".rels") is False or b'TargetMode="External"' not in member
    book = openpyxl.load_workbook(io.BytesIO(data))
    for sheet in book:
        assert len(sheet.title) <= 31
        for cell in itertools.chain.from_iterable(sheet.iter_rows()):
            if cell.value is not None:
                assert cell.data_type in ("s", "inlineStr", "n")
                assert len(str(cell.value).encode("utf-16-le")) // 2 <= 32_767
                assert cell.data_type != "n" or isinstance(cell.value, int)
    lines = list(book[book.sheetnames[-1]].iter_rows(values_only=True))
    assert [line[0] for line in lines[1:]] == ["changed"] * 2 + [
        "added",
        "removed",
        "renumbered",
        "rekeyed",
        "duplicate",
    ]
    if text.isprintable() and text.strip() == text and 0 < len(text) < 1_000 and not text.startswith("("):
        assert lines[1][2] == text or text == "\uffff\ufffe"


@CASES
def test_markdown(text: str) -> None:
    data = render_report(everywhere(text), "markdown").decode()
    assert "\x00" not in data
    for line in data.splitlines():
        assert line.isprintable()
        assert "<" not in outside_code(line)
        assert "](" not in outside_code(line)
    grids = [list(g) for table, g in itertools.groupby(data.splitlines(), lambda x: x.startswith("|")) if table]
    for grid in grids:
        assert len({columns(line) for line in grid}) == 1, grid


@CASES
def test_json_keeps_every_character(text: str) -> None:
    document = json.loads(render_report(everywhere(text), "json"))
    (table,) = document["tables"]
    assert table["cells"]["rows"][0]["before"] == table["cells"]["rows"][0]["before_text"] == text
    assert table["added"]["rows"][0][-1] == text
    assert document["project"] == text


@pytest.mark.parametrize("form", ["html", "xlsx", "markdown"])
def test_two_values_never_look_the_same(form: str) -> None:
    """What a person sees of each of these differs: on a page, runs of blanks too, as they are kept."""
    texts = [
        "a",
        "a ",
        "",
        " ",
        None,
        "(missing)",
        "(masked)",
        "a\u00a0b",
        "a b",
        "a\u200bb",
        "ab",
        "аb",
        "\xe9",
        "e\u0301",
    ]
    texts += ["a  b", "x" * 100_000, "x" * 99_999, "a\tb", "a\\tb", '"a"', "MASKED"]
    listed = [((f"S{i:03}", i), "AETERM", "old", t) for i, t in enumerate(texts)]
    listed += [(("S999", 999), "ARM", "x", "secret")]
    data = render_report(study(changes("ae", listed)), form, masked="ARM")  # type: ignore[arg-type]
    if form == "html":
        shown = [
            row[-1]
            for row in next(
                t for t in Page(data.decode()).tables if t[0][-3:] == ["Column", "Before", "After"] and len(t[0]) == 5
            )[1:]
        ]
    elif form == "xlsx":
        shown = [
            line[6] for line in openpyxl.load_workbook(io.BytesIO(data))["ae"].iter_rows(min_row=2, values_only=True)
        ]
    else:
        shown = [line.split(" | ")[4] for line in data.decode().splitlines() if line.startswith("| `S")]
    some = len(shown)
    assert some == (len(texts) + 1 if form != "markdown" else 20)
    assert len(set(shown)) == some


def test_values_that_look_alike_side_by_side() -> None:
    pairs = [
        ("PAIN", "PАIN"),
        ("é", "e\u0301"),
        ("1", "1 "),
        ("a", None),
        ("x" * 500 + "1" + "y" * 500, "x" * 500 + "2" + "y" * 500),
    ]
    listed = [((f"S{i}", i), "AETERM", *pair) for i, pair in enumerate(pairs)]
    found = listed_cells(render_report(study(changes("ae", listed)), "html"))
    assert all(row[-1] != row[-2] for row in found)
    assert "P\\u0410IN" in found[0][-1]


def listed_cells(page: bytes) -> list[list[str]]:
    """The rows of the listing of changed values."""
    head = ["USUBJID", "AESEQ", "Column", "Before", "After"]
    (table,) = [t for t in Page(page.decode()).tables if t[0] == head]
    return table[1:]


def outside_code(line: str) -> str:
    """A line of markdown without its code spans, as CommonMark delimits them: by as many backticks on both sides."""
    told, rest = "", line
    while "`" in rest:
        before, _, rest = rest.partition("`")
        fence = 1 + len(rest) - len(rest.lstrip("`"))
        rest, told = rest.lstrip("`"), told + before
        runs = [(len(list(g)), c) for c, g in itertools.groupby(rest)]
        place = 0
        for length, character in runs:
            if character == "`" and length == fence:
                rest = rest[place + length :]
                break
            place += length
        else:
            raise AssertionError(f"a code span without end: {line}")
    return told + rest


def columns(line: str) -> int:
    """How many cells a row of a table has, whichever way backslashes before a pipe are read."""
    loose = line.replace("\\|", "").count("|")
    strict = line.replace("\\\\", "").replace("\\|", "").count("|")
    assert loose == strict
    return loose - 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "`a`"),
        ("a|b", "`a\\|b`"),
        ("a\\|b", '`"a\\\\\\x7cb"`'),
        ("a``b", "```a``b```"),
        ("`", "`` ` ``"),
        ("a   b", '`"a \\x20\\x20b"`'),
        ("", '`""`'),
    ],
)
def test_code(text: str, expected: str) -> None:
    assert code(text, 60) == expected
