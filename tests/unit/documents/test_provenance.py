"""What a document tells of where a version comes from: read whatever it holds, and kept as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest

from datom_core.documents import (
    Author,
    Cuts,
    History,
    Machine,
    Provenance,
    Recording,
    Run,
    SourceFile,
    SourceSystem,
    fact,
    read_provenance,
)

WHO = Author("Ada", "ada@example.org")
TOLD = Provenance(
    WHO,
    Machine("Pipeline", "p@example.org", "etl-01", "dagster"),
    "py-0 (dagster 1)",
    Run("r1", "nightly", "dm", "2026-01", "7", "c" * 40),
    SourceFile("dm.csv", 12, "2026-01-01T00:00:00Z", "a" * 64),
    SourceSystem("Rave", "2026-01-01T00:00:00Z"),
    "Query 17",
)
SHA = "a" * 64
ENTRY = {"version": SHA, "data_sha": SHA, "timestamp": "2026-01-01T00:00:00Z", "author": WHO.to_json()}


def history(provenance: Any) -> History:
    return History.from_json(json.dumps([{**ENTRY, "provenance": provenance}]).encode(), "a history")


def test_what_is_written_is_read() -> None:
    assert read_provenance(json.loads(json.dumps(TOLD.to_json()))) == TOLD
    assert Provenance(tool="py-0").to_json() == {"tool": "py-0"}


def test_it_prints_on_one_line() -> None:
    assert str(TOLD).startswith("asked by Ada <ada@example.org>; written by Pipeline <p@example.org> (dagster@etl-01);")
    assert "file dm.csv, 12 bytes, 2026-01-01T00:00:00Z, SHA-256 aaaa" in str(TOLD)
    assert str(Provenance(reason="one\ntwo")) == "reason one two"


ODD = [None, True, 7, 1.5, "text", "", [], [1], {}, {"name": 7}, {"name": None}, {"name": {}}, {"deep": [[[]]]}]


@pytest.mark.parametrize("whole", ODD, ids=repr)
def test_another_form_makes_nothing_unreadable(whole: Any) -> None:
    read = history(whole)
    assert read.versions[0].version == SHA
    assert read.versions[0].provenance is None
    for part in TOLD.to_json():
        found = history({**TOLD.to_json(), part: whole}).versions[0].provenance
        assert found is not None
        others = {k: v for k, v in found.to_json().items() if k != part}
        assert others == {k: v for k, v in TOLD.to_json().items() if k != part}
        if part not in ("tool", "reason"):
            assert part not in found.to_json()


def test_fields_of_another_form_are_unknown() -> None:
    file = {"name": ["x"], "size_bytes": -1, "modified_at": 5, "sha256": "no hash"}
    assert history({"file": file}).versions[0].provenance is None
    assert history({"file": {**file, "size_bytes": 5}}).versions[0].provenance == Provenance(
        file=SourceFile(size_bytes=5)
    )
    assert history({"file": {"size_bytes": True}}).versions[0].provenance is None


def test_what_nobody_knows_yet_survives() -> None:
    told = {**TOLD.to_json(), "attestation": {"by": "a later release"}, "run": "as text"}
    read = history(told)
    again = read.with_version(
        "b" * 64, data_sha="b" * 64, at="2026-01-02T00:00:00Z", author=WHO, message="", payload_sha=None
    )
    assert json.loads(again.to_json())[1]["provenance"] == told
    assert json.loads(again.with_reinstated(SHA, "2026-01-03T00:00:00Z").to_json())[1]["provenance"] == told
    assert json.loads(again.with_commits({SHA: "c" * 40}).to_json())[1]["provenance"] == told


def test_a_history_says_it_of_each_time() -> None:
    made = History().with_version(
        SHA, data_sha=SHA, at="2026-01-01T00:00:00Z", author=WHO, message="", payload_sha=None, provenance=TOLD
    )
    other = Provenance(reason="back again")
    made = made.with_reinstated(SHA, "2026-01-03T00:00:00Z", Recording(SHA, "", WHO, "back", other))
    (version,) = History.from_json(made.to_json(), "it")
    assert (version.provenance, version.first.provenance, version.latest.provenance) == (TOLD, TOLD, other)


def test_a_cut_says_it_of_the_tables_that_are_named() -> None:
    cuts = Cuts().with_recordings(
        "c1", {"dm": SHA, "ae": SHA}, at="2026-01-01T00:00:00Z", author=WHO, message="", provenance={"ae": TOLD}
    )
    read = Cuts.from_json(cuts.to_json(), "cuts")["c1"]
    assert [read.recordings[t][0].provenance for t in ("dm", "ae")] == [None, TOLD]


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        ("dm.csv", "dm.csv"),
        ("a\nb\x1b[31m.csv", "a\ufffdb\ufffd[31m.csv"),
        ("x\ud800.csv", "x\ufffd.csv"),
        ("https://ada:hunter2@host/dm.csv?X-Amz-Signature=abc#t", "https://host/dm.csv"),
        ("n" * 1_000_000, "n" * 1000),
        ("https://" + "u" * 5000 + ":hunter2@host/x", "https://host/x"),
        ("  ", None),
        (None, None),
        (7, None),
    ],
    ids="plain control surrogate login long long-login blank nothing number".split(),
)
def test_what_is_found_out_is_one_line_without_logins(found: object, kept: str | None) -> None:
    assert fact(found) == kept
