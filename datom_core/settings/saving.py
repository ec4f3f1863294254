"""Whether a settings file may be written over: it may say the same, or more, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from datom_core.errors import AlreadyExistsError
from datom_core.settings.register_settings import RegisterSettings
from datom_core.settings.storage_settings import StorageSettings


class Placed(Protocol):
    """Settings that say where a project or a register is."""

    @property
    def project(self) -> str | None: ...

    @property
    def storage(self) -> StorageSettings | None: ...

    @property
    def register(self) -> RegisterSettings | None: ...


def check_one_place(file: Path, held: Placed, mine: Placed) -> None:
    """Refuse settings of another project or register than a file's.

    Raises:
        AlreadyExistsError: says of what the file is.
    """
    one_project = held.project is None or mine.project in (None, held.project)
    registers = (held.register, mine.register)
    ours = [(held.storage, mine.storage), *([] if None in registers else [(r.storage for r in registers if r)])]
    if one_project and all(kept is None or new is None or kept.same_place(new, file.parent) for kept, new in ours):
        return
    what = f"the project {held.project}" if held.project else "another project" if held.storage else "a register"
    raise AlreadyExistsError(
        f"{file} describes {what}, and stays as it is. Give another file, or work in another folder.",
        file=str(file),
    )
