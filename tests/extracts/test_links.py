"""What lies in a drop and is no file of it: links, pipes, devices, names that lead elsewhere. Nothing of it is read."""

from __future__ import annotations

import json
import os
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import datom_core as dc
from tests.s3.server import S3Server

DM = "USUBJID,AGE\n01-1,41\n"
SECRET = "USER,PASSWORD\nroot,hunter2\n"


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "place" / "drop"
    folder.mkdir(parents=True)
    (folder / "vs.csv").write_text(DM)
    (tmp_path / "secret.csv").write_text(SECRET)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.csv").write_text(SECRET)
    return folder


def absolute(drop: Path) -> None:
    (drop / "dm.csv").symlink_to(drop.parent.parent / "secret.csv")


def relative(drop: Path) -> None:
    (drop / "dm.csv").symlink_to("../../secret.csv")


def hard_linked(drop: Path) -> None:
    link = drop.parent.parent / "link"
    link.symlink_to(drop.parent.parent / "secret.csv")
    os.link(link, drop / "dm.csv", follow_symlinks=False)


def chained(drop: Path) -> None:
    (drop / "sub").mkdir()
    (drop / "sub" / "out").symlink_to("../../../elsewhere")
    (drop / "dm.csv").symlink_to("sub/out/x.csv")


def to_nothing(drop: Path) -> None:
    (drop / "dm.csv").symlink_to("nowhere.csv")


def to_itself(drop: Path) -> None:
    (drop / "dm.csv").symlink_to("dm.csv")


def of_the_process(drop: Path) -> None:
    (drop / "dm.csv").symlink_to("/proc/self/environ")


def to_a_folder(drop: Path) -> None:
    (drop / "dm.csv").symlink_to("../../elsewhere")


def pipe(drop: Path) -> None:
    os.mkfifo(drop / "dm.csv")


def endless(drop: Path) -> None:
    (drop / "dm.csv").symlink_to("/dev/zero")


