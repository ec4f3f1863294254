"""Every rule about names, and every key and path that is built from them (docs/format.md, "Conventions")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from datom_core.errors import InvalidInputError

MANIFEST_KEY = ".metadata/manifest.json"
CUTS_KEY = ".metadata/cuts.json"
GOVERNANCE_KEY = ".metadata/governance.json"
CLAIM_KEY = ".metadata/claim.json"  # while a project is being created
LINE_KEY = ".metadata/line.json"

PROJECT_FILE = ".datom/project.yaml"
MANIFEST_FILE = ".datom/manifest.json"
CUTS_FILE = ".datom/cuts.json"
GOVERNANCE_FILE = ".datom/governance.json"
SIGNERS_FILE = ".datom/allowed_signers"

REGISTRATIONS = "projects"  # folder of the governance repo

Kind = Literal["table", "set"]

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_ ()-]*")
_SHA = re.compile(r"[0-9a-f]{64}")
_PREFIX = re.compile(r"[0-9a-f]{1,64}")
_MAX_NAME = 128
_MAX_CUT = 128
_RESERVED = frozenset({".metadata", ".datom", "input_files", "datom", ".git", ".gitignore", "renv"})
# R's mirror and validate skip these directories of the clone: a table so named would vanish from both.
_SKIPPED_BY_R = frozenset({"man", "r", "tests", "vignettes", "src"})


def check_name(name: object, what: str = "table") -> str:
    """Return ``name`` when it can be read as the name of a table, set or project.

    Raises:
        InvalidInputError: the rule that it breaks, with the value.
    """
    if not isinstance(name, str):
        raise InvalidInputError(
            f"The {what} name must be a string, not {type(name).__name__}.{_swapped(name)}", name=name
        )
    if not 1 <= len(name) <= _MAX_NAME:
        raise InvalidInputError(f"The {what} name must have 1 to {_MAX_NAME} characters; this one has {len(name)}.")
    if not _NAME.fullmatch(name):
        raise InvalidInputError(
            f"The {what} name {name!r} is not allowed: start with a letter and use only letters, digits, "
            "underscores, hyphens, spaces and parentheses (ASCII).",
            name=name,
        )
    if name.lower() in _RESERVED:
        raise InvalidInputError(f"The {what} name {name!r} is reserved by the format. Choose another.", name=name)
    return name


def _swapped(given: object) -> str:
    """A hint at what was given in the place of a name."""
    kinds = {"location": "A store is another one", "__arrow_c_stream__": "The frame comes after the name"}
    if isinstance(given, (Mapping, list)):
        return " Are the arguments swapped? The tables come after the name."
    return next((f" Are the arguments swapped? {said}." for kind, said in kinds.items() if hasattr(given, kind)), "")


def is_name(name: str) -> bool:
    """Whether `check_name` would accept it."""
    return 1 <= len(name) <= _MAX_NAME and _NAME.fullmatch(name) is not None and name.lower() not in _RESERVED


def check_new_name(name: object, what: str = "table") -> str:
    """As `check_name`, and refuse what R can write but would then skip when it mirrors."""
    checked = check_name(name, what)
    if checked != checked.strip():
        raise InvalidInputError(f"The {what} name {checked!r} ends with a blank. Leave it out.", name=checked)
    if checked.lower() in _SKIPPED_BY_R:
        raise InvalidInputError(
            f"The {what} name {checked!r} is a directory that R's datom skips when it mirrors and validates. "
            "Choose another.",
            name=checked,
        )
    return checked


def check_cut_name(name: object) -> str:
    """Return ``name`` when it can name a cut: 1 to 128 printable characters, no blanks at the ends."""
    return _check_label(name, "cut", '"2026-02-28" or "dry-run-2"')


def check_mark_name(name: object) -> str:
    """As `check_cut_name`, for the name of a review mark."""
    return _check_label(name, "mark", '"reviewed" or "medical-review"')


def _check_label(name: object, what: Literal["cut", "mark"], example: str) -> str:
    if not isinstance(name, str):
        raise InvalidInputError(
            f"The {what} name must be a string, not {type(name).__name__}.{_swapped(name)}", **{what: name}
        )
    if not 1 <= len(name) <= _MAX_CUT or not name.isprintable() or name != name.strip():
        raise InvalidInputError(
            f"The {what} name {name!r} is not allowed: use 1 to {_MAX_CUT} printable characters "
            f"without blanks at either end, for example {example}.",
            **{what: name},
        )
    return name


def is_text(value: str) -> bool:
    """Whether ``value`` can be written as UTF-8 (a lone surrogate cannot)."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_sha(value: object) -> bool:
    """Whether ``value`` is a full SHA-256 in lower-case hex."""
    return isinstance(value, str) and _SHA.fullmatch(value) is not None


