"""Make a bag of evidence: choose, copy, describe, and only then put it in its place."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from datom_core.auditing import EVERYTHING, AuditTrail, project_trail, storage_trail
from datom_core.common import Progress, fitting, names, watcher
from datom_core.documents import Cuts, canonical
from datom_core.errors import ConflictError, InvalidInputError
from datom_core.evidence import archives, beside, stored
from datom_core.evidence.bag_files import (
    DECLARATION,
    MANIFEST,
    SEAL,
    TAG_MANIFEST,
    TOOL,
    About,
    bag_info,
    carried,
    carried_names,
    manifest,
)
from datom_core.evidence.choosing import Asked, Documents, choose_versions
from datom_core.evidence.crate import CRATE, crate
from datom_core.evidence.history import GIT, Approval, put_history
from datom_core.evidence.listings import (
    APPROVALS,
    AUDIT,
    STATE,
    UNPROVEN,
    approval_list,
    audit_list,
    state_list,
    unproven_list,
)
from datom_core.evidence.pages import index_page
from datom_core.evidence.prov import provenance_of
from datom_core.evidence.prov_known import Project
from datom_core.evidence.results import EvidenceBag, HeldVersion
from datom_core.evidence.workshop import Workshop, check_free
from datom_core.git import GitRepo, Remote, SigningKey
from datom_core.storage import ObjectStore

#: What the signature of a bag says that it is of.
SEAL_NAMESPACE = "datom-evidence"

#: Signs the bag's manifest: from its bytes to an SSH signature in the namespace ``datom-evidence``.
Seal = Callable[[bytes], bytes]


class Reader(beside.Reader, Project, Protocol):
    """A project's reader."""

    @property
    def project(self) -> str: ...

    def cuts(self) -> Cuts: ...


@dataclass(frozen=True)
class _Plan:
    """All that decides what is in a bag, beside what storage and git have."""

    asked: Asked
    versions: tuple[HeldVersion, ...]
    copies: tuple[str, ...]
    before: str | None
    zipped: bool
    repo: GitRepo | None
    seal: Seal | None

    def request(self, project: str) -> object:
        """What another run is compared with that wants to go on with this one."""
        versions = [[v.table, v.version.version, v.payload_sha] for v in self.versions]
        what = [project, self.asked.name, self.asked.cut, versions]
        return [TOOL, what, self.copies, self.before, self.zipped, self.repo is not None, self.seal is not None]


@dataclass(frozen=True)
class _Contents:
    """What is known of a bag once it is filled."""

    commit: str | None
    unproven: tuple[stored.Unproven, ...]
    digest: str


@fitting
def write_evidence(
    reader: Reader,
    documents: Documents,
    store: ObjectStore,
    to: str | os.PathLike[str],
    asked: Asked,
    *,
    history: GitRepo | Remote | str | os.PathLike[str] | None = None,
    copies: Sequence[str] = (),
    since: str | None = None,
    report: bool = True,
    seal: SigningKey | Seal | None = None,
    dry_run: bool = False,
) -> EvidenceBag:
    """As `ProjectReader.evidence`, for what was asked of the project whose documents lie in the store."""
    target = _target(to)
    sign = _sealing(seal)
    forms = beside.check_copies(copies)
    repo = history if isinstance(history, GitRepo) or history is None else GitRepo(history)
    versions = choose_versions(documents, asked)
    before = since if since is not None else beside.cut_before(reader.cuts(), asked.cut) if report else None
    if before is not None and asked.cut is None:
        raise InvalidInputError("since is for a cut: what changed is told from the one to the other.")
    check_free(target)
    total = sum(stored.sizes(store, versions))
    bag = EvidenceBag(target, reader.project, asked.name, asked.cut, None, versions, bytes=total, dry_run=True)
    if dry_run:
        return replace(bag, commit=None if repo is None else repo.tip())
    plan = _Plan(asked, versions, forms, before, target.suffix == ".zip", repo, sign)
    with Workshop(target, plan.request(reader.project)).open() as shop:
        found = _filled(shop, reader, store, plan, total)
        shop.finish(partial(archives.pack, top=target.stem) if plan.zipped else None)
    files, size = len(shop.files), sum(m.size for m in shop.files.values())
    bag = replace(bag, commit=found.commit, unproven=found.unproven, dry_run=False)
    return replace(bag, files=files, bytes=size, digest=found.digest)


