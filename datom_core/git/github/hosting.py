"""GitHub, and one repository there."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from datom_core.common import fitting, veiled
from datom_core.credentials import TokenSource, check_token, shown_token
from datom_core.errors import AlreadyExistsError, InvalidInputError, StorageError
from datom_core.git.github.addresses import check_api_url, check_clone_url, check_owner, clone_url, split_name, web_url
from datom_core.git.github.addresses import repository_name as _repository_name
from datom_core.git.github.calls import Manners, asking
from datom_core.git.remote import Remote, check_remote, unshown
from datom_core.git.repo import GitRepo

if TYPE_CHECKING:
    from github import Github
    from github.Repository import Repository


@fitting
@dataclass(frozen=True)
class GitHub:
    """Repositories on GitHub or GitHub Enterprise, with one token. Creating this object sends nothing.

    Args:
        token: classic with the scope ``repo`` (and ``delete_repo`` to delete), or fine-grained with "Contents" and
            "Administration: read and write". Text is wrapped into a `Secret`; a function is called again for each call.
        api_url: of GitHub Enterprise, as in ``https://github.example.org/api/v3``.
        org: the organization of repositories named without an owner; by default, the token's user.
        retries: how often to repeat a failed request.
        patience: seconds; a rate limit that ends later is an error instead of a wait.
        seconds_between: between the requests of one call.
        timeout: seconds to wait for an answer.

    Raises:
        InvalidInputError: there is no token, or the ``api_url`` is invalid or would send the token in the clear.
    """

    token: TokenSource
    api_url: str | None = None
    org: str | None = None
    retries: int = field(default=3, kw_only=True, repr=False)
    patience: float = field(default=60.0, kw_only=True, repr=False)
    seconds_between: float = field(default=0.25, kw_only=True, repr=False)
    timeout: int = field(default=15, kw_only=True, repr=False)

    def __init__(
        self,
        token: TokenSource,
        api_url: str | None = None,
        org: str | None = None,
        *,
        retries: int = 3,
        patience: float = 60.0,
        seconds_between: float = 0.25,
        timeout: int = 15,
    ) -> None:
        token, api_url = veiled(token), unshown(api_url)
        given = {"token": token, "api_url": api_url, "org": org, "retries": retries, "patience": patience}
        for name, value in {**given, "seconds_between": seconds_between, "timeout": timeout}.items():
            object.__setattr__(self, name, value)
        self.__post_init__()

    def __post_init__(self) -> None:
        object.__setattr__(self, "token", check_token(self.token))
        object.__setattr__(self, "api_url", check_api_url(self.api_url))
        if self.org is not None:
            check_owner(self.org)

    @staticmethod
    def repository_name(project: str) -> str:
        """A name for the repository of a project: ``STUDY 001 (a)`` becomes ``STUDY-001-a``.

        Raises:
            InvalidInputError: nothing in it can be used, or it is too long (100 characters).
        """
        return _repository_name(project)

    def login(self) -> str:
        """The user that the token belongs to.

        Raises:
            AccessDeniedError: the token is not accepted.
            StorageError: GitHub could not be reached.
        """
        with self._asking("log in to", self._api) as client:
            return _login(client, self._api)

    def repository(self, name: str) -> GitHubRepository:
        """A repository, whether it exists or not; pass it as ``remote``. Nothing is sent.

        Args:
            name: ``owner/name``, or just the name for one in ``org``.

        Raises:
            InvalidInputError: no repository can have this name, or the owner is not known.
        """
        owner, bare = split_name(name)
        owner = owner or self.org
        if owner is None:
            raise InvalidInputError(f"Whose repository is {bare!r}? Give owner/{bare}, or GitHub(..., org=...).")
        full_name = f"{owner}/{bare}"
        return GitHubRepository(clone_url(self._api, full_name), self.token, host=self, full_name=full_name)

    def repository_at(self, url: str) -> GitHubRepository:
        """As `repository`, by the URL that git clones it from.

        Raises:
            InvalidInputError: the URL is not on this GitHub.
        """
        url = unshown(url)
        url = check_remote(url)  # a URL that carries a password is refused without being repeated
        start = f"{web_url(self._api)}/"
        if not url.lower().startswith(start.lower()):
            raise InvalidInputError(f"{url} is not a repository on {start}; check api_url.", remote=url)
        return self.repository(url[len(start) :].strip("/").removesuffix(".git"))

    def create(self, name: str, *, private: bool = True, description: str = "") -> GitHubRepository:
        """Create a repository; an existing, empty one is used.

        Args:
            name: its name, in ``org`` or else for the token's user; or ``owner/name``.
            private: only people who are given access see it.

        Raises:
            AlreadyExistsError: it exists and is not empty, or is public though a private one was asked for.
            AccessDeniedError: says what the token lacks.
            StorageError: GitHub could not be reached. Try again.
        """
        return self._named(name).create(private=private, description=description)

    def delete(self, name: str) -> bool:
        """Delete a repository with everything in it; whether there was one (that the token may see).

        Raises:
            AccessDeniedError: says what the token lacks.
            StorageError: GitHub could not be reached. Try again.
        """
        return self._named(name).delete()

    @property
    def _api(self) -> str:
        return check_api_url(self.api_url)

    def _named(self, name: str) -> GitHubRepository:
        owner, bare = split_name(name)
        return self.repository(f"{owner or self.org or self.login()}/{bare}")

    def _asking(self, action: str, resource: str) -> AbstractContextManager[Github]:
        manners = Manners(self.retries, self.patience, self.seconds_between, self.timeout)
        return asking(self._api, self.token, manners, action, resource)

    def __repr__(self) -> str:
        org = f", org={self.org!r}" if self.org is not None else ""
        return f"GitHub(token={shown_token(self.token)}, api_url={self.api_url!r}{org})"


@dataclass(frozen=True)
class RepositoryInfo:
    """What GitHub says about a repository.

    Attributes:
        page: its page in a browser.
        private: only people who are given access see it.
        default_branch: the branch that its HEAD names, even while it is empty.
        may_push: whether the token's user may push to it.
    """

    full_name: str
    page: str
    private: bool
    default_branch: str
    may_push: bool


@dataclass(frozen=True, repr=False)
class GitHubRepository(Remote):
    """One repository on GitHub, existing or not; made by `GitHub.repository`. It is a `Remote` with the token.

    Attributes:
        host: the GitHub that it is on.
        full_name: ``owner/name``.
    """

    host: GitHub = field(kw_only=True)
    full_name: str = field(kw_only=True)

    def inspect(self) -> RepositoryInfo | None:
        """What GitHub says about it; ``None`` if it does not exist, or the token may not see it.

        Raises:
            AccessDeniedError, StorageError: the token is not accepted; GitHub could not be reached.
        """
        with self.host._asking("inspect", self.full_name) as client:
            found = self._find(client)
            if found is None:
                return None
            may_push = bool(found.permissions.push)
            return RepositoryInfo(found.full_name, found.html_url, found.private, found.default_branch, may_push)

    def create(self, *, private: bool = True, description: str = "") -> GitHubRepository:
        """As `GitHub.create`; returns the repository with the URL that GitHub gave it."""
        with self.host._asking("create", self.full_name) as client:
            found = self._find(client)
            if found is None:
                made = self._make(client, private, description)
                if made is not None:
                    return self._at(made)
                found = self._find(client)  # someone else made it just now, or GitHub's answer was lost
            if found is None:
                raise AlreadyExistsError(
                    f"{self.url} is taken by a repository that the token may not see. Choose another name.",
                    remote=self.url,
                )
            return self._reused(found, private)

    def delete(self) -> bool:
        """As `GitHub.delete`."""
        with self.host._asking("delete", self.full_name) as client:
            found = self._find(client)
            if found is None:
                return False
            from github import UnknownObjectException

            try:
                found.delete()
            except UnknownObjectException:
                # GitHub also says "not found" to a user who may see a repository, but not delete it.
                if self._find(client) is not None:
                    raise
                return False
            return True

    def _find(self, client: Github) -> Repository | None:
        from github import UnknownObjectException

        try:
            found = client.get_repo(self.full_name)
        except UnknownObjectException:
            return None
        private: object = found.private
        if not isinstance(private, bool):
            raise _no_api(str(self.host.api_url))
        # A renamed repository answers to its old name, but is not the one meant.
        return found if str(found.full_name).lower() == self.full_name.lower() else None

    def _make(self, client: Github, private: bool, description: str) -> Repository | None:
        """Make it; ``None`` if the name is taken."""
        from github import GithubException

        owner, name = self.full_name.split("/")
        of_user = owner != self.host.org and _login(client, str(self.host.api_url)).lower() == owner.lower()
        try:
            account = client.get_user() if of_user else client.get_organization(owner)
            return account.create_repo(name, private=private, description=description, auto_init=False)
        except GithubException as error:
            if error.status == 422 and "already exists" in str(error.data):
                return None
            raise

    def _reused(self, found: Repository, private: bool) -> GitHubRepository:
        if private and not found.private:
            raise AlreadyExistsError(
                f"{self.url} is there and public, though a private one was asked for. Make it private in its settings, "
                "or ask for private=False.",
                remote=self.url,
            )
        there = self._at(found)
        if not GitRepo(there).is_empty():
            raise AlreadyExistsError(
                f"{there.url} is there already, and not empty. Choose another name, or delete it first.",
                remote=there.url,
            )
        return there

    def _at(self, found: Repository) -> GitHubRepository:
        return replace(self, url=check_clone_url(str(self.host.api_url), found.clone_url), full_name=found.full_name)


def _login(client: Github, api_url: str) -> str:
    login: object = client.get_user().login
    if not isinstance(login, str) or not login:
        raise _no_api(api_url)
    return login


def _no_api(api_url: str) -> StorageError:
    return StorageError(f"What answers at {api_url} is not GitHub's API. Check api_url.", api_url=api_url)