def sock(drop: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        at = os.open(drop, os.O_RDONLY)
        try:
            listener.bind(f"/proc/self/fd/{at}/dm.csv")  # the path itself may be too long for a socket
        finally:
            os.close(at)


KINDS = [
    *(
        absolute,
        relative,
        hard_linked,
        chained,
        to_nothing,
        to_itself,
        of_the_process,
        to_a_folder,
        pipe,
        endless,
        sock,
    ),
]


@pytest.mark.parametrize("put", KINDS)
def test_is_refused_and_named(put: Callable[[Path], None], drop: Path, project: dc.Project) -> None:
    put(drop)
    report = project.sync(drop)
    assert [(i.file, i.status) for i in report.items if i.status != "ignored"] == [
        ("vs.csv", "new"),
        ("dm.csv", "failed"),
    ]
    assert not report.ok
    with pytest.raises(dc.InvalidInputError, match=r"dm\.csv: (a (symbolic link|named pipe|socket)|neither)"):
        report.check()
    assert "secret" not in str(report.failed[0].reason)
    assert [t.name for t in project.reader.list()] == ["vs"]
    with pytest.raises(dc.InvalidInputError, match=r"dm\.csv: "):
        project.sync(drop, stop_on_error=True)
    assert project.sync(drop, "vs.*").ok


@pytest.mark.parametrize("put", KINDS)
def test_is_no_list_of_a_drop_and_no_part_of_one(put: Callable[[Path], None], drop: Path, project: dc.Project) -> None:
    put(drop)
    with pytest.raises(dc.InvalidInputError, match=r"dm\.csv is a|dm\.csv is neither"):
        project.sync(drop, manifest="dm.csv")
    listed = [{"name": n, "size": len(DM)} for n in ("dm.csv", "vs.csv")]
    (drop / "list.json").write_text(json.dumps({"files": listed}))
    assert "dm.csv is not read: " in project.sync(drop, manifest="list.json").waiting[0]
    (drop / "list.json").write_text(json.dumps({"files": listed[1:]}))
    report = project.sync(drop, manifest="list.json")
    assert {i.file: i.reason for i in report.of("ignored")}["dm.csv"] == "not in list.json"
    assert report.ok


def test_a_link_within_the_drop_is_a_file(drop: Path, project: dc.Project) -> None:
    (drop / "sub").mkdir()
    (drop / "sub" / "ae.csv").write_text(DM)
    (drop / "dm.csv").symlink_to("vs.csv")
    (drop / "ae.csv").symlink_to(drop / "sub" / "ae.csv")
    report = project.sync(drop)
    assert report.ok
    assert {i.table for i in report.of("new")} == {"ae", "dm", "vs"}


def test_the_drop_itself_may_be_a_link(drop: Path, project: dc.Project) -> None:
    link = drop.parent / "latest"
    link.symlink_to(drop)
    (drop / "dm.csv").symlink_to("vs.csv")
    assert {i.status for i in project.sync(link).items} == {"new"}


def test_a_folder_that_must_lie_inside_another_one(drop: Path, tmp_path: Path) -> None:
    place = drop.parent
    assert [f.name for f in dc.LocalFolder(drop, inside=place).list().files] == ["vs.csv"]
    (place / "2026-02").symlink_to(tmp_path / "elsewhere")
    (place / "2026-03").symlink_to("drop")
    assert [f.name for f in dc.LocalFolder(place / "2026-03", inside=place).list().files] == ["vs.csv"]
    with pytest.raises(dc.InvalidInputError, match="2026-02 is a symbolic link that leaves"):
        dc.LocalFolder(place / "2026-02", inside=place).list()
    listing = dc.LocalFolder(place).list()
    assert listing.others == ("2026-03/", "drop/")
    assert list(listing.refused) == ["2026-02"]


def test_a_file_that_was_swapped_for_a_link_is_not_read(drop: Path, tmp_path: Path, project: dc.Project) -> None:
    source = dc.LocalFolder(drop)
    (file,) = source.list().files
    (drop / "vs.csv").rename(tmp_path / "vs.csv")
    (drop / "vs.csv").symlink_to("../../secret.csv")
    for act in (lambda: source.fetch(file, tmp_path), lambda: source.check(file)):
        with pytest.raises(dc.ConflictError, match=r"in place of the file there is now a symbolic link"):
            act()
    assert (tmp_path / "vs.csv").read_text() == DM


def test_nor_is_one_that_is_swapped_right_before_it_is_opened(
    drop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, seen = dc.LocalFolder(drop), sys.modules["datom_core.extracts.drops.folder"].entry
    (file,) = source.list().files

    def swap(folder: int, path: Path, name: str) -> Any:
        found = seen(folder, path, name)
        (drop / "vs.csv").unlink()
        (drop / "vs.csv").symlink_to("../../secret.csv")
        return found

    monkeypatch.setattr("datom_core.extracts.drops.folder.entry", swap)
    with pytest.raises(dc.ConflictError, match="another one by now"):
        source.fetch(file, tmp_path)


def test_what_is_read_is_what_was_looked_at(drop: Path, project: dc.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is read, the folder is swapped for another one, and put back before anybody looks again."""
    away, evil = drop.with_name("away"), drop.with_name("evil")
    evil.mkdir()
    (evil / "vs.csv").write_text(SECRET)

    def read(path: Path, **options: Any) -> Any:
        drop.rename(away)
        evil.rename(drop)
        try:
            return dc.read_extract(path, **options)
        finally:
            drop.rename(evil)
            away.rename(drop)

    monkeypatch.setattr("datom_core.extracts.drop_reader.read_extract", read)
    assert project.sync(drop).ok
    assert project.reader.read_arrow("vs").column_names == ["USUBJID", "AGE"]


def test_a_file_that_grows_without_end_is_not_copied_for_ever(
    drop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = dc.LocalFolder(drop)
    (file,) = source.list().files
    read = os.read

    def grow(at: int, size: int) -> bytes:
        block = read(at, size)
        with (drop / "vs.csv").open("a") as more:
            more.write(DM)
        return block

    monkeypatch.setattr(os, "read", grow)
    with pytest.raises(dc.ConflictError, match="changed while it was read"):
        source.fetch(file, tmp_path)


@pytest.mark.parametrize("name", ["new\nline.csv", "esc\x1b[31m.csv", "back\\slash.csv", b"latin-\xe9.csv"])
def test_names_that_are_none(name: str | bytes, drop: Path, project: dc.Project) -> None:
    path = os.path.join(os.fsencode(drop), os.fsencode(name))
    with open(path, "w") as file:
        file.write(DM)
    report = project.sync(drop)
    assert [i.status for i in report.items] == ["new", "failed"]
    assert repr(report).encode().isascii()
    assert report.failed[0].file.isprintable()


class TestS3:
    def test_keys_that_are_no_names_of_files(self, s3_server: S3Server, project: dc.Project, tmp_path: Path) -> None:
        bucket = s3_server.bucket()
        for key in ("dm.csv", "x" * 300 + ".csv"):
            s3_server.s3.put_object(Bucket=bucket, Key=f"in/{key}", Body=DM.encode())
        source = dc.S3Folder(bucket, "in", credentials=s3_server.owner, endpoint_url=s3_server.endpoint)
        report = project.sync(source)
        assert [i.file for i in report.of("new")] == ["dm.csv"]
        assert {i.file for i in report.of("failed")} == {"x" * 300 + ".csv"}
        odd = dc.ExtractFile("../x.csv", 1, source.list().files[0].modified, "")
        for place in (source, dc.LocalFolder(tmp_path)):
            with pytest.raises(dc.InvalidInputError, match="no name of a file"):
                place.fetch(odd, tmp_path)


def test_a_hard_link_is_a_file(drop: Path, project: dc.Project, tmp_path: Path) -> None:
    """It cannot be told from any other file: every file is one (SECURITY.md)."""
    os.link(drop / "vs.csv", drop / "dm.csv")
    assert stat.S_ISREG((drop / "dm.csv").lstat().st_mode)
    assert project.sync(drop).ok
