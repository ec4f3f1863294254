"""Whether a drop is complete: by a list that its sender adds, or because it has been quiet for a while."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from datom_core.documents import parse
from datom_core.errors import FormatError, InvalidInputError
from datom_core.extracts.drops.protocol import ExtractFile, ExtractSource, odd_name

_BLOCK = 2**20
_LARGEST = 16 * 2**20  # bytes of a manifest
_ODD = "no name that a file can have everywhere; rename it"


@dataclass(frozen=True)
class Drop:
    """What may be read.

    Attributes:
        files: the files of the drop.
        others: what lies next to them, with the reason why it is not read.
        waiting: why the drop is not complete; nothing is to be read until this is empty.
        refused: what belongs to the drop by its name but is never read, with the reason.
    """

    files: tuple[ExtractFile, ...]
    others: Mapping[str, str]
    waiting: tuple[str, ...]
    refused: Mapping[str, str] = field(default_factory=dict)


def inspect_drop(source: ExtractSource, *, manifest: str | None, quiet: float | None, now: datetime) -> Drop:
    """What ``source`` holds, and whether it is complete.

    Args:
        manifest: name of a JSON file that lists the drop: ``{"files": [{"name": ..., "size": ..., "sha256": ...}]}``,
            with the hash optional. Files that it does not list are left alone.
        quiet: seconds without any change to a file.
        now: the current time.

    Raises:
        InvalidInputError: ``quiet`` is not a positive number.
        The errors of ``source``.
    """
    if quiet is not None and not quiet > 0:
        raise InvalidInputError(f"quiet is a positive number of seconds, not {quiet!r}.")
    listing = source.list()
    others = dict.fromkeys(listing.others, "a folder below the drop is not looked into")
    refused = dict(listing.refused) | {f.name: _ODD for f in listing.files if odd_name(f.name)}
    hidden = {n for n in (*(f.name for f in listing.files), *refused) if n.startswith((".", "~$"))}
    others |= {_told(n): "hidden, or a lock of Excel's" for n in sorted(hidden)}
    refused = {_told(n): why for n, why in refused.items() if n not in hidden}
    files = {f.name: f for f in listing.files if f.name not in hidden and not odd_name(f.name)}
    waiting: list[str] = []
    if manifest is not None:
        mark = next((f for f in listing.files if f.name == manifest), None)
        files.pop(manifest, None)
        if manifest in listing.refused:
            raise InvalidInputError(f"{source.location}: {manifest} is {listing.refused[manifest]}.", file=manifest)
        listed, problem = _listed(source, mark, manifest)
        waiting += [problem] if problem else _missing(source, listed, files, refused)
        others |= {n: f"not in {manifest}" for n in (*files, *refused) if n not in listed}
        files = {n: f for n, f in files.items() if n in listed}
        refused = {n: why for n, why in refused.items() if n in listed}
    if quiet is not None:
        waiting += [
            f"{f.name} changed {max(0, (now - f.modified).total_seconds()):.0f} seconds ago"
            for f in files.values()
            if (now - f.modified).total_seconds() < quiet
        ]
    return Drop(tuple(files[n] for n in sorted(files)), others, tuple(waiting), refused)


def _told(name: str) -> str:
    """A name in printable form."""
    return name if not odd_name(name) else ascii(name)[1:-1]


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _listed(
    source: ExtractSource, mark: ExtractFile | None, manifest: str
) -> tuple[dict[str, Mapping[str, Any]], str | None]:
    """The manifest's entries by name, or why there are none: it may be late, or only half written."""
    if mark is None:
        return {}, f"{manifest} is not there yet"
    if mark.size > _LARGEST:
        return {}, f"{manifest} has {mark.size} bytes, which is no list of files"
    with tempfile.TemporaryDirectory(prefix="datom-") as folder:
        raw = source.fetch(mark, Path(folder)).read_bytes()
    try:
        entries = parse(raw, manifest, largest=_LARGEST)["files"]
        return {str(e["name"]): e for e in entries if int(e["size"]) >= 0}, None
    except (FormatError, ValueError, TypeError, KeyError, OverflowError) as error:
        reason = error.__cause__ or error
        return {}, f'{manifest} is not {{"files": [{{"name": ..., "size": ...}}]}} ({type(reason).__name__}: {reason})'


def _missing(
    source: ExtractSource,
    listed: Mapping[str, Mapping[str, Any]],
    files: Mapping[str, ExtractFile],
    refused: Mapping[str, str],
) -> list[str]:
    problems = []
    for name, entry in listed.items():
        file, size, sha = files.get(name), int(entry["size"]), entry.get("sha256")
        if name in refused:
            problems.append(f"{name} is not read: {refused[name]}")
        elif file is None:
            problems.append(f"{name} is not there yet")
        elif file.size != size:
            problems.append(f"{name} has {file.size} of {size} bytes")
        elif sha is not None:
            with tempfile.TemporaryDirectory(prefix="datom-") as folder:
                found = sha256_of(source.fetch(file, Path(folder)))
            if found != str(sha).lower():
                problems.append(f"{name} has another SHA-256 than listed ({found[:8]}, not {str(sha)[:8]})")
    return problems
