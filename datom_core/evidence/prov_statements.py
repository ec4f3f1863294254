"""What is known of versions, said in W3C PROV: entities, activities, agents, and how they hang together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from datom_core.documents import Author, Cut, Metadata, Parent, Recording, Version, canonical
from datom_core.evidence.prov_known import Entry, Known, Signed
from datom_core.evidence.prov_records import ProvDocument, named, term


def describe(known: Known) -> dict[str, Any]:
    """The document of PROV that says what is known."""
    told = _Statements(known)
    for place, entry in sorted(known.entries.items()):
        told.version(*place, entry)
    for table, log in known.log.items():
        told.log(table, log)
    for (table, version), metadata in known.documents.items():
        told.parents(table, version, metadata)
    for cut in known.cuts.values():
        told.cut(cut)
    told.reviews()
    for record in known.approvals:
        told.approval(record)
    return told.document.to_json()


class _Statements:
    """The document that grows, and what was named in it already."""

    def __init__(self, known: Known) -> None:
        self.document = ProvDocument()
        self._known = known
        # (table, version, time) -> the act of recording it
        self._acts: dict[tuple[str, str, str], str] = {}

    def version(self, table: str, version: str, entry: Version) -> None:
        """A version: what it is, its recording, and the file that it was imported from."""
        name = self._version(table, version)
        metadata = self._known.documents.get((table, version))
        self.document.say(
            "entity",
            name,
            datom_data_sha=entry.data_sha,
            datom_payload_sha=entry.payload_sha,
            datom_commit=entry.commit_sha,
            datom_table_type=None if metadata is None else metadata.table_type,
            datom_rows=None if metadata is None else metadata.rows,
            datom_size_bytes=None if metadata is None else metadata.size_bytes,
        )
        act = self._recorded(entry.timestamp or "", entry.author, entry.message, entry)
        self._acts[table, version, entry.timestamp or ""] = act
        self.document.relate("wasGeneratedBy", prov_entity=name, prov_activity=act, prov_time=entry.timestamp)
        author = self._author(entry.author)
        if author is not None:
            self.document.relate("wasAttributedTo", prov_entity=name, prov_agent=author)
        self._imported(name, act, entry)

    def log(self, table: str, log: Sequence[Entry]) -> None:
        """In which order versions of a table were current, and what made an older one current again."""
        before: str | None = None
        seen: set[str] = set()
        for entry in log:
            if entry.version in seen:
                self._reinstated(table, entry)
            elif before is not None:
                self._revision(self._version(table, entry.version), self._version(table, before))
            seen.add(entry.version)
            before = entry.version

    def parents(self, table: str, version: str, metadata: Metadata) -> None:
        """What a version was derived from: its parents, and the imported content behind them."""
        name, entry = self._version(table, version), self._known.entries[table, version]
        act = self._acts[table, version, entry.timestamp or ""]
        for parent in metadata.parents or ():
            source = self._parent(parent)
            self.document.relate("used", prov_activity=act, prov_entity=source)
            self._derived(name, source, act)
        for root in metadata.lineage or ():
            content = self.document.say(
                "entity",
                named("content", root.project, root.table, root.data_sha),
                prov_type=term("datom:Content"),
                datom_project=root.project,
                datom_table=root.table,
                datom_data_sha=root.data_sha,
            )
            if (root.project, root.table, root.data_sha) == (self._known.project, table, entry.data_sha):
                self.document.relate("specializationOf", prov_specificEntity=name, prov_generalEntity=content)
            else:
                self.document.relate("wasDerivedFrom", prov_generatedEntity=name, prov_usedEntity=content)

    def cut(self, cut: Cut) -> None:
        """Each state of a cut that holds a version of the document, as a collection of versions."""
        moments = sorted({r.recorded_at for recordings in cut.recordings.values() for r in recordings})
        before: str | None = None
        for at in moments:
            held = {t: r for t, recordings in cut.recordings.items() if (r := _standing(recordings, at)) is not None}
            if not any((table, r.version) in self._known.entries for table, r in held.items()):
                continue
            before = self._cut_state(cut.name, at, held, before)

    def _cut_state(self, cut: str, at: str, held: Mapping[str, Recording], before: str | None) -> str:
        name = self._cut(cut, at)
        for table, recording in held.items():
            self.document.relate("hadMember", prov_collection=name, prov_entity=self._version(table, recording.version))
        table, recording = next((t, r) for t, r in sorted(held.items()) if r.recorded_at == at)
        act = self._acts.get((table, recording.version, at))
        if act is None:
            act = self._recorded(at, recording.author, recording.message, recording)
        self.document.relate("wasGeneratedBy", prov_entity=name, prov_activity=act, prov_time=at)
        if before is not None:
            self._revision(name, before)
        return name

    def reviews(self) -> None:
        """Who reviewed versions of the document, and when."""
        for mark, review in self._known.cuts.reviews.items():
            for move in review.moves:
                reviewed = [place for place in move.versions.items() if place in self._known.entries]
                if not reviewed:
                    continue
                act = self._act("datom:Review", move.recorded_at, move.author, move.message, move, mark)
                self.document.say("activity", act, datom_mark=mark, datom_cut=move.cut)
                for table, version in reviewed:
                    self.document.relate("used", prov_activity=act, prov_entity=self._version(table, version))

    def approval(self, record: Signed) -> None:
        """Who signed for versions of the document, with which meaning; or took that back."""
        approved = [place for place in record.versions.items() if place in self._known.entries]
        if not approved:
            return
        act = self.document.say(
            "activity",
            named("approval", record.id),
            prov_type=term("datom:Withdrawal" if record.kind == "withdrawal" else "datom:Approval"),
            prov_startTime=record.recorded_at,
            prov_endTime=record.recorded_at,
            datom_cut=record.cut,
            datom_meaning=record.meaning,
            datom_reason=record.reason or None,
            datom_key=record.signer.key,
        )
        agent = self._author(Author(record.signer.name, record.signer.email), person=True)
        if agent is not None:
            self._associate(act, agent, "datom:signer")
        for table, version in approved:
            self.document.relate("used", prov_activity=act, prov_entity=self._version(table, version))
        if record.withdraws is not None:
            withdrawn = named("approval", record.withdraws)
            self.document.relate("wasInformedBy", prov_informed=act, prov_informant=withdrawn)

    def _version(self, table: str, version: str, project: str | None = None) -> str:
        """The entity of a version, whether more is known of it or not."""
        project = project or self._known.project
        return self.document.say(
            "entity",
            named("version", project, table, version),
            prov_type=term("datom:Version"),
            prov_label=f"{table}@{version[:8]}",
            datom_project=project,
            datom_table=table,
            datom_version=version,
        )

    def _parent(self, parent: Parent) -> str:
        name = self._version(parent.table, parent.version, parent.source)
        return self.document.say("entity", name, datom_data_sha=parent.data_sha)

    def _cut(self, cut: str, at: str) -> str:
        return self.document.say(
            "entity",
            named("cut", self._known.project, cut, at),
            prov_type=term("prov:Collection"),
            prov_label=cut,
            datom_project=self._known.project,
            datom_cut=cut,
            datom_recorded_at=at,
        )

    def _imported(self, name: str, act: str, entry: Version) -> None:
        """The file that a version was imported from, by its content; several names of one content are one file."""
        file = _of(entry, "file")
        sha = entry.original_file_sha or (None if file is None else file.sha256)
        if sha is None:
            return
        source = self.document.say("entity", named("file", sha), prov_type=term("datom:File"), datom_sha256=sha)
        if file is not None:
            told = {"datom_name": file.name, "datom_size_bytes": file.size_bytes, "datom_modified_at": file.modified_at}
            self.document.say("entity", source, **told)
        self.document.relate("used", prov_activity=act, prov_entity=source)
        self._derived(name, source, act)

    def _reinstated(self, table: str, entry: Entry) -> None:
        """A version that was there became current again: nothing was made, so that it is used."""
        version = self._known.entries.get((table, entry.version))
        again = () if version is None else version.reinstatements
        told = next((r for r in again if r.recorded_at == entry.recorded_at), None)
        act = self._act("datom:Reinstatement", entry.recorded_at, entry.author, entry.message, told, table)
        self._acts.setdefault((table, entry.version, entry.recorded_at), act)
        self.document.relate("used", prov_activity=act, prov_entity=self._version(table, entry.version))

    def _recorded(self, at: str, author: Author, message: str, told: object) -> str:
        run = _of(told, "run")
        return self._act("datom:Recording", at, author, message, told, (run and run.id) or _commit(told) or "")

    def _act(self, kind: str, at: str, author: Author, message: str, told: object, what: str) -> str:
        """An act that recorded something: its time, who it was, why; and what was recorded of how it came about.

        ``what`` tells apart what one person did in one second with one message; versions of several tables that one
        commit brought are one act.
        """
        parts = [kind, at, author.name, author.email, message, what]
        name = named("recording", self._known.project, hashlib.sha256(canonical.canonical(parts).encode()).hexdigest())
        self.document.say(
            "activity",
            name,
            prov_startTime=at or None,
            prov_endTime=at or None,
            prov_type=term(kind),
            datom_message=message or None,
            datom_commit=_commit(told),
        )
        agent = self._author(author)
        if agent is not None:
            self._associate(name, agent, "datom:author")
        if getattr(told, "provenance", None) is not None:
            self._came_about(name, told)
        return name

    def _came_about(self, act: str, told: object) -> None:
        """Who asked, who wrote, with which program, in which run, from which source, and why."""
        self.document.say("activity", act, datom_reason=_of(told, "reason"))
        asked, tool, run, source = (_of(told, part) for part in ("asked_by", "tool", "run", "source"))
        person = None if asked is None else self._author(asked, person=True)
        if person is not None:
            self._associate(act, person, "datom:asked_by")
        if tool:
            kind = term("prov:SoftwareAgent")
            agent = self.document.say("agent", named("agent", "tool", tool), prov_type=kind, prov_label=tool)
            self._associate(act, agent, "datom:tool")
        self._machine(act, _of(told, "written_by"), person)
        if source is not None:
            extracted = {"datom_source_system": source.name, "datom_extracted_at": source.extracted_at}
            self.document.say("activity", act, **extracted)
        if run is not None and run.id is not None:
            parts = ("job", "asset", "partition", "code_version", "pipeline_commit")
            about = {f"datom_{part}": getattr(run, part) for part in parts}
            made = self.document.say(
                "activity", named("run", run.id), prov_type=term("datom:Run"), datom_run=run.id, **about
            )
            self.document.relate("wasInformedBy", prov_informed=act, prov_informant=made)

    def _machine(self, act: str, machine: Any, person: str | None) -> None:
        """The identity that wrote, on behalf of the person who asked."""
        if machine is None:
            return
        parts = {part: getattr(machine, part) for part in ("name", "email", "host", "user")}
        agent = self.document.say(
            "agent",
            named("agent", "machine", *(str(part or "") for part in parts.values())),
            prov_type=term("datom:Machine"),
            prov_label=machine.name or None,
            **{f"datom_{name}": part or None for name, part in parts.items()},
        )
        self._associate(act, agent, "datom:written_by")
        if person is not None:
            self.document.relate("actedOnBehalfOf", prov_delegate=agent, prov_responsible=person, prov_activity=act)

    def _author(self, author: Author, *, person: bool = False) -> str | None:
        """Who it was; ``None`` where nobody was recorded. A person it is only where one was named as such."""
        if author.name == "unknown" and not author.email:
            return None
        return self.document.say(
            "agent",
            named("agent", "author", author.name, author.email),
            prov_type=term("prov:Person") if person else None,
            prov_label=str(author),
            datom_name=author.name,
            datom_email=author.email or None,
        )

    def _associate(self, activity: str, agent: str, role: str) -> None:
        self.document.relate("wasAssociatedWith", prov_activity=activity, prov_agent=agent, prov_role=term(role))

    def _derived(self, made: str, source: str, act: str) -> None:
        self.document.relate("wasDerivedFrom", prov_generatedEntity=made, prov_usedEntity=source, prov_activity=act)

    def _revision(self, later: str, earlier: str) -> None:
        self.document.relate(
            "wasDerivedFrom", prov_generatedEntity=later, prov_usedEntity=earlier, prov_type=term("prov:Revision")
        )


def _standing(recordings: Sequence[Recording], at: str) -> Recording | None:
    """What a cut stood for at a moment; recordings are newest first, and their times of one form."""
    return next((r for r in recordings if r.recorded_at <= at), None)


def _of(told: object, part: str) -> Any:
    """A part of a recording's provenance, where it has one."""
    return getattr(getattr(told, "provenance", None), part, None)


def _commit(told: object) -> str | None:
    return getattr(told, "commit_sha", None)
