"""Edits of a project's own documents: from the documents at the tip to those after the edit."""

from __future__ import annotations

import pytest

import datom_core as dc
from datom_core.documents import Location
from datom_core.planning import changed_files
from datom_core.writing.document_edits import cut_recorded, moved, upgraded
from tests.unit.states import BEFORE, WHO, at, current_of, empty, sha, table, written

TIP = written(BEFORE, table("dm", "b"), cut="c2", minute=2)
OLD, NEW = current_of(BEFORE, "dm").version, current_of(TIP, "dm").version


def test_an_upgrade_keeps_every_version() -> None:
    old = written(empty(1), table("dm", "a"), cut="c1")
    new = upgraded(old, at(5))
    assert (new.manifest.schema, new.manifest.updated_at) == (2, at(5))
    assert ("schema_version" in old.file.raw, new.file.raw["schema_version"]) == (False, 1)
    assert (new.tables, new.cuts) == (old.tables, old.cuts)
    assert new.manifest.entries == old.manifest.entries
    assert set(changed_files(old, new)) == {".datom/manifest.json", ".datom/project.yaml"}
    assert upgraded(new, at(6)) is new


def test_a_move_changes_the_place_alone() -> None:
    place = Location("s3", "bucket", "team/onc", "eu-central-1")
    after = moved(place)(TIP, at(5))
    assert after.file.location == place
    assert set(changed_files(TIP, after)) == {".datom/project.yaml"}


class TestCuts:
    @pytest.mark.parametrize(
        ("asked", "version"),
        [(None, NEW), (NEW, NEW), (OLD, OLD), (OLD[:8], OLD)],
        ids=["current", "newest", "old", "prefix"],
    )
    def test_a_version_that_exists(self, asked: str | None, version: str) -> None:
        after = cut_recorded("lock", {"dm": asked, "ae": None}, WHO, "Database lock")(TIP, at(5))
        assert dict(after.cuts["lock"]) == {"dm": version, "ae": current_of(TIP, "ae").version}
        assert [r.message for r in after.cuts["lock"].recordings["dm"]] == ["Database lock"]
        assert (after.manifest.rows(), after.manifest.updated_at) == (TIP.manifest.rows(), at(5))
        assert set(changed_files(TIP, after)) == {".datom/cuts.json", ".datom/manifest.json"}

    def test_what_it_stands_for_already_is_no_edit(self) -> None:
        assert cut_recorded("c2", {"dm": None}, WHO, "again")(TIP, at(5)) is TIP

    def test_another_version_than_before_leaves_the_old_recording(self) -> None:
        after = cut_recorded("c2", {"dm": OLD}, WHO, "the old one")(TIP, at(5))
        assert [r.version for r in after.cuts["c2"].recordings["dm"]] == [OLD, NEW]

    @pytest.mark.parametrize("versions", [{"dmm": None}, {"dm": sha("x")}, {"dm": None, "vs": None}])
    def test_what_there_is_not(self, versions: dict[str, str | None]) -> None:
        with pytest.raises(dc.NotFoundError):
            cut_recorded("lock", versions, WHO, "why")(TIP, at(5))

    def test_a_bad_name_is_refused_before_anything(self) -> None:
        with pytest.raises(dc.InvalidInputError):
            cut_recorded(" ", {"dm": None}, WHO, "why")
