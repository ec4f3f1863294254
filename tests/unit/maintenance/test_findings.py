"""Each finding, from a small value of what a look at a project showed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from datom_core.common import names
from datom_core.documents import GovernanceFile, History, Manifest, canonical
from datom_core.maintenance.findings import Evidence, inspect, odd_payloads, strangers, unlisted_tables
from datom_core.planning import LostVersion, ProjectState, TableState, projected_lists
from datom_core.tables import Verdict
from tests.unit.states import (
    BEFORE,
    COMMIT,
    PLACE,
    TIP,
    WHO,
    at,
    current_of,
    documents_of,
    empty,
    metadata_of,
    seen,
    sha,
    sizes_of,
    table,
    with_rows,
    written,
)

ATTACHED = replace(TIP, governance=GovernanceFile.new("gov.git", PLACE, at(0)))
OLD, NEW = current_of(BEFORE, "dm").version, current_of(TIP, "dm").version
OLD_PAYLOAD, NEW_PAYLOAD = names.payload("dm", sha("a")), names.payload("dm", sha("b"))
OLD_SNAPSHOT, NEW_SNAPSHOT = names.snapshot("dm", OLD), names.snapshot("dm", NEW)
POINTER, HISTORY = names.pointer("dm"), names.history("dm")

#: kind, table, version, key, whether it can be put right
Found = tuple[str, str | None, str | None, str, bool]


def look(
    state: ProjectState = TIP,
    *,
    depth: Any = "deep",
    stored: ProjectState | None = None,
    documents: Mapping[str, bytes | None] | None = None,
    without: tuple[str, ...] = (),
    sizes: Mapping[str, int] | None = None,
    **more: Any,
) -> Evidence:
    """What a look shows of a sound project, but for what is given.

    Args:
        state: what git has.
        depth: how closely it was looked at.
        stored: what storage was level with; by default git.
        documents: bytes of documents in storage; ``None`` of one that is gone.
        without: keys of other objects that are not there.
        sizes: of objects, where they are others.
        more: other fields of `Evidence`.
    """
    shown = {**documents_of(stored or state), **(documents or {})}
    held = {key: data for key, data in shown.items() if data is not None}
    there = {**sizes_of(stored or state), **{key: len(data) for key, data in held.items()}, **(sizes or {})}
    there = {key: size for key, size in there.items() if key not in without and shown.get(key, b"") is not None}
    return Evidence(depth, COMMIT, state, {}, there, seen(held), **more)


def found(evidence: Evidence) -> list[Found]:
    return [(p.kind, p.table, p.version, p.key, p.fixable) for p in inspect(evidence)]


@pytest.mark.parametrize("depth", ["quick", "deep", "full"])
@pytest.mark.parametrize("state", [TIP, BEFORE, ATTACHED, empty(), written(empty(1), table("dm", "a"))])
def test_of_a_sound_project_nothing_is_told(depth: str, state: ProjectState) -> None:
    assert inspect(look(state, depth=depth)) == ()


OTHERS = Manifest.new("STUDY_002", 2, at(0)).to_json()
LOST = LostVersion("dm", NEW, at(2), WHO, "why", None)
WITH_REGISTER = {names.GOVERNANCE_KEY: GovernanceFile.new("other.git", PLACE, at(0)).to_json()}
EARLIER = documents_of(BEFORE)
KEPT = projected_lists(TIP, seen(EARLIER), ["dm"])

DOCUMENTS: dict[str, tuple[Evidence, list[Found]]] = {
    "no manifest": (look(documents={names.MANIFEST_KEY: None}), [("missing", None, None, names.MANIFEST_KEY, True)]),
    "empty manifest": (look(documents={names.MANIFEST_KEY: b""}), [("damaged", None, None, names.MANIFEST_KEY, True)]),
    "unreadable": (look(documents={names.MANIFEST_KEY: b"{"}), [("damaged", None, None, names.MANIFEST_KEY, True)]),
    "old manifest": (
        look(documents={names.MANIFEST_KEY: EARLIER[names.MANIFEST_KEY]}),
        [("stale", None, None, names.MANIFEST_KEY, True)],
    ),
    "another project's": (
        look(documents={names.MANIFEST_KEY: OTHERS, names.CUTS_KEY: None, POINTER: None}),
        [("foreign", None, None, names.MANIFEST_KEY, False), ("missing", "dm", None, POINTER, False)],
    ),
    "no cuts": (look(documents={names.CUTS_KEY: None}), [("missing", None, None, names.CUTS_KEY, True)]),
    "old cuts": (
        look(documents={names.CUTS_KEY: EARLIER[names.CUTS_KEY]}),
        [("stale", None, None, names.CUTS_KEY, True)],
    ),
    "no line": (look(documents={names.LINE_KEY: None}), [("missing", None, None, names.LINE_KEY, True)]),
    "damaged line": (look(documents={names.LINE_KEY: b"[]"}), [("damaged", None, None, names.LINE_KEY, True)]),
    "no line of R's": (look(written(empty(), table("dm", "a"), writer="0.1.1"), documents={names.LINE_KEY: None}), []),
    "another line": (
        look(documents={names.CUTS_KEY: None}, diverged="one version is lost", lost=(LOST,)),
        [
            ("missing", None, None, names.CUTS_KEY, False),
            ("diverged", None, None, names.LINE_KEY, False),
            ("diverged", "dm", NEW, NEW_SNAPSHOT, False),
        ],
    ),
    "no register": (
        look(ATTACHED, documents={names.GOVERNANCE_KEY: None}),
        [("missing", None, None, names.GOVERNANCE_KEY, True)],
    ),
    "another register": (
        look(ATTACHED, documents=WITH_REGISTER),
        [("stale", None, None, names.GOVERNANCE_KEY, True)],
    ),
    "no pointer": (look(documents={POINTER: None}), [("missing", "dm", None, POINTER, True)]),
    "damaged pointer": (look(documents={POINTER: b"{"}), [("damaged", "dm", None, POINTER, True)]),
    "old pointer": (look(documents={POINTER: EARLIER[POINTER]}), [("stale", "dm", None, POINTER, True)]),
    "no history": (look(documents={HISTORY: None}), [("missing", "dm", None, HISTORY, True)]),
    "empty history": (look(documents={HISTORY: b""}), [("damaged", "dm", None, HISTORY, True)]),
    "old history": (look(documents={HISTORY: EARLIER[HISTORY]}), [("stale", "dm", None, HISTORY, True)]),
}

VERSIONS: dict[str, tuple[Evidence, list[Found]]] = {
    "no snapshot": (
        look(without=(OLD_SNAPSHOT,), recoverable=frozenset({OLD_SNAPSHOT})),
        [("missing", "dm", OLD, OLD_SNAPSHOT, True)],
    ),
    "no snapshot anywhere": (look(without=(OLD_SNAPSHOT,)), [("missing", "dm", OLD, OLD_SNAPSHOT, False)]),
    "empty snapshot": (look(sizes={OLD_SNAPSHOT: 0}), [("damaged", "dm", OLD, OLD_SNAPSHOT, False)]),
    "faulty snapshot": (
        look(faults={NEW_SNAPSHOT: "cannot be read"}, recoverable=frozenset({NEW_SNAPSHOT})),
        [("damaged", "dm", NEW, NEW_SNAPSHOT, True)],
    ),
    "lost": (look(without=(NEW_PAYLOAD,)), [("lost", "dm", NEW, NEW_PAYLOAD, False)]),
    "lost, of an old version": (look(without=(OLD_PAYLOAD,)), [("lost", "dm", OLD, OLD_PAYLOAD, False)]),
    "lost, not looked for": (look(depth="quick", without=(OLD_PAYLOAD,)), []),
    "lost, in git": (
        look(without=(NEW_PAYLOAD,), recoverable=frozenset({NEW_PAYLOAD})),
        [("lost", "dm", NEW, NEW_PAYLOAD, True)],
    ),
    "gone while it was read": (look(digests={NEW_PAYLOAD: None}), [("lost", "dm", NEW, NEW_PAYLOAD, False)]),
    "not uploaded yet": (
        look(stored=BEFORE, documents={names.MANIFEST_KEY: KEPT.manifest.to_json()}),
        [("waiting", "dm", NEW, NEW_PAYLOAD, False)],
    ),
    "never heard of": (
        look(stored=empty(), sizes=dict.fromkeys([OLD_PAYLOAD, names.payload("ae", sha("e"))], 100)),
        [
            ("stale", None, None, names.MANIFEST_KEY, True),
            ("missing", None, None, names.CUTS_KEY, True),
            ("missing", "ae", None, names.pointer("ae"), True),
            ("missing", "ae", None, names.history("ae"), True),
            (
                "missing",
                "ae",
                current_of(TIP, "ae").version,
                names.snapshot("ae", current_of(TIP, "ae").version),
                False,
            ),
            ("waiting", "dm", NEW, NEW_PAYLOAD, False),
        ],
    ),
    "empty payload": (look(sizes={NEW_PAYLOAD: 0}), [("altered", "dm", NEW, NEW_PAYLOAD, False)]),
    "other bytes": (look(digests={NEW_PAYLOAD: sha("x")}), [("altered", "dm", NEW, NEW_PAYLOAD, False)]),
    "another content": (
        look(verdicts={NEW_PAYLOAD: Verdict("it holds a")}),
        [("forged", "dm", NEW, NEW_PAYLOAD, False)],
    ),
    "a content that only R could judge": (look(verdicts={NEW_PAYLOAD: Verdict("it holds a", "R wrote it")}), []),
    "another size, the right bytes": (look(payload_sizes={NEW_PAYLOAD: frozenset({7})}), []),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents(name: str) -> None:
    evidence, expected = DOCUMENTS[name]
    assert found(evidence) == expected


@pytest.mark.parametrize("name", VERSIONS)
def test_versions(name: str) -> None:
    evidence, expected = VERSIONS[name]
    assert found(evidence) == expected


def test_without_a_recorded_hash_the_size_tells() -> None:
    state = written(empty(), table("dm", "a"))
    plain = [{k: v for k, v in entry.items() if k != "parquet_sha"} for entry in state.table("dm").history.raw]
    history = History.from_json(canonical.dump(plain), "here")
    state = replace(state, tables={"dm": TableState(metadata_of(state, "dm").with_fields(parquet_sha=None), history)})
    evidence = look(state, payload_sizes={OLD_PAYLOAD: frozenset({7})})
    assert odd_payloads(evidence) == [OLD_PAYLOAD]
    assert [(p.kind, p.key) for p in inspect(evidence)] == [("altered", OLD_PAYLOAD)]
    assert odd_payloads(look(state, payload_sizes={OLD_PAYLOAD: frozenset({7, 100})})) == []


def edited(**changes: Callable[[list[dict[str, Any]]], object]) -> ProjectState:
    """The project with the entries of a table's history changed, newest first."""
    tables = dict(TIP.tables)
    for name, change in changes.items():
        entries = [dict(entry) for entry in TIP.table(name).history.raw]
        change(entries)
        tables[name] = TableState(metadata_of(TIP, name), History.from_json(canonical.dump(entries), "here"))
    return replace(TIP, tables=tables)


