"""Every verb on a disk, on a bucket and found by a name; and before each, the same with a reader's rights alone."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

import datom_core as dc
from datom_core.command.verbs import VERBS, Group
from datom_core.storage.local import LocalStore
from tests.command.conftest import Datom
from tests.long import LONG
from tests.s3.server import S3Server


@dataclass(frozen=True)
class Call:
    """How a verb is tried.

    Attributes:
        words: after those of the verb; ``{at}`` is where data lies, ``{keys}`` the options that reach it.
        rights: what is expected with a reader's rights: it answers, it answers if git can be asked as there is nothing
            to do, or it is refused.
        code: the exit code.
        of_buckets: elsewhere than on a bucket it is refused.
        of_project: it is about the project that the settings name.
    """

    words: str = ""
    rights: Literal["reads", "asks git", "writes"] = "reads"
    code: int = 0
    of_buckets: bool = False
    of_project: bool = True


#: Every verb, in the order of a study's life.
CALLS: dict[str, Call] = {
    "init": Call("STUDY_001 --schema 1 --storage {at}/data --remote ../history.git {keys}", "writes", of_project=False),
    "register init": Call(
        "--storage {at}/register --remote ../governance.git --file {register} {keys}", "writes", of_project=False
    ),
    "use": Call("{project} --file {out}/datom.toml {keys}"),
    "write": Call("dm=later.csv adsl=dm.csv --cut 2026-02 -m Corrected --parent dm@2026-01", "writes"),
    "sync": Call("../drop", "writes"),
    "cut": Call("2026-03", "writes"),
    "review": Call("", "writes"),
    "signers allow": Call("test@example.org ../key.pub --key ../key", "writes"),
    "approve": Call("2026-01 --meaning locked --reason Done --key ../key", "writes"),
    "withdraw": Call("2026-01 --meaning locked --reason Late --key ../key", "writes"),
    "signers show": Call("", "asks git"),
    "signers revoke": Call("test@example.org ../key.pub --at 2099-01-01 --key ../key", "writes"),
    "list": Call(),
    "show": Call("dm@2026-01"),
    "log": Call("dm"),
    "audit": Call("--since 2026-01-01"),
    "cuts": Call(),
    "history": Call("dm USUBJID=01-001"),
    "lineage": Call("adsl"),
    "read": Call("dm@2026-01"),
    "export": Call("dm {out}/dm.xpt"),
    "evidence": Call("2026-01 -o {out}/bag --no-history"),
    "diff": Call("dm@2026-01", code=1),
    "report": Call("2026-01 2026-02 -o {out}/changes.md"),
    "verify": Call("full --storage-only"),
    "preflight": Call(of_buckets=True),
    "policy": Call(of_buckets=True),
    "recover": Call("", "asks git"),
    "accept": Call("--reason none", "asks git"),
    "validate": Call("deep --fix", "writes"),
    "mirror": Call("", "writes"),
    "status": Call(),
    "attach": Call("--register {register}", "writes"),
    "projects": Call("--register {register}"),
    "register show": Call("STUDY_001 --register {register}"),
    "register repair": Call("STUDY_001 --register {register}", "writes", of_project=False),
    "upgrade": Call("", "writes"),
    "set write": Call("analysis dm@2026-01 --tag purpose=test", "writes"),
    "set list": Call(),
    "set show": Call("analysis"),
    "set status": Call("analysis", code=1),
    "impact": Call("dm@2026-01", code=1),
    "cite": Call("dm@2026-01 --form bibtex"),
    "find": Call("{id}"),
    "migrate": Call("{at}/new {keys}", "writes"),
    "decommission": Call("--confirm STUDY_001", "writes"),
}


class Place:
    """Where a study is tried: on a disk, by its owner and by somebody to whom the system refuses every change.

    Attributes:
        root: the folder of all; the command runs in ``here`` below it.
    """

    at, project, bucket = "..", "../data", False
    #: Exit code of what a reader is refused.
    refused = 4

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self._monkeypatch = root, monkeypatch
        for folder in ("here", "drop", "out/owner", "out/reader"):
            (root / folder).mkdir(parents=True)
        (root / "here/dm.csv").write_text("USUBJID,AGE\n01-001,41\n01-002,50\n")
        (root / "here/later.csv").write_text("USUBJID,AGE\n01-001,42\n01-002,50\n")
        (root / "drop/ae.csv").write_text("USUBJID,AETERM\n01-001,Übelkeit\n")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", root / "key"], check=True)
        # As a host's administrator makes it; that of the study is made with it.
        subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", root / "governance.git"], check=True)
        monkeypatch.chdir(root / "here")

    def line(self, verb: str, who: str) -> list[str]:
        """The words of a call."""
        options = {"at": self.at, "project": self.project, "out": f"../out/{who}", "register": "../org.toml"}
        cited = "" if verb != "find" else dc.ProjectReader(self.store("data"), "STUDY_001", 2).cite("dm").id
        words = CALLS[verb].words.format(**options, keys=self.keys(who), id=cited)
        return [*verb.split(), *words.split()]

    def keys(self, who: str) -> str:
        return ""

    def begun(self, datom: Datom) -> None:
        """What the owner does once there is a study, and a register."""
        assert datom("write", "dm", "dm.csv", "--cut", "2026-01").code == 0

    def as_reader(self) -> AbstractContextManager[None]:
        """With a reader's rights alone."""
        return self._refusing()

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        def denied(*args: object) -> None:
            raise PermissionError(13, "Permission denied")

        def refuse_to_delete(store: LocalStore, key: str) -> None:
            with store._translated("delete", key):
                denied()

        repositories = list(self.root.glob("*.git"))
        for repository in repositories:
            hook = repository / "hooks" / "pre-receive"
            hook.parent.mkdir(exist_ok=True)
            hook.write_text("#!/bin/sh\necho 'You are not allowed to push code to this project.' >&2\nexit 1\n")
            hook.chmod(0o755)
        with self._monkeypatch.context() as patched:
            patched.setattr(LocalStore, "_temporary", denied)
            patched.setattr(LocalStore, "delete", refuse_to_delete)
            yield
        for repository in repositories:
            (repository / "hooks" / "pre-receive").unlink()

    def lose(self, verb: str) -> None:
        """Remove a document, for the verbs that put it back."""
        if verb in ("validate", "mirror"):
            self.store("data").delete("adsl/.metadata/version_history.json")
        if verb == "register repair":
            self.store("register").delete("projects/STUDY_001/ref.json")

    def store(self, name: str) -> dc.ObjectStore:
        return dc.LocalStore(self.root / name)

    def contents(self) -> dict[str, str]:
        """All that there is."""
        files = [f for f in self.root.rglob("*") if f.is_file() and not f.is_relative_to(self.root / "out")]
        return {str(f): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


class Named(Place):
    """Found in the register; its reader knows the name and the register, and nothing of git."""

    project, refused = "STUDY_001", 2
    _by_name = ("-p", "STUDY_001", "--register", "../org.toml")
    _known = False

    def line(self, verb: str, who: str) -> list[str]:
        words = super().line(verb, who)
        return words if not self._known else [*words, *(w for w in self._by_name if w not in words or w == "STUDY_001")]

    def begun(self, datom: Datom) -> None:
        super().begun(datom)
        assert datom("attach", *self._by_name[2:]).code == 0
        Path("datom.toml").unlink()
        assert datom("use", "STUDY_001", *self._by_name[2:], "--remote", "../history.git").code == 0
        self._known = True

    @contextmanager
    def as_reader(self) -> Iterator[None]:
        with self._monkeypatch.context() as patched:
            patched.chdir(self.root / "drop")
            yield


class Bucket(Place):
    """On a bucket, with the policy of a reader."""

    bucket = True

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, server: S3Server) -> None:
        super().__init__(root, monkeypatch)
        self._server, self._name = server, server.bucket()
        self.at = f"s3://{self._name}/team"
        self.project = f"{self.at}/data"
        policy = dc.iam_policy(server.store(self._name, "team"), "reader", scope="prefix")
        for who, keys in (("owner", server.owner), ("reader", server.user(policy))):
            monkeypatch.setenv(f"{who}_key", keys.access_key)
            monkeypatch.setenv(f"{who}_secret", keys.secret_key.reveal())

    def keys(self, who: str) -> str:
        return f"--access-key-env {who}_key --secret-key-env {who}_secret --endpoint-url {self._server.endpoint}"

    @contextmanager
    def as_reader(self) -> Iterator[None]:
        files = [f for f in (self.root / "here/datom.toml", self.root / "org.toml") if f.exists()]
        before = [f.read_text() for f in files]
        for file, text in zip(files, before, strict=True):
            file.write_text(text.replace("owner_", "reader_"))
        with self._refusing():
            yield
        for file, text in zip(files, before, strict=True):
            file.write_text(text)

    def store(self, name: str) -> dc.ObjectStore:
        return self._server.store(self._name, f"team/{name}")

    def contents(self) -> dict[str, str]:
        listed = self._server.s3.list_objects_v2(Bucket=self._name).get("Contents", [])
        return super().contents() | {o["Key"]: o["ETag"] for o in listed}


