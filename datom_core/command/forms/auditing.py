"""Answer of the verb that tells what ever happened."""

from __future__ import annotations

from dataclasses import dataclass

from datom_core.command.forms.base import Answer


@dataclass(frozen=True)
class AuditLine:
    """Something that happened to the project; what concerns several tables is a line for each.

    Attributes:
        at: when: the time of the commit, or else what the document says (ISO 8601, UTC); empty where nothing says it.
        kind: ``project``, ``write``, ``cut``, ``review``, ``approval``, ``withdrawal``, ``lock``, ``unlock``,
            ``signers``, ``repair``, ``move``, ``attach``, ``decommission``, ``upgrade``, ``alteration``,
            ``unreadable``, ``other`` or ``unexplained``.
        action: more exactly, as ``created``, ``metadata_only`` or ``reinstated`` of a write.
        table, version, previous: which one, and what was current, or stood, before.
        cut: the cut that it is about.
        author, message: who, and why.
        committer: who made the commit.
        signer: fingerprint of the key that signed the commit, as the signature says it; it is not verified.
        commit: the commit.
        run, job, asset, partition: of Dagster.
        file, file_sha256: the file that the version was imported from.
        recorded_at: when, as the document says.
        files: of the repository, if the event is about nothing else.
        detail: what else there is to say.
        source: ``git``, ``storage`` or ``register``.
    """

    at: str
    kind: str
    action: str
    table: str | None
    version: str | None
    cut: str | None
    author: str
    message: str
    previous: str | None
    committer: str | None
    signer: str | None
    commit: str | None
    run: str | None
    job: str | None
    asset: str | None
    partition: str | None
    file: str | None
    file_sha256: str | None
    recorded_at: str | None
    files: tuple[str, ...]
    detail: str
    source: str


@dataclass(frozen=True)
class AuditAnswer(Answer):
    """``datom audit``.

    Attributes:
        project: whose history.
        source: ``git``, or ``storage`` where git was not asked.
        findings: events that nobody should have caused: alterations, what cannot be read, what git does not explain.
        written: the file that has the events.
        events: oldest first.
    """

    form = "datom-audit/1"
    project: str
    source: str
    findings: int
    written: str | None
    events: tuple[AuditLine, ...]
