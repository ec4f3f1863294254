"""Where versions come from, as W3C PROV: what the reference implementation of PROV reads is what the project holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pytest
from prov.model import (
    ProvActivity,
    ProvAssociation,
    ProvAttribution,
    ProvDerivation,
    ProvDocument,
    ProvEntity,
    ProvGeneration,
    ProvMembership,
    ProvSpecialization,
    ProvUsage,
)

import datom_core as dc
from datom_core.testing import memory_project

PROV = "http://www.w3.org/ns/prov#"
TERMS = "urn:datom:terms:"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dc.Project]:
    """``dm`` is imported, corrected and set back; ``ae x`` imported; ``adsl`` derived; a cut twice; a review."""
    drop: Path = tmp_path_factory.mktemp("drop")
    (drop / "dm.csv").write_text("USUBJID,AGE\n01-001,63\n")
    with memory_project(author="Ada Müller <ada@example.org>") as made:
        made.sync(drop, "*.csv", message="First extract")
        first = made.reader.resolve("dm")
        made.record_cut("2026 01", {"dm": first.version}, message="First extract named")
        made.cut("2026 01", {"ae x": pd.DataFrame({"AETERM": ["RASH"]})}, message="Events", table_type="imported")
        frame = made.reader.read("dm")
        made.write("dm", frame.assign(AGE=64), message="Age corrected", table_type="imported")
        made.write("dm", made.read_extract("dm", drop / "dm.csv"), message="The age was right", table_type="imported")
        parents = [made.reader.parent("dm"), made.reader.parent("ae x")]
        made.write("adsl", pd.DataFrame({"USUBJID": ["01-001"]}), message="Derived", parents=parents)
        made.cut("2026 01", {"ae x": pd.DataFrame({"AETERM": ["RASH", "COUGH"]})}, message="Again")
        made.mark_reviewed("2026 01", name="seen", message="No open queries")
        yield made


@pytest.fixture(scope="module")
def read(project: dc.Project) -> ProvDocument:
    """The whole document, as another's program reads it."""
    text = json.dumps(project.reader.provenance_document())
    return ProvDocument.deserialize(content=text, format="json")


def args(document: ProvDocument, kind: type) -> list[tuple[str, ...]]:
    """The formal arguments of each relation of a kind, as text without escapes."""
    found = document.get_records(kind)
    return [tuple("" if a is None else unquote(str(getattr(a, "uri", a))) for a in r.args) for r in found]


def said(record: Any, name: str) -> list[str]:
    return sorted(str(getattr(v, "uri", v)) for v in record.get_attribute(f"datom:{name}"))


def version(table: str, entry: dc.Version) -> str:
    return f"urn:datom:version:STUDY_001/{table}/{entry.version}"


def test_every_version_is_an_entity_with_its_hashes(project: dc.Project, read: ProvDocument) -> None:
    known = {version(t.name, v): v for t in project.reader.list() for v in project.reader.history(t.name)}
    found = {unquote(e.identifier.uri): e for e in read.get_records(ProvEntity)}
    assert {name for name in found if name.startswith("urn:datom:version:")} == set(known)
    for name, entry in known.items():
        assert said(found[name], "data_sha") == [entry.data_sha]
        assert said(found[name], "payload_sha") == [entry.payload_sha]
        assert said(found[name], "commit") == [entry.commit_sha]


def test_versions_of_one_commit_were_made_by_one_act_of_their_author(project: dc.Project, read: ProvDocument) -> None:
    made_by = {made: (act, at) for made, act, at in args(read, ProvGeneration)}
    acts = {unquote(a.identifier.uri): a for a in read.get_records(ProvActivity)}
    authors = args(read, ProvAssociation)
    for table in ("dm", "ae x", "adsl"):
        for entry in project.reader.history(table):
            act, at = made_by[version(table, entry)]
            assert said(acts[act], "commit") == [entry.commit_sha]
            assert said(acts[act], "message") == [entry.message]
            assert pd.Timestamp(at) == pd.Timestamp(entry.timestamp)
            who = {one.removeprefix("urn:datom:agent:") for what, one, _ in authors if what == act}
            assert "author/Ada Müller/ada@example.org" in who
            assert {one.partition("/")[0] for one in who} == {"author", "machine", "tool"}
    assert len(args(read, ProvAttribution)) == 5


