"""Sign commits as git signs them, with a key that stays where it is, and without ever asking anybody for a passphrase.

What git needs to know of the key reaches it in the environment of one command: it is in no argument, and in no clone's
configuration.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from datom_core.errors import AccessDeniedError, InvalidInputError, NotFoundError
from datom_core.git.cache import CloneCache, GitFailedError, configured
from datom_core.git.streams import Makers

_PROGRAMS = {"ssh": "ssh-keygen", "openpgp": "gpg", "x509": "gpgsm"}
_SECTIONS = {"ssh": "gpg.ssh.program", "openpgp": "gpg.program", "x509": "gpg.x509.program"}
_LITERAL = "key::"
_SCRATCH = b"Can this key sign?\n"
# Whoever would ask is answered by a program that fails, or finds no terminal and no screen to ask on.
_NO_PROMPT = {
    "SSH_ASKPASS_REQUIRE": "force",
    "SSH_ASKPASS": "false",
    "GPG_TTY": "",
    "DISPLAY": "",
    "WAYLAND_DISPLAY": "",
}
_PATIENCE = 120  # seconds; a key on a token waits for a finger


@dataclass(frozen=True)
class ReadyKey:
    """A key that has just signed.

    Attributes:
        fingerprint: as git shows it: ``SHA256:...`` of an SSH key.
        public_key: type and base64, as in a ``.pub`` file; ``None`` if it is no SSH key.
    """

    fingerprint: str
    public_key: str | None


@dataclass(frozen=True)
class SigningKey:
    """A key to sign commits with: where it is, never what it is.

    Args:
        key: path of an SSH key: a private one without passphrase, or a public one (or a private one with a passphrase)
            that the agent holds; or ``key::ssh-ed25519 AAAA...``, which the agent holds; for gpg, its id of the key.
        format: ``"ssh"``, ``"openpgp"`` or ``"x509"``, as git's ``gpg.format``.
        program: by default ``ssh-keygen``, ``gpg`` or ``gpgsm``.

    Raises:
        InvalidInputError: it is not the name of a key. What was given is not shown.
    """

    key: str
    format: Literal["ssh", "openpgp", "x509"] = "ssh"
    program: str | None = None

    def __init__(
        self,
        key: str | os.PathLike[str],
        format: str = "ssh",  # noqa: A002 - as git calls it
        program: str | None = None,
    ) -> None:
        given: object = key
        if not isinstance(given, str | os.PathLike):
            raise InvalidInputError(f"A signing key is given by its path, not as {type(given).__name__}.")
        text = os.fspath(key)
        if format not in _PROGRAMS:
            raise InvalidInputError(f"format is one of {', '.join(_PROGRAMS)}, not {format!r}.")
        if "PRIVATE KEY" in text:
            raise InvalidInputError("This is a private key itself. Give the path of its file, and replace the key.")
        if not text.strip() or not text.isprintable():
            raise InvalidInputError("A signing key is given by its path, or as key:: and the public key.")
        if format == "ssh" and not text.startswith(_LITERAL):
            text = os.path.abspath(os.path.expanduser(text))
        object.__setattr__(self, "key", text)
        object.__setattr__(self, "format", format)
        object.__setattr__(self, "program", program)

    @classmethod
    def from_git(cls) -> SigningKey:
        """The key that the user's git is configured to sign with: ``user.signingkey``, ``gpg.format`` and its program.

        Raises:
            InvalidInputError: none is configured.
        """
        key, gpg = configured("user").get("signingkey"), configured("gpg")
        if not key:
            raise InvalidInputError(
                "git is not configured to sign: git config --global gpg.format ssh, and "
                "git config --global user.signingkey with the path of a key."
            )
        kind = gpg.get("format", "openpgp")
        if kind == "ssh" and key.startswith("ssh-"):
            key = _LITERAL + key
        return cls(key, kind, gpg.get(_SECTIONS.get(kind, "").removeprefix("gpg.")))

    def ready(self) -> ReadyKey:
        """Sign something that is of no use, so that whatever prevents it is known before anything is done.

        Raises:
            NotFoundError: there is no such key, or no program to sign with.
            AccessDeniedError: it has a passphrase, or the agent is not there or does not hold it.
        """
        with self._file() as place:
            if self.format == "ssh":
                out, _ = self._run("-Y", "sign", "-n", "git", "-f", place)
                return _of_signature(out)
            more = ("--pinentry-mode", "error") if self.format == "openpgp" else ()
            _, said = self._run("--batch", "--no-tty", *more, "--status-fd=2", "-bsau", place)
        made = next((line.split() for line in said.splitlines() if "SIG_CREATED" in line), [self.key])
        return ReadyKey(made[-1], None)

    def seal(self, data: bytes, namespace: str) -> bytes:
        """An SSH signature over bytes, as ``ssh-keygen -Y sign`` makes it; in another namespace than a commit's.

        Raises:
            InvalidInputError: it is no SSH key.
            NotFoundError, AccessDeniedError: as `ready`.
        """
        if self.format != "ssh":
            raise InvalidInputError(f"A seal is made with an SSH key, and this is a key of {self.format}.")
        with self._file() as place:
            return self._run("-Y", "sign", "-n", namespace, "-f", place, data=data)[0]

    def environment(self) -> dict[str, str]:
        """What tells a git command to sign with this key, besides its option ``-S``."""
        told = {
            "gpg.format": self.format,
            "user.signingkey": self.key,
            _SECTIONS[self.format]: self._program(),
            "i18n.commitEncoding": "UTF-8",
        }
        return {**configuration(told), **_NO_PROMPT}

    @contextlib.contextmanager
    def _file(self) -> Iterator[str]:
        """Where the key is, for the program that signs."""
        if not self.key.startswith(_LITERAL):
            yield self.key
            return
        with tempfile.NamedTemporaryFile("w", prefix="datom-key-", suffix=".pub") as file:
            file.write(self.key.removeprefix(_LITERAL) + "\n")
            file.flush()
            yield file.name

    def _program(self) -> str:
        return self.program or _PROGRAMS[self.format]

    def _run(self, *arguments: str, data: bytes = _SCRATCH) -> tuple[bytes, str]:
        program = shutil.which(self._program())
        if program is None:
            package = {"ssh": "openssh-client", "openpgp": "gnupg", "x509": "gpgsm"}[self.format]
            raise NotFoundError(
                f"Signing needs the program {self._program()}, which is not on this machine (PATH). Install it: "
                f"`apt-get install {package}` on Debian and Ubuntu."
            )
        environment = {**os.environ, **_NO_PROMPT, "LC_ALL": "C"}
        try:
            done = subprocess.run(  # noqa: S603 - a program and arguments, no shell
                [program, *arguments], input=data, capture_output=True, env=environment, timeout=_PATIENCE,
                start_new_session=True, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise AccessDeniedError(f"{self._program()} did not sign with {self.key}: {error}.", key=self.key) from None
        said = done.stderr.decode("utf-8", "replace")
        if done.returncode:
            raise self._refused(said)
        return done.stdout, said

    def _refused(self, said: str) -> AccessDeniedError | NotFoundError:
        """Why the program did not sign, and what to do."""
        low, agent = said.lower(), os.environ.get("SSH_AUTH_SOCK")
        is_file = self.format == "ssh" and not self.key.startswith(_LITERAL)
        if is_file and not os.path.exists(self.key):
            return NotFoundError(
                f"There is no key at {self.key}. Make one: ssh-keygen -t ed25519 -f {self.key}", key=self.key
            )
        if "passphrase" in low or "pinentry" in low:
            how = f"Load it into the agent: ssh-add {self.key}." if is_file else "Unlock it in its agent first."
            return AccessDeniedError(
                f"The key {self.key} has a passphrase, and nobody is asked for it here. {how}", key=self.key
            )
        if "no private key found" in low and not (agent and os.path.exists(agent)):
            return AccessDeniedError(
                f"The private key of {self.key} is with an agent, and none is there (SSH_AUTH_SOCK). Start one "
                "(eval $(ssh-agent)) and load the key with ssh-add, or give the path of the private key.",
                key=self.key,
            )
        if "no private key found" in low:
            return AccessDeniedError(
                f"The agent does not hold the private key of {self.key}. Load it with ssh-add, or give the path of the "
                "private key.",
                key=self.key,
            )
        told = " ".join(line for line in said.splitlines() if line and "[GNUPG:]" not in line)[:300]
        return AccessDeniedError(f"{self._program()} does not sign with {self.key}: {told}", key=self.key)


def as_signing(given: SigningKey | str | os.PathLike[str] | None) -> SigningKey | None:
    """A signing key as callers give one: a path is enough.

    Raises:
        InvalidInputError: it is something else.
    """
    return given if given is None or isinstance(given, SigningKey) else SigningKey(given)


def signed(cache: CloneCache, unsigned: str, message: str, parent: str | None, by: Makers, key: SigningKey) -> str:
    """The same commit, signed; `git fast-import`, which made it, cannot sign.

    Raises:
        AccessDeniedError, NotFoundError: as `SigningKey.ready`.
        GitFailedError: the clone is broken.
    """
    who = {
        f"GIT_{role}_{what}": value
        for role, person in (("AUTHOR", by.author), ("COMMITTER", by.committer))
        for what, value in (("NAME", person.name), ("EMAIL", person.email), ("DATE", by.when))
    }
    parents = () if parent is None else ("-p", parent)
    try:
        made = cache.run(
            "commit-tree", "-S", *parents, f"{unsigned}^{{tree}}",
            stdin=message.encode(), environment={**key.environment(), **who},
        )  # fmt: skip
    except GitFailedError:
        key.ready()  # raises, if it is the key's fault
        raise
    return made.decode().strip()


def configuration(values: Mapping[str, str]) -> dict[str, str]:
    """Settings for one git command, as variables, after those that the environment has already."""
    try:
        begin = max(0, int(os.environ.get("GIT_CONFIG_COUNT") or 0))
    except ValueError:
        begin = 0
    told = {"GIT_CONFIG_COUNT": str(begin + len(values))}
    for number, (name, value) in enumerate(values.items(), begin):
        told |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return told


def fingerprint(blob: bytes) -> str:
    """How OpenSSH names a public key."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _of_signature(armored: bytes) -> ReadyKey:
    """The public key in an SSH signature, which begins: SSHSIG, a version, and the key, with its length before it."""
    lines = [line for line in armored.decode("ascii", "replace").splitlines() if not line.startswith("-----")]
    raw = base64.b64decode("".join(lines))
    size = int.from_bytes(raw[10:14], "big")
    blob = raw[14 : 14 + size]
    kind = blob[4 : 4 + int.from_bytes(blob[:4], "big")].decode("ascii", "replace")
    return ReadyKey(fingerprint(blob), f"{kind} {base64.b64encode(blob).decode()}")
