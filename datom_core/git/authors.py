"""The author when none is named."""

from __future__ import annotations

from datom_core.documents import Author
from datom_core.git.cache import configured

DEFAULT_AUTHOR = Author("datom", "datom@noreply")


def default_author() -> Author:
    """The author in the user's git configuration, else `DEFAULT_AUTHOR`; cleaned as git cleans it."""
    user = configured("user")
    name, email = (_cleaned(user.get(key)) for key in ("name", "email"))
    return Author(name or DEFAULT_AUTHOR.name, email or DEFAULT_AUTHOR.email) if name or email else DEFAULT_AUTHOR


def _cleaned(text: str | None) -> str:
    return "".join(c for c in text or "" if c not in "<>" and c.isprintable()).strip()
