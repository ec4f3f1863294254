"""Workbooks that are small and want to be large, and archives that are no workbooks: refused soon, in little memory."""

from __future__ import annotations

import struct
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import datom_core as dc
from tests.extracts.workbooks import MAIN, cell, packed, real, record, text, xlsb, xlsx

A = '<c r="A1" t="str"><v>A</v></c>'


@contextmanager
def little_memory(megabytes: int = 100) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < megabytes * 2**20
    finally:
        tracemalloc.stop()


def refused(path: Path, reason: str) -> None:
    with little_memory(), pytest.raises(dc.InvalidInputError, match=reason):
        dc.read_extract(path)


def unpacked(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {i.filename: archive.read(i) for i in archive.infolist()}


def far_row(path: Path) -> Path:
    """A binary workbook whose second row is the last one that there is."""
    data = record(0, struct.pack("<II", 1_048_575, 0) + bytes(9)) + real(16_383, 1.0)
    return xlsb(path, {"D": [text(0, "A"), data]})


def test_one_cell_in_the_far_corner(tmp_path: Path) -> None:
    refused(xlsx(tmp_path / "t.xlsx", A, '<c r="XFD1048576"><v>1</v></c>'), "column 2, 3, .* has no name")
    refused(xlsx(tmp_path / "u.xlsx", "", '<c r="XFD1048576"><v>1</v></c>'), "column 1, 2, 3, .* has no name")
    refused(far_row(tmp_path / "t.xlsb"), "column 2, 3, .* has no name")


def test_one_cell_in_the_far_corner_of_named_columns(tmp_path: Path) -> None:
    header = "".join(f'<c t="str"><v>C{i}</v></c>' for i in range(16_384))
    path = xlsx(tmp_path / "t.xlsx", header, '<c r="XFD1048576"><v>1</v></c>')
    refused(path, "1048575 rows of 16384 columns have 16385 cells that hold something; the last one is XFD1048576")


def test_a_declared_size_means_nothing(tmp_path: Path) -> None:
    sheet = (
        f'<worksheet xmlns="{MAIN}"><dimension ref="A1:XFD1048576"/><sheetData><row>{A}</row><row><c><v>1</v></c></row>'
    )
    path = xlsx(tmp_path / "t.xlsx", **{"xl/worksheets/sheet1.xml": f"{sheet}</sheetData></worksheet>"})
    with little_memory():
        assert dc.read_extract(path).to_pydict() == {"A": [1.0]}


def test_many_empty_rows_under_few_columns_are_rows(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "t.xlsx", A, '<c r="A1048576"><v>1</v></c>')
    table = dc.read_extract(path)
    assert (table.num_rows, table["A"].null_count) == (1_048_575, 1_048_574)


@pytest.mark.parametrize(
    "part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml"]
)
def test_a_part_that_unpacks_to_much_more(part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What is let pass at any ratio is less here, or each part would take a while.
    monkeypatch.setattr("datom_core.extracts.formats.packages._GRACE", 2**20)
    path = xlsx(tmp_path / "t.xlsx", A, '<c t="s"><v>0</v></c>', shared="<si><t>x</t></si>")
    parts = unpacked(path)
    end = parts[part].rindex(b"</")
    parts[part] = parts[part][:end] + b" " * 50 * 2**20 + parts[part][end:]
    packed(path, {**parts})
    refused(path, "unpacks to more than 100 times its size")


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml", "_rels/.rels"])
def test_entities(part: str, tmp_path: Path) -> None:
    path = xlsx(tmp_path / "t.xlsx", A, '<c t="s"><v>0</v></c>', shared="<si><t>x</t></si>")
    parts = unpacked(path)
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    declared = f'<!DOCTYPE x [<!ENTITY l0 "ha"><!ENTITY f SYSTEM "file:///etc/passwd">{laughs}]>'
    packed(path, {**parts, part: declared.encode() + parts[part]})
    refused(path, "its XML declares a document type")


def test_packings_that_no_workbook_has(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "t.xlsx", A, "<c><v>1</v></c>")
    parts = unpacked(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    refused(path, "is packed or encrypted as no workbook is")


def test_an_archive_without_a_workbook(tmp_path: Path) -> None:
    for extension in ("xlsx", "xlsm", "xlsb"):
        path = packed(tmp_path / f"t.{extension}", {"word/document.xml": "<document/>"})
        refused(path, "a zip archive without a workbook")


def test_the_parts_of_another_format(tmp_path: Path) -> None:
    binary = xlsb(tmp_path / "t.xlsb", {"D": [text(0, "A"), real(0, 1.0)]})
    refused(binary.rename(tmp_path / "t.xlsx"), "called xlsx, but it holds the parts of an xlsb")
    assert dc.read_extract(tmp_path / "t.xlsx", format="xlsb").num_rows == 1
    refused(xlsx(tmp_path / "u.xlsb", A, "<c><v>1</v></c>"), "called xlsb, but it holds the parts of an xlsx")
    assert dc.read_extract(tmp_path / "u.xlsb", format="xlsm").num_rows == 1


@pytest.mark.parametrize("extension", ["xls", "xlsx", "xlsm", "xlsb"])
def test_a_password(extension: str, tmp_path: Path) -> None:
    """An encrypted workbook lies in a container of the old formats."""
    entry = "EncryptedPackage".encode("utf-16-le").ljust(64, b"\0") + b"\x22\0\x02"
    path = tmp_path / f"t.{extension}"
    path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1").ljust(1024, b"\0") + entry.ljust(128, b"\0"))
    refused(path, "encrypted with a password. Take the password off")


def test_text_about_passwords_is_none(tmp_path: Path) -> None:
    data = (Path(__file__).parent / "data" / "old.xls").read_bytes()
    path = tmp_path / "t.xls"
    path.write_bytes(data + "EncryptedPackage".encode("utf-16-le"))
    assert dc.read_extract(path).num_rows == 2


@pytest.mark.parametrize(
    "part", ["xl/workbook.bin", "xl/worksheets/sheet1.bin", "xl/sharedStrings.bin", "xl/styles.bin"]
)
def test_records_that_break_off(part: str, tmp_path: Path) -> None:
    rows = [text(0, "A"), cell(7, 0, bytes(4)), cell(7, 0, bytes(4), 1), cell(7, 0, bytes(4))]
    path = xlsb(tmp_path / "t.xlsb", {"D": rows}, shared=("x",), formats=("yyyy",))
    parts = unpacked(path)
    for size in range(len(parts[part])):
        packed(path, {**parts, part: parts[part][:size]})
        try:
            assert dc.read_extract(path).to_pydict() == {"A": ["x", "x", "x"]}, size
        except dc.InvalidInputError:
            continue


def test_two_parts_of_one_name(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "t.xlsx", A, "<c><v>1</v></c>")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("XL/worksheets/Sheet1.xml", archive.read("xl/worksheets/sheet1.xml"))
    refused(path, "two of its parts have one name")
