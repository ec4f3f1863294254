"""A project's documents as git has them at one commit."""

from __future__ import annotations

from collections.abc import Iterable

from datom_core.common import names
from datom_core.documents import Cuts, GovernanceFile, History, Manifest, Metadata, ProjectFile, Signers
from datom_core.errors import FormatError, NotFoundError
from datom_core.git import GitRepo
from datom_core.planning import ProjectState, TableState


def load_state(repo: GitRepo, commit: str, tables: Iterable[str]) -> ProjectState:
    """Read the project's documents, and those of ``tables`` (names that it does not have are skipped).

    Raises:
        NotFoundError: the repository holds no project.
        FormatError: a document is damaged, or its schema is newer.
    """
    wanted = list(dict.fromkeys(tables))
    paths = [names.PROJECT_FILE, names.MANIFEST_FILE, names.CUTS_FILE, names.GOVERNANCE_FILE, names.SIGNERS_FILE]
    paths += [path for t in wanted for path in (names.metadata_file(t), names.history_file(t))]
    looked = repo.find_files(commit, paths)
    found = looked.files
    at = f" at commit {commit[:8]} of {repo.remote}"
    if names.PROJECT_FILE not in found:
        held = sorted({path.split("/")[0] for path in repo.files(commit)})[:8]
        raise NotFoundError(
            f"{repo.remote} holds no datom project: {names.PROJECT_FILE} is missing{at}; it holds {held}. "
            "Check the URL, or create the project with Project.init on an empty repository.",
            remote=repo.remote,
        )
    if names.MANIFEST_FILE not in found:
        raise FormatError(f"{names.MANIFEST_FILE} is missing{at}.", source=names.MANIFEST_FILE)
    cuts, governance = found.get(names.CUTS_FILE), found.get(names.GOVERNANCE_FILE)
    return ProjectState(
        file=ProjectFile.from_yaml(found[names.PROJECT_FILE], names.PROJECT_FILE + at),
        manifest=Manifest.from_json(found[names.MANIFEST_FILE], names.MANIFEST_FILE + at),
        cuts=Cuts() if cuts is None else Cuts.from_json(cuts, names.CUTS_FILE + at),
        governance=None if governance is None else GovernanceFile.from_json(governance, names.GOVERNANCE_FILE + at),
        tables={t: _table(found, t, at) for t in wanted if names.metadata_file(t) in found},
        root_files=looked.root_files,
        signers=Signers.from_text(found.get(names.SIGNERS_FILE)),
    )


def _table(found: dict[str, bytes], table: str, at: str) -> TableState:
    metadata_file, history_file = names.metadata_file(table), names.history_file(table)
    if history_file not in found:
        raise FormatError(f"{history_file} is missing{at}, though {metadata_file} is there.", source=history_file)
    return TableState(
        Metadata.from_json(found[metadata_file], metadata_file + at),
        History.from_json(found[history_file], history_file + at),
    )
