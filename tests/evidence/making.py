"""A study whose history is signed by hand, bags of it, and a machine that has nothing but what the recipe needs."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

import datom_core as dc
from datom_core.testing import Clock

#: What coreutils installs; of a machine that has fewer of them, those.
COREUTILS = (
    "arch b2sum base32 base64 basename basenc cat chcon chgrp chmod chown cksum comm cp csplit cut date dd df dir "
    "dircolors dirname du echo env expand expr factor false fmt fold groups head hostid id install join link ln "
    "logname ls md5sum mkdir mkfifo mknod mktemp mv nice nl nohup nproc numfmt od paste pathchk pinky pr printenv "
    "printf ptx pwd readlink realpath rm rmdir runcon seq sha1sum sha224sum sha256sum sha384sum sha512sum shred "
    "shuf sleep sort split stat stdbuf stty sum sync tac tail tee test timeout touch tr true truncate tsort tty "
    "uname unexpand uniq unlink users vdir wc who whoami yes"
).split()
RECIPE = Path(dc.__file__).parent / "evidence" / "carried" / "verify.sh"
ADA = dc.Author("Ada Lovelace", "ada@example.org")
_AT = 1767400000


def minimal_machine(folder: Path) -> dict[str, str]:
    """The environment of a machine that has coreutils, git, ssh-keygen and a shell, and nothing else in PATH."""
    folder.mkdir()
    for name in (*COREUTILS, "git", "ssh-keygen", "sh"):
        found = shutil.which(name)
        if found is not None:
            (folder / name).symlink_to(found)
    return {"PATH": str(folder), "HOME": "/nonexistent"}


@dataclass(frozen=True)
class Checked:
    """What the recipe said."""

    code: int
    out: str
    err: str

    @property
    def failures(self) -> list[str]:
        return [line for line in self.out.splitlines() if line.startswith("FAIL")]


def verify(machine: dict[str, str], bag: Path, *arguments: object, own: bool = False) -> Checked:
    """Run the recipe as every bag has it; or the one that lies in the bag."""
    recipe = bag / "verify.sh" if own else RECIPE
    words = ["sh", str(recipe), *map(str, arguments), *([] if own else [str(bag)])]
    ran = subprocess.run(words, env=machine, capture_output=True, text=True, errors="replace", cwd="/")
    return Checked(ran.returncode, ran.stdout, ran.stderr)


@dataclass(frozen=True)
class Key:
    """A key to sign with."""

    path: Path
    author: dc.Author

    @classmethod
    def made(cls, folder: Path, author: dc.Author = ADA) -> Key:
        folder.mkdir(exist_ok=True)
        path = folder / author.email
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
        subprocess.run(words, check=True)
        return cls(path, author)

    @property
    def line(self) -> str:
        """Of a list of allowed signers."""
        return f'{self.author.email} namespaces="git" {self.path.with_suffix(".org.pub").read_text()}'

    @property
    def fingerprint(self) -> str:
        said = subprocess.run(["ssh-keygen", "-lf", self.path], check=True, capture_output=True, text=True).stdout
        return said.split()[1]

    def seal(self, data: bytes) -> bytes:
        words = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(self.path), "-n", "datom-evidence"]
        return subprocess.run(words, input=data, check=True, capture_output=True).stdout


def commit(
    remote: Path, files: dict[str, bytes], message: str, key: Key | None = None, *, at: int = _AT, onto: str = ""
) -> str:
    """Put files on the branch in a commit, which the key signs; with ``onto`` a merge, whose first parent that is."""
    who = {f"GIT_{r}_{w}": v for r in ("AUTHOR", "COMMITTER") for w, v in (("DATE", f"{at} +0000"), *_names(key))}
    index = {"GIT_INDEX_FILE": str(remote / "by-hand"), "GIT_DIR": str(remote)}

    def git(*words: str, data: bytes = b"") -> str:
        ran = subprocess.run(["git", *words], input=data, check=True, capture_output=True, env=os.environ | who | index)
        return ran.stdout.decode().strip()

    git("read-tree", "refs/heads/main")
    for path, data in files.items():
        git("update-index", "--add", "--cacheinfo", f"100644,{git('hash-object', '-w', '--stdin', data=data)},{path}")
    sign = [] if key is None else ["-c", "gpg.format=ssh", "-c", f"user.signingkey={key.path}"]
    made = git(
        *sign,
        "commit-tree",
        *(["-S"] if key else []),
        *(["-p", onto] if onto else []),
        "-p",
        "refs/heads/main",
        git("write-tree"),
        data=message.encode(),
    )
    git("update-ref", "refs/heads/main", made)
    return made


def rehistoried(bag: Path, remote: Path, *more: str) -> None:
    """Make another history that of a bag, as a forger does: with more of its refs, and what is compared with it."""

    def git(*words: str) -> bytes:
        return subprocess.run(["git", f"--git-dir={remote}", *words], check=True, capture_output=True).stdout

    tip = git("rev-parse", "HEAD").decode().strip()
    git("bundle", "create", "-q", str(bag / "data" / "history.bundle"), "HEAD", "refs/heads/main", *more)
    info = bag / "bag-info.txt"
    info.write_text(re.sub("Datom-Commit: .*", f"Datom-Commit: {tip}", info.read_text()))
    for path in git("ls-tree", "-rz", "--name-only", tip).decode().split("\0"):
        if path.startswith(".datom/"):
            (bag / "data" / "git" / path).write_bytes(show(remote, path))
    cuts = bag / "data" / "git" / ".datom" / "cuts.json"
    (bag / "data" / "datom" / ".metadata" / "cuts.json").write_bytes(cuts.read_bytes())
    lines, records = (
        ["id\tkind\tcut\tmeaning\tsigner\tkey\trecorded_at\tcommit"],
        json.loads(cuts.read_text())["approvals"],
    )
    for record in records:
        by = git("log", "--format=%H", f"--grep=^Datom-Approval: {record['id']}", "--all").decode().split()[0]
        signer, text = record["signer"], _text(record)
        (bag / "data" / "approvals" / record["id"]).write_text(text)
        told = (
            record["id"],
            record["kind"],
            record["cut"].replace('"', '\\"').replace("</", "<\\/"),
            record["meaning"],
        )
        lines.append("\t".join((*told, signer["email"], signer["key"], record["recorded_at"], by)))
    (bag / "data" / "approvals.tsv").write_text("\n".join(lines) + "\n")


def _names(key: Key | None) -> tuple[tuple[str, str], tuple[str, str]]:
    author = ADA if key is None else key.author
    return ("NAME", author.name), ("EMAIL", author.email)


def show(remote: Path, path: str) -> bytes:
    words = ["git", f"--git-dir={remote}", "cat-file", "blob", f"refs/heads/main:{path}"]
    return subprocess.run(words, check=True, capture_output=True).stdout


def approve(remote: Path, cut: str, key: Key, *, at: int = _AT, **other: Any) -> str:
    """Record an approval as a signer does, or its withdrawal; its id."""
    document = json.loads(show(remote, ".datom/cuts.json"))
    held = {table: moves[0]["version"] for table, moves in document["cuts"][cut]["tables"].items()}
    signer = {"name": key.author.name, "email": key.author.email, "key": key.fingerprint}
    record = {"kind": "approval", "cut": cut, "meaning": "approved", "reason": "No open queries", "signer": signer}
    record |= {"recorded_at": "2026-01-03T00:26:40Z", "versions": held, **other}
    text = _text(record)
    id_ = hashlib.sha256(text.encode()).hexdigest()
    document["approvals"] = [{"id": id_, **record}, *document.get("approvals", [])]
    data = json.dumps(document, indent=2, ensure_ascii=False).replace("</", "<\\/") + "\n"
    commit(
        remote, {".datom/cuts.json": data.encode()}, f"Approved: {cut}\n\n{text}\n\nDatom-Approval: {id_}\n", key, at=at
    )
    return id_


def _text(record: dict[str, Any]) -> str:
    told = {key: value for key, value in record.items() if key != "id"}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), sort_keys=True).replace("</", "<\\/")


def study(folder: Path, *, key: Key | None = None, listed: Key | None = None, age: int = 63) -> dc.Project:
    """Two cuts of two tables; with a key, signed from then on, and the second cut approved.

    Args:
        folder: where all of it goes.
        key: signs.
        listed: whom the project's list of signers names; by default ``key``.
        age: of the first subject.
    """
    remote = folder / "history.git"
    store = dc.LocalStore(folder / "store")
    how: dict[str, Any] = {"author": ADA, "clock": Clock(), "cache_dir": folder / "cache"}
    project = dc.Project.init("STUDY_001", store, remote=remote, **how)
    dm = pa.table({"USUBJID": ["01-001", "01-002"], "AGE": [62, 71], "SEX": ["F", None]})
    ae = pa.table({"USUBJID": ["01-001"], "AETERM": ["Übelkeit"]})
    project.cut("2026-01", {"dm": dm, "ae (all)": ae}, message="First extract", custom={"ae (all)": {"source": "EDC"}})
    project.cut('2026-02 </b> "é"', {"dm": dm.set_column(1, "AGE", [[age, 71]])}, message="Age\tcorrected\nby site")
    if key is not None:
        lines = (listed or key).line
        commit(remote, {".datom/allowed_signers": lines.encode()}, "Ada may sign\n", key)
        approve(remote, CUT, key)
        project.mirror()
    return project


#: The second cut of the study.
CUT = '2026-02 </b> "é"'
