"""Whose signature counts at which commit: ``allowed_signers``, as those who might change it have changed it.

A commit is judged by the file of its parent, so nobody lets himself in. A change by a commit that is not signed by a
key that was allowed there counts for nothing afterwards, neither the lines it adds nor those it takes away.

Nothing here makes branches, but whoever may push can merge one that forked when he was allowed, or that has another
beginning. So a merge allows only whom all its parents allow, and a commit on a branch beside a change of who may sign
does not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from datom_core.common import names
from datom_core.documents import AllowedSigner, Signers
from datom_core.git import (
    CommitSignature,
    GitRepo,
    Node,
    commits_touching,
    file_contents,
    history_nodes,
    signed_commits,
)

#: How far clocks may part.
TOLERANCE = timedelta(minutes=5)

Verdict = Literal[
    "good", "unsigned", "bad", "not allowed", "expired", "not yet allowed", "backdated", "beside", "other key"
]


@dataclass(frozen=True)
class Judged:
    """A commit's signature, judged by what its parent allows.

    Attributes:
        commit: the commit.
        verdict: ``"good"``, or what is wrong. ``"other key"`` is one that is no SSH key: the machine's keyring may know
            more.
        signer: the line that allows the key, or allowed it.
    """

    commit: CommitSignature
    verdict: Verdict
    signer: AllowedSigner | None = None

    @property
    def good(self) -> bool:
        return self.verdict == "good"


@dataclass(frozen=True)
class Trust:
    """Who might sign at each commit of a history.

    Attributes:
        nodes: the history, oldest first.
        signers: by commit, what counts after it.
        changes: the commits that changed ``allowed_signers``, judged; the first that there was is ``root``.
        keys: all keys that were ever listed.
        root: the commit with which the first signer came, which nobody vouches for.
        beside: the commits that are neither before nor after some change of who may sign.
    """

    nodes: Mapping[str, Node]
    signers: Mapping[str, Signers]
    changes: tuple[Judged, ...]
    keys: str
    root: str | None
    beside: frozenset[str] = frozenset()

    def before(self, commit: str) -> Signers:
        """What counts for a commit: what its parent allows; of a merge, what all allow."""
        node = self.nodes.get(commit)
        return Signers() if node is None else _of_all([self.signers.get(p, Signers()) for p in node.parents])

    def judge(self, commit: CommitSignature) -> Judged:
        """What the signature of a commit is worth; the first signer's, by what it says itself."""
        node = self.nodes[commit.commit]
        made = self.nodes[node.parent].at if node.parent is not None else None
        allowed = self.signers[commit.commit] if commit.commit == self.root else self.before(commit.commit)
        return judge(commit, allowed, made, beside=commit.commit in self.beside)


def trust_through(repo: GitRepo, tip: str) -> Trust:
    """Who might sign at each commit up to ``tip``.

    Raises:
        NotFoundError: the program that verifies is not there.
    """
    nodes, touching = history_nodes(repo, tip), commits_touching(repo, tip, names.SIGNERS_FILE)
    parents = [nodes[commit].parent for commit in touching]
    places = [(commit, names.SIGNERS_FILE) for commit in [*touching, *filter(None, parents)]]
    files = {place[0]: Signers.from_text(data) for place, data in zip(places, file_contents(repo, places), strict=True)}
    keys = "".join(
        dict.fromkeys(line for held in files.values() for line in held.keys_alone().splitlines(keepends=True))
    )
    told = {c.commit: c for c in signed_commits(repo, keys, tip, among=touching)} if touching else {}
    signers: dict[str, Signers] = {}
    beside = _beside(nodes, touching)
    changes, root = [], None
    for commit, node in nodes.items():
        trusted = _of_all([signers[parent] for parent in node.parents])
        if commit in told:
            was, now = files.get(node.parent or "", Signers()), files[commit]
            if was.lines == now.lines:
                pass  # a merge that keeps what its first parent had
            elif not was.found and not trusted.found and root is None and commit not in beside:
                root, trusted = commit, now
            else:
                made = None if node.parent is None else nodes[node.parent].at
                judged = judge(told[commit], trusted, made, beside=commit in beside)
                changes.append(judged)
                trusted = _changed(trusted, was, now) if judged.good else trusted
        signers[commit] = trusted
    return Trust(nodes, signers, tuple(changes), keys, root, beside)


def judge(commit: CommitSignature, allowed: Signers, made: datetime | None, *, beside: bool = False) -> Judged:
    """What the signature of a commit is worth, given who might sign, when its parent was made, and where it lies."""
    if not commit.signed:
        return Judged(commit, "unsigned")
    if commit.status not in "GU" or not commit.key:
        return Judged(commit, "bad" if commit.status == "B" or not commit.key else "other key")
    if not commit.key.startswith("SHA256:"):
        return Judged(commit, "other key")
    lines = allowed.of_key(commit.key)
    signer = allowed.allowing(commit.key, commit.at)
    if signer is not None and commit.status == "G":
        # Whoever may no longer sign could otherwise say that it was done before.
        late = made is not None and commit.at < made - TOLERANCE
        return Judged(commit, "backdated" if late else "beside" if beside else "good", signer)
    if not lines or commit.status != "G":
        return Judged(commit, "not allowed")
    ended = lines[-1].valid_before is not None and commit.at >= lines[-1].valid_before
    return Judged(commit, "expired" if ended else "not yet allowed", lines[-1])


def _of_all(given: Sequence[Signers]) -> Signers:
    """Those whom all allow."""
    first, *others = given or [Signers()]
    if all(other.lines == first.lines for other in others):
        return first
    return Signers.of([line for line in first.lines if all(line in other.lines for other in others)])


def _beside(nodes: Mapping[str, Node], changes: Sequence[str]) -> frozenset[str]:
    """The commits that are neither before nor after some change; a history without a merge has none."""
    if all(len(node.parents) < 2 for node in nodes.values()):
        return frozenset()
    after = dict.fromkeys(nodes, 0) | {commit: 1 << n for n, commit in enumerate(changes)}
    before = dict(after)  # a bit for each change
    for commit, node in nodes.items():
        for parent in node.parents:
            after[commit] |= after[parent]
    for commit in reversed(list(nodes)):
        for parent in nodes[commit].parents:
            before[parent] |= before[commit]
    return frozenset(commit for commit in nodes if after[commit] | before[commit] != (1 << len(changes)) - 1)


def _changed(trusted: Signers, was: Signers, now: Signers) -> Signers:
    """What counts after a change that counts."""
    gone = set(was.lines) - set(now.lines)
    more = [line for line in now.lines if line not in was.lines]
    return Signers.of([*(line for line in trusted.lines if line not in gone), *more])
