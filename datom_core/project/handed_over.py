"""What an open project hands over for others to prove."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from datom_core.common import Moment
from datom_core.project.open_project import ProjectParts

if TYPE_CHECKING:
    from datom_core.evidence import EvidenceBag
    from datom_core.git import SigningKey
    from datom_core.reading import ProjectReader


class HandedOver:
    """The part of `Project` that makes bags of evidence."""

    _parts: ProjectParts

    if TYPE_CHECKING:

        @property
        def reader(self) -> ProjectReader: ...

    def evidence(
        self,
        to: str | os.PathLike[str],
        *,
        cut: str | None = None,
        as_of: Moment | None = None,
        tables: Mapping[str, str] | Collection[str] | None = None,
        copies: Sequence[str] = (),
        since: str | None = None,
        report: bool = True,
        seal: SigningKey | Callable[[bytes], bytes] | None = None,
        dry_run: bool = False,
    ) -> EvidenceBag:
        """As `ProjectReader.evidence`, with the project's own git history."""
        return self.reader.evidence(
            to,
            cut=cut,
            as_of=as_of,
            tables=tables,
            history=self._parts.repo,
            copies=copies,
            since=since,
            report=report,
            seal=seal,
            dry_run=dry_run,
        )
