"""What is read from a repository's files is what ``git ls-remote`` says of it, and all that is odd is left to git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import datom_core as dc
from datom_core.git import branches
from datom_core.git.local_refs import local_tips
from datom_core.git.remote import Remote


def git(folder: Path, *args: str) -> str:
    return subprocess.run(["git", "-C", folder, *args], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Bare, with two branches, of which HEAD names one."""
    folder = tmp_path / "it.git"
    subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", folder], check=True)
    tree = git(folder, "mktree", "--missing")
    for branch in ("main", "of/two-parts"):
        commit = git(folder, "commit-tree", tree, "-m", branch)
        git(folder, "update-ref", f"refs/heads/{branch}", commit)
    return folder


def said(folder: Path) -> tuple[str | None, dict[str, str]] | str:
    """The program's answer, or the kind of its error."""
    try:
        found = branches._ask(Remote(str(folder)), "HEAD", "refs/heads/*")
    except dc.DatomError as error:
        return type(error).__name__
    head = found.head if found.head in found.tips else None
    return head, found.tips


def write(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


def append(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text((folder / name).read_text() + text)


PLAIN: dict[str, Callable[[Path], object]] = {
    "as it is made": lambda folder: None,
    "HEAD names no branch": lambda folder: git(folder, "symbolic-ref", "HEAD", "refs/heads/unborn"),
    "HEAD names the other": lambda folder: git(folder, "symbolic-ref", "HEAD", "refs/heads/of/two-parts"),
    "no branch": lambda folder: [git(folder, "update-ref", "-d", f"refs/heads/{b}") for b in ("main", "of/two-parts")],
    "a tag": lambda folder: git(folder, "tag", "of/main", "main"),
    "a push under way": write("refs/heads/main.lock", ""),
    "pushes of any kind": lambda folder: git(folder, "config", "receive.denyNonFastForwards", "true"),
    "a remote of its own": lambda folder: git(folder, "remote", "add", "origin", "https://example.org/x.git"),
}
ODD: dict[str, Callable[[Path], object]] = {
    "packed refs": lambda folder: git(folder, "pack-refs", "--all"),
    "packed objects": lambda folder: git(folder, "repack", "-adq"),
    "HEAD names a commit": lambda folder: write("HEAD", git(folder, "rev-parse", "main") + "\n")(folder),
    "a branch that names another": write("refs/heads/alias", "ref: refs/heads/main\n"),
    "a branch by a link": lambda folder: (folder / "refs/heads/alias").symlink_to("refs/heads/main"),
    "a folder of branches by a link": lambda folder: (folder / "refs/heads/alias").symlink_to("of"),
    "HEAD is a link": lambda folder: [(folder / "HEAD").unlink(), (folder / "HEAD").symlink_to("refs/heads/main")],
    "a branch without its commit": write("refs/heads/main", "1" * 40 + "\n"),
    "a branch that is cut short": write("refs/heads/main", "1" * 20),
    "an empty branch": write("refs/heads/main", ""),
    "HEAD is empty": write("HEAD", ""),
    "no HEAD": lambda folder: (folder / "HEAD").unlink(),
    "no refs": lambda folder: (folder / "refs").rename(folder / "away"),
    "no objects": lambda folder: (folder / "objects").rename(folder / "away"),
    "no configuration": lambda folder: (folder / "config").unlink(),
    "not there": lambda folder: folder.rename(folder.with_name("away")),
    "hidden branches": lambda folder: git(folder, "config", "uploadpack.hideRefs", "refs/heads/of"),
    "hidden from all": lambda folder: git(folder, "config", "transfer.hideRefs", "refs/heads/main"),
    "configuration elsewhere": lambda folder: git(folder, "config", "include.path", "more"),
    "configuration that git cannot read": append("config", "[core\n"),
    "a value that git cannot read": append("config", "[core]\n\tbare = perhaps\n"),
    "another format": lambda folder: git(folder, "config", "core.repositoryFormatVersion", "7"),
    "an extension": append("config", "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tnoneOfThese = true\n"),
    "a repository inside": lambda folder: git(folder, "init", "-q", "--initial-branch=other"),
    "a name in another script": lambda folder: git(folder, "update-ref", "refs/heads/zwölf", "main"),
    "a work tree's": lambda folder: (folder / "commondir").write_text(".\n"),
}


@pytest.mark.parametrize("state", [*PLAIN, *ODD])
def test_it_is_what_git_says(repository: Path, state: str) -> None:
    ({**PLAIN, **ODD}[state])(repository)
    found, expected = local_tips(str(repository)), said(repository)
    assert found == (expected if state in PLAIN else None)
    for branch in ("main", "of/two-parts", "of", "main/x", "unborn"):
        one = local_tips(str(repository), branch)
        assert one is None or (isinstance(expected, tuple) and one[1].get(branch) == expected[1].get(branch)), branch
        assert one is not None or state in ODD or branch in ("of", "main/x")


@pytest.mark.parametrize(
    "text",
    [
        '[url "{other}"]\n\tinsteadOf = {it}\n',
        "[transfer]\n\thideRefs = refs/heads/main\n",
        "[uploadpack]\n\thideRefs = refs/heads/main\n",
        "[include]\n\tpath = {it}/other.config\n",
        "[broken\n",
        '[user]\n\tname = "half\n',
    ],
)
def test_configuration_of_the_user_that_says_more_is_left_to_git(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    named = Path(os.environ["GIT_CONFIG_GLOBAL"])
    before = named.read_text()
    for place in (named, tmp_path / "home" / ".gitconfig", tmp_path / "home" / ".config" / "git" / "config"):
        assert local_tips(str(repository)) is not None
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(before + text.format(other=tmp_path / "other.git", it=repository))
        assert local_tips(str(repository)) is None
        place.write_text(before)
        monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
        monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
        monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("where", ["system", "environment", "another owner", "relative", "url"])
def test_so_is_all_else(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    url = str(repository)
    if where == "system":
        (tmp_path / "system").write_text(f'[url "x"]\n\tinsteadOf = {url}\n')
        monkeypatch.delenv("GIT_CONFIG_NOSYSTEM")
        monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(tmp_path / "system"))
    elif where == "environment":
        monkeypatch.setenv("GIT_CONFIG_COUNT", "0")
    elif where == "another owner":
        monkeypatch.setattr(os, "geteuid", lambda: repository.stat().st_uid + 1)
    elif where == "relative":
        url = os.path.relpath(url)
    else:
        url = f"file://{url}"
    assert local_tips(url) is None


@pytest.mark.parametrize("text", ["", "[user]\n\tname = X\n"])
def test_a_machines_own_configuration_is_read(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.delenv("GIT_CONFIG_NOSYSTEM")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(tmp_path / "system"))
    if text:
        (tmp_path / "system").write_text(text)
    assert local_tips(str(repository)) == said(repository)


def test_refs_that_are_packed_meanwhile_are_not_missed(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """git writes the packed refs, then removes the files: what is no more in a file may be there."""
    from datom_core.git import local_refs

    tip, real = git(repository, "rev-parse", "main"), local_refs._tip
    monkeypatch.setattr(local_refs, "_tip", lambda *args: (git(repository, "pack-refs", "--all"), real(*args))[1])
    assert local_tips(str(repository), "main") is None
    assert branches.tip_of(Remote(str(repository)), "main") == tip