@pytest.fixture(params=["disk", "name", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    root = tmp_path / "all"
    if request.param == "bucket":
        return Bucket(root, monkeypatch, request.getfixturevalue("s3_server"))
    return {"disk": Place, "name": Named}[request.param](root, monkeypatch)


def every_verb() -> Iterator[str]:
    """Each verb with all the words that call it: ``register init``."""
    for one in (one for listed in VERBS.values() for one in listed):
        if isinstance(one, Group):
            yield from (f"{one.name} {verb.name}" for verb in one.verbs)
        else:
            yield one.name


def test_every_verb(datom: Datom, place: Place) -> None:
    assert sorted(CALLS) == sorted(every_verb())
    problems = []
    for verb, call in CALLS.items():
        place.lose(verb)
        wrong = _reader(datom, place, verb, call)
        if place.bucket and call.rights == "reads" and not (call.of_buckets or verb == "use" or LONG):
            continue  # as its reader reads
        ran = datom(*place.line(verb, "owner"), "--json")
        code = 2 if call.of_buckets and not place.bucket else call.code
        if ran.code != code:
            wrong.append(f"exit code {ran.code}: {ran}")
        elif verb != "diff":  # which answers with a report, as Python writes it
            assert (ran.json() if ran.out else ran.error())["form"].startswith("datom-")
        problems += [f"{verb}: {what}" for what in wrong]
        if verb == "register init":
            place.begun(datom)
    assert not problems, "\n".join(problems)


def _reader(datom: Datom, place: Place, verb: str, call: Call) -> list[str]:
    """What is wrong with what comes of a call with a reader's rights."""
    if place.refused == 2 and (not call.of_project or verb == "attach"):
        return []
    refused = call.rights == "writes" or (call.rights == "asks git" and place.refused == 2)
    if type(place) is Place and call.rights == "reads" and not LONG:  # as the owner reads
        return []
    code = 2 if call.of_buckets and not place.bucket else place.refused if refused else call.code
    with place.as_reader():
        before = place.contents()
        ran = datom(*place.line(verb, "reader"), *(["--json"] if refused else []))
        after = place.contents()
    wrong = [] if ran.code == code else [f"exit code of a reader {ran.code}, not {code}: {ran}"]
    if after != before:
        wrong.append(
            f"a reader changed {sorted(k for k in after.keys() | before.keys() if after.get(k) != before.get(k))}"
        )
    if "Traceback" in ran.err:
        wrong.append(ran.err)
    if not wrong and refused:
        said = ran.error()
        if (said["exit_code"], said["message"][-1:] in ".)") != (code, True):
            wrong.append(f"unclear: {said}")
    return wrong
