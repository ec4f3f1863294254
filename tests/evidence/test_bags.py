"""What is in a bag, that it is the same twice, and what an interrupted or refused run leaves."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import bagit
import pytest
from rocrate.rocrate import ROCrate

import datom_core as dc
from datom_core.testing import FailingStore, forget_clone
from example_project import small_study
from tests.conftest import GOLDEN
from tests.evidence.conftest import Made
from tests.evidence.making import CUT, verify
from tests.long import LONG, long

pytestmark = pytest.mark.xdist_group("evidence")
TABLES = ["dm", "ae (all)"]


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_same_bytes_twice_also_from_another_clone_and_as_a_zip(made: Made, tmp_path: Path) -> None:
    again = made.again(tmp_path / "again", seal=None)
    forget_clone(made.project)
    os.utime(next(Path(again).glob("data/datom/*/*.parquet")), (1, 1))
    packed = made.again(tmp_path / "bag.zip", seal=None)
    assert packed.digest == again.digest
    with zipfile.ZipFile(packed) as archive:
        assert archive.testzip() is None
        found = {name.removeprefix("bag/"): archive.read(name) for name in archive.namelist()}
    assert found == contents(Path(again))
    second = tmp_path / "elsewhere"
    second.mkdir()
    assert Path(made.again(second / "bag.zip", seal=None)).read_bytes() == Path(packed).read_bytes()


def test_it_is_a_bag_and_a_crate_and_a_store(made: Made) -> None:
    folder = Path(made.bag)
    assert bagit.Bag(str(folder)).is_valid()
    crate = ROCrate(folder / "data")
    assert crate.name == f"STUDY_001 at {CUT}"
    held = {f"data/{entity.id}" for entity in crate.data_entities}
    there = {path for path in contents(folder) if path.startswith("data/")}
    assert {path.replace("%20", " ").replace("%28", "(").replace("%29", ")") for path in held} == {
        path for path in there if path != "data/ro-crate-metadata.json"
    }
    reader = dc.ProjectReader.open(dc.LocalStore(folder / "data"), "STUDY_001")
    assert reader.read_arrow("dm", cut=CUT, verify="content").equals(made.project.reader.read_arrow("dm", cut=CUT))


def test_what_it_says(made: Made) -> None:
    folder, bag = Path(made.bag), made.bag
    assert sha256((folder / "tagmanifest-sha256.txt").read_bytes()).hexdigest() == bag.digest
    assert (bag.files, bag.bytes) == (len(contents(folder)), sum(map(len, contents(folder).values())))
    info = (folder / "bag-info.txt").read_text()
    assert f"Datom-Cut: {CUT}\n" in info
    assert f"Datom-Commit: {bag.commit}\n" in info
    page = (folder / "index.html").read_text()
    assert "<script" not in page
    for text in ("Ada Lovelace &lt;ada@example.org&gt;", "Age\tcorrected", "No open queries", made.key.fingerprint):
        assert text in page
    assert "Age\\tcorrected\\nby site" in (folder / "data" / "audit.tsv").read_text()
    text = (folder / "data" / "copies" / "csv" / "dm.csv").read_text()
    assert "63" in text
    report = json.loads((folder / "data" / "changes" / "report.json").read_text())
    assert "2026-01" in json.dumps(report)
    # Where its data lies is a fact that the project's own documents hold; nothing else is of this machine.
    others = {n: c for n, c in contents(folder).items() if "git/" not in n and n != "data/audit.tsv"}
    assert str(made.folder) not in "".join(c.decode("latin-1") for c in others.values())


@pytest.mark.parametrize(
    ("asked", "held"),
    [
        ({}, {"dm", "ae (all)"}),
        ({"as_of": "2026-01-01T00:02:30Z"}, {"dm", "ae (all)"}),
        ({"tables": ["ae (all)"], "copies": ("xpt8",)}, {"ae (all)"}),
    ],
)
def test_other_states(made: Made, tmp_path: Path, asked: dict[str, Any], held: set[str]) -> None:
    bag = made.project.reader.evidence(tmp_path / "bag", **asked)
    assert {v.table for v in bag.versions} == held
    assert (bag.cut, bag.commit) == (None, None)
    versions = {v.table: v.version.version for v in bag.versions}
    expected = made.project.reader.study(as_of=asked.get("as_of")).versions
    assert versions == {t: v.version for t, v in expected.items() if t in held}
    if LONG or "as_of" in asked:
        checked = verify(made.machine, Path(bag))
        assert checked.code == 0, checked.out
        assert "the bag has no git history" in checked.out
    exact = made.project.reader.evidence(tmp_path / "exact", tables=versions, dry_run=True)
    assert (exact.dry_run, exact.digest, Path(exact).exists()) == (True, None, False)
    assert exact.versions == tuple(sorted(bag.versions, key=lambda v: list(versions).index(v.table)))


def test_a_mapping_of_tables_takes_old_versions(made: Made, tmp_path: Path) -> None:
    first = made.project.reader.history("dm")[-1]
    bag = made.project.reader.evidence(tmp_path / "bag", tables={"dm": first.version[:9]})
    assert [v.version for v in bag.versions] == [first]


def test_refusals(made: Made, tmp_path: Path) -> None:
    evidence = made.project.evidence
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    for error, words, arguments in (
        (dc.AlreadyExistsError, "not an empty folder", {"to": tmp_path / "full"}),
        (dc.NotFoundError, "does not exist. Make it", {"to": tmp_path / "no" / "where"}),
        (dc.NotFoundError, "no cut", {"cut": "2026-09"}),
        (dc.NotFoundError, "had no table yet", {"as_of": "1999-01-01"}),
        (dc.NotFoundError, "has no table 'dn', 'x'", {"tables": ["dn", "x", "dm"]}),
        (dc.NotFoundError, "dm has no version", {"tables": {"dm": "ffff"}}),
        (dc.InvalidInputError, "by cut and tables", {"cut": CUT, "tables": ["dm"]}),
        (dc.InvalidInputError, "tables is a list", {"tables": "dm"}),
        (dc.InvalidInputError, "names no table", {"tables": []}),
        (dc.InvalidInputError, "copies are of csv.*'cvs'", {"copies": ["cvs"]}),
        (dc.InvalidInputError, "since is for a cut", {"since": "2026-01"}),
        (dc.InvalidInputError, "to is the path", {"to": ""}),
    ):
        with pytest.raises(error, match=words):
            evidence(**{"to": tmp_path / "bag"} | arguments)  # type: ignore[arg-type]
    assert os.listdir(tmp_path / "full") == ["x"]
    assert not list(tmp_path.glob("*.partial"))


def test_a_history_of_another_project_or_behind(made: Made, tmp_path: Path) -> None:
    dc.Project.init("OTHER", dc.LocalStore(tmp_path / "store"), remote=tmp_path / "other.git")
    with pytest.raises(dc.InvalidInputError, match="is the history of 'OTHER'"):
        made.project.reader.evidence(tmp_path / "bag", cut=CUT, history=tmp_path / "other.git")
    remote = tmp_path / "behind.git"
    subprocess.run(["git", "clone", "-q", "--bare", made.project.remote, remote], check=True)
    subprocess.run(["git", f"--git-dir={remote}", "update-ref", "refs/heads/main", "main~1"], check=True)
    with pytest.raises(dc.ConflictError, match=r"does not say what storage says of cuts and approvals"):
        made.project.reader.evidence(tmp_path / "bag1", cut=CUT, history=remote)
    subprocess.run(["git", f"--git-dir={remote}", "update-ref", "refs/heads/main", "main~2"], check=True)
    with pytest.raises(dc.ConflictError, match=r"does not say what storage says of the cut .*, dm@"):
        made.project.reader.evidence(tmp_path / "bag2", cut=CUT, history=remote)
    assert not (tmp_path / "bag2").exists()


def test_an_interrupted_run_is_taken_up(made: Made, tmp_path: Path) -> None:
    store = FailingStore(made.project.store)
    reader = dc.ProjectReader.open(store)
    versions = made.project.reader.study().versions
    keys = [f"{table}/{versions[table].data_sha}.parquet" for table in versions]
    store.fail("get", keys[1])
    with pytest.raises(dc.StorageError):
        reader.evidence(tmp_path / "bag", tables=TABLES[:1] + TABLES[1:])
    assert not (tmp_path / "bag").exists()
    assert (tmp_path / "bag.partial" / "bag" / "data" / "datom" / keys[0]).exists()
    with pytest.raises(dc.InvalidInputError, match="something else"):
        reader.evidence(tmp_path / "bag", tables=TABLES[:1])
    (tmp_path / "bag.partial" / "bag" / "data" / "left by nobody").touch()
    store.calls.clear()
    bag = reader.evidence(tmp_path / "bag", tables=TABLES)
    assert [call.key for call in store.calls if call.operation == "get" and call.key in keys] == keys[1:]
    assert contents(Path(bag)) == contents(Path(made.project.reader.evidence(tmp_path / "whole", tables=TABLES)))
    assert not (tmp_path / "bag.partial").exists()


def test_what_was_left_is_taken_only_if_it_is_right(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", lambda *a: full(0))
        with pytest.raises(dc.StorageError, match="No space left"):
            made.again(tmp_path / "bag")
    bag = tmp_path / "bag.partial" / "bag"
    for name in ("data/datom/dm/*.parquet", "data/copies/csv/dm.csv"):
        (path,) = bag.glob(name)
        path.write_bytes(path.read_bytes()[:-1])
    assert contents(Path(made.again(tmp_path / "bag"))) == contents(Path(made.bag))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(dc.StorageError, match="No space left"):
            made.again(tmp_path / "never")
    assert not (tmp_path / "never").exists()


def test_data_that_is_missing_or_damaged(made: Made, tmp_path: Path) -> None:
    shutil.copytree(made.folder / "study" / "store", tmp_path / "store")
    reader = dc.ProjectReader.open(dc.LocalStore(tmp_path / "store"))
    versions = {t: v.version[:8] for t, v in reader.study().versions.items()}
    payloads = {
        t: tmp_path / "store" / "datom" / t / f"{v.data_sha}.parquet" for t, v in reader.study().versions.items()
    }
    whole = payloads["dm"].read_bytes()
    payloads["dm"].write_bytes(whole[:-9] + b"x" + whole[-8:])
    with pytest.raises(dc.IntegrityError, match=f"The data of dm@{versions['dm']} .* is not what was recorded"):
        reader.evidence(tmp_path / "bag")
    for path in payloads.values():
        path.unlink()
    both = rf"The data of dm@{versions['dm']}, ae \(all\)@{versions['ae (all)']} is missing"
    with pytest.raises(dc.NotFoundError, match=both):
        reader.evidence(tmp_path / "bag", dry_run=True)
    snapshot = next((tmp_path / "store" / "datom" / "dm" / ".metadata").glob(f"{versions['dm']}*"))
    payloads["dm"].write_bytes(whole)
    text = snapshot.read_text()
    snapshot.write_text(text.replace('"AGE"', '"AGF"'))
    with pytest.raises(dc.IntegrityError, match=f"The document of dm@{versions['dm']} .* is not that version's"):
        reader.evidence(tmp_path / "other", tables=["dm"])
    snapshot.unlink()
    with pytest.raises(dc.NotFoundError, match=f"The document of dm@{versions['dm']} is missing"):
        reader.evidence(tmp_path / "third", tables=["dm"])
    assert {p.name for p in tmp_path.glob("*bag*")} == {"bag.partial"}


def test_a_form_that_cannot_hold_a_table(tmp_path: Path, store: dc.LocalStore, remote: Path) -> None:
    import pyarrow as pa

    project = dc.Project.init("STUDY_001", store, remote=remote)
    project.write("dm", pa.table({"A_NAME_OF_MORE_THAN_8": [1]}))
    with pytest.raises(dc.InvalidInputError, match="A_NAME_OF_MORE_THAN_8"):
        project.evidence(tmp_path / "bag", copies=("csv", "xpt"))
    assert not (tmp_path / "bag").exists()


def test_what_r_wrote(made: Made, tmp_path: Path) -> None:
    """Every table of R's project; an id that nobody can compute again is named, and why."""
    remote = tmp_path / "solo.git"
    subprocess.run(["git", "clone", "-q", "--bare", GOLDEN / "solo" / "data-repo.bundle", remote], check=True)
    shutil.copytree(GOLDEN / "solo" / "storage", tmp_path / "storage")
    reader = dc.ProjectReader.open(dc.LocalStore(tmp_path / "storage"), "GOLDEN_STUDY")
    assert reader.evidence(tmp_path / "bag", history=remote).unproven == ()
    # R does not compute the same id again for some custom metadata: here, of other numbers.
    version = reader.resolve("na_meta").version
    document = tmp_path / "storage" / "datom" / "na_meta" / ".metadata" / f"{version}.json"
    text = json.loads(document.read_text())
    document.write_text(json.dumps(text | {"custom": {"n": 1}}))
    bag = reader.evidence(tmp_path / "open", history=remote)
    assert [(table, found) for table, found, _ in bag.unproven] == [("na_meta", version)]
    checked = verify(made.machine, Path(bag))
    assert (checked.code, checked.failures) == (0, []), checked.out
    assert f"NOTE na_meta@{version}: nobody can recompute this id: R does not" in checked.out
    assert bagit.Bag(str(Path(bag))).is_valid()


@long
def test_the_small_study(made: Made, tmp_path: Path) -> None:
    project = small_study.make(tmp_path)
    bag = project.evidence(tmp_path / "bag", cut="lock", copies=("csv", "xpt", "dataset-json"))
    checked = verify(made.machine, Path(bag))
    assert (checked.code, checked.failures) == (0, []), checked.out
    assert len(list((Path(bag) / "data" / "copies").rglob("*.*"))) == 9
