"""What audits read of commits, signatures and long documents, without git."""

from __future__ import annotations

import base64
import json

import pytest

from datom_core.auditing.commits import read_commit, split_trailers
from datom_core.auditing.histories import compare_histories
from datom_core.auditing.members import differing, members_of
from datom_core.auditing.signatures import signer_of
from datom_core.documents import canonical

HEAD = "tree 0\nauthor Ada Lovelace <ada@example.org> 1767225600 +0200\ncommitter Bot <bot@x> 1767225601 +0000\n"


def test_a_commit_with_all_that_it_can_have() -> None:
    signature = "gpgsig -----BEGIN SSH SIGNATURE-----\n x\n -----END SSH SIGNATURE-----\n"
    raw = f"{HEAD}{signature}\nWhy\n\nMore\n\nDagster-Run: r\n"
    commit = read_commit("c", raw.encode())
    assert (str(commit.author), commit.at, commit.committer.name) == (
        "Ada Lovelace <ada@example.org>",
        "2026-01-01T00:00:00Z",
        "Bot",
    )
    assert (commit.message, commit.trailers, commit.signer) == ("Why\n\nMore", {"Dagster-Run": "r"}, "unreadable")


@pytest.mark.parametrize("raw", [b"", b"author x\n\n\xff", b"author A <a> 99999999999999999 +0000\nencoding no\n\nm"])
def test_a_commit_that_is_not_in_order_is_no_error(raw: bytes) -> None:
    assert read_commit("c", raw).at == ""


def test_a_message_of_one_paragraph_has_no_trailers() -> None:
    assert split_trailers("Dagster-Run: x") == ("Dagster-Run: x", {})
    assert split_trailers("a\n\nno trailer: here\nnor here") == ("a\n\nno trailer: here\nnor here", {})


def armored(kind: str, blob: bytes, header: str = "") -> str:
    body = base64.encodebytes(blob).decode()
    return f"-----BEGIN {kind} SIGNATURE-----\n{header}{body}-----END {kind} SIGNATURE-----\n"


def test_the_key_of_a_signature() -> None:
    issuer, fingerprint = bytes(range(8)), bytes(range(20))
    hashed = bytes([22, 33, 4]) + fingerprint
    body = bytes([4, 0, 1, 8]) + len(hashed).to_bytes(2, "big") + hashed + (10).to_bytes(2, "big") + bytes([9, 16])
    packet = bytes([0x88, len(body + issuer)]) + body + issuer
    assert signer_of(armored("PGP", packet, "\n")) == f"gpg:{fingerprint.hex().upper()}"
    loose = bytes([4, 0, 1, 8, 0, 0]) + (10).to_bytes(2, "big") + bytes([9, 16]) + issuer
    new = bytes([0xC2, len(loose)]) + loose
    assert signer_of(armored("PGP", new, "Version: x\n\n")) == f"gpg:{issuer.hex().upper()}"
    for odd in (packet[:9], b"", b"\x88\x01\x03"):
        assert signer_of(armored("PGP", odd, "\n")) == "unreadable"
    assert signer_of(armored("SSH", b"SSHSIG" + bytes(4) + b"\xff\xff\xff\xff")) == "unreadable"
    assert signer_of("something else") == "unreadable"


CUTS = {
    "schema_version": 1,
    "cuts": {'a"b': {"tables": {"dm": [{"version": "1"}]}}, "c": {"tables": {}}, "d": {}},
    "reviews": {"r": [{"cut": "c"}], "e": []},
    "approvals": [{"id": "x"}],
    "empty": {},
    "number": 1.5,
}


def test_of_two_documents_only_what_differs_is_parsed() -> None:
    after = {**CUTS, "cuts": {**CUTS["cuts"], "c": {"tables": {"ex": []}}, "new": {}}, "approvals": []}
    both = [members_of(canonical.dump(raw)) for raw in (CUTS, after)]
    assert None not in both
    before, now = differing([m for m in both if m is not None], "x")
    assert before == {"cuts": {"c": {"tables": {}}}, "approvals": [{"id": "x"}]}
    assert now == {"cuts": {"c": {"tables": {"ex": []}}, "new": {}}, "approvals": []}
    whole = members_of(canonical.dump(CUTS))
    assert whole is not None
    assert differing([whole, {}], "x")[0] == CUTS


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        json.dumps(CUTS).encode(),
        json.dumps(CUTS, indent=1).encode(),
        canonical.dump(CUTS).replace(b'"c": {', b'"d": {'),
        canonical.dump(CUTS).replace(b'"empty"', b'"number"'),
        canonical.dump(CUTS).replace(b"\n  }", b"\n }"),
    ],
)
def test_in_any_other_layout_nothing_is_known(text: bytes) -> None:
    assert members_of(text) is None


def entry(version: str, **more: object) -> dict[str, object]:
    return {"version": version, "data_sha": "d", "timestamp": "t", **more}


def test_a_history_that_grew_is_compared_as_text_and_any_other_by_its_entries() -> None:
    one, two, three = entry("1"), entry("2"), entry("3")
    for dump in (canonical.dump, lambda raw: json.dumps(raw).encode()):
        found = compare_histories([dump([one])], dump([three, two, one]), "x")
        assert [e["version"] for e in found.added] == ["2", "3"]
    found = compare_histories([canonical.dump([one, two]), canonical.dump([three])], canonical.dump([one]), "x")
    assert (found.added, sorted(e["version"] for e in found.removed)) == ((), ["2", "3"])
    pinned = compare_histories(
        [canonical.dump([entry("1", parquet_sha="a")])], canonical.dump([entry("1", parquet_sha="b")]), "x"
    )
    assert (pinned.pinned[0][1], pinned.rewritten) == ("a", ())
