"""Begin a project: its first files, its first commit, and its first object in storage."""

from __future__ import annotations

import itertools
from datetime import datetime

from datom_core.common import names
from datom_core.documents import (
    Location,
    Manifest,
    ProjectFile,
    canonical,
    format_timestamp,
    kind_of,
    same_place,
)
from datom_core.errors import AlreadyExistsError, DatomError, FormatError, InvalidInputError, NotFoundError
from datom_core.git import GitHubRepository, GitRepo, LostRaceError
from datom_core.publishing import Known, Projector, load_state
from datom_core.storage import ObjectStore, find
from datom_core.version import WRITER
from datom_core.writing.requests import Standing

_MESSAGE = "Initialize datom repository"
_IGNORED = (
    ".Rprofile .Renviron .Rhistory .Rapp.history .Rproj.user/ .DS_Store *.csv *.tsv *.rds *.txt *.parquet "
    "*.sas7bdat .RData .RDataTmp *.html *.png *.pdf .vscode/ rsconnect/ input_files/"
).split()


def hosted(repo: GitRepo) -> GitHubRepository | None:
    """The repository to create on its host before the first commit; ``None`` for a path on this machine.

    Raises:
        InvalidInputError: it cannot be created from here; says what to do by hand.
    """
    if isinstance(repo.at, GitHubRepository):
        return repo.at
    if repo.is_local:
        return None
    raise InvalidInputError(
        f"{repo.remote} cannot be created from here: create an empty repository on its host by hand (without README "
        'or license) and leave create_repo out. On GitHub, give remote=GitHub(token=...).repository("owner/name").',
        remote=repo.remote,
    )


def initialize_project(
    name: str,
    store: ObjectStore,
    repo: GitRepo,
    *,
    schema: int,
    standing: Standing,
    to_create: GitHubRepository | None = None,
    product_set: str | None = None,
) -> None:
    """Create a project: claim the storage namespace, push the first commit, mirror the manifest.

    Args:
        standing: who writes.
        to_create: the remote, if it may have to be created on its host; an existing, empty one is used.
        product_set: of a product, the name of its one set.

    The claim is a conditional write that names the remote, so that only one of two callers gets the namespace. It is
    removed at the end. If the call is interrupted, the same call completes it; a push that fails withdraws the claim.

    Raises:
        AlreadyExistsError: the storage namespace or the remote is taken; says by what.
    """
    now = standing.clock()
    today = now.astimezone().strftime("%Y-%m-%d")
    file = ProjectFile.new(
        name, store.location, repo.remote, schema=schema, date=today, writer=WRITER, product_set=product_set
    )
    claim = canonical.dump({"project": name, "remote": repo.remote})
    absent, projector, known = _absent(repo, to_create), Projector(repo, store), None
    if not _begun(file, store, repo, claim, absent):
        seen = projector.view_storage(())
        created = _claim(store, claim)
        try:
            if to_create is not None:
                to_create.create(description=f"datom project: {name}")
            repo.create_if_local()
            files = _first_files(file, Manifest.new(name, schema, format_timestamp(now)), now)
            commit = repo.publish(
                files, _MESSAGE, parent=None, author=standing.author, committer=standing.machine.identity, at=now
            )
        except DatomError as error:
            if created:
                store.delete(names.CLAIM_KEY)
            if isinstance(error, LostRaceError):
                raise AlreadyExistsError(f"{repo.remote} was just taken by somebody else.") from error
            raise
        known = Known(seen, commit, load_state(repo, commit, ()))
    projector.bring_level((), known=known)
    store.delete(names.CLAIM_KEY)


def _absent(repo: GitRepo, to_create: GitHubRepository | None) -> bool:
    """Whether there is no repository yet."""
    return repo.is_absent() or (to_create is not None and to_create.inspect() is None)


