"""In which order it is looked for, and what a file keeps when another is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import datom_core as dc


def settings_file(folder: Path, project: str, more: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "datom.toml"
    file.write_text(f'project = "{project}"\n[storage]\npath = "data"\n{more}')
    return file


def find(folder: Path, project: str | None = None, register: str | None = None, **variables: str) -> dc.ProjectSettings:
    return dc.find_settings(project, register=register, folder=folder, environment=variables)


REGISTER = '[register]\nremote = "g.git"\nstorage.path = "register"\n'


def test_an_option_comes_before_a_variable_and_that_before_the_nearest_file(tmp_path: Path) -> None:
    settings_file(tmp_path, "OUTER")
    settings_file(tmp_path / "a", "NEAR")
    settings_file(tmp_path / "b", "OTHER")
    below = tmp_path / "a" / "x" / "y"
    below.mkdir(parents=True)
    assert find(below).project == "NEAR"
    assert find(tmp_path / "a").file == tmp_path / "a" / "datom.toml"
    (tmp_path / "c").mkdir()
    assert find(tmp_path / "c").project == "OUTER"
    assert find(below, DATOM_PROJECT="").project == "NEAR"
    assert find(below, DATOM_PROJECT=str(tmp_path / "b")).project == "OTHER"
    assert find(below, "../../..", DATOM_PROJECT=str(tmp_path / "b")).project == "OUTER"
    assert find(below, "NEAR", DATOM_PROJECT=str(tmp_path / "b")).project == "NEAR"


def test_a_place_is_a_file_a_folder_with_one_a_folder_of_data_or_a_bucket(tmp_path: Path) -> None:
    file = settings_file(tmp_path / "a", "S")
    (tmp_path / "data").mkdir()
    for place in ("a", "a/datom.toml", str(file)):
        assert find(tmp_path, place).file == file
    data = find(tmp_path, "data")
    assert (data.storage, data.folder) == (dc.StorageSettings(path="data"), tmp_path)
    assert Path(data.store().location.root) == tmp_path / "data"
    assert find(tmp_path, "s3://b/p/q/").storage == dc.StorageSettings(bucket="b", prefix="p/q", ambient=True)
    abroad = find(tmp_path, "s3://b", AWS_REGION="eu-west-1", AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert abroad.storage is not None
    assert (abroad.storage.region, abroad.storage.endpoint_url) == ("eu-west-1", "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ("", dc.InvalidInputError, "is empty"),
        ("  ", dc.InvalidInputError, "is empty"),
        ("https://github.com/a/b", dc.InvalidInputError, "its git repository is its remote"),
        ("s3://k:secret@b/p", dc.InvalidInputError, "s3://bucket or s3://bucket/prefix"),
        ("no/where", dc.NotFoundError, "There is no 'no/where'"),
        ("~nobody-here/x", dc.NotFoundError, "There is no '~nobody-here/x'"),
        ("a\0b", dc.NotFoundError, "There is no"),
        ("x" * 5_000, dc.NotFoundError, "There is no"),
        ("studdy", dc.NotFoundError, "Did you mean 'study'?"),
    ],
)
def test_what_is_not_there_is_said(tmp_path: Path, asked: str, error: type[Exception], said: str) -> None:
    (tmp_path / "study").mkdir()
    with pytest.raises(error) as caught:
        find(tmp_path, asked)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_nothing_says_where(tmp_path: Path) -> None:
    with pytest.raises(dc.NotFoundError, match="DATOM_PROJECT is not set"):
        find(tmp_path)
    with pytest.raises(dc.NotFoundError, match="DATOM_REGISTER is not set"):
        dc.find_register(folder=tmp_path, environment={})


def test_a_name_is_looked_up_in_the_register_that_is_named_or_near(tmp_path: Path) -> None:
    settings_file(tmp_path / "a", "S", REGISTER)
    settings_file(tmp_path / "org", "T", REGISTER)
    by_name = find(tmp_path / "a", "OTHER")
    assert (by_name.project, by_name.storage, by_name.remote) == ("OTHER", None, None)
    assert by_name.register is not None
    assert by_name.register.folder == tmp_path / "a"
    for how in ({"register": "../org"}, {"DATOM_REGISTER": str(tmp_path / "org" / "datom.toml")}):
        found: dict[str, Any] = how
        register = find(tmp_path / "a", "OTHER", **found).register
        assert register is not None
        # From another file, so that its paths are meant from there.
        assert register.folder == tmp_path / "org"
        own = find(tmp_path / "a", **found)
        assert own.register is not None
        assert (own.project, own.folder, own.register.folder) == ("S", tmp_path / "a", tmp_path / "org")


def test_a_register_is_a_place_or_what_a_file_names(tmp_path: Path) -> None:
    def look(folder: Path, register: str | None = None, **more: Any) -> dc.RegisterSettings:
        return dc.find_register(register, folder=folder, **{"environment": {}, **more})

    file = settings_file(tmp_path / "a", "S", REGISTER)
    settings_file(tmp_path / "b", "S")
    near = look(tmp_path / "a")
    assert near.storage.path == "register"
    assert look(tmp_path / "b", project="../a") == near
    assert look(tmp_path / "b", str(file)) == near
    assert look(tmp_path / "b", environment={"DATOM_REGISTER": "../a"}) == near
    assert look(tmp_path / "a", environment={"DATOM_PROJECT": "S"}) == near
    assert look(tmp_path / "b", "../r").storage.path == "../r"
    assert look(tmp_path / "b", "s3://b/r").storage == dc.StorageSettings(bucket="b", prefix="r", ambient=True)
    with pytest.raises(dc.InvalidInputError, match=r"names no register: it has no table \[register\]"):
        look(tmp_path / "a", "../b")
    with pytest.raises(dc.InvalidInputError, match="Storage is the path of a folder, or s3://"):
        look(tmp_path / "a", "https://example.org/r")


def test_a_file_of_another_project_is_not_overwritten(tmp_path: Path) -> None:
    file = settings_file(tmp_path, "MINE")
    before = file.read_text()
    other = dc.ProjectSettings("OTHER", dc.StorageSettings(path="x"), folder=tmp_path)
    elsewhere = dc.ProjectSettings("MINE", dc.StorageSettings(path="x"), folder=tmp_path)
    for wrong in (other, elsewhere):
        with pytest.raises(dc.AlreadyExistsError, match="describes the project MINE, and stays as it is"):
            wrong.save(file)
    file.write_text("not = toml =")
    with pytest.raises(dc.AlreadyExistsError, match="is no settings file"):
        other.save(file)
    assert other.save(file, replacing=True) == dc.ProjectSettings.from_file(file)
    assert "OTHER" in file.read_text()
    file.write_text(before)
    dc.ProjectSettings("MINE", dc.StorageSettings(path=str(tmp_path / "data")), remote="h.git", folder=tmp_path).save(
        file
    )
    assert 'remote = "h.git"' in file.read_text()
    assert not list(tmp_path.glob(".*"))


def test_a_register_is_added_to_a_file_and_its_comments_stay(tmp_path: Path) -> None:
    file = tmp_path / "a" / "datom.toml"
    settings_file(tmp_path / "a", "S", "# kept\n")
    register = dc.RegisterSettings(dc.StorageSettings(path="org/r"), "org/g.git", folder=tmp_path)
    both = dc.ProjectSettings(register=register, folder=tmp_path).save(file)
    assert both == dc.ProjectSettings.from_file(file)
    assert both.register is not None
    assert (both.project, both.register.remote, both.register.storage.path) == ("S", "../org/g.git", "../org/r")
    text = file.read_text()
    assert "# kept" in text
    assert dc.ProjectSettings(register=register, folder=tmp_path).save(file) == both
    assert file.read_text() == text
    without = both.with_changes(register=None, branch="b")
    assert without.save(file).register == both.register
    other = dc.RegisterSettings(dc.StorageSettings(path="elsewhere"), folder=tmp_path)
    with pytest.raises(dc.AlreadyExistsError, match="stays as it is"):
        dc.ProjectSettings(register=other, folder=tmp_path).save(file)


def test_a_folder_that_takes_no_file_is_an_error_with_a_name(tmp_path: Path) -> None:
    settings = dc.ProjectSettings("S", dc.StorageSettings(path="x"), folder=tmp_path)
    with pytest.raises(dc.NotFoundError, match=r"There is no folder .*missing for datom\.toml"):
        settings.save(tmp_path / "missing" / "datom.toml")


def test_a_file_with_a_register_alone_names_no_project(tmp_path: Path) -> None:
    file = tmp_path / "datom.toml"
    file.write_text(REGISTER)
    with pytest.raises(dc.NotFoundError, match="names a register and no project"):
        find(tmp_path).open_reader()
    assert find(tmp_path, "S1").project == "S1"


def test_a_file_with_a_register_alone_is_written_anew_when_that_is_reached_in_another_way(tmp_path: Path) -> None:
    file = tmp_path / "datom.toml"
    file.write_text(REGISTER)
    register = dc.RegisterSettings(dc.StorageSettings(path="register"), remote="h.git", folder=tmp_path)
    kept = dc.ProjectSettings(register=register, folder=tmp_path).save(file)
    assert (kept, kept.register) == (dc.ProjectSettings.from_file(file), register)


def test_a_file_that_is_not_asked_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "datom.toml").write_text("this is no TOML")
    (tmp_path / "elsewhere").mkdir()
    found = dc.find_settings("elsewhere", folder=tmp_path, environment={})
    assert found.storage == dc.StorageSettings(path="elsewhere")
    with pytest.raises(dc.InvalidInputError, match="cannot be read"):
        dc.find_settings(folder=tmp_path, environment={})
