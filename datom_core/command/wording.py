"""What the core tells users of Python to call, as users of the command call it."""

from __future__ import annotations

_COMMANDS = {
    "project.validate(fix=True)": "datom validate --fix",
    "project.validate('full')": "datom validate full",
    "project.mirror()": "datom mirror",
    "project.recover_versions()": "datom recover",
    "project.accept_history(reason=...)": "datom accept --reason ...",
}


def in_commands(text: str) -> str:
    """A sentence with commands in the place of calls."""
    for call, command in _COMMANDS.items():
        text = text.replace(call, command)
    return text
