"""Cite a version of a table or set: one id for it, and the forms that papers and repositories take.

Sources: the `csl-data` schema of the Citation Style Language, DataCite's metadata schema 4. Nothing is registered with
anybody: the id leads to a version by the organization's register, or by the project's storage, wherever that moved.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from datom_core.common import names
from datom_core.documents import Author
from datom_core.errors import InvalidInputError

_SCHEME = "datom:"
_ID = re.compile(r"datom:(?P<project>[^/@]+)/(?P<name>[^/@]+)@(?P<version>[0-9a-f]{6,64})")
_DIGITS = 8
_BIBTEX = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


@dataclass(frozen=True)
class Citation:
    """How to cite one version.

    Attributes:
        project, name, kind: what it is a version of.
        version: the full version id.
        author: who recorded it.
        recorded_at: when (ISO 8601, UTC); empty where R recorded no time.
        data_sha: its content hash.
        size: rows of a table, members of a set; ``None`` where the document does not say.
        parts: the ids of a set's members.
    """

    project: str
    name: str
    kind: str
    version: str
    author: Author
    recorded_at: str
    data_sha: str
    size: int | None
    parts: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The id, with as many digits of the version as a person writes: ``datom:STUDY_001/adsl@7e21b0aa``."""
        return citation_id(self.project, self.name, self.version[:_DIGITS])

    @property
    def full_id(self) -> str:
        """The id with the whole version, for machines."""
        return citation_id(self.project, self.name, self.version)

    @property
    def year(self) -> str:
        return self.recorded_at[:4] or "n.d."

    @property
    def title(self) -> str:
        return f"{self.name} ({self.kind} of {self.project}, version {self.version[:_DIGITS]})"

    def text(self) -> str:
        """A line for a list of references."""
        date = f", recorded {self.recorded_at}" if self.recorded_at else ""
        return f"{self.author.name} ({self.year}). {self.title}{date}. {self.id}"

    def bibtex(self) -> str:
        """An entry ``@dataset`` of biblatex, whose text is UTF-8."""
        key = re.sub(r"[^A-Za-z0-9]+", "-", f"{self.project}-{self.name}-{self.version[:_DIGITS]}")
        fields = {
            "author": "{" + _bibtex(self.author.name) + "}",
            "title": _bibtex(self.title),
            "date": self.recorded_at[:10],
            "version": self.version,
            "publisher": _bibtex(self.project),
            "note": _bibtex(self.full_id),
        }
        return f"@dataset{{{key},\n" + "".join(f"  {k} = {{{v}}},\n" for k, v in fields.items() if v) + "}\n"

    def csl_json(self) -> str:
        """A list of one item for citation managers (Zotero, pandoc, Quarto)."""
        item: dict[str, Any] = {
            "id": self.full_id,
            "type": "dataset",
            "title": self.title,
            "author": [{"literal": self.author.name}],
            "publisher": self.project,
            "version": self.version,
            "number": self.id,
        }
        if self.recorded_at:
            year, month, day = (int(part) for part in self.recorded_at[:10].split("-"))
            item["issued"] = {"date-parts": [[year, month, day]]}
        return json.dumps([item], ensure_ascii=False, indent=2) + "\n"

    def datacite_json(self) -> str:
        """Metadata in DataCite's schema 4. It has no DOI: none is minted."""
        document: dict[str, Any] = {
            "identifiers": [{"identifier": self.full_id, "identifierType": "datom"}],
            "creators": [{"name": self.author.name}],
            "titles": [{"title": self.title}],
            "publisher": {"name": self.project},
            "types": {"resourceType": self.kind, "resourceTypeGeneral": "Dataset" if not self.parts else "Collection"},
            "version": self.version,
            "alternateIdentifiers": [{"alternateIdentifier": self.data_sha, "alternateIdentifierType": "data_sha"}],
            "schemaVersion": "http://datacite.org/schema/kernel-4",
        }
        if self.recorded_at:
            document["publicationYear"] = self.year
            document["dates"] = [{"date": self.recorded_at, "dateType": "Created"}]
        if self.size is not None:
            document["sizes"] = [f"{self.size} {'rows' if self.kind == 'table' else 'members'}"]
        if self.parts:
            document["relatedItems"] = [
                {"relationType": "HasPart", "relatedItemType": "Dataset", "titles": [{"title": part}]}
                for part in self.parts
            ]
        return json.dumps(document, ensure_ascii=False, indent=2) + "\n"

    def __str__(self) -> str:
        return self.text()


def citation_id(project: str, name: str, version: str) -> str:
    """The id of a version; blanks in names are percent-encoded."""
    return f"{_SCHEME}{quote(project, safe='()')}/{quote(name, safe='()')}@{version}"


def parse_citation_id(text: object) -> tuple[str, str, str]:
    """The project, the name and the first digits of the version that an id names.

    Raises:
        InvalidInputError: it is no such id.
    """
    match = _ID.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise InvalidInputError(f"An id is like datom:STUDY_001/adsl@7e21b0aa, and {text!r} is not.")
    project, name = (names.check_name(unquote(match[part]), part) for part in ("project", "name"))
    return project, name, match["version"]


def _bibtex(text: str) -> str:
    return "".join(_BIBTEX.get(c, c) for c in text)
