"""What the server's REST API answers, as GitHub does."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.github.accounts import Level, Repository, Token

if TYPE_CHECKING:
    from tests.github.server import GitHubServer

PREFIX = "/api/v3"
_ROUTES = (
    ("GET", r"/user", "user"),
    ("GET", r"/orgs/([^/]+)", "org"),
    ("POST", r"/user/repos", "create_for_user"),
    ("POST", r"/orgs/([^/]+)/repos", "create_for_org"),
    ("GET", r"/repos/([^/]+/[^/]+)", "repo"),
    ("GET", r"/repositories/(\d+)", "repo_by_number"),
    ("DELETE", r"/repos/([^/]+/[^/]+)", "delete"),
)


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        return b"" if self.body is None else json.dumps(self.body).encode()


def refused(status: int, message: str, **more: Any) -> Answer:
    return Answer(status, {"message": message, "documentation_url": "https://docs.github.com/rest", **more})


NOT_FOUND = refused(404, "Not Found")


class Rest:
    """Answers for one request of one token."""

    def __init__(self, server: GitHubServer, token: Token) -> None:
        self.server = server
        self.token = token

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        for verb, pattern, name in _ROUTES:
            found = re.fullmatch(pattern, path)
            if verb == method and found:
                given = [json.loads(body)] if body else []
                return getattr(self, name)(*found.groups(), *given)
        return NOT_FOUND

    def user(self) -> Answer:
        return Answer(200, self._account(self.token.login, "User"))

    def org(self, name: str) -> Answer:
        return Answer(200, self._account(name, "Organization")) if name in self.server.orgs else NOT_FOUND

    def create_for_user(self, given: Mapping[str, Any]) -> Answer:
        if not self.token.may_create():
            return self._may_not("Not Found", 404, "public_repo, repo")
        return self._create(self.token.login, given)

    def create_for_org(self, org: str, given: Mapping[str, Any]) -> Answer:
        members = self.server.orgs.get(org)
        if members is None or self.token.login not in members:
            return NOT_FOUND
        if not self.token.may_create() or members[self.token.login] == "read":
            return self._may_not("You need admin access to the organization before adding a repository to it.", 403,
                                 "public_repo, repo")  # fmt: skip
        return self._create(org, given)

    def repo(self, full_name: str) -> Answer:
        found = self._visible(full_name)
        if found is None:
            return NOT_FOUND
        if found.full_name.lower() != full_name.lower():
            there = f"{self.server.api_url}/repositories/{found.number}"
            return Answer(301, {"message": "Moved Permanently", "url": there}, {"Location": there})
        return Answer(200, self._described(found))

    def repo_by_number(self, number: str) -> Answer:
        found = next(r for r in self.server.repositories.values() if r.number == int(number))
        return Answer(200, self._described(found))

    def delete(self, full_name: str) -> Answer:
        found = self._visible(full_name)
        if found is None:
            return NOT_FOUND
        if not self.token.may_delete() or found.role(self.token.login) < Level.ADMIN:
            return self._may_not("Must have admin rights to Repository.", 403, "delete_repo")
        self.server.remove(found)
        return Answer(204)

    def _visible(self, full_name: str) -> Repository | None:
        found = self.server.find(full_name)
        if found is None or not self.token.may_see(found.private) or not found.role(self.token.login):
            return None
        return found

    def _create(self, owner: str, given: Mapping[str, Any]) -> Answer:
        if self.server.exists(f"{owner}/{given['name']}"):
            told = {"resource": "Repository", "code": "custom", "field": "name",
                    "message": "name already exists on this account"}  # fmt: skip
            return refused(422, "Repository creation failed.", errors=[told])
        made = self.server.add(f"{owner}/{given['name']}", private=given["private"], description=given["description"])
        return Answer(201, self._described(made))

    def _may_not(self, message: str, status: int, accepted: str) -> Answer:
        if self.token.permissions is not None:
            return refused(403, "Resource not accessible by personal access token")
        answer = refused(status, message)
        return Answer(status, answer.body, {"X-Accepted-OAuth-Scopes": accepted})

    def _account(self, login: str, kind: str) -> dict[str, Any]:
        path = "orgs" if kind == "Organization" else "users"
        return {"login": login, "id": 1, "type": kind, "url": f"{self.server.api_url}/{path}/{login}"}

    def _described(self, repository: Repository) -> dict[str, Any]:
        role = repository.role(self.token.login)
        name = repository.full_name
        kind = "Organization" if repository.owner in self.server.orgs else "User"
        return {
            "id": repository.number,
            "name": repository.name,
            "full_name": name,
            "owner": self._account(repository.owner, kind),
            "private": repository.private,
            "description": repository.description,
            "html_url": f"{self.server.url}/{name}",
            "clone_url": f"{self.server.clone_base}/{name}.git",
            "url": f"{self.server.api_url}/repos/{name}",
            "default_branch": "main",
            "size": 0,
            "permissions": {
                "admin": role >= Level.ADMIN, "push": role >= Level.WRITE, "pull": role >= Level.READ
            },
        }  # fmt: skip