def test_parents_files_and_earlier_versions_are_what_a_version_was_derived_from(
    project: dc.Project, read: ProvDocument
) -> None:
    dm, ae = (list(reversed(project.reader.history(t))) for t in ("dm", "ae x"))
    adsl = project.reader.resolve("adsl")
    file = f"urn:datom:file:{dm[0].original_file_sha}"
    derived = {(made, of): r for r in read.get_records(ProvDerivation) for made, of in [pair(r)]}
    revisions = {key for key, r in derived.items() if any(t.uri == f"{PROV}Revision" for t in r.get_asserted_types())}
    assert revisions >= {
        (version("dm", dm[1]), version("dm", dm[0])),
        (version("ae x", ae[1]), version("ae x", ae[0])),
    }
    assert {of for made, of in derived if made == version("adsl", adsl)} == {
        version("dm", dm[0]),
        version("ae x", ae[0]),
        f"urn:datom:content:STUDY_001/dm/{dm[0].data_sha}",
        f"urn:datom:content:STUDY_001/ae x/{ae[0].data_sha}",
    }
    assert (version("dm", dm[0]), file) in derived
    assert not any(made == version("dm", dm[0]) and "version" in of for made, of in derived), "set back is not derived"
    assert (version("dm", dm[0]), f"urn:datom:content:STUDY_001/dm/{dm[0].data_sha}") in args(read, ProvSpecialization)


def pair(record: Any) -> tuple[str, str]:
    made, of, *_ = record.args
    return unquote(made.uri), unquote(of.uri)


def test_a_cut_that_moved_is_a_collection_for_each_time(project: dc.Project, read: ProvDocument) -> None:
    cut = project.reader.cuts()["2026 01"]
    moments = sorted({r.recorded_at for all_of in cut.recordings.values() for r in all_of})
    assert len(moments) == 3
    held = args(read, ProvMembership)
    sizes = [len([1 for c, _ in held if c == f"urn:datom:cut:STUDY_001/2026 01/{at}"]) for at in moments]
    assert sizes == [1, 2, 2]
    last = {entity for c, entity in held if c.endswith(moments[-1])}
    assert last == {version(t, project.reader.resolve(t, v)) for t, v in cut.items()}
    made_by = {made: act for made, act, _ in args(read, ProvGeneration)}
    again = project.reader.history("ae x")[0]
    assert made_by[f"urn:datom:cut:STUDY_001/2026 01/{moments[-1]}"] == made_by[version("ae x", again)]


def test_a_review_and_a_return_used_what_was_there(project: dc.Project, read: ProvDocument) -> None:
    kinds = {unquote(a.identifier.uri): [t.uri for t in a.get_asserted_types()] for a in read.get_records(ProvActivity)}
    used = {(kinds[act][0].removeprefix(TERMS), of) for act, of, _ in args(read, ProvUsage)}
    first = list(project.reader.history("dm"))[-1]
    assert ("Reinstatement", version("dm", first)) in used
    assert ("Review", version("dm", first)) in used


def test_the_same_project_gives_the_same_bytes_and_survives_the_way_through_another_program(
    project: dc.Project, read: ProvDocument
) -> None:
    one, other = (json.dumps(project.reader.provenance_document()) for _ in range(2))
    assert one == other
    back = ProvDocument.deserialize(content=read.serialize(format="json"), format="json")
    assert back == read
    assert len(read.records) == sum(len(held) for kind, held in json.loads(one).items() if kind != "prefix")


def test_a_state_has_no_later_versions_and_the_ancestors_of_its_own(project: dc.Project) -> None:
    reader = project.reader
    dm = list(reversed(reader.history("dm")))
    early = reader.provenance_document(dm[0].timestamp)
    assert {e["datom:version"] for e in early["entity"].values() if "datom:payload_sha" in e} == {dm[0].version}
    derived = reader.provenance_document(tables=["adsl"])
    told = {e["datom:table"] for e in derived["entity"].values() if "datom:payload_sha" in e}
    assert told == {"adsl", "dm", "ae x"}
    one = reader.provenance_document(dm[1].version[:10], tables=["dm"])
    assert {e["datom:version"] for e in one["entity"].values() if "datom:payload_sha" in e} == {v.version for v in dm}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"state": "2026-99"}, dc.NotFoundError),
        ({"tables": ["dm", "dn"]}, dc.NotFoundError),
        ({"tables": "dm"}, dc.InvalidInputError),
    ],
)
def test_what_is_not_there_is_refused(project: dc.Project, arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        project.reader.provenance_document(**arguments)
