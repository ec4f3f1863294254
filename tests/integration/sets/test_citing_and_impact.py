"""A version is cited by one id, which leads to it wherever it moved, and what came of it is found in every project."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import datom_core as dc
from datom_core.testing import Clock

Frame = Callable[[int], pd.DataFrame]


@pytest.fixture
def register(tmp_path: Path, clock: Clock) -> dc.Governance:
    return dc.Governance.init(dc.LocalStore(tmp_path / "gov"), remote=tmp_path / "gov.git", clock=clock)


@pytest.fixture
def studies(project: dc.Project, register: dc.Governance, tmp_path: Path, dm: Frame, clock: Clock) -> list[dc.Project]:
    """dm in a study; adsl in a product, from it; adtte in a third project, from adsl: all registered."""
    project.write("dm", dm(2), cut="2026-01")
    project.write("dm", dm(3))
    study = register.attach(project)
    adam = dc.Project.init(
        "ADAM", dc.LocalStore(tmp_path / "adam"), remote=tmp_path / "adam.git", product="adam", clock=clock
    )
    first = study.reader.parent("dm", study.reader.cuts()["2026-01"]["dm"])
    adam.write("adsl", dm(2).assign(ARM="A"), parents=[first])
    adam = register.attach(adam)
    adam.write_set("adam", ["adsl"])
    tables = dc.Project.init("TFL", dc.LocalStore(tmp_path / "tfl"), remote=tmp_path / "tfl.git", clock=clock)
    tables.write("adtte", dm(1), parents=[adam.reader.parent("adsl")])
    return [study, adam, register.attach(tables)]


def test_what_came_of_a_version_is_found_in_three_projects(studies: list[dc.Project], register: dc.Governance) -> None:
    found = dc.find_impact(studies[0].reader, "dm", "2026-01", governance=register.store)
    told = [(a.project, a.name, a.kind, a.generation, a.current) for a in found.affected]
    assert told == [
        ("ADAM", "adsl", "table", 1, True), ("ADAM", "adam", "set", 2, True), ("TFL", "adtte", "table", 2, True),
    ]  # fmt: skip
    assert found.affected[2].through.startswith("ADAM/adsl@")
    assert set(found.projects) == {"STUDY_001", "ADAM", "TFL"}
    assert found.complete
    assert not found.unread
    assert not dc.find_impact(studies[0].reader, "dm", governance=register.store).affected
    alone = dc.find_impact(studies[0].reader, "dm", "2026-01", others=[studies[1].reader])
    assert [a.name for a in alone.affected] == ["adsl", "adam"]
    assert not dc.find_impact(studies[0].reader, "dm", "2026-01", governance=register.store, most=1).complete


def test_a_project_that_cannot_be_read_is_named(
    studies: list[dc.Project], register: dc.Governance, tmp_path: Path
) -> None:
    (tmp_path / "tfl/datom/.metadata/manifest.json").unlink()
    parent = studies[1].reader.resolve("adsl").version
    (tmp_path / f"adam/datom/adsl/.metadata/{parent}.json").unlink()
    found = dc.find_impact(studies[0].reader, "dm", "2026-01", governance=register.store)
    assert set(found.unread) == {"TFL", f"ADAM/adsl@{parent[:8]}"}
    assert set(found.projects) == {"STUDY_001", "ADAM"}
    assert not found.affected


def test_a_version_is_cited_and_found_again_after_a_move(
    studies: list[dc.Project], register: dc.Governance, tmp_path: Path
) -> None:
    adam = studies[1]
    cited = adam.reader.cite("adsl")
    assert cited.id == f"datom:ADAM/adsl@{cited.version[:8]}"
    assert cited.text().endswith(cited.id)
    dc.migrate(adam, dc.LocalStore(tmp_path / "moved"))
    for text in (cited.id, cited.full_id):
        found = dc.find_cited(text, governance=register.store)
        assert found.version.version == cited.version
        assert str(tmp_path / "moved") in str(found.reader.location)
        assert len(found.fetch()) == 2
    held = dc.find_cited(found.reader.cite("adam").id, reader=found.reader).fetch()
    assert [m.name for m in held] == ["adsl"]
    with pytest.raises(dc.InvalidInputError, match="governance="):
        dc.find_cited(cited.id)
    with pytest.raises(dc.NotFoundError):
        dc.find_cited("datom:NOSUCH/adsl@7e21b0aa", governance=register.store)


@pytest.mark.parametrize("text", ["adsl@7e21b0aa", "datom:A/b@xyz", "datom:A/b@7e2", "datom:../b@7e21b0aa", "", 3])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(dc.InvalidInputError):
        dc.find_cited(text)


def test_a_citation_has_the_forms_that_programs_take(studies: list[dc.Project]) -> None:
    reader = studies[1].reader
    cited = reader.cite("adam")
    item = json.loads(cited.csl_json())[0]
    assert (item["type"], item["version"], item["author"]) == ("dataset", cited.version, [{"literal": "Test Author"}])
    assert item["issued"]["date-parts"][0][0] == 2026
    data = json.loads(cited.datacite_json())
    assert data["identifiers"][0]["identifier"] == cited.full_id
    assert data["types"]["resourceTypeGeneral"] == "Collection"
    assert [part["titles"][0]["title"] for part in data["relatedItems"]] == [reader.cite("adsl").full_id]
    assert "@dataset{ADAM-adam-" in cited.bibtex()
    assert f"version = {{{cited.version}}}" in cited.bibtex()


def test_names_with_blanks_and_signs_survive_in_an_id_and_in_bibtex(project: dc.Project, dm: Frame) -> None:
    project.write("my table (1)", dm(1), author="Ada & Söhne_100% <ada@example.org>")
    cited = project.reader.cite("my table (1)")
    assert cited.id.startswith("datom:STUDY_001/my%20table%20(1)@")
    assert dc.find_cited(cited.id, reader=project.reader).name == "my table (1)"
    assert r"author = {{Ada \& Söhne\_100\%}}" in cited.bibtex()
