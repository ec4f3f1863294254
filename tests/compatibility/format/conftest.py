"""The study, made once: its tests copy what they alter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.compatibility.format import study


@dataclass(frozen=True)
class Made:
    """Where the study lies, and the claims that stood while its places were filled."""

    folder: Path
    claims: tuple[str, ...]

    @property
    def storage(self) -> Path:
        return self.folder / "data" / study.PREFIX / "datom"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setenv("GIT_AUTHOR_NAME", "Study pipeline")
        patch.setenv("GIT_AUTHOR_EMAIL", "pipeline@example.org")
        yield Made(folder, study.make(folder))
