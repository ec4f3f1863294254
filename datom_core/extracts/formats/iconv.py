"""The names that ReadStat, through iconv, has for Python's encodings."""

from __future__ import annotations

import codecs

# glibc, GNU libiconv and musl agree on few names, so each encoding has several, the most common first.
_NAMES = {
    "utf-8": ("UTF-8",), "utf-8-sig": ("UTF-8",), "ascii": ("US-ASCII", "ASCII"),
    "big5": ("BIG5",), "big5hkscs": ("BIG5-HKSCS",), "cp932": ("CP932", "WINDOWS-31J"), "cp949": ("CP949", "UHC"),
    "cp950": ("CP950",), "euc_jp": ("EUC-JP",), "euc_kr": ("EUC-KR",), "gb18030": ("GB18030",),
    "euc_jis_2004": ("EUC-JISX0213",), "euc_jisx0213": ("EUC-JISX0213",), "shift_jis_2004": ("SHIFT_JISX0213",),
    "gb2312": ("GB2312", "EUC-CN"), "gbk": ("GBK", "CP936"), "shift_jis": ("SHIFT_JIS", "SJIS"),
    "shift_jisx0213": ("SHIFT_JISX0213",), "hz": ("HZ",),
    "iso2022_jp": ("ISO-2022-JP",), "iso2022_kr": ("ISO-2022-KR",),
    "kz1048": ("RK1048", "KZ-1048"), "ptcp154": ("PT154", "CP154"), "hp-roman8": ("HP-ROMAN8",),
    "mac-roman": ("MACINTOSH", "MACROMAN"), "mac-cyrillic": ("MAC-CYRILLIC", "MACCYRILLIC"),
    "mac-latin2": ("MAC-CENTRALEUROPE", "MACCENTRALEUROPE"), "mac-greek": ("MACGREEK",),
    "mac-iceland": ("MACICELAND",), "mac-turkish": ("MACTURKISH",),
}  # fmt: skip


def iconv_names(encoding: str) -> tuple[str, ...]:
    """Names that ReadStat may know for one of Python's encodings, in the order to try them; none if it has none.

    The files hold names and text in bytes that end at a NUL, which rules out encodings with wider units.
    """
    try:
        codec = codecs.lookup(encoding)
    except LookupError:
        return ()
    name = codec.name
    if name.startswith(("utf-16", "utf-32")) or not getattr(codec, "_is_text_encoding", True):
        return ()
    if name in _NAMES:
        return _NAMES[name]
    if name.startswith("iso8859-"):
        return (f"ISO-8859-{name.removeprefix('iso8859-')}",)
    if name.startswith("cp") and name[2:].isdigit():
        return (f"CP{name[2:]}", f"IBM{name[2:].zfill(3)}")
    return (name.upper(), name.upper().replace("_", "-"))
