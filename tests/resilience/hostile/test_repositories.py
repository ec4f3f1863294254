"""A repository that means harm: whoever opens, reads or writes it runs nothing of it, and reads nothing outside."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pandas as pd
import pytest

import datom_core as dc

TRAP = "#!/bin/sh\ntouch {mark}\nexit 0\n"


def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"s{i}" for i in range(n)]})


def git(remote: Path, *args: str, stdin: bytes = b"") -> str:
    done = subprocess.run(["git", "-C", remote, *args], input=stdin, check=True, capture_output=True)
    return done.stdout.decode().strip()


def put(remote: Path, mode: str, path: str, data: bytes) -> None:
    """Put an entry of any kind on the branch: a file, a symbolic link, a submodule."""
    if mode == "160000":
        entry = f"M {mode} {'a' * 40} {path}\n".encode()
    else:
        entry = f"M {mode} inline {path}\ndata {len(data)}\n".encode() + data + b"\n"
    tip = git(remote, "rev-parse", "main")
    head = f"commit refs/heads/main\ncommitter x <x@example.org> 1772366400 +0000\ndata 1\nx\nfrom {tip}\n"
    git(remote, "fast-import", "--quiet", stdin=head.encode() + entry)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """What anything that runs would leave behind."""
    return tmp_path / "it-ran"


def use(store: dc.ObjectStore, remote: Path) -> None:
    """All that a writer does; what is refused is refused by name."""
    try:
        project = dc.Project.open(store, remote=remote)
        project.status()
        project.write("ex", frame(2), cut="c")
        project.validate("full")
        project.mirror()
    except dc.DatomError:
        pass


def test_neither_hooks_nor_filters_of_a_clone_run(
    project: dc.Project, store: dc.LocalStore, remote: Path, tmp_path: Path, mark: Path
) -> None:
    """Not even those that somebody puts into the cached clone, or declares in the repository."""
    project.write("dm", frame(1))
    attributes = b"* filter=trap diff=trap merge=trap text eol=crlf\n"
    put(remote, "100644", ".gitattributes", attributes)
    put(remote, "100644", ".gitmodules", b'[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "touch it-ran"\n')
    put(remote, "160000", "x", b"")
    (clone,) = (tmp_path / "cache" / "datom" / "git").glob("*.git")
    hooks = clone / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("pre-push", "post-checkout", "reference-transaction", "post-commit", "update", "pre-auto-gc"):
        (hooks / name).write_text(TRAP.format(mark=mark))
        (hooks / name).chmod(0o700)
    use(store, remote)
    assert not mark.exists()
    assert len(project.reader.read("ex")) == 2


@pytest.mark.parametrize("path", ["dm/metadata.json", ".datom/project.yaml", ".datom/manifest.json"])
def test_a_symbolic_link_is_not_followed(
    project: dc.Project, store: dc.LocalStore, remote: Path, tmp_path: Path, path: str
) -> None:
    """Its target's contents would otherwise get into storage, or be taken for a document."""
    project.write("dm", frame(1))
    secret = tmp_path / "secret.json"
    secret.write_text('{"planted": "planted-secret"}')
    put(remote, "120000", path, str(secret).encode())
    use(store, remote)
    objects = b"".join(bytes(store.get(o.key).data) for o in store.list())
    assert b"planted-secret" not in objects
    assert len(project.reader.read("dm")) == 1


@pytest.mark.parametrize(
    "name", ["-u", "--upload-pack=touch it-ran", "--", "-", "a..b", "a b", "@{-1}", "a:b", ":x", ""]
)
def test_a_branch_that_is_named_like_an_option(
    store: dc.LocalStore, remote: Path, project: dc.Project, name: str
) -> None:
    with pytest.raises(dc.InvalidInputError):
        dc.Project.open(store, remote=remote, branch=name)


def test_a_head_that_names_an_option(store: dc.LocalStore, remote: Path, project: dc.Project, tmp_path: Path) -> None:
    """What the remote says of its branch is no more trusted than what a user says."""
    (remote / "HEAD").write_text("ref: refs/heads/--upload-pack=touch it-ran\n")
    use(store, remote)
    assert not list(tmp_path.rglob("it-ran"))


@pytest.mark.parametrize(
    "url",
    ["ext::sh -c 'touch it-ran'", "--upload-pack=touch it-ran", "fd::17", "-", "ssh://-oProxyCommand=touch it-ran/x"],
)
def test_a_url_that_runs_something(
    store: dc.LocalStore, project: dc.Project, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(dc.DatomError):
        dc.Project.open(store, remote=url)
    assert not list(tmp_path.rglob("it-ran"))


@pytest.mark.parametrize("protocol", ["ext", "fd", "ftp"])
def test_protocols_that_a_redirection_might_ask_for(
    project: dc.Project,
    store: dc.LocalStore,
    remote: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    protocol: str,
) -> None:
    """Not even where the user's git would rewrite our URL into one of theirs."""
    config = tmp_path / "rewriting"
    config.write_text(f'[url "{protocol}::sh -c touch% it-ran "]\n\tinsteadOf = {remote}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(dc.DatomError):
        dc.Project.open(store, remote=remote).write("dm", frame(2))
    assert not list(tmp_path.rglob("it-ran"))


def test_a_register_that_points_elsewhere_gets_no_credentials_and_no_local_file(
    project: dc.Project, tmp_path: Path, store: dc.LocalStore
) -> None:
    """A reader goes where the register says; a folder that holds no such project is said to be none."""
    mirror = dc.LocalStore(tmp_path / "gov")
    dc.Governance.init(mirror, remote=tmp_path / "gov.git").attach(project)
    (key,) = [o.key for o in mirror.list() if o.key.endswith("ref.json")]
    found = mirror.get(key)
    root = store.location.root.encode()
    mirror.replace(key, bytes(found.data).replace(root, b"/etc"), found.etag)
    with pytest.raises(dc.DatomError):
        dc.ProjectReader.find("STUDY_001", governance=mirror).read("dm")


def test_what_is_made_is_for_its_owner(project: dc.Project, store: dc.LocalStore, tmp_path: Path) -> None:
    """No file may be written by others, whatever the umask; the cache may not even be looked at."""
    before = os.umask(0)
    try:
        dc.Project.open(store, remote=project.remote, cache_dir=tmp_path / "own").write("dm", frame(2), cut="c")
    finally:
        os.umask(before)
    made = Path(store.location.root).rglob("*")
    assert [str(p) for p in made if stat.S_IMODE(p.lstat().st_mode) & stat.S_IWOTH] == []
    # What git makes in a clone is behind the clone's own door.
    clones = [*(tmp_path / "own").glob("*.git"), tmp_path / "cache" / "datom" / "git"]
    assert len(clones) == 2
    assert [stat.S_IMODE(path.stat().st_mode) & 0o077 for path in clones] == [0, 0]
