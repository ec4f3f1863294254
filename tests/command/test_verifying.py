"""What the verbs that check and mend a project say, and the exit code that a script goes by."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

import pytest

import datom_core as dc
from tests.command.conftest import Datom, Study


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks follow one another at once."""
    monkeypatch.setattr("datom_core.maintenance.validation._PAUSES", (0.0,))
    monkeypatch.setattr("datom_core.reading.verification._PAUSES", (0.0,))


def key_of(study: Study, table: str, *, earlier: bool = False) -> str:
    return f"{table}/{study.reader.history(table)[-1 if earlier else 0].data_sha}.parquet"


def flip(study: Study, key: str) -> None:
    data = bytearray(study.store.get(key).data)
    data[-9] ^= 1
    study.store.delete(key)
    study.store.create(key, bytes(data))


@pytest.mark.parametrize("words", [[], ["quick"], ["deep"], ["full"], ["--depth", "full"], ["full", "--storage-only"]])
def test_all_is_well(datom: Datom, in_shared_study: Study, words: list[str]) -> None:
    ran = datom("verify", *words, "--json")
    answer = ran.json()
    alone = "--storage-only" in words
    assert (ran.code, ran.err, answer["ok"], answer["problems"]) == (0, "", True, [])
    assert answer["depth"] == next((w for w in words if not w.startswith("-")), "quick")
    assert (answer["against"], answer["commit"] is None) == (("storage", True) if alone else ("git", False))
    assert (answer["tables"], answer["versions"]) == (2, 3)
    assert "Nothing is wrong." in datom("verify", *words).out


def test_without_a_remote_storage_proves_itself(datom: Datom, in_shared_study: Study) -> None:
    ran = datom("verify", "deep", "-p", in_shared_study.folder / "data", "--json")
    assert (ran.code, ran.json()["against"]) == (0, "storage")


def test_one_table_one_version_or_one_cut_is_proven_in_full(datom: Datom, study: Study) -> None:
    flip(study, key_of(study, "dm", earlier=True))
    old = study.reader.history("dm")[-1].version
    for words in (["dm"], ["dm@2026-01"], [f"dm@{old[:8]}"], ["@2026-01"], ["lb results (v2)", "dm@2026-01"]):
        ran = datom("verify", *words, "--json")
        answer = ran.json()
        assert (ran.code, answer["depth"], answer["against"]) == (5, "full", "storage"), words
        assert [(p["kind"], p["table"], p["version"]) for p in answer["problems"]] == [("altered", "dm", old)], words
    for words in (["lb results (v2)"], ["dm@2026-02"], ["@2026-02"], ["dm", "--depth", "deep"]):
        assert datom("verify", *words).code == 0, words


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["fulll"], 2, "'fulll' is no table, and no level. Did you mean 'full'?"),
        (["ex"], 3, "STUDY_001 has no table 'ex'."),
        (["dm@2026-09"], 3, "'2026-09' is no cut of STUDY_001"),
        (["--depth", "fast"], 2, "depth is one of quick, deep, full, not 'fast'."),
        (["dm@2026-01", "dm@2026-02"], 2, "One version of a table at a time: dm is named at two."),
        (["dm@"], 2, "'dm@' names nothing"),
    ],
)
def test_what_cannot_be_verified(datom: Datom, in_shared_study: Study, words: list[str], code: int, said: str) -> None:
    ran = datom("verify", *words)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err


def test_what_is_lost_or_altered_is_5_and_what_git_has_is_1(datom: Datom, study: Study) -> None:
    study.store.delete("dm/.metadata/version_history.json")
    ran = datom("verify", "--json")
    (problem,) = ran.json()["problems"]
    assert (ran.code, problem["kind"], problem["table"], problem["fixable"], problem["grave"]) == (
        1, "missing", "dm", True, False
    )  # fmt: skip
    assert "git can give 1 of these: datom validate --fix." in datom("verify").out
    alone = datom("verify", "--storage-only")
    assert alone.code == 5, "storage alone does not have it"
    assert "datom validate --fix puts it back" in alone.out
    key = key_of(study, "lb results (v2)")
    study.store.delete(key)
    ran = datom("verify", "deep", "--json")
    assert ran.code == 5
    assert {(p["kind"], p["key"]) for p in ran.json()["problems"]} == {
        ("missing", "dm/.metadata/version_history.json"),
        ("lost", key),
    }
    assert "Do not use what is lost, altered or forged before it is restored." in datom("verify", "deep").out


def test_validate_puts_back_what_git_has(datom: Datom, study: Study) -> None:
    history, store = "dm/.metadata/version_history.json", study.store
    store.delete(history)
    assert datom("validate").code == 1
    tried = datom("validate", "--fix", "--dry-run")
    assert (tried.code, store.head(history)) == (1, None)
    assert "--fix would put right 1 of these problems." in tried.err
    fixed = datom("validate", "deep", "--fix", "--json")
    answer = fixed.json()
    assert (fixed.code, answer["ok"], [p["key"] for p in answer["fixed"]]) == (0, True, [history])
    assert store.head(history) is not None
    assert "Nothing is wrong." in datom("validate", "full").out
    flip(study, key_of(study, "dm"))
    assert datom("validate", "full", "--fix").code == 5
    assert datom("validate", "all").code == 2


