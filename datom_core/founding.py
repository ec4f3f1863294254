"""How a project begins: its first files, its first commit, and its first object in storage."""

from __future__ import annotations

from datetime import datetime

from datom_core import names
from datom_core.documents import Author, Location, Manifest, ProjectFile, format_timestamp
from datom_core.errors import AlreadyExistsError, FormatError, NotFoundError
from datom_core.git import GitRepo, LostRaceError
from datom_core.projector import Projector
from datom_core.state import load_state
from datom_core.stores import ObjectStore, same_place
from datom_core.version import WRITER

_MESSAGE = "Initialize datom repository"
_IGNORED = (
    ".Rprofile .Renviron .Rhistory .Rapp.history .Rproj.user/ .DS_Store *.csv *.tsv *.rds *.txt *.parquet "
    "*.sas7bdat .RData .RDataTmp *.html *.png *.pdf .vscode/ rsconnect/ input_files/"
).split()


def found(name: str, store: ObjectStore, repo: GitRepo, *, schema: int, author: Author, now: datetime) -> None:
    """Create a project: one commit on an empty remote, then the manifest in storage.

    Broken off anywhere, the same call completes it.

    Raises:
        AlreadyExistsError: the storage namespace or the remote is taken; says by what.
    """
    occupant = _occupant(store)
    if occupant is None and next(iter(store.list()), None) is not None:
        raise AlreadyExistsError(
            f"{store.location} holds objects but no datom project. Choose an empty prefix.",
            location=str(store.location),
        )
    repo.create_if_local()
    tip = repo.tip()
    if tip is None and occupant is not None:
        raise AlreadyExistsError(
            f"{store.location} holds the project {occupant!r} already. Choose another prefix, or open that one.",
            location=str(store.location),
            project=occupant,
        )
    if tip is None:
        files = _first_files(name, store.location, repo.remote, schema, now)
        try:
            repo.publish(files, _MESSAGE, parent=None, author=author, at=now)
        except LostRaceError as error:
            raise AlreadyExistsError(f"{repo.remote} was just taken by somebody else.") from error
    else:
        _check_resumable(name, store, repo, tip, occupant)
    _claim(name, store, repo)


def _claim(name: str, store: ObjectStore, repo: GitRepo) -> None:
    Projector(repo, store).level(())
    if _occupant(store) != name:
        raise AlreadyExistsError(f"{store.location} was just taken by another project.")


def _occupant(store: ObjectStore) -> str | None:
    """Name of the project whose namespace this is; a damaged manifest counts as one."""
    try:
        data = store.get(names.MANIFEST_KEY).data
    except NotFoundError:
        return None
    try:
        return Manifest.from_json(data, names.MANIFEST_KEY).project
    except FormatError:
        return "(a manifest that cannot be read)"


def _check_resumable(name: str, store: ObjectStore, repo: GitRepo, tip: str, occupant: str | None) -> None:
    """Accept a remote that an earlier, broken-off call for this very project has left."""
    try:
        file = load_state(repo, tip, ()).file
    except NotFoundError as error:
        raise AlreadyExistsError(
            f"{repo.remote} is not empty and holds no datom project. Give an empty repository.", remote=repo.remote
        ) from error
    if file.name != name or not same_place(file.location, store.location) or occupant is not None:
        raise AlreadyExistsError(
            f"{repo.remote} holds the project {file.name!r} with its data in {file.location}. "
            "Open it with Project.open, or give an empty repository.",
            remote=repo.remote,
            project=file.name,
        )


def _first_files(name: str, location: Location, remote: str, schema: int, now: datetime) -> dict[str, bytes]:
    file = ProjectFile.new(
        name, location, remote, schema=schema, date=now.astimezone().strftime("%Y-%m-%d"), writer=WRITER
    )
    return {
        names.PROJECT_FILE: file.to_yaml(),
        names.MANIFEST_FILE: Manifest.new(name, schema, format_timestamp(now)).to_json(),
        ".gitignore": ("\n".join(_IGNORED) + "\n").encode(),
        "README.md": _readme(name, location, remote, now).encode(),
    }


def _readme(name: str, location: Location, remote: str, now: datetime) -> str:
    prefix = f", prefix={location.prefix!r}" if location.prefix else ""
    store = f'LocalStore("{location.root}"{prefix})' if location.backend == "local" else f"...  # {location}"
    return f"""# {name}

The history of this study's tables, kept by [datom](https://github.com/amashadihossein/datom). This repository
holds metadata; the data itself lies as parquet files in `{location}`.

| | |
|---|---|
| Backend | `{location.backend}` |
| Root | `{location.root}` |
| Prefix | `{location.prefix or "(none)"}` |
| Created | {now.astimezone().strftime("%Y-%m-%d")} with {WRITER} |

Read it with storage access alone, no git needed:

```python
import datom_core as dc

reader = dc.ProjectReader.open(dc.{store}, "{name}")
reader.list()
reader.history("dm")
reader.read("dm", version="a8ee7a31")
```

Write to it:

```python
project = dc.Project.open(dc.{store}, remote="{remote}")
project.write("dm", frame, message="DM extract of today")
```

Do not edit or commit data files here.
"""
