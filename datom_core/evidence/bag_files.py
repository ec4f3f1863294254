"""The files that make a folder a bag (BagIt 1.0, RFC 8493): what it is, and the manifests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources

from datom_core.evidence.workshop import Measured
from datom_core.version import __version__

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
SEAL = "tagmanifest-sha256.txt.sig"
TOOL = f"datom for Dagster {__version__}"


@dataclass(frozen=True)
class About:
    """What a bag is about.

    Attributes:
        project: whose it is.
        state: name of the cut, the moment, or what else it was asked for by.
        cut: the cut, if it is one.
        commit, branch: the last commit of the git history in it, and its branch.
        at: time of the newest version in it.
        sealed: its manifest is signed.
    """

    project: str
    state: str
    cut: str | None
    commit: str | None
    branch: str | None
    at: str
    sealed: bool


def bag_info(about: About, files: Mapping[str, Measured]) -> bytes:
    """bag-info.txt, of which ``verify.sh`` reads the lines that begin with ``Datom-``."""
    payload = [measured for path, measured in files.items() if path.startswith("data/")]
    lines = {
        "Bag-Software-Agent": TOOL,
        "External-Description": f"Evidence of the project {about.project} at {about.state}",
        "External-Identifier": f"{about.project}@{about.state}",
        "Payload-Oxum": f"{sum(m.size for m in payload)}.{len(payload)}",
        "Datom-Project": about.project,
        "Datom-State": about.state,
        "Datom-Cut": about.cut,
        "Datom-Branch": about.branch,
        "Datom-Commit": about.commit,
        "Datom-Seal": SEAL if about.sealed else None,
    }
    return "".join(f"{name}: {value}\n" for name, value in lines.items() if value is not None).encode()


def manifest(files: Mapping[str, Measured], *, payload: bool) -> bytes:
    """The manifest of the payload, or of the files beside it, by path."""
    chosen = sorted(path for path in files if path.startswith("data/") == payload)
    return "".join(f"{files[path].sha256}  {path}\n" for path in chosen).encode()


def carried(name: str) -> bytes:
    """A file that every bag carries as it is."""
    return resources.files(__package__).joinpath("carried", name).read_bytes()


def carried_names() -> Iterable[str]:
    """The files that every bag carries as they are."""
    return ("README.txt", "reader.py", "verify.sh")