def check_version(value: object) -> str:
    """Return ``value`` when it is a version or the beginning of one (1 to 64 lower-case hex digits)."""
    if not isinstance(value, str) or not _PREFIX.fullmatch(value):
        raise InvalidInputError(
            f"A version is up to 64 lower-case hex digits, or the first few of them; got {value!r}.", version=value
        )
    return value


def normalise_prefix(prefix: str | None) -> str:
    """The storage prefix without slashes at its ends; ``""`` when there is none.

    ``raw``, ``raw/`` and ``/raw/`` are one place. A ``datom`` segment, an empty one, ``.`` and ``..`` are refused.
    """
    given: object = prefix
    if given is not None and not isinstance(given, str):
        raise InvalidInputError(f"The prefix is text, as in prefix='trials/study_001', not {given!r}.")
    stripped = (prefix or "").strip("/")
    segments = stripped.split("/") if stripped else []
    bad = [s for s in segments if s in ("", ".", "..", "datom") or not s.isprintable() or "\\" in s]
    if bad:
        raise InvalidInputError(
            f"The prefix {prefix!r} is not allowed: no segment may be empty, '.', '..', 'datom', "
            "or hold a backslash or control character.",
            prefix=prefix,
        )
    return stripped


def check_key(key: str) -> str:
    """Return ``key`` when it is a relative storage key that stays inside its namespace."""
    segments = key.split("/")
    if any(s in ("", ".", "..", "datom") or "\0" in s or "\\" in s for s in segments):
        raise InvalidInputError(f"The storage key {key!r} is not a plain relative key.", key=key)
    return key


def is_of_the_format(key: str) -> bool:
    """Whether a storage key is one that a writer of this format makes, whatever project it belongs to."""
    name, _, rest = key.partition("/")
    if key in (MANIFEST_KEY, CUTS_KEY, GOVERNANCE_KEY, CLAIM_KEY, LINE_KEY):
        return True
    stem, _, extension = rest.removeprefix(".metadata/").partition(".")
    documents = rest.startswith(".metadata/") and extension == "json" and stem in ("metadata", "version_history")
    return is_name(name) and (documents or (is_sha(stem) and extension in ("parquet", "json")))


def payload(table: str, data_sha: str) -> str:
    """Key of a table's parquet file, addressed by its content."""
    return f"{table}/{data_sha}.parquet"


def set_payload(name: str, data_sha: str) -> str:
    """Key of a set's member list, addressed by its content."""
    return f"{name}/{data_sha}.json"


def pointer(name: str) -> str:
    """Key of the document that says which version is current."""
    return f"{name}/.metadata/metadata.json"


def history(name: str) -> str:
    """Key of the list of versions, newest first."""
    return f"{name}/.metadata/version_history.json"


def snapshot(name: str, version: str) -> str:
    """Key of the metadata as it was at one version."""
    return f"{name}/.metadata/{version}.json"


def metadata_file(name: str) -> str:
    """Path in git of what `pointer` mirrors."""
    return f"{name}/metadata.json"


def history_file(name: str) -> str:
    """Path in git of what `history` mirrors."""
    return f"{name}/version_history.json"


def registration(project: str, document: Literal["ref", "dispatch", "migration_history"]) -> str:
    """Path in the governance repo of a document about a project, and its key in governance storage."""
    return f"{REGISTRATIONS}/{check_name(project, 'project')}/{document}.json"


def set_file(name: str) -> str:
    """Path in git of a set's member list."""
    return f"{name}/set.json"
