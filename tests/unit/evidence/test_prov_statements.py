"""What a recording tells of how it came about, and approvals, in W3C PROV."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

from prov.model import ProvAgent, ProvAssociation, ProvCommunication, ProvDelegation, ProvDocument, ProvUsage

import datom_core as dc
from datom_core.documents import Cuts
from datom_core.evidence.prov_known import Known
from datom_core.evidence.prov_statements import describe

ADA = dc.Author("Ada", "ada@example.org")
V1, SHA = "a" * 64, "b" * 64
AT = "2026-01-02T03:04:05Z"


def provenance(run: str) -> SimpleNamespace:
    return SimpleNamespace(
        asked_by=dc.Author("Grace", "grace@example.org"),
        written_by=SimpleNamespace(name="etl", email="etl@example.org", host="node 7", user="svc"),
        tool="datom-dagster 0.1.0",
        run=SimpleNamespace(
            id=run, job="nightly", asset="dm", partition=None, code_version="3", pipeline_commit="c" * 40
        ),
        file=SimpleNamespace(name="dm.csv", size_bytes=12, modified_at="2026-01-01T00:00:00Z", sha256="d" * 64),
        source=SimpleNamespace(name="EDC", extracted_at="2026-01-01T00:00:00Z"),
        reason="Query 17",
    )


def entry(version: str = V1, run: str = "r/1", message: str = "why") -> Any:
    return SimpleNamespace(
        version=version,
        data_sha=SHA,
        payload_sha=None,
        commit_sha=None,
        timestamp=AT,
        author=ADA,
        message=message,
        original_file_sha=None,
        reinstatements=(),
        provenance=provenance(run),
    )


def said(approvals: Any = (), **entries: Any) -> dict[str, Any]:
    entries = entries or {"dm": entry()}
    held = {(table, e.version): e for table, e in entries.items()}
    return describe(Known("P", {}, cast(Any, held), {}, Cuts(), approvals))


def read(document: dict[str, Any]) -> ProvDocument:
    return ProvDocument.deserialize(content=json.dumps(document), format="json")


def test_person_machine_and_tool_are_agents_with_their_parts() -> None:
    document = read(said())
    roles = {
        str(next(iter(r.get_attribute("prov:role")))): str(r.args[1]) for r in document.get_records(ProvAssociation)
    }
    assert roles == {
        "datom:author": "agent:author/Ada/ada%40example.org",
        "datom:asked_by": "agent:author/Grace/grace%40example.org",
        "datom:written_by": "agent:machine/etl/etl%40example.org/node%207/svc",
        "datom:tool": "agent:tool/datom-dagster%200.1.0",
    }
    (delegation,) = document.get_records(ProvDelegation)
    assert [str(a) for a in delegation.args[:2]] == [roles["datom:written_by"], roles["datom:asked_by"]]
    types = {str(a.identifier): [str(t) for t in a.get_asserted_types()] for a in document.get_records(ProvAgent)}
    assert types[roles["datom:asked_by"]] == ["prov:Person"]
    assert types[roles["datom:author"]] == [], "a git identity is not said to be a person"


def test_run_source_and_file_are_told() -> None:
    document = said()
    (run,) = [a for a in document["activity"].values() if "datom:run" in a]
    assert (run["datom:run"], run["datom:job"], run["datom:pipeline_commit"]) == ("r/1", "nightly", "c" * 40)
    assert "datom:partition" not in run
    (act,) = [a for a in document["activity"].values() if "datom:message" in a]
    assert (act["datom:source_system"], act["datom:reason"]) == ("EDC", "Query 17")
    assert document["entity"][f"file:{'d' * 64}"]["datom:name"] == "dm.csv"
    assert len(list(read(document).get_records(ProvCommunication))) == 1


def test_two_runs_in_one_second_are_two_acts_and_one_run_of_two_tables_is_one() -> None:
    def acts(document: dict[str, Any]) -> int:
        return len([a for a in document["activity"].values() if "datom:message" in a])

    assert acts(said(dm=entry(run="1"), ae=entry("e" * 64, run="2"))) == 2
    assert acts(said(dm=entry(run="1"), ae=entry("e" * 64, run="1"))) == 1


def test_one_file_under_two_names_keeps_both() -> None:
    other = entry("e" * 64)
    other.provenance.file.name = "again.csv"
    file = said(dm=entry(), ae=other)["entity"][f"file:{'d' * 64}"]
    assert file["datom:name"] == ["again.csv", "dm.csv"]


def test_nobody_recorded_is_nobody() -> None:
    unknown = entry()
    unknown.author, unknown.provenance = dc.Author("unknown", ""), None
    assert "agent" not in said(dm=unknown)


def test_an_approval_and_its_withdrawal_name_their_signer() -> None:
    approval = SimpleNamespace(
        id="1" * 64,
        kind="approval",
        cut="2026-01",
        meaning="approved",
        reason="Complete",
        signer=SimpleNamespace(name="Grace", email="grace@example.org", key="SHA256:xyz"),
        recorded_at=AT,
        versions={"dm": V1, "ae": "9" * 64},
        withdraws=None,
    )
    changes = {"id": "2" * 64, "kind": "withdrawal", "withdraws": "1" * 64, "reason": "Wrong"}
    withdrawal = SimpleNamespace(**{**vars(approval), **changes})
    elsewhere = SimpleNamespace(**{**vars(approval), "id": "3" * 64, "versions": {"ae": "9" * 64}})
    document = said([approval, withdrawal, elsewhere])
    made = document["activity"][f"approval:{'1' * 64}"]
    assert (made["datom:meaning"], made["datom:key"]) == ("approved", "SHA256:xyz")
    assert f"approval:{'3' * 64}" not in document["activity"], "it names no version of the document"
    signed = [r for r in document["wasAssociatedWith"].values() if r["prov:role"]["$"] == "datom:signer"]
    assert {r["prov:activity"] for r in signed} == {f"approval:{n * 64}" for n in "12"}
    assert {r["prov:agent"] for r in signed} == {"agent:author/Grace/grace%40example.org"}
    assert {(r["prov:informed"], r["prov:informant"]) for r in document["wasInformedBy"].values()} >= {
        (f"approval:{'2' * 64}", f"approval:{'1' * 64}")
    }
    used = [r.args[0] for r in read(document).get_records(ProvUsage) if str(r.args[0]).startswith("approval:")]
    assert len(used) == 2
