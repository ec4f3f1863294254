"""One question to git tells a file that is not there from one that the clone has lost."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import datom_core as dc
from datom_core.git.repo import GitRepo
from datom_core.git.trees import Question
from datom_core.publishing.loading import load_state


def git(*args: str, cwd: Path, stdin: bytes | None = None) -> str:
    run = subprocess.run(["git", *args], cwd=cwd, input=stdin, capture_output=True, check=True)
    return run.stdout.decode().strip()


FILES = {
    "project.yaml": b"a",
    "dm/metadata.json": b"b",
    "dm/deep/er/x.json": b"",
    "plain": b"c",
    "ü/x": b"\0" * 3,
}
PATHS = [*FILES, "dm", "dm/none", "none/none", "plain/x", "dm/deep/none/x", "link", "sub", "sub/x"]


@pytest.fixture(params=["sha1", "sha256"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A repository with folders, a link and a submodule."""
    work = tmp_path / "work"
    work.mkdir()
    git("init", "-q", "--initial-branch=main", f"--object-format={request.param}", cwd=work)
    for path, data in FILES.items():
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_bytes(data)
    (work / "link").symlink_to("project.yaml")
    git("add", "-A", cwd=work)
    size = 40 if request.param == "sha1" else 64
    git("update-index", "--add", "--cacheinfo", f"160000,{'1' * size},sub", cwd=work)
    git("commit", "-qm", "x", cwd=work)
    return work


def test_what_is_there_and_what_is_not(repository: Path) -> None:
    tip = git("rev-parse", "HEAD", cwd=repository)
    question = Question(tip, PATHS)
    contents: list[bytes | None] = []
    for name in question.objects:
        kind = subprocess.run(["git", "cat-file", "-t", name], cwd=repository, capture_output=True, text=True)
        shown = subprocess.run(
            ["git", "cat-file", kind.stdout.strip() or "blob", name], cwd=repository, capture_output=True
        )
        contents.append(shown.stdout if shown.returncode == 0 else None)
    found = question.answered(contents)
    assert found.files == {**FILES, "link": b"project.yaml"}
    assert found.root_files == {"project.yaml", "plain", "link"}
    assert found.lost == []


def test_it_is_what_a_listing_says(project: dc.Project, tmp_path: Path) -> None:
    import pandas as pd

    project.cut("c1", {"dm": pd.DataFrame({"A": [1]}), "ae": pd.DataFrame({"B": [1]})})
    repo = GitRepo(project.remote, cache_dir=tmp_path / "other")
    tip = repo.tip()
    assert tip is not None
    listed = repo.files(tip)
    found = repo.find_files(tip, [*listed, "none", "dm/none.json", "lb/metadata.json"])
    assert found.files.keys() == listed.keys()
    assert found.root_files == {path for path in listed if "/" not in path}


@pytest.mark.parametrize("what", ["dm/metadata.json", "dm", ""])
def test_what_the_clone_has_lost_is_not_taken_for_absent(project: dc.Project, tmp_path: Path, what: str) -> None:
    import pandas as pd

    project.write("dm", pd.DataFrame({"A": [1]}))
    repo = GitRepo(project.remote, cache_dir=tmp_path / "other")
    tip = repo.tip()
    assert tip is not None
    (clone,) = (tmp_path / "other").glob("*.git")
    loosen(clone)
    lost = git("rev-parse", f"{tip}:{what}" if what else f"{tip}^{{tree}}", cwd=clone)
    (clone / "objects" / lost[:2] / lost[2:]).unlink()
    # The clone is made again, and the answer is whole.
    assert repo.read(tip, ["dm/metadata.json", "lb/metadata.json"]).keys() == {"dm/metadata.json"}


def loosen(clone: Path) -> None:
    """Every object in a file of its own."""
    for pack in (clone / "objects" / "pack").glob("*.pack"):
        data = pack.read_bytes()
        for file in (clone / "objects" / "pack").glob(f"{pack.stem}.*"):
            file.unlink()
        git("unpack-objects", "-q", cwd=clone, stdin=data)


def test_threads_that_look_at_different_commits(project: dc.Project, tmp_path: Path) -> None:
    import pandas as pd

    repo = GitRepo(project.remote, cache_dir=tmp_path / "other")
    expected = {}
    for n in (1, 2, 3):
        project.write(f"t{n}", pd.DataFrame({"A": [n]}))
        tip = repo.tip()
        assert tip is not None
        expected[tip] = {f"t{m}" for m in range(1, n + 1)}

    def look(commit: str) -> set[str]:
        state = load_state(repo, commit, ["t1", "t2", "t3"])
        assert state.root_files == repo.find_files(commit, ()).root_files
        return set(state.tables)

    commits = [*expected] * 8
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(look, commits)) == [expected[c] for c in commits]
