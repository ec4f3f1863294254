"""What a commit changed in the documents about the whole project: its file, its manifest, its register, its signers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from datom_core.auditing.stories import Story
from datom_core.common import names
from datom_core.documents import ProjectFile, optional, parse_object, required, same_place, schema_of
from datom_core.errors import FormatError

#: Who may sign, in the format of OpenSSH; in git alone.
SIGNERS_FILE = ".datom/allowed_signers"

_SHOWN = 3  # lines of a file, in an event

Texts = Sequence[bytes | None]


def compare_project_files(before: Texts, after: bytes | None) -> list[Story]:
    """The project's beginning, the move of its data, the beginning of its end.

    Raises:
        FormatError: one of the documents cannot be read.
    """
    path = names.PROJECT_FILE
    if after is None:
        return [_gone(path)]
    now = ProjectFile.from_yaml(after, path)
    was = [ProjectFile.from_yaml(text, path) for text in before if text is not None]
    if not was:
        return [Story("project", "created", files=(path,), detail=f"{now.name}, data in {now.location}")]
    stories = []
    if not any(same_place(now.location, w.location) for w in was):
        moved = f"from {was[0].location} to {now.location}"
        stories.append(Story("move", "recorded", files=(path,), detail=moved))
    if now.decommissioned_at is not None and all(w.decommissioned_at is None for w in was):
        stories.append(Story("decommission", "begun", recorded_at=now.decommissioned_at, files=(path,)))
    if now.decommissioned_at is None and all(w.decommissioned_at is not None for w in was):
        stories.append(Story("alteration", "removed", files=(path,), detail="the mark of a decommission is gone"))
    if all(now.name != w.name for w in was):
        stories.append(Story("alteration", "rewritten", files=(path,), detail=f"renamed: {was[0].name} to {now.name}"))
    return stories


def compare_manifests(before: Texts, after: bytes | None) -> list[Story]:
    """A conversion to a newer schema.

    Raises:
        FormatError: one of the documents cannot be read.
    """
    path = names.MANIFEST_FILE
    if after is None:
        return [_gone(path)]
    now, *was = [_schema(text) for text in (after, *before) if text is not None]
    if was and now > max(was):
        files = (path, names.PROJECT_FILE)
        return [Story("upgrade", "converted", files=files, detail=f"schema {max(was)} to schema {now}")]
    if was and now < min(was):
        return [Story("alteration", "rewritten", files=(path,), detail=f"schema {min(was)} to schema {now}")]
    return []


@lru_cache(maxsize=2)  # what one commit leaves is what the next one finds
def _schema(manifest: bytes) -> int:
    return schema_of(parse_object(manifest, names.MANIFEST_FILE), names.MANIFEST_FILE)


def compare_governance(before: Texts, after: bytes | None) -> list[Story]:
    """The project's entry into a register.

    Raises:
        FormatError: one of the documents cannot be read.
    """
    path = names.GOVERNANCE_FILE
    if after is None:
        return [_gone(path)]
    now, *was = [_register(text) for text in (after, *before) if text is not None]
    if now in [w._replace(attached_at=now.attached_at) for w in was]:
        return []
    told = f"register {now.remote}, mirrored in {now.place}"
    return [Story("attach", "moved" if was else "recorded", recorded_at=now.attached_at, files=(path,), detail=told)]


class _Register(NamedTuple):
    remote: str
    place: str
    attached_at: str | None


def _register(text: bytes) -> _Register:
    raw = parse_object(text, names.GOVERNANCE_FILE)
    place = required(raw, "gov_storage", dict, names.GOVERNANCE_FILE)
    shown = f"{place.get('type')}:{'/'.join(str(v) for k in ('root', 'prefix') if (v := place.get(k)))}"
    told = (required(raw, "gov_repo_url", str, names.GOVERNANCE_FILE), shown)
    return _Register(*told, optional(raw, "attached_at", str, names.GOVERNANCE_FILE))


def compare_signers(before: Texts, after: bytes | None) -> list[Story]:
    """Who may sign from now on.

    Raises:
        FormatError: the file is not text.
    """
    path = SIGNERS_FILE
    if after is None:
        return [_gone(path)]
    now, was = _lines(after), [_lines(text) for text in before if text is not None]
    added = [line for line in now if not any(line in w for w in was)]
    removed = [line for line in dict.fromkeys(line for w in was for line in w) if line not in now]
    if not added and not removed:
        return []
    told = [f"{sign} {_short(line)}" for sign, lines in (("+", added), ("-", removed)) for line in lines[:_SHOWN]]
    more = len(added) + len(removed) - len(told)
    detail = "; ".join(told) + (f"; and {more} more" if more else "")
    action = "changed" if added and removed else "added" if added else "removed"
    return [Story("signers", action, files=(path,), detail=detail)]


def _gone(path: str) -> Story:
    return Story("alteration", "removed", files=(path,), detail=f"{path} is gone")


def _lines(text: bytes) -> list[str]:
    try:
        lines = text.decode().splitlines()
    except UnicodeDecodeError as error:
        raise FormatError(f"{SIGNERS_FILE} is not text ({error}).", source=SIGNERS_FILE) from error
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _short(line: str) -> str:
    """A line with its key cut short."""
    return " ".join(word if len(word) <= 40 else f"{word[:12]}...{word[-12:]}" for word in line.split())
