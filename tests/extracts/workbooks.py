"""Workbooks made part by part, for what no program that is kept would write."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT = ("http://purl.oclc.org/ooxml/spreadsheetml/main", "http://purl.oclc.org/ooxml/officeDocument/relationships")


def relations(targets: dict[str, tuple[str, str]], links: str = LINKS) -> str:
    each = "".join(f'<Relationship Id="{i}" Type="{links}/{k}" Target="{t}"/>' for i, (k, t) in targets.items())
    return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{each}</Relationships>'


def packed(path: Path, parts: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def xlsx(
    path: Path,
    *rows: str,
    shared: str = "",
    formats: tuple[str, ...] = (),
    since_1904: bool = False,
    strict: bool = False,
    **parts: str,
) -> Path:
    """A workbook with one sheet; each of ``rows`` is the XML of its cells. Style ``n`` has the format ``n - 1``."""
    main, links = STRICT if strict else (MAIN, LINKS)
    custom = "".join(f'<numFmt numFmtId="{200 + i}" formatCode="{f}"/>' for i, f in enumerate(formats))
    styles = "".join(f'<xf numFmtId="{200 + i}"/>' for i in range(len(formats)))
    data = "".join(f'<row r="{i}">{row}</row>' for i, row in enumerate(rows, 1))
    made: dict[str, str | bytes] = {
        "_rels/.rels": relations({"a": ("officeDocument", "xl/workbook.xml")}, links),
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{links}"><workbookPr date1904="{int(since_1904)}"/>'
        '<sheets><sheet name="Data" sheetId="1" r:id="s"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relations(
            {
                "s": ("worksheet", "worksheets/sheet1.xml"),
                "t": ("sharedStrings", "sharedStrings.xml"),
                "f": ("styles", "styles.xml"),
            },
            links,
        ),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{data}</sheetData></worksheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{main}">{shared}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><numFmts>{custom}</numFmts><cellStyleXfs><xf numFmtId="14"/>'
        f'</cellStyleXfs><cellXfs><xf numFmtId="0"/>{styles}</cellXfs></styleSheet>',
    }
    written = {name.replace("\\", "/").lower() for name in parts}  # instead of ours
    return packed(path, {**{n: c for n, c in made.items() if n.lower() not in written}, **parts})


def record(kind: int, data: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, left = b"", len(data)
    while left > 0x7F:
        size, left = size + bytes([left & 0x7F | 0x80]), left >> 7
    return head + size + bytes([left]) + data


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text.encode("utf-16-le")) // 2) + text.encode("utf-16-le")


def cell(kind: int, column: int, value: bytes, style: int = 0) -> bytes:
    return record(kind, struct.pack("<II", column, style) + value)


def text(column: int, value: str) -> bytes:
    return cell(6, column, wide(value))


def real(column: int, value: float, style: int = 0) -> bytes:
    return cell(5, column, struct.pack("<d", value), style)


def xlsb(
    path: Path,
    sheets: dict[str, list[bytes]],
    *,
    hidden: dict[str, int] | None = None,
    shared: tuple[str, ...] = (),
    formats: tuple[str, ...] = (),
    since_1904: bool = False,
) -> Path:
    """A binary workbook; of each sheet the records of each row. Style ``n`` has the format ``n - 1``."""
    book = record(131) + record(153, struct.pack("<III", since_1904, 0, 0)) + record(143)
    targets = {"t": ("sharedStrings", "sharedStrings.bin"), "f": ("styles", "styles.bin")}
    parts: dict[str, str | bytes] = {"_rels/.rels": relations({"a": ("officeDocument", "xl/workbook.bin")})}
    for number, (title, rows) in enumerate(sheets.items(), 1):
        state = (hidden or {}).get(title, 0)
        book += record(156, struct.pack("<II", state, number) + wide(f"s{number}") + wide(title))
        targets[f"s{number}"] = ("worksheet", f"worksheets/sheet{number}.bin")
        data = b"".join(record(0, struct.pack("<II", i, 0) + bytes(9)) + row for i, row in enumerate(rows))
        parts[f"xl/worksheets/sheet{number}.bin"] = (
            record(129) + record(148, bytes(16)) + record(145) + data + record(146) + record(130)
        )
    items = b"".join(record(19, b"\0" + wide(item)) for item in shared)
    custom = b"".join(record(44, struct.pack("<H", 200 + i) + wide(f)) for i, f in enumerate(formats))
    styles = b"".join(
        record(47, struct.pack("<HH", 0, code) + bytes(12)) for code in (0, *range(200, 200 + len(formats)))
    )
    return packed(
        path,
        parts
        | {
            "xl/workbook.bin": book + record(144) + record(132),
            "xl/_rels/workbook.bin.rels": relations(targets),
            "xl/sharedStrings.bin": record(159, struct.pack("<II", len(shared), len(shared))) + items + record(160),
            "xl/styles.bin": record(278)
            + record(615, struct.pack("<I", len(formats)))
            + custom
            + record(616)
            + record(617, struct.pack("<I", 1 + len(formats)))
            + styles
            + record(618)
            + record(279),
        },
    )
