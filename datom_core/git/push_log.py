"""What the log says about a push."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from datom_core.git.remote import redact

_log = logging.getLogger(__name__)


def log_push(
    remote: str, branch: str, commit: str, files: Mapping[str, bytes | None], attempt: int, seconds: float
) -> None:
    """One line, with the facts for log collectors."""
    size = sum(len(data or b"") for data in files.values())
    facts = {"effect": "push", "remote": redact(remote), "commit": commit, "bytes": size, "seconds": seconds}
    _log.debug(
        "push %s to %s of %s files=%d bytes=%d attempt=%d ms=%.0f",
        commit[:8], branch, facts["remote"], len(files), size, attempt, seconds * 1000,
        extra={"datom": facts},
    )  # fmt: skip