def _begun(file: ProjectFile, store: ObjectStore, repo: GitRepo, claim: bytes, absent: bool) -> bool:
    """Whether an earlier, interrupted call for this very project got as far as its commit.

    Raises:
        AlreadyExistsError: the remote or the namespace holds something else.
    """
    occupant = _occupant(store)
    tip = None if absent else _tip(repo)
    if tip is not None:
        _check_resumable(file, store, repo, tip, occupant, _holds(store, claim))
        return True
    if occupant is not None:
        raise AlreadyExistsError(
            f"{store.location} holds the project {occupant!r} already. Choose another prefix, or open that one.",
            location=str(store.location),
            project=occupant,
        )
    if not absent and not repo.is_empty():
        raise AlreadyExistsError(
            f"{repo.remote} is not empty, though it has no branch {repo.branch}. Give an empty repository.",
            remote=repo.remote,
        )
    return False


def _tip(repo: GitRepo) -> str | None:
    try:
        return repo.tip()
    except NotFoundError as error:
        raise NotFoundError(
            f"{error} For a new project create an empty repository there, or on GitHub let Project.init do it: "
            'remote=GitHub(token=...).repository("owner/name"), create_repo=True.',
            **error.details,
        ) from error


def _claim(store: ObjectStore, claim: bytes) -> bool:
    """Claim the namespace for this caller; whether this call did it (otherwise an earlier one had)."""
    if any(o.key != names.CLAIM_KEY for o in itertools.islice(store.list(), 2)):
        raise AlreadyExistsError(
            f"{store.location} holds objects but no datom project. Choose an empty prefix.",
            location=str(store.location),
        )
    if store.create(names.CLAIM_KEY, claim):
        return True
    if not _holds(store, claim):
        raise AlreadyExistsError(
            f"Another project is being created in {store.location}. Choose another prefix; if that was given up, "
            f"remove {names.CLAIM_KEY} there.",
            location=str(store.location),
        )
    return False


def _holds(store: ObjectStore, claim: bytes) -> bool:
    held = find(store, names.CLAIM_KEY)
    return held is not None and held.data == claim


def _occupant(store: ObjectStore) -> str | None:
    """Name of the project that owns this namespace; a damaged manifest counts as one."""
    found = find(store, names.MANIFEST_KEY)
    if found is None:
        return None
    try:
        return Manifest.from_json(found.data, names.MANIFEST_KEY).project
    except FormatError:
        return "(a manifest that cannot be read)"


def _check_resumable(
    wanted: ProjectFile, store: ObjectStore, repo: GitRepo, tip: str, occupant: str | None, claimed: bool
) -> None:
    try:
        state = load_state(repo, tip, ())
    except NotFoundError as error:
        raise AlreadyExistsError(
            f"{repo.remote} is not empty and holds no datom project. Give an empty repository.", remote=repo.remote
        ) from error
    held = state.file
    if (
        held.name != wanted.name
        or held.product_set != wanted.product_set
        or not same_place(held.location, store.location)
        or (occupant and not claimed)
    ):
        raise AlreadyExistsError(
            f"{repo.remote} holds the project {held.name!r} with its data in {held.location}. "
            "Open it with Project.open, or give an empty repository.",
            remote=repo.remote,
            project=held.name,
        )
    if state.manifest.entries and not claimed:
        raise AlreadyExistsError(
            f"{repo.remote} holds the project {held.name!r} with {len(state.manifest.entries)} tables, but "
            f"{store.location} is empty. Mount the store or restore it; Project.open and mirror() put documents back, "
            "but no data.",
            remote=repo.remote,
            project=held.name,
        )


def _first_files(file: ProjectFile, manifest: Manifest, now: datetime) -> dict[str, bytes]:
    return {
        names.PROJECT_FILE: file.to_yaml(),
        names.MANIFEST_FILE: manifest.to_json(),
        ".gitignore": ("\n".join(_IGNORED) + "\n").encode(),
        "README.md": _readme(file.name, file.location, str(file.remote), now).encode(),
    }


def _readme(name: str, location: Location, remote: str, now: datetime) -> str:
    store = kind_of(location).code(location)
    return f"""# {name}

The history of this study's tables, kept by [datom](https://github.com/amashadihossein/datom). This repository
holds metadata; the data itself lies as parquet files in `{location}`.

| | |
|---|---|
| Backend | `{location.backend}` |
| Root | `{location.root}` |
| Prefix | `{location.spelled_prefix or "(none)"}` |
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
