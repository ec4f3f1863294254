"""`datom`, the command: what `datom_core` does, for a terminal and for scripts; nothing that Python users lack.

Its modules import `datom_core`, and nothing of it but what it exports, only when a verb runs: `datom --help` is fast.
"""

from datom_core.command.run import main

__all__ = ["main"]
