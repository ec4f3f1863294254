"""What git has: the history in one file, the documents of its last commit, and the approvals in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from datom_core.common import names
from datom_core.documents import Cuts, History, Manifest, objects, parse_object, record_text
from datom_core.errors import ConflictError, IntegrityError, InvalidInputError, NotFoundError
from datom_core.evidence.results import HeldVersion
from datom_core.evidence.workshop import Workshop
from datom_core.git import GitRepo, history_bundle

BUNDLE = "data/history.bundle"
GIT = "data/git/"
#: The line of a commit's message that names the approval which the commit brings.
APPROVAL_TRAILER = "Datom-Approval"
_AT_ONCE = 64  # documents; a history may be long
_OF_A_TABLE = ("metadata.json", "version_history.json", "set.json")


@dataclass(frozen=True)
class Approval:
    """An approval, or its withdrawal, and the commit that brought it."""

    record: Mapping[str, Any]
    commit: str


def put_history(
    shop: Workshop, repo: GitRepo, project: str, versions: tuple[HeldVersion, ...], cut: str | None
) -> tuple[str, tuple[Approval, ...]]:
    """The history's file, the documents of its last commit, and the texts of approvals.

    Returns:
        The commit, and what was approved up to it, newest first.

    Raises:
        NotFoundError: the repository is empty.
        InvalidInputError: it is of another project.
        ConflictError: git does not say what storage says.
        IntegrityError: an approval is not what its id says, or no commit brought it.
    """
    commit = repo.tip()
    if commit is None:
        raise NotFoundError(f"{repo.remote} has no commit on {repo.branch}.", remote=repo.remote)
    paths = sorted(path for path in repo.files(commit) if _is_document(path))
    cuts_file: bytes | None = None
    for path, data in _read(repo, commit, paths):
        shop.put(GIT + path, data)
        if path == names.MANIFEST_FILE:
            _check_project(Manifest.from_json(data, path), project, repo)
        if path == names.CUTS_FILE:
            cuts_file = data
    _check_agreement(repo, commit, versions, cut, cuts_file)
    shop.put(BUNDLE, history_bundle(repo, commit, shop.folder))
    return commit, _put_approvals(shop, repo, commit, cuts_file)


def _is_document(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return path.startswith(".datom/") or (name in _OF_A_TABLE and names.is_name(folder))


def _read(repo: GitRepo, commit: str, paths: list[str]) -> Iterator[tuple[str, bytes]]:
    for first in range(0, len(paths), _AT_ONCE):
        yield from repo.read(commit, paths[first : first + _AT_ONCE]).items()


def _check_project(manifest: Manifest, project: str, repo: GitRepo) -> None:
    if manifest.project != project:
        raise InvalidInputError(f"{repo.remote} is the history of {manifest.project!r}, not of {project!r}.")


def _check_agreement(
    repo: GitRepo, commit: str, versions: tuple[HeldVersion, ...], cut: str | None, cuts_file: bytes | None
) -> None:
    """Refuse a history that does not lead to what storage has.

    Raises:
        ConflictError: names every version.
    """
    apart = []
    if cut is not None:
        held = dict((Cuts() if cuts_file is None else Cuts.from_json(cuts_file, names.CUTS_FILE)).get(cut) or {})
        if held != {v.table: v.version.version for v in versions}:
            apart.append(f"the cut {cut}")
    found = dict(_read(repo, commit, [names.history_file(v.table) for v in versions]))
    for one in versions:
        data = found.get(names.history_file(one.table))
        entry = None if data is None else History.from_json(data, one.table).find(one.version.version)
        if entry is None or (entry.data_sha, entry.payload_sha) != (one.version.data_sha, one.payload_sha):
            apart.append(f"{one.table}@{one.version.version[:8]}")
    if apart:
        raise ConflictError(
            f"Git, at {commit[:8]} of {repo.remote}, does not say what storage says of {', '.join(apart)}. If others "
            "are writing, try again; project.validate('deep') tells more.",
            versions=tuple(apart),
        )


def _put_approvals(shop: Workshop, repo: GitRepo, commit: str, cuts_file: bytes | None) -> tuple[Approval, ...]:
    document = {} if cuts_file is None else parse_object(cuts_file, names.CUTS_FILE)
    records = objects(document, "approvals", names.CUTS_FILE) or ()
    if not records:
        return ()
    brought = {c.trailer: c.commit for c in repo.changed(commit, names.CUTS_FILE, APPROVAL_TRAILER) if c.trailer}
    found = []
    for record in records:
        id_ = str(record.get("id"))
        if not names.is_sha(id_) or id_ not in brought:
            raise IntegrityError(f"No commit of {repo.remote} brought the approval {id_[:80]!r}, which is in its cuts.")
        text = record_text(record).encode()
        if hashlib.sha256(text).hexdigest() != id_:
            raise IntegrityError(f"The approval {id_} in {repo.remote} is not what was approved: it was altered.")
        shop.put(f"data/approvals/{id_}", text)
        found.append(Approval(record, brought[id_]))
    return tuple(found)
