"""How a set stands to what is current now in the projects that it takes its members from. No effects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from datom_core.sets.members import Member
from datom_core.sets.version_set import VersionSet

#: ``new``: the set lacks it. ``changed``, ``unchanged``: the set lists another version, or the current one.
#: ``ambiguous``: the set lists several versions of it. ``gone``: its project no longer shows it. ``excluded``: the
#: set lacks it, and the pattern does not fit. ``not_checked``: its project was not looked at.
MemberStatus = Literal["new", "changed", "unchanged", "ambiguous", "gone", "excluded", "not_checked"]

#: Name -> (kind, current version) of everything that a project has.
Current = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class MemberState:
    """How one member, or one table that could be one, stands to what is current.

    Attributes:
        project, name, kind: what it is.
        listed: the version that the set lists; ``None`` if it lists none.
        current: the version that is current; ``None`` if that is not known.
        status: what that means.
    """

    project: str
    name: str
    kind: str
    listed: str | None
    current: str | None
    status: MemberStatus


def member_states(of: VersionSet, current: Mapping[str, Current], pattern: str | None = None) -> list[MemberState]:
    """How every member of a set, and everything else in the projects looked at, stands.

    Args:
        of: the set.
        current: project -> what it has.
        pattern: a glob on the names of what is new (``"ad*"``).
    """
    times = Counter(m.is_in for m in of)
    states = [_of_member(m, current, times[m.is_in] > 1) for m in of]
    for project, has in current.items():
        for name, (kind, version) in has.items():
            if (project, name) in times or (project, name) == (of.project, of.name):
                continue
            fits = pattern is None or fnmatchcase(name, pattern)
            states.append(MemberState(project, name, kind, None, version, "new" if fits else "excluded"))
    return states


def _of_member(member: Member, current: Mapping[str, Current], several: bool) -> MemberState:
    has = current.get(member.project)
    now = None if has is None or member.name not in has else has[member.name][1]
    status: MemberStatus
    if has is None:
        status = "not_checked"
    elif now is None:
        status = "gone"
    elif several:
        status = "ambiguous"
    else:
        status = "unchanged" if now == member.version else "changed"
    return MemberState(member.project, member.name, member.kind, member.version, now, status)


def brought_level(of: VersionSet, states: Iterable[MemberState], tags: Mapping[str, Any] | None) -> VersionSet:
    """The set with what is new added and what changed repointed; all else stays as it is.

    Args:
        of: the set.
        states: from `member_states`; leave out what is not wanted.
        tags: labels of what is added.
    """
    for state in states:
        if state.status == "new" and state.current is not None:
            of = of.add(Member(state.project, state.name, state.current, state.kind, tags))
        elif state.status == "changed" and state.current is not None:
            of = of.repoint(state.name, state.current, project=state.project)
    return of
