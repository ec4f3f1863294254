"""The keys that a define.xml gives, and what is no define.xml."""

from __future__ import annotations

from pathlib import Path

import pytest

from datom_core.comparing import keys_of_define
from datom_core.errors import InvalidInputError

VERSIONS = {
    "1.0": ("http://www.cdisc.org/ns/odm/v1.2", "http://www.cdisc.org/ns/def/v1.0"),
    "2.0": ("http://www.cdisc.org/ns/odm/v1.3", "http://www.cdisc.org/ns/def/v2.0"),
    "2.1": ("http://www.cdisc.org/ns/odm/v1.3", "http://www.cdisc.org/ns/def/v2.1"),
}
AE = """
  <ItemGroupDef OID="IG.AE" Name="AE" Domain="AE" def:Structure="One record per event">
    <Description><TranslatedText xml:lang="en">Adverse Events</TranslatedText></Description>
    <ItemRef ItemOID="IT.AE.AETERM" Mandatory="Yes" KeySequence="10"/>
    <ItemRef ItemOID="IT.AE.AESEV" Mandatory="No"/>
    <ItemRef ItemOID="IT.USUBJID" Mandatory="Yes" KeySequence="2"/>
  </ItemGroupDef>"""
ITEMS = """
  <ItemDef OID="IT.USUBJID" Name="USUBJID" DataType="text"/>
  <ItemDef OID="IT.AE.AETERM" Name="AETERM" DataType="text"/>
  <ItemDef OID="IT.AE.AESEV" Name="AESEV" DataType="text"/>"""


def define(body: str, version: str = "2.1", before: str = "") -> bytes:
    odm, own = VERSIONS[version]
    text = f"""<?xml version="1.0" encoding="UTF-8"?>{before}
<?xml-stylesheet type="text/xsl" href="define.xsl"?>
<ODM xmlns="{odm}" xmlns:def="{own}" ODMVersion="1.3.2"><Study OID="S"><MetaDataVersion OID="M" Name="M">{body}
</MetaDataVersion></Study></ODM>"""
    return text.encode()


@pytest.mark.parametrize("version", VERSIONS)
def test_keys_are_in_the_order_of_their_places(version: str) -> None:
    plain = '<ItemGroupDef OID="IG.DM" Name="DM"><ItemRef ItemOID="IT.USUBJID" Mandatory="Yes"/></ItemGroupDef>'
    assert keys_of_define(define(AE + plain + ITEMS, version)) == {"AE": ("USUBJID", "AETERM")}


def test_columns_may_be_described_before_or_after_tables_and_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "define.xml"
    path.write_bytes(define(ITEMS + AE))
    assert keys_of_define(path) == keys_of_define(str(path)) == {"AE": ("USUBJID", "AETERM")}


def test_the_first_define_xml_lists_the_key_of_a_table() -> None:
    body = '<ItemGroupDef OID="DM" Name="DM" def:DomainKeys="STUDYID, USUBJID"/>'
    assert keys_of_define(define(body, "1.0")) == {"DM": ("STUDYID", "USUBJID")}


ENTITIES = '<!DOCTYPE ODM [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
EXTERNAL = '<!DOCTYPE ODM SYSTEM "file:///etc/passwd">'


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (b"", "no element found"),
        (b"plain text", "syntax error"),
        (define(AE + ITEMS)[:-10], "not whole XML"),
        (b"<html/>", "its root is 'html'"),
        (define(ITEMS), "describes no table"),
        (define(AE + ITEMS, before=ENTITIES), "document type or entities"),
        (define(AE + ITEMS, before=EXTERNAL), "document type or entities"),
        (define(AE), "no column 'IT.AE.AETERM' is described"),
        (define(AE.replace('"10"', '"2"') + ITEMS), "AETERM and USUBJID have the same place"),
        (define(AE.replace('"10"', '"ten"') + ITEMS), "KeySequence 'ten' is no number"),
        (define(AE + AE + ITEMS), "AE is described twice"),
        (define(AE + ITEMS).replace(b"UTF-8", b"none"), "not whole XML"),
        (define(AE + ITEMS).replace(b"AETERM", b"\xff\xfe"), "not whole XML"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_define_xml_is_refused(given: bytes, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=r"no define\.xml whose keys can be read") as refused:
        keys_of_define(given)
    assert reason in str(refused.value)


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "define.xml", tmp_path):
        with pytest.raises(InvalidInputError, match="cannot be read"):
            keys_of_define(path)
    with pytest.raises(InvalidInputError, match="a path or bytes, not int"):
        keys_of_define(5)  # type: ignore[arg-type]


def test_deep_xml_does_no_harm() -> None:
    deep = b"<ODM>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</ODM>"
    with pytest.raises(InvalidInputError):
        keys_of_define(deep)
