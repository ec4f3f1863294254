"""What somebody sees who renders a traceback with the local variables of its frames, as error trackers do."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import quote

_TESTS = str(Path(__file__).parent)
_OURS = ("datom_core", "datom_dagster")


def rendered(error: BaseException) -> str:
    """The whole traceback with all variables, those of a library's frames among them; the tests' own aside.

    Of objects of ours what they hold is shown, too, one level down.
    """
    parts = []
    for one in _chain(error):
        frames = [(f, line) for f, line in traceback.walk_tb(one.__traceback__) if not _is_test(f)]
        summary = traceback.StackSummary.extract(iter(frames), capture_locals=True)
        parts += [*summary.format(), *traceback.format_exception_only(one), *getattr(one, "__notes__", ())]
        parts += [_within(value) for frame, _ in frames for value in frame.f_locals.values()]
    return "\n".join(parts)


def shown_in(error: BaseException, secrets: Iterable[str]) -> list[str]:
    """The variables, or other places of a rendered traceback, in which one of the secrets shows in any spelling."""
    text = rendered(error)
    forms = [form for secret in secrets for form in spellings(secret)]
    return [line.strip()[:300] for line in text.splitlines() if any(form in line for form in forms)]


def spellings(secret: str) -> set[str]:
    """A secret as it is, and as it travels."""
    plain = {secret, quote(secret, safe="")}
    for login in (secret, f"git:{secret}", f"x-access-token:{secret}"):
        plain.add(base64.b64encode(login.encode()).decode())
    return plain


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]


def _is_test(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_TESTS)


def _within(value: Any) -> str:
    if not type(value).__module__.startswith(_OURS) or type(value).__name__ == "HiddenFunction":
        return ""  # the latter is what a caller's function is wrapped into, as a Secret is around text
    names = [*getattr(value, "__dict__", {}), *(n for k in type(value).__mro__ for n in getattr(k, "__slots__", ()))]
    return "\n".join(f"{type(value).__name__}.{n} = {getattr(value, n, None)!r}" for n in names if n != "__weakref__")