def test_a_project_that_is_only_read_cannot_be_validated(datom: Datom, in_shared_study: Study) -> None:
    ran = datom("validate", "-p", in_shared_study.folder / "data")
    assert ran.code == 2
    assert "Nothing says where the project's git repository is" in ran.err


def test_mirror_lists_what_it_put_back(datom: Datom, study: Study) -> None:
    lost = {"dm/.metadata/version_history.json", f"dm/.metadata/{study.reader.history('dm')[-1].version}.json"}
    for key in lost:
        study.store.delete(key)
    tried = datom("mirror", "--dry-run", "--json")
    assert (tried.code, set(tried.json()["written"]), tried.json()["dry_run"]) == (0, lost, True)
    assert study.store.head("dm/.metadata/version_history.json") is None
    done = datom("mirror", "--json")
    assert (done.code, set(done.json()["written"]), done.json()["waiting"]) == (0, lost, [])
    assert datom("mirror").out == "Storage has every document that git has.\n"
    study.store.delete(key_of(study, "dm"))
    waiting = datom("mirror")
    assert waiting.code == 1
    assert "dm: its data is not in storage; readers keep what they have." in waiting.out


@pytest.fixture
def set_back(study: Study) -> Callable[[], None]:
    """Sets the remote back by a commit, as a force-push does, and leaves no clone that has it."""

    def back() -> None:
        git = ["git", "-C", str(study.folder / "history.git")]
        branch = subprocess.run([*git, "symbolic-ref", "HEAD"], check=True, capture_output=True, text=True).stdout
        subprocess.run([*git, "update-ref", branch.strip(), f"{branch.strip()}~1"], check=True)
        shutil.rmtree(study.folder / "cache", ignore_errors=True)

    return back


def test_recover_records_again_what_git_has_lost(datom: Datom, study: Study, set_back: Callable[[], None]) -> None:
    assert datom("recover").out == "Git has lost no version.\n"
    set_back()
    assert datom("verify").code == 5
    told = datom("verify").out
    assert "Nothing is written until datom recover, or datom accept --reason." in told
    tried = datom("recover", "--dry-run", "--json")
    expected = {("dm", "Age of 01-002 corrected"), ("lb results (v2)", "Age of 01-002 corrected")}
    assert tried.code == 1
    assert {(v["table"], v["message"]) for v in tried.json()["versions"]} == expected
    assert datom("verify").code == 5
    done = datom("recover", "--author", "Eva <eva@example.org>", "--json")
    assert done.code == 0
    assert {(v["table"], v["message"]) for v in done.json()["versions"]} == expected
    assert datom("verify", "full").code == 0
    assert len(study.reader.history("dm")) == 2


def test_accept_gives_up_what_was_named_and_confirmed(datom: Datom, study: Study, set_back: Callable[[], None]) -> None:
    assert datom("accept", "--reason", "none").out == "Storage shows nothing that git does not have.\n"
    assert datom("accept").code == 2
    set_back()
    tried = datom("accept", "--reason", "Recorded into the wrong study", "--dry-run", "--json")
    assert (tried.code, tried.json()["commit"], tried.json()["cuts"]) == (1, None, ["2026-02"])
    asked = datom("accept", "--reason", "Recorded into the wrong study")
    assert (asked.code, asked.out) == (2, "")
    assert (
        "is given up: 2 versions, 1 cut, 0 review marks and 0 approvals. Give --confirm with the name 'STUDY_001'"
        in asked.err
    )
    assert "That is not the name" in datom("accept", "--reason", "why", "--confirm", "STUDY").err
    assert datom("accept", "--reason", "  ", "--confirm", "STUDY_001").code == 2
    assert len(study.reader.history("dm")) == 2
    done = datom("accept", "--reason", "Recorded into the wrong study", "--confirm", "STUDY_001", "--json")
    assert (done.code, {v["table"] for v in done.json()["versions"]}) == (0, {"dm", "lb results (v2)"})
    assert len(study.reader.history("dm")) == 1
    assert datom("verify", "deep").code == 0
    subject = subprocess.run(
        ["git", "-C", str(study.folder / "history.git"), "log", "-1", "--format=%s"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert subject.endswith("Recorded into the wrong study\n")


def test_a_readers_rights_are_enough_and_nothing_is_written(
    datom: Datom, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise dc.AccessDeniedError("only read")

    for method in ("create", "replace", "delete"):
        monkeypatch.setattr(dc.LocalStore, method, refused)
    monkeypatch.setenv("PATH", "")  # no git either
    assert datom("verify", "full", "--storage-only").code == 0
    assert datom("verify", "@2026-02").code == 0
    assert datom("diff", "2026-01", "2026-02").code == 1
