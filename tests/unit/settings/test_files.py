"""What a settings file may say, and that nothing in it is ever taken for something else, or shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import datom_core as dc

FOLDER = '[storage]\npath = "data"\n'
BUCKET = '[storage]\nbucket = "study-001"\n'
#: Made up, in the shapes of the real ones.
TOKEN, ACCESS_KEY, SECRET_KEY = "ghp_" + "a1B2" * 9, "AKIA" + "ABCD2345" * 2, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKE1"


def read(tmp_path: Path, text: str | bytes) -> dc.ProjectSettings:
    file = tmp_path / "datom.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return dc.ProjectSettings.from_file(file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("projct = 'S'\n" + FOLDER, "there is no 'projct' (did you mean 'project'?)"),
        ("zzz = 'S'\n" + FOLDER, "there is no 'zzz'; it may have project"),
        ("folder = '/x'\n" + FOLDER, "there is no 'folder'"),
        ("file = '/x'\n" + FOLDER, "there is no 'file'"),
        ("project = 1\n" + FOLDER, "project is a text"),
        ("memo = 'yes'\n" + FOLDER, "memo is true or false"),
        ("memo = 1\n" + FOLDER, "memo is true or false"),
        ("project = 'a/b'\n" + FOLDER, "a/b"),
        ("project = ''\n" + FOLDER, "project is empty"),
        ("compression = 'gzip'\n" + FOLDER, "compression is one of"),
        ("remote = 'ext::sh'\n" + FOLDER, "transport helper"),
        ('remote = "a\\u0000b"\n' + FOLDER, "remote is empty, or holds a control character"),
        ("token_env = 'A B'\nremote = 'https://h/x'\n" + FOLDER, "token_env is the name of an environment variable"),
        ("token_env = 'A'\ntoken_keyring = 'b'\n" + FOLDER, "token_env and token_keyring exclude each other"),
        ("token_env = 'A'\nremote = 'x.git'\n" + FOLDER, "A token is of no use for a remote that is a path"),
        ("project = 'S'", "Say where the project is"),
        ("storage = 'data'", "[storage] is a table: begin it with [storage]"),
        ("storage = ''", "[storage] is a table"),
        ("storage = false", "[storage] is a table"),
        ("storage = []", "[storage] is a table"),
        ("register = 0\n" + FOLDER, "[register] is a table"),
        ("[storage]", "Storage is a folder (path) or a bucket"),
        ("[register]\nremote = 'x.git'\n" + FOLDER, "[register] storage: Storage is a folder (path) or a bucket"),
        ("[register]\nstorage = 'x'\n" + FOLDER, "[register] storage is a table"),
        ("[register]\nmemo = true\nstorage.path = 'x'", "[register]: there is no 'memo'"),
        (FOLDER + "bucket = 'b'", "Storage is a folder (path) or a bucket"),
        (FOLDER + "profile = 'p'\nregion = 'eu-west-1'", "A folder has no region, profile"),
        ("[storage]\npath = ''", "path is empty"),
        (BUCKET + "access_key_env = 'A'", "access_key_env needs secret_key_env"),
        (BUCKET + "session_token_env = 'A'", "session_token_env needs access_key_env"),
        (BUCKET + "role_external_id = 'A'", "role_external_id needs role_arn"),
        (BUCKET + "endpoint_url = 'http://k:hunter2@h'", "endpoint_url carries credentials"),
        (BUCKET + "prefx = 'a'", "[storage]: there is no 'prefx' (did you mean 'prefix'?)"),
    ],
)
def test_what_does_not_belong_there_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(dc.InvalidInputError) as caught:
        read(tmp_path, text)
    assert said in str(caught.value)
    assert str(tmp_path / "datom.toml") in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_everything_wrong_with_a_table_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(
        dc.InvalidInputError, match=r"there is no 'a'.*there is no 'b'.*memo is true or false"
    ) as caught:
        read(tmp_path, "a = 1\nb = 2\nmemo = 3\n" + FOLDER)
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (BUCKET + f"secret_key = '{SECRET_KEY}'", "secret_key"),
        (BUCKET + f"aws_secret_access_key = '{SECRET_KEY}'", "aws_secret_access_key"),
        (f"token = '{TOKEN}'\n" + FOLDER, "token"),
        (f"password = '{TOKEN}'\n" + FOLDER, "password"),
        (f"token_env = '{TOKEN}'\n" + FOLDER, "token_env"),
        (f"token_keyring = '{TOKEN}'\n" + FOLDER, "token_keyring"),
        (f"author = '{TOKEN}'\n" + FOLDER, "author"),
        (f"remote = 'https://x:{TOKEN}@github.com/a/b'\n" + FOLDER, "remote"),
        ("remote = 'https://x:hunter2hunter2@example.org/a/b'\n" + FOLDER, "remote"),
        (f"[register]\nremote = 'https://x:{TOKEN}@h/a'\nstorage.path = 'r'", "remote"),
        (BUCKET + f"access_key_env = '{ACCESS_KEY}'\nsecret_key_env = 'B'", "access_key_env"),
        (BUCKET + f"access_key_env = 'A'\nsecret_key_env = '{SECRET_KEY}'", "secret_key_env"),
        (BUCKET + f"profile = '{SECRET_KEY}'", "profile"),
        (BUCKET + f"keyring = '{ACCESS_KEY}'", "keyring"),
    ],
)
def test_a_secret_in_a_file_is_refused_and_not_shown(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(dc.InvalidInputError) as caught:
        read(tmp_path, text)
    error: BaseException | None = caught.value
    assert key in str(error)
    while error is not None:
        told = f"{error} {error!r} {getattr(error, 'details', '')}"
        assert not [s for s in (TOKEN, ACCESS_KEY, SECRET_KEY, "hunter2") if s in told]
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"project = 'S'\n" * 10_000, "longer than 64 KiB"),
        (b"a = " + b"[" * 20_000 + b"]" * 20_000, "nested too deeply"),
        (b"a = " + b"{b = " * 9_000 + b"1" + b"}" * 9_000, ""),
        (b"a = " + b"9" * 5_000, "cannot be read"),
        (b"\xff\xfe project", "not UTF-8"),
        (b"project = 'S\n", "cannot be read"),
        (b"project = 'S'\nproject = 'T'\n", "cannot be read"),
        (b"\0", "cannot be read"),
    ],
)
def test_hostile_files_are_refused_in_a_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(dc.InvalidInputError) as caught:
        read(tmp_path, content)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 1_000


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(dc.InvalidInputError, match="is no file"):
            dc.ProjectSettings.from_file(tmp_path / name)
    with pytest.raises(dc.NotFoundError, match="There is no file"):
        dc.ProjectSettings.from_file(tmp_path / "x.toml")


def test_a_mark_of_utf_8_at_the_beginning_is_well(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbf" + b"project = 'S'\n" + FOLDER.encode()).project == "S"


EVERYTHING = """project = "STUDY 001 (a)"
remote = "https://github.com/acme/study-001"
branch = "dev"
author = "Ada <ada@example.org>"
token_env = "GITHUB_TOKEN"
github_api_url = "https://github.example.org/api/v3"
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
access_key_env = "STUDY_KEY"
secret_key_env = "STUDY_SECRET"
session_token_env = "STUDY_SESSION"
role_arn = "arn:aws:iam::111122223333:role/reader"
role_external_id = "x"