def without(state: ProjectState, name: str) -> ProjectState:
    return replace(state, tables={n: t for n, t in state.tables.items() if n != name})


AGAIN = {"version": sha("v"), "data_sha": sha("b"), "parquet_sha": sha("x")}
INCONSISTENT: dict[str, tuple[ProjectState, list[str]]] = {
    "a row without documents": (without(TIP, "ae"), ["ae/metadata.json is not there", "has it in the cut 'c1'"]),
    "documents without a row": (with_rows(TIP, ae=None), ["does not list it"]),
    "a row of another content": (with_rows(TIP, dm={"current_data_sha": sha("x")}), ["has the content"]),
    "a row of another version": (with_rows(TIP, dm={"current_version": OLD}), [f"has the version {OLD[:8]}"]),
    "a row that counts wrong": (with_rows(TIP, dm={"version_count": 3}), ["counts 3 versions, the history has 2"]),
    "no version of the content": (
        edited(ae=lambda e: e[0].update(data_sha=sha("x"))),
        ["has no version of the current"],
    ),
    "another hash than recorded": (
        edited(ae=lambda e: e[0].update(parquet_sha=sha("x"))),
        ["has another SHA-256 of the"],
    ),
    "a version twice": (edited(dm=lambda e: e.append(e[1])), [f"has {OLD[:8]} 2 times", "counts 2 versions"]),
    "two hashes of a payload": (edited(dm=lambda e: e.append({**e[0], **AGAIN})), ["has 2 SHA-256 of one", "counts 2"]),
    "no time": (edited(dm=lambda e: e[1].update(timestamp="soon")), [f"has no time of {OLD[:8]}, but 'soon'"]),
    "a cut of nothing": (edited(dm=lambda e: e.pop(1)), ["counts 2 versions", "has it in the cut 'c1'"]),
}


@pytest.mark.parametrize("name", INCONSISTENT)
def test_git_that_disagrees_with_itself(name: str) -> None:
    state, expected = INCONSISTENT[name]
    problems = [p for p in inspect(look(state)) if p.kind == "inconsistent"]
    assert not any(p.fixable for p in problems)
    assert len(problems) == len(expected)
    for problem, said in zip(problems, expected, strict=True):
        assert said in problem.message
    assert [p for p in inspect(look(state, depth="quick")) if p.kind == "inconsistent"] == []


def test_what_nothing_explains() -> None:
    known = [*sizes_of(TIP), names.CLAIM_KEY, names.GOVERNANCE_KEY]
    odd = ["dm/.metadata/notes.json", names.snapshot("dm", sha("x")), names.payload("vs", sha("b"))]
    assert strangers(TIP, [*known, *odd]) == tuple(sorted(odd))


def test_folders_of_git_that_no_row_lists() -> None:
    files = [path for name in ("dm", "vs", "lb", "a b?") for path in (f"{name}/metadata.json", f"{name}/x")]
    assert unlisted_tables(TIP, [*files, "vs/version_history.json", "dm/version_history.json"]) == ["vs"]