def _filled(shop: Workshop, reader: Reader, store: ObjectStore, plan: _Plan, total: int) -> _Contents:
    """Put all of it into the workshop, the manifests last."""
    asked, versions, repo = plan.asked, plan.versions, plan.repo
    unproven = stored.put_documents(shop, store)
    payloads = _put_payloads(shop, store, versions, total)
    commit, approvals = None, tuple[Approval, ...]()
    if repo is not None:
        commit, approvals = put_history(shop, repo, reader.project, versions, asked.cut)
        _check_cuts(shop, commit)
    shop.put(STATE, state_list(versions, payloads, asked.cut))
    shop.put(UNPROVEN, unproven_list(unproven))
    shop.put(AUDIT, audit_list(_events(store, repo, commit)))
    shop.put(APPROVALS, approval_list((a.record, a.commit) for a in approvals))
    if plan.before is not None and asked.cut is not None:
        beside.put_report(shop, reader, plan.before, asked.cut)
    beside.put_copies(shop, reader, versions, plan.copies)
    tables = {held.table: held.version for held in versions if not held.version.is_set}
    shop.put(_PROV, canonical.dump(provenance_of(reader, tables)))
    at = max((v.version.timestamp or "" for v in versions), default="")
    branch = None if repo is None else repo.branch
    about = About(reader.project, asked.name, asked.cut, commit, branch, at, plan.seal is not None)
    shop.put(CRATE, crate(about, versions, shop.files))
    also = sorted(path for path in shop.files if path.startswith("data/") and not path.startswith(_DOCUMENTS))
    shop.put("index.html", index_page(about, versions, unproven, [(a.record, a.commit) for a in approvals], also))
    return _Contents(commit, tuple(unproven), _put_bag_files(shop, about, plan.seal))


def _check_cuts(shop: Workshop, commit: str) -> None:
    """Refuse cuts and approvals that storage tells otherwise than git: who reads the bag as a store would see others.

    Raises:
        ConflictError: says what to do.
    """
    if shop.files.get(GIT + names.CUTS_FILE) != shop.files.get(stored.STORED + names.CUTS_KEY):
        raise ConflictError(
            f"Git, at {commit[:8]}, does not say what storage says of cuts and approvals. If others are writing, try "
            "again; project.mirror() puts storage right."
        )


def _events(store: ObjectStore, repo: GitRepo | None, commit: str | None) -> AuditTrail:
    """What git tells up to the commit of the bag; without git, what storage tells."""
    if repo is None:
        return storage_trail(store, (), EVERYTHING)
    return project_trail(repo, lambda: commit, None, (), EVERYTHING)


_PROV = "data/prov.json"
_DOCUMENTS = ("data/datom/", "data/git/", "data/ids/", "data/approvals/")


def _put_payloads(shop: Workshop, store: ObjectStore, versions: Sequence[HeldVersion], total: int) -> Mapping[str, str]:
    """SHA-256 by key. Versions that differ in metadata alone share a payload."""
    tell, found, size = watcher(), dict[str, str](), 0
    for done, held in enumerate(versions, 1):
        found[held.key] = stored.put_payload(shop, store, held)
        size += shop.files[stored.STORED + held.key].size
        tell(Progress("evidence", done, len(versions), size, total, held.table))
    return found


def _put_bag_files(shop: Workshop, about: About, seal: Seal | None) -> str:
    """What makes the folder a bag; the SHA-256 of the manifest that stands for all of it."""
    for name in carried_names():
        shop.put(name, carried(name))
    shop.put("bagit.txt", DECLARATION)
    shop.put("bag-info.txt", bag_info(about, shop.files))
    shop.put(MANIFEST, manifest(shop.files, payload=True))
    tags = manifest(shop.files, payload=False)
    if seal is not None:
        shop.put(SEAL, seal(tags))
    return shop.put(TAG_MANIFEST, tags).sha256


def _sealing(given: object) -> Seal | None:
    """What signs the bag's manifest; a key that does not sign is known before anything is done.

    Raises:
        InvalidInputError: it is no key, or none of SSH.
        NotFoundError, AccessDeniedError: the key does not sign.
    """
    if given is None:
        return None
    if isinstance(given, SigningKey):
        given.seal(b"", SEAL_NAMESPACE)
        return partial(given.seal, namespace=SEAL_NAMESPACE)
    if not callable(given):
        raise InvalidInputError(f"seal is a SigningKey, or a function from bytes to a signature; got {given!r}.")
    return given


def _target(to: object) -> Path:
    if not isinstance(to, str | os.PathLike) or not str(to) or "\0" in str(to):
        raise InvalidInputError(f"to is the path of a folder, or of a file that ends in .zip; got {to!r}.")
    return Path(os.path.abspath(os.path.expanduser(to)))
