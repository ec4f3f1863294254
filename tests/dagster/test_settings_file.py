"""A study whose place is in a settings file: the same file for the command and for Dagster."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

import datom_core as dc
from datom_dagster import DatomIOManager, DatomResource, GovernanceResource, datom_asset, datom_definitions

TEXT = """project = "STUDY_001"
remote = "history.git"
author = "Eli <eli@e.org>"

[storage]
path = "data"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The settings of a project that is there."""
    found = tmp_path / "datom.toml"
    found.write_text(TEXT)
    dc.ProjectSettings.from_file(found).init_project()
    return found


def test_an_asset_is_materialized_into_the_study_that_a_file_describes(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = DatomResource.from_file(file)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # as a worker is

    @datom_asset
    def dm() -> pd.DataFrame:
        return pd.DataFrame({"USUBJID": ["01-001"]})

    defs = datom_definitions(assets=[dm], resources={"io_manager": DatomIOManager(datom=study), "datom": study})
    with dg.instance_for_test() as instance:
        assert defs.resolve_implicit_global_asset_job_def().execute_in_process(instance=instance).success
    entry = dc.ProjectSettings.from_file(file).open_reader().history("dm")[0]
    assert str(entry.author) == "Eli <eli@e.org>"


def test_a_bucket_and_a_register_with_all_that_the_file_says(tmp_path: Path) -> None:
    file = tmp_path / "datom.toml"
    file.write_text("""project = "S"
remote = "https://github.com/acme/s"
token_keyring = "github"
branch = "dev"
compression = "zstd"
memo = false

[storage]
bucket = "study-001"
prefix = "raw"
region = "eu-central-1"
endpoint_url = "https://s3.example.org"
addressing = "path"
encryption = "aws:kms"
kms_key = "alias/study"
keyring = "study-001"
role_arn = "arn:aws:iam::111122223333:role/r"
role_external_id = "x"

[register]
remote = "governance.git"

[register.storage]
path = "register"
""")
    found, study = dc.ProjectSettings.from_file(file), DatomResource.from_file(file)
    assert found.storage is not None
    mine = {name: getattr(study.storage, name) for name in found.storage.to_mapping()}
    assert mine == found.storage.to_mapping()
    # What reaches the bucket is the same, too: one spelling for both.
    assert study.storage.credentials() == found.storage.credentials()  # type: ignore[union-attr]
    assert study.settings()["remote"] == dc.remote_at("https://github.com/acme/s", token_keyring="github")
    assert (study.branch, study.compression, study.memo) == ("dev", "zstd", False)
    assert study.governance is not None
    assert study.governance.remote == str(tmp_path / "governance.git")
    alone = GovernanceResource.from_file(file)
    assert alone.register().store.location == study.governance.register().store.location
    assert Path(alone.register().store.location.root) == tmp_path / "register"


def test_mistakes_in_the_file_are_told_when_the_code_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "datom.toml"
    with pytest.raises(dc.NotFoundError, match="There is no file"):
        DatomResource.from_file(file)
    file.write_text("[storage]\npath = 'data'\n")
    with pytest.raises(dc.InvalidInputError, match="does not name the project"):
        DatomResource.from_file(file)
    with pytest.raises(dc.InvalidInputError, match="names no register"):
        GovernanceResource.from_file(file)
    file.write_text("projct = 'S'\n[storage]\npath = 'data'\n")
    with pytest.raises(dc.InvalidInputError, match="did you mean 'project'"):
        DatomResource.from_file(file)
