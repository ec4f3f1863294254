"""This machine, as the documents that it writes name it."""

from __future__ import annotations

import getpass
import os
import socket

from datom_core.documents import Machine, fact
from datom_core.git import default_author

_LONGEST = 255


def this_machine() -> Machine:
    """The identity of the git configuration, the name of the host, and the user; nothing else of the environment."""
    identity = default_author()
    return Machine(identity.name, identity.email, fact(socket.gethostname(), _LONGEST), fact(_user(), _LONGEST))


def _user() -> str | None:
    """The user that the process runs as, whatever the environment says; in a container it may have no name."""
    try:
        import pwd

        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid {os.geteuid()}"
    except ImportError:
        return getpass.getuser()  # where users have no numbers
