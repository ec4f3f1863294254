"""The author when none is named."""

from __future__ import annotations

import os

from datom_core.documents import Author
from datom_core.git.cache import configured

DEFAULT_AUTHOR = Author("datom", "datom@noreply")


def default_author() -> Author:
    """The author that git would take, else `DEFAULT_AUTHOR`; cleaned as git cleans it.

    That is ``GIT_AUTHOR_NAME`` and ``GIT_AUTHOR_EMAIL``, as containers set them, then the user's git configuration.
    """
    name, email = (_cleaned(os.environ.get(f"GIT_AUTHOR_{key}")) for key in ("NAME", "EMAIL"))
    if not (name and email):
        user = configured("user")
        name, email = name or _cleaned(user.get("name")), email or _cleaned(user.get("email"))
    return Author(name or DEFAULT_AUTHOR.name, email or DEFAULT_AUTHOR.email) if name or email else DEFAULT_AUTHOR


def _cleaned(text: str | None) -> str:
    return "".join(c for c in text or "" if c not in "<>" and c.isprintable()).strip()