[register]
remote = "../governance.git"
branch = "main"
author = "Kim <kim@example.org>"

[register.storage]
path = "../register"
prefix = "acme"
"""


def test_a_file_is_written_as_it_was_read(tmp_path: Path) -> None:
    found = read(tmp_path, EVERYTHING)
    assert found.to_toml() == EVERYTHING
    for text in (
        "[storage]\npath = 'a'\n",
        BUCKET + "profile = 'p'",
        BUCKET + "keyring = 'k'",
        BUCKET + "ambient=true",
    ):
        one = read(tmp_path, text)
        assert read(tmp_path, one.to_toml()) == one


def test_relative_paths_are_meant_from_the_file_and_stay_relative_where_it_is_copied(tmp_path: Path) -> None:
    home = tmp_path / "a" / "b"
    home.mkdir(parents=True)
    (home / "datom.toml").write_text(
        'project = "S"\nremote = "../h.git"\n[storage]\npath = "data"\n'
        '[register]\nremote = "~/g.git"\nstorage.path = "r"\n'
    )
    found = dc.ProjectSettings.from_file(home / "datom.toml")
    assert found.storage is not None
    assert Path(found.storage.store(found.folder).location.root) == home / "data"
    (tmp_path / "c").mkdir()
    there = found.seen_from(tmp_path / "c")
    assert there.storage is not None
    assert there.register is not None
    assert there.storage.path == "../a/b/data"
    assert (there.remote, there.register.remote, there.register.storage.path) == (
        "../a/h.git",
        "~/g.git",
        "../a/b/r",
    )
    assert there.storage.store(there.folder).location == found.storage.store(found.folder).location
    assert there.seen_from(home).with_changes(file=found.file).to_toml() == found.to_toml()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "none are named"),
        ("profile = 'p'\nambient = true", "profile and ambient exclude each other"),
        ("keyring = 'p'\naccess_key_env = 'A'\nsecret_key_env = 'B'", "access_key_env and keyring exclude each other"),
        ("profile = 'p'\naddressing = 'round'", "addressing is one of auto, path, virtual"),
        ("profile = 'p'\nregion = 'Over There'", "cannot be a region"),
        ("profile = 'p'\nencryption = 'rot13'", "encryption is one of"),
    ],
)
def test_a_bucket_that_cannot_be_opened_says_why(tmp_path: Path, text: str, said: str) -> None:
    found = read(tmp_path, BUCKET + text)
    with pytest.raises(dc.InvalidInputError, match=said):
        found.store()


def test_credentials_are_named(tmp_path: Path) -> None:
    role = "\nrole_arn = 'arn:aws:iam::111122223333:role/r'\nrole_external_id = 'x'"
    for text, kind in [
        ("profile = 'p'", dc.ProfileCredentials),
        ("keyring = 'k'", dc.KeyringCredentials),
        ("ambient = true", dc.AmbientCredentials),
        ("access_key_env = 'A'\nsecret_key_env = 'B'", dc.EnvironmentCredentials),
    ]:
        for more, wanted in (("", kind), (role, dc.RoleCredentials)):
            storage = read(tmp_path, BUCKET + text + more).storage
            assert storage is not None
            assert isinstance(storage.credentials(), wanted)


def test_a_repository_has_its_token_by_name() -> None:
    url = "https://github.com/acme/study-001.git"
    assert dc.remote_at(url) == url
    found = dc.remote_at(url, token_env="STUDY_TOKEN")
    assert isinstance(found, dc.GitHubRepository)
    assert (found.full_name, found.token) == ("acme/study-001", dc.EnvironmentToken("STUDY_TOKEN"))
    elsewhere = dc.remote_at("https://git.example.org/a/b", token_keyring="study")
    assert elsewhere == dc.Remote("https://git.example.org/a/b", dc.KeyringToken("study"))
    assert not isinstance(elsewhere, dc.GitHubRepository)
    enterprise = dc.remote_at(
        "https://ghe.example.org/a/b", token_env="T", github_api_url="https://ghe.example.org/api/v3"
    )
    assert isinstance(enterprise, dc.GitHubRepository)
    assert dc.remote_at("h.git", folder=Path("/x")) == "/x/h.git"
    assert dc.remote_at("a/b:c.git", folder=Path("/x")) == "/x/a/b:c.git"
    assert dc.remote_at("git@example.org:a/b.git", folder=Path("/x")) == "git@example.org:a/b.git"
    with pytest.raises(dc.InvalidInputError, match="A token is of no use"):
        dc.remote_at("h.git", token_env="T")
    with pytest.raises(dc.InvalidInputError, match="A token is of no use"):
        dc.remote_at("h.git", token_keyring="k")
    with pytest.raises(dc.InvalidInputError, match="exclude each other"):
        dc.remote_at(url, token_env="T", token_keyring="k")


def test_the_key_that_signs_is_named_one_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("", "key = 'a'\nkey_env = 'B'", "from_git = false"):
        with pytest.raises(dc.InvalidInputError, match="one of key, key_env and from_git"):
            read(tmp_path, f"{FOLDER}[signing]\n{text}\n")
    found = read(tmp_path, f"{FOLDER}[signing]\nkey = 'keys/ada'\n")
    assert found.signing is not None
    assert found.signing.signing_key(found.folder).key == str(tmp_path / "keys/ada")
    assert read(tmp_path, found.to_toml()) == found
    named = read(tmp_path, f"{FOLDER}[signing]\nkey_env = 'STUDY_KEY'\n").signing
    assert named is not None
    with pytest.raises(dc.InvalidInputError, match="STUDY_KEY, which should hold the path of a key, is not set"):
        named.signing_key(None)
    monkeypatch.setenv("STUDY_KEY", "key::ssh-ed25519 AAAA")
    assert named.signing_key(None).key == "key::ssh-ed25519 AAAA"
