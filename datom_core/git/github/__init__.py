"""GitHub as a host of repositories: create, inspect and delete them.

Importing this package needs neither PyGithub nor git; nothing is asked before a method is called.
"""

from datom_core.git.github.hosting import GitHub, GitHubRepository, RepositoryInfo

__all__ = ["GitHub", "GitHubRepository", "RepositoryInfo"]
