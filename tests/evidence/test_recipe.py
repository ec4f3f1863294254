"""The recipe needs no more than it says, passes on a true bag, and names every file with which something is wrong."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import datom_core as dc
from tests.evidence.conftest import Made
from tests.evidence.making import CUT, RECIPE, Key, approve, commit, rehistoried, show, study, verify
from tests.long import LONG, long, sampled

pytestmark = pytest.mark.xdist_group("evidence")
PAGE = Path(__file__).parents[2] / "docs" / "evidence.md"
MALLORY = dc.Author("Mallory", "mallory@example.org")
#: What is flipped, and how often of 200: by the beginning of the path in the bag.
CATEGORIES = {
    "payloads": (r"data/datom/[^.].*\.parquet", 25),
    "documents of storage": (r"data/datom/.*\.json", 25),
    "documents of git": (r"data/git/.*", 25),
    "history with its signatures": (r"data/history\.bundle", 40),
    "texts of ids": (r"data/ids/.*", 15),
    "approvals": (r"data/approvals.*", 15),
    "lists": (r"data/(state|audit|unproven)\.tsv", 10),
    "copies, changes, crate": (r"data/(copies|changes)/.*|data/ro-crate.*", 10),
    "manifests and seal": (r"(tag)?manifest-sha256\.txt(\.sig)?", 25),
    "page, reader, other tag files": (r"index\.html|README\.txt|reader\.py|verify\.sh|bag.*\.txt", 10),
}


def reseal(bag: Path) -> None:
    """Make the manifests fit what is there, as a forger does; the seal he cannot make."""
    files = sorted(p.relative_to(bag).as_posix() for p in bag.rglob("*") if p.is_file())
    for name, payload in (("manifest-sha256.txt", True), ("tagmanifest-sha256.txt", False)):
        chosen = [f for f in files if f.startswith("data/") == payload and not f.startswith("tagmanifest")]
        lines = (f"{sha256((bag / f).read_bytes()).hexdigest()}  {f}\n" for f in chosen)
        (bag / name).write_text("".join(lines))


def unsealed(bag: Path) -> None:
    (bag / "tagmanifest-sha256.txt.sig").unlink()
    info = bag / "bag-info.txt"
    info.write_text(re.sub("Datom-Seal.*\n", "", info.read_text()))


def test_it_passes_with_nothing_but_its_tools(made: Made) -> None:
    checked = verify(made.machine, Path(made.bag), own=True)
    assert (checked.code, checked.failures, checked.err) == (0, [], "")
    assert len(re.findall("^OK ", checked.out, re.M)) == 11
    assert f"SHA-256 of tagmanifest-sha256.txt: {made.bag.digest}" in checked.out
    assert "approval: approved" in checked.out
    assert made.key.fingerprint in checked.out
    assert set(os.listdir(made.machine["PATH"])) >= {"sha256sum", "git", "ssh-keygen", "sh", "comm"}
    assert not set(os.listdir(made.machine["PATH"])) & {"grep", "sed", "awk", "find", "python3", "jq", "unzip", "diff"}


@long
def test_it_passes_in_other_shells(made: Made) -> None:
    for shell in ("bash", "busybox"):
        words = [shell, *(["sh"] if shell == "busybox" else ["--posix"]), str(Path(made.bag) / "verify.sh")]
        try:
            ran = subprocess.run(words, env=made.machine | {"PATH": os.environ["PATH"]}, capture_output=True, text=True)
        except FileNotFoundError:
            continue
        assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout


def test_the_carried_reader_proves_the_content(made: Made, copied: Path) -> None:
    def read(bag: Path) -> tuple[int, str]:
        ran = subprocess.run([sys.executable, bag / "reader.py", bag], capture_output=True, text=True)
        return ran.returncode, ran.stdout + ran.stderr

    (line,) = (copied / "data" / "state.tsv").read_text().splitlines()[1:]
    table, version, _, _, path, _ = line.split("\t")
    assert read(Path(made.bag)) == (0, f"OK   {path}\n")
    # Another table under the content's name, with all bytes recorded anew: only the content hash tells.
    pq.write_table(pa.table({"USUBJID": ["01-009"]}), copied / path)
    history = copied / "data" / "datom" / table / ".metadata" / "version_history.json"
    entries = json.loads(history.read_text())
    entries[0]["parquet_sha"] = sha256((copied / path).read_bytes()).hexdigest()
    history.write_text(json.dumps(entries))
    code, said = read(copied)
    assert (code, said) == (
        1,
        f"FAIL {path}: {table}@{version}: content of {table}@{version}: not what its name says\n",
    )


def flip(bag: Path, category: str, number: int) -> str:
    """Flip a bit somewhere in a file of the category; the file's name."""
    chance = random.Random(f"{category} {number}")
    every = sorted(p.relative_to(bag).as_posix() for p in bag.rglob("*") if p.is_file())
    chosen = [p for p in every if re.fullmatch(CATEGORIES[category][0], p)]
    path = bag / (name := chosen[number % len(chosen)])
    whole = bytearray(path.read_bytes())
    bit = chance.randrange(len(whole) * 8)
    whole[bit // 8] ^= 1 << bit % 8
    path.write_bytes(whole)
    return name


def test_each_flipped_bit_is_found_and_its_file_named(made: Made, copied: Path) -> None:
    """A bit in a file of each kind, all at once."""
    flipped = [flip(copied, category, number) for category in CATEGORIES for number in (1, 2)]
    checked = verify(made.machine, copied)
    assert checked.code == 1
    for name in flipped:
        assert any(f"FAIL {name}: " in line for line in checked.failures), (name, checked.out)


@long
def test_each_of_200_flipped_bits(made: Made, copied: Path) -> None:
    """One by one; the page has the table of what came of it."""
    first: Counter[tuple[str, str]] = Counter()
    for category, (_, count) in CATEGORIES.items():
        for number in range(count):
            name = flip(copied, category, number)
            checked = verify(made.machine, copied)
            assert checked.code == 1, (name, checked.out)
            assert any(name in line for line in checked.failures), (name, checked.out)
            flip(copied, category, number)  # back
            step = checked.out[: checked.out.index("\nFAIL")].rpartition("== ")[2].partition(".")[0]
            first[category, step] += 1
    assert sum(first.values()) == 200
    assert verify(made.machine, copied).code == 0
    for category, (_, count) in CATEGORIES.items():
        steps = ", ".join(f"{n} by step {s}" for (c, s), n in sorted(first.items()) if c == category)
        assert f"| {category} | {count} | {steps} |" in PAGE.read_text(), (category, count, steps)


def test_files_removed_added_swapped_or_linked(made: Made, copied: Path) -> None:
    expected = []
    payload = next((copied / "data" / "datom").glob("*/*.parquet"))
    payload.symlink_to(payload.rename(copied.parent / "aside"))
    expected.append(f"FAIL {payload.relative_to(copied).as_posix()}: is a link, not a file")
    (copied / "data" / "git" / ".datom" / "project.yaml").unlink()
    expected.append("FAIL data/git/.datom/project.yaml: is in a manifest, and not there; it was removed")
    for added in ("data/datom/dm/more.parquet", ".hidden", "data/..odd"):
        (copied / added).write_text("x")
        expected.append(f"FAIL {added}: is in no manifest; it was added")
    one, other = sorted((copied / "data" / "ids" / "dm").iterdir())
    texts = one.read_bytes(), other.read_bytes()
    one.write_bytes(texts[1])
    other.write_bytes(texts[0])
    for path in (one, other):
        named = path.relative_to(copied).as_posix()
        expected.append(f"FAIL {named}: is not what manifest-sha256.txt says")
        expected.append(f"FAIL {named}: its SHA-256 is not the version id that it is named after")
    checked = verify(made.machine, copied)
    assert checked.code == 1
    assert [line for line in expected if line not in checked.failures] == []


def edited(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


@pytest.mark.parametrize("what", sampled(["data", "version", "cut", "document", "approval", "seal", "signer list"], 4))
def test_manifests_made_anew_hide_nothing_that_the_rest_tells(made: Made, copied: Path, what: str) -> None:
    state = copied / "data" / "state.tsv"
    table, version, _, payload, path, _ = state.read_text().splitlines()[1].split("\t")
    if what == "data":
        (copied / path).write_bytes(b"PAR1")
        edited(state, payload, sha256(b"PAR1").hexdigest())
        named = "another content or payload"
    elif what == "version":
        other = next(p.name for p in (copied / "data" / "ids" / table).iterdir() if p.name != version)
        edited(state, version, other)
        named = "does not name the content"
    elif what == "cut":
        state.write_text(state.read_text().rpartition("\t")[0] + "\t2026-01\n")
        named = "the cut 2026-01 stands for other versions in .datom/cuts.json"
    elif what == "document":
        edited(copied / "data" / "git" / table / "version_history.json", "Age", "Sex")
        named = f"data/git/{table}/version_history.json: is not the document of commit"
    elif what == "approval":
        edited(copied / "data" / "approvals.tsv", "approved", "locked")
        named = 'does not say "meaning":"locked"'
    elif what == "signer list":
        (copied / "data" / "git" / ".datom" / "allowed_signers").unlink()
        named = "data/git/.datom/allowed_signers: is not the document of commit"
    if what == "seal":
        (copied / "tagmanifest-sha256.txt.sig").unlink()
        named = "tagmanifest-sha256.txt.sig: is not there, and bag-info.txt says that the bag is sealed"
    else:
        unsealed(copied)
    reseal(copied)
    checked = verify(made.machine, copied)
    assert checked.code == 1
    assert any(named in line for line in checked.failures), checked.out


def test_a_forgery_signed_by_a_key_that_is_not_allowed(made: Made, tmp_path: Path) -> None:
    """History and data made up, signed by a key of the forger's own, and the bag made by this software itself."""
    forger = Key.made(tmp_path / "keys", MALLORY)
    forged = study(tmp_path / "forged", key=forger, listed=made.key, age=99).evidence(tmp_path / "one", cut=CUT)
    checked = verify(made.machine, Path(forged))
    assert checked.code == 1
    assert any("is not signed by a key that is allowed" in line for line in checked.failures)
    # Who also makes up the list of signers is found by whoever has a list of his own.
    own = study(tmp_path / "own", key=forger, age=99).evidence(tmp_path / "two", cut=CUT)
    checked = verify(made.machine, Path(own))
    assert checked.code == 0
    assert "Compare" in checked.out
    assert forger.fingerprint in checked.out
    known = tmp_path / "signers"
    known.write_text(made.key.line)
    assert verify(made.machine, Path(made.bag), "--signers", known).code == 0
    checked = verify(made.machine, Path(own), "--signers", known)
    assert checked.code == 1
    assert any("is not signed by a key that is allowed" in line for line in checked.failures)
    if not LONG:
        return
    # And so is who signs nothing at all.
    plain = study(tmp_path / "plain", age=99).evidence(tmp_path / "three", cut=CUT)
    assert verify(made.machine, Path(plain)).code == 0
    checked = verify(made.machine, Path(plain), "--signers", known)
    assert [line for line in checked.failures if "no commit is signed by a key of the list that was given" in line]


def test_what_comes_after_the_last_signature(made: Made, tmp_path: Path) -> None:
    """Commits without a signature may say anything, but not take back what was signed, or say who may sign."""
    project = study(tmp_path / "study", key=made.key)
    remote, known = tmp_path / "study" / "history.git", tmp_path / "signers"
    known.write_text(made.key.line)
    before = json.loads(show(remote, ".datom/cuts.json"))["approvals"][0]["id"]
    id_ = approve(remote, CUT, made.key, kind="withdrawal", reason="A query came", withdraws=before)
    project.mirror()
    if LONG:
        said = verify(made.machine, Path(project.evidence(tmp_path / "withdrawn", cut=CUT)))
        assert said.code == 0, said.out
        assert "     withdrawal: approved" in said.out
    # Somebody who may not sign takes the record out again, and allows himself to.
    document = json.loads(show(remote, ".datom/cuts.json"))
    document["approvals"] = [record for record in document["approvals"] if record["id"] != id_]
    text = json.dumps(document, indent=2, ensure_ascii=False).replace("</", "<\\/") + "\n"
    mallory = Key.made(tmp_path / "keys", MALLORY)
    lines = (made.key.line + mallory.line).encode()
    sha = commit(remote, {".datom/cuts.json": text.encode(), ".datom/allowed_signers": lines}, "Tidy", mallory)
    project.mirror()
    said = verify(made.machine, Path(project.evidence(tmp_path / "erased", cut=CUT)))
    first, *others = said.failures
    assert first.startswith(f"FAIL data/history.bundle: commit {sha} is not signed by a key that is allowed: Good")
    assert others == [
        f"FAIL data/history.bundle: commit {sha} changes .datom/allowed_signers, and no allowed key signed it",
        f"FAIL data/approvals.tsv: lacks {id_}, which a signed commit brought; records are withdrawn, never erased",
    ]
    # A version that came after the last signature.
    project.cut(CUT, {"dm": pa.table({"USUBJID": ["01-001"]})}, message="Unsigned")
    late = project.evidence(tmp_path / "late", cut=CUT)
    assert any(
        "stands for other versions in" in x for x in verify(made.machine, Path(late), "--signers", known).failures
    )


GRACE = dc.Author("Grace Hopper", "grace@example.org")


@pytest.fixture
def forging(copied: Path, tmp_path: Path) -> Path:
    """The history of a bag that is not sealed, to go on with."""
    unsealed(copied)
    subprocess.run(["git", "clone", "-q", "--bare", copied / "data" / "history.bundle", tmp_path / "f.git"], check=True)
    return tmp_path / "f.git"


def test_what_whoever_may_push_or_sign_might_forge(made: Made, copied: Path, forging: Path, tmp_path: Path) -> None:
    """All at once: each is named by itself."""
    remote, expected, grace = forging, [], Key.made(tmp_path / "keys", GRACE)

    def recorded(document: dict[str, object]) -> bytes:
        return (json.dumps(document, indent=2, ensure_ascii=False).replace("</", "<\\/") + "\n").encode()

    commit(remote, {".datom/allowed_signers": (made.key.line + grace.line).encode()}, "Grace may sign", made.key)
    signer = {"name": GRACE.name, "email": GRACE.email, "key": made.key.fingerprint}
    approve(remote, CUT, made.key, signer=signer)
    expected.append(f"is signed by somebody else than {GRACE.email}: Good")
    lock = approve(remote, CUT, grace, meaning="locked")
    early = commit(remote, {}, "Said to be done before", grace, at=1767300000)
    expected.append(f"commit {early} says that it was made more than five minutes before its parent")
    document = json.loads(show(remote, ".datom/cuts.json"))
    document["approvals"][-1]["versions"] = {"ae (all)": "0" * 64}
    expected.append(f"does not say of {document['approvals'][-1]['id']} what commit")
    moves = document["cuts"][CUT]["tables"]["dm"]
    moves.insert(0, moves[0] | {"version": document["cuts"]["2026-01"]["tables"]["dm"][0]["version"]})
    commit(remote, {".datom/cuts.json": recorded(document)}, "Moved")
    expected.append(f"is locked, by {lock}, and not for all of these versions")
    for words in (["update-ref", "refs/heads/beef", early], ["symbolic-ref", "HEAD", "refs/heads/main"]):
        subprocess.run(["git", f"--git-dir={remote}", *words], check=True)
    expected.append(f"refs/heads/beef is at {early}, beside the branch")
    rehistoried(copied, remote, "refs/heads/beef")
    (copied / "data" / "datom" / ".metadata" / "cuts.json").write_text("{}")
    expected.append("data/datom/.metadata/cuts.json: is not data/git/.datom/cuts.json")
    state = copied / "data" / "state.tsv"
    edited(state, document["cuts"][CUT]["tables"]["dm"][1]["version"], moves[0]["version"])
    reseal(copied)
    checked = verify(made.machine, copied)
    assert [what for what in expected if not any(what in line for line in checked.failures)] == [], checked.out


def test_another_root_brings_no_other_signers(made: Made, copied: Path, forging: Path, tmp_path: Path) -> None:
    """Merged as the first parent, it would be whose list counts from there on."""
    mallory = Key.made(tmp_path / "keys", MALLORY)
    study(tmp_path / "other", key=mallory)
    subprocess.run(
        ["git", f"--git-dir={forging}", "fetch", "-q", tmp_path / "other" / "history.git", "main:o"], check=True
    )
    commit(forging, {".datom/allowed_signers": mallory.line.encode()}, "Merge", mallory, onto="refs/heads/o")
    commit(forging, {}, "Final", mallory)
    rehistoried(copied, forging)
    reseal(copied)
    said = "\n".join(verify(made.machine, copied).failures)
    assert ".datom/allowed_signers once more" in said
    assert "beside a change of .datom/allowed_signers, on another branch" in said


def test_the_page_has_the_hash_of_the_recipe() -> None:
    told = re.findall(r"<!-- verify.sh -->\n```text\n([0-9a-f]{64})\n```", PAGE.read_text())
    assert told == [sha256(RECIPE.read_bytes()).hexdigest()]


def test_usage(made: Made, tmp_path: Path) -> None:
    assert verify(made.machine, Path(made.bag), "--signers", tmp_path / "none").code == 2
    (tmp_path / "empty").touch()  # it is not the same as no list
    assert verify(made.machine, Path(made.bag), "--signers", tmp_path / "empty").code == 2
    assert verify(made.machine, Path(made.bag), "--nonsense").code == 2
    assert verify(made.machine, tmp_path / "nothing").code == 2
