"""A set is written whole or not at all, is what its members prove, and is read by R's reader of the same format."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import datom
import pandas as pd
import pyarrow as pa
import pytest

import datom_core as dc
from datom_core.testing import FailingStore, StoreCall, memory_project

Frame = Callable[[int], pd.DataFrame]


@pytest.fixture
def study(project: dc.Project, dm: Frame) -> dc.Project:
    """dm twice, and adsl that was derived from the first."""
    project.write("dm", dm(3))
    parent = project.parent("dm")
    project.write("adsl", dm(3).assign(ARM="A"), parents=[parent])
    project.write("dm", dm(4))
    return project


def show(remote: Path, path: str) -> bytes:
    return subprocess.run(["git", "-C", remote, "show", f"HEAD:{path}"], check=True, capture_output=True).stdout


def first(project: dc.Project, table: str) -> str:
    return project.reader.history(table)[-1].version


def test_a_set_is_written_read_and_read_by_the_other_reader(study: dc.Project, store: dc.LocalStore) -> None:
    reader = study.reader
    members = [reader.member("dm", first(study, "dm"), tags={"type": "input"}), reader.member("adsl")]
    done = study.write_set("adam", members, tags={"purpose": ["safety", "efficacy"]}, message="For the report")
    assert (done.action, done.members, done.allowed, done.unread) == ("created", 2, (), ())

    read = reader.set("adam")
    assert (read.version, read.data_sha) == (done.version, done.data_sha)
    assert read.tags == {"purpose": ("efficacy", "safety")}
    assert [str(m) for m in read] == [
        f"STUDY_001/adsl@{members[1].version[:8]}",
        f"STUDY_001/dm@{members[0].version[:8]}",
    ]
    table = dc.fetch_member(read, "dm", reader=reader)
    assert isinstance(table, pa.Table)
    assert table.num_rows == 3
    assert [(s.name, s.members, s.versions) for s in reader.sets()] == [("adam", 2, 1)]
    assert [v.message for v in reader.history("adam")] == ["For the report"]

    conn = datom.get_conn(datom.store_local(store.location.root), "STUDY_001")
    theirs = datom.get_set(conn, "adam")
    assert (theirs.version, theirs.data_sha, theirs.project) == (done.version, done.data_sha, "STUDY_001")
    assert theirs.tags == {"purpose": ["efficacy", "safety"]}
    assert len(datom.fetch_member(conn, theirs, "dm", tags={"type": "input"})) == 3


def test_the_same_members_again_change_nothing_and_what_is_lost_comes_back(
    study: dc.Project, store: dc.LocalStore, remote: Path
) -> None:
    members = [study.reader.member("dm")]
    done = study.write_set("adam", members)
    assert study.write_set("adam", members).action == "unchanged"
    store.delete(f"adam/{done.data_sha}.json")
    with pytest.raises(dc.NotFoundError):
        study.reader.set("adam")
    assert study.write_set("adam", members).action == "repaired"
    assert len(study.reader.set("adam")) == 1
    assert json.loads(show(remote, "adam/set.json"))["members"][0]["id"]["name"] == "dm"
    assert study.validate("full").ok


def test_a_revert_is_told_once_more_and_the_history_has_each_version_once(study: dc.Project) -> None:
    old, new = study.reader.member("dm", first(study, "dm")), study.reader.member("dm")
    begun = study.write_set("adam", [old])
    study.write_set("adam", [new])
    again = study.write_set("adam", [old], message="The first was right")
    assert again.version == begun.version
    history = study.reader.history("adam")
    assert len(history) == 2
    assert study.reader.set("adam").version == begun.version
    assert history[-1].latest.message == "The first was right"


def test_edits_become_the_message_and_the_history_keeps_a_line(study: dc.Project, remote: Path) -> None:
    held = dc.VersionSet.new("adam", "STUDY_001").add(study.reader.member("dm", first(study, "dm")))
    study.write_set("adam", held)
    now = study.reader.set("adam").repoint("dm", study.reader.member("dm").version)
    study.write_set("adam", now)
    said = subprocess.run(["git", "-C", remote, "log", "-1", "--format=%B"], capture_output=True, text=True).stdout
    assert said.splitlines()[0] == "Update adam: repoint 1 member"
    assert said.splitlines()[2].startswith("- repoint STUDY_001/dm@")
    assert study.reader.history("adam")[0].message == "Update adam: repoint 1 member"


def test_members_are_named_in_text_too(study: dc.Project) -> None:
    study.record_cut("interim", {"dm": first(study, "dm"), "adsl": None})
    done = study.write_set("adam", ["dm@interim", "STUDY_001/adsl", "STUDY_002/adlb@" + "a" * 64])
    assert done.members == 3
    assert [str(m) for m in done.unread] == ["STUDY_002/adlb@aaaaaaaa"]
    with pytest.raises(dc.InvalidInputError) as refused:
        study.write_set("adam", ["dm@nosuch", "lb", "STUDY_002/adlb", 3])  # type: ignore[list-item]
    assert [word in str(refused.value) for word in ("nosuch", "'lb'", "without a register", "3: A member")] == [
        True
    ] * 4


def test_a_set_that_contradicts_itself_is_refused_unless_somebody_says_why(study: dc.Project) -> None:
    members = [study.reader.member("dm"), study.reader.member("adsl")]
    with pytest.raises(
        dc.InvalidInputError, match=r"adsl@.* was derived from STUDY_001/dm@.*, and the set lists dm@"
    ) as e:
        study.write_set("adam", members)
    assert [m.parent.table for m in e.value.mismatches] == ["dm"]
    assert not study.reader.sets()
    done = study.write_set("adam", members, allow="The new subject has no visit yet")
    assert len(done.allowed) == 1
    both = [*members, study.reader.member("dm", first(study, "dm"))]
    assert study.write_set("adam", both).allowed == ()
    entry = json.loads(bytes(study.store.get("adam/.metadata/version_history.json").data))[-1]
    assert entry["allowed"]["reason"] == "The new subject has no visit yet"
    assert entry["allowed"]["mismatches"][0]["derived_from"]["version"] == first(study, "dm")


@pytest.mark.parametrize(
    ("name", "members", "said"),
    [
        ("dm", ["adsl"], "dm is a table"),
        ("ADSL", ["dm"], "differ only in case"),
        ("adam", [], "no members"),
        ("adam", [dc.Member("STUDY_001", "dm", "a" * 64)], "is no version of this project"),
        ("../adam", ["dm"], "not allowed"),
        ("adam", "dm", "members is a list"),
        ("adam", dc.VersionSet.new("other", "STUDY_001"), "another set"),
    ],
)
def test_what_cannot_be_a_set_is_refused(study: dc.Project, name: str, members: object, said: str) -> None:
    before = list(study.store.list())
    with pytest.raises(dc.InvalidInputError, match=said):
        study.write_set(name, members)  # type: ignore[arg-type]
    assert list(study.store.list()) == before


def test_the_kind_of_a_member_is_that_of_the_project(study: dc.Project) -> None:
    study.write_set("adam", ["dm"])
    wrong = dc.Member("STUDY_001", "dm", study.reader.resolve("dm").version, "set")
    with pytest.raises(dc.InvalidInputError, match="is a table, not a set"):
        study.write_set("other", [wrong])
    with pytest.raises(dc.InvalidInputError, match="adam is a set, not a table"):
        study.write("adam", pd.DataFrame({"x": [1]}))
    assert study.write_set("other", ["adam"]).members == 1
    assert isinstance(dc.fetch_member(study.reader.set("other"), "adam", reader=study.reader), dc.VersionSet)


def test_files_come_in_beside_a_new_version(study: dc.Project, remote: Path, tmp_path: Path) -> None:
    script = tmp_path / "adsl.R"
    script.write_text("adsl <- dm\n")
    study.write_set("adam", ["dm"], files={"scripts/adsl.R": script, "README.txt": b"How adam was made\n"})
    assert show(remote, "scripts/adsl.R") == b"adsl <- dm\n"
    assert show(remote, "README.txt") == b"How adam was made\n"
    wrong: dict[str, Path | bytes] = {
        "../x": b"",
        ".datom/project.yaml": b"",
        "/etc/x": b"",
        "adam/set.json": b"",
        "gone.R": tmp_path / "gone",
    }
    for path, given in wrong.items():
        with pytest.raises(dc.InvalidInputError, match=path.replace(".", r"\.")):
            study.write_set("adam", ["adsl"], files={path: given})


def test_what_is_not_the_recorded_list_is_never_believed(study: dc.Project, store: dc.LocalStore) -> None:
    done = study.write_set("adam", ["dm"])
    path = Path(store.location.root, "datom", f"adam/{done.data_sha}.json")
    path.write_bytes(path.read_bytes().replace(b'"dm"', b'"dn"'))
    with pytest.raises(dc.IntegrityError, match="not what was recorded"):
        study.reader.set("adam")
    with pytest.raises(dc.IntegrityError):
        study.validate("full")


def test_another_text_of_the_same_members_is_adopted(study: dc.Project, store: dc.LocalStore) -> None:
    planned = study.write_set("adam", ["dm"], dry_run=True)
    version = study.reader.resolve("dm").version
    member = {"id": {"version": version, "project": "STUDY_001", "name": "dm", "kind": "table"}}
    text = json.dumps({"members": [member]}).encode()
    store.create(f"adam/{planned.data_sha}.json", text)
    done = study.write_set("adam", ["dm"])
    assert done.version == planned.version
    assert study.reader.set("adam").members[0].version == version
    study.write_set("adam", ["adsl"])
    study.write_set("adam", ["dm"])
    assert study.validate("full").ok


def test_a_forged_list_under_the_key_of_a_new_one_is_refused(study: dc.Project, store: dc.LocalStore) -> None:
    planned = study.write_set("adam", ["dm"], dry_run=True)
    store.create(f"adam/{planned.data_sha}.json", b'{"members": []}')
    with pytest.raises(dc.IntegrityError, match="not what its name says"):
        study.write_set("adam", ["dm"])
    assert not study.reader.sets()


def test_a_project_of_schema_1_has_no_sets(dm: Frame) -> None:
    with memory_project(schema=1) as project:
        project.write("dm", dm(2))
        with pytest.raises(dc.FormatError, match=r"project\.upgrade\(\)"):
            project.write_set("adam", ["dm"])
        project.upgrade()
        assert project.write_set("adam", ["dm"]).action == "created"


def test_a_write_that_breaks_at_any_change_of_storage_is_completed_by_the_next(dm: Frame) -> None:
    def breaking(call: StoreCall) -> None:
        if call.changes:
            left.append(call)
            if armed and len(left) == breaks_at:
                raise dc.StorageError("the server is away")

    armed, breaks_at = False, 0
    while True:
        left: list[StoreCall] = []
        with memory_project(store=FailingStore(dc.MemoryStore(), breaking)) as project:
            project.write("dm", dm(2))
            left.clear()
            armed, breaks_at = True, breaks_at + 1
            try:
                project.write_set("adam", ["dm"])
            except dc.StorageError:
                assert project.write_set("adam", ["dm"]).action in ("created", "repaired")
                assert len(project.reader.set("adam")) == 1
                assert project.write_set("adam", ["dm"]).action == "unchanged"
            else:
                break
            finally:
                armed = False
    assert breaks_at > 5  # the list, its snapshot, history, pointer, the line and the manifest


def test_a_product_has_one_set_and_imports_nothing(
    store: dc.LocalStore, remote: Path, tmp_path: Path, dm: Frame
) -> None:
    product = dc.Project.init("ADAM_001", store, remote=remote, product="adam")
    assert show(remote, ".datom/project.yaml").decode().splitlines()[-2:] == ["mode: product", "set: adam"]
    product.write("adsl", dm(2))
    with pytest.raises(dc.InvalidInputError, match="whose one set is 'adam'"):
        product.write_set("other", ["adsl"])
    assert product.write_set("adam", ["adsl"]).members == 1
    (tmp_path / "in").mkdir()
    (tmp_path / "in/dm.csv").write_text("USUBJID\n01\n")
    with pytest.raises(dc.InvalidInputError, match="imports no extracts: dm"):
        product.write("dm", product.read_extract("dm", tmp_path / "in/dm.csv"))
    assert "imports no extracts" in str(product.sync(tmp_path / "in").failed)
    with pytest.raises(dc.AlreadyExistsError):
        dc.Project.init("ADAM_001", store, remote=remote, product="adlb")
    with pytest.raises(dc.InvalidInputError, match="need schema 2"):
        dc.Project.init("X", dc.MemoryStore(), remote=tmp_path / "x.git", product="x", schema=1)
    with pytest.raises(dc.InvalidInputError, match="set name"):
        dc.Project.init("X", dc.MemoryStore(), remote=tmp_path / "x.git", product="../x")


def test_a_version_is_found_by_its_labels_the_one_made_current_last(study: dc.Project) -> None:
    reader = study.reader
    older, newer = (study.write_set("adam", [m], tags={"cut": "a"}).version for m in ("adsl", "dm"))
    study.write_set("adam", ["dm"], tags={"cut": "b"})
    assert reader.set("adam", tags={"cut": "a"}).version == newer
    study.write_set("adam", ["adsl"], tags={"cut": "a"})
    assert reader.set("adam", tags={"cut": "a"}).version == older, "it was made current again"
    with pytest.raises(dc.NotFoundError, match="No version of the set adam carries the labels cut: c"):
        reader.set("adam", tags={"cut": "c"})
    with pytest.raises(dc.InvalidInputError, match="not by more than one"):
        reader.set("adam", older, tags={"cut": "a"})


def test_members_of_other_projects_are_looked_at_by_readers_that_are_given(study: dc.Project) -> None:
    """Without a register: a mismatch across projects is found, and what no reader tells of is said."""
    with memory_project("ADAM_001") as derived:
        derived.write("adlb", pd.DataFrame({"A": [1]}), parents=[study.parent("dm", first(study, "dm"))])
        members = [derived.reader.member("adlb"), study.reader.member("dm"), study.reader.member("adsl")]
        with pytest.raises(dc.InvalidInputError, match="would not be consistent") as caught:
            derived.write_set("adam", members, readers=[study.reader])
        assert len(caught.value.details["mismatches"]) == 2  # type: ignore[arg-type]
        done = derived.write_set("adam", [members[0], members[2]])
        assert [m.name for m in done.unread] == ["adsl"]
        named = "STUDY_001/dm@" + first(study, "dm")[:8]
        assert derived.write_set("adam", ["adlb", named], readers=[study.reader]).changed
