"""Run the command once: the verb, its exit code, and one line on standard error for whatever goes wrong."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

#: What the exit code says.
DONE, DIFFERS, USAGE, NOT_FOUND, ACCESS, INTEGRITY, AGAIN, INTERNAL = 0, 1, 2, 3, 4, 5, 6, 70
INTERRUPTED, PIPE_CLOSED = 130, 141  # as the shell has it for these signals


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run ``datom`` with these arguments, by default those of the process, and exit."""
    from datom_core.command.signals import heed_signals, interrupted_code

    given = list(sys.argv[1:] if arguments is None else arguments)
    heed_signals()
    try:
        code = run(given)
        if code == INTERRUPTED:
            code = interrupted_code()
        sys.stdout.flush()
    except BrokenPipeError:
        code = PIPE_CLOSED
    if code == PIPE_CLOSED:
        # What is left in the buffer would be written, and fail, while Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run a verb and return the exit code; a closed pipe is the caller's to handle."""
    from datom_core.command.app import Interrupted, RefusedArguments, command
    from datom_core.command.shells import ASKED, complete

    if os.environ.get(ASKED):
        from typer.completion import get_completion_inspect_parameters

        get_completion_inspect_parameters()  # makes the shells known
        complete(lambda: command().main(arguments, prog_name="datom", standalone_mode=False))
    as_json = "--json" in arguments
    try:
        result: object = command().main(arguments, prog_name="datom", standalone_mode=False)
        if result == INTERRUPTED:  # what typer makes of it, in some releases
            raise KeyboardInterrupt
    except (Interrupted, KeyboardInterrupt):
        return _refuse("interrupted", "Interrupted.", INTERRUPTED, as_json=as_json)
    except RefusedArguments as error:
        if not as_json:
            error.show()  # type: ignore[attr-defined]  # with the usage of the verb
            return USAGE
        return _refuse("usage", error.format_message(), USAGE, as_json=True)  # type: ignore[attr-defined]
    except BrokenPipeError:
        raise
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # which typer takes for an error
            raise end.__context__ from None
        raise
    except Exception as error:  # noqa: BLE001 - the outermost frame: whatever it is becomes an exit code
        return _failed(error, arguments, as_json=as_json)
    return result if isinstance(result, int) else DONE


def _failed(error: Exception, arguments: list[str], *, as_json: bool) -> int:
    import datom_core as dc

    if not isinstance(error, dc.DatomError):
        if isinstance(error, ImportError):
            return _refuse("missing-package", str(error), USAGE, as_json=as_json)
        if "-v" in arguments or "--verbose" in arguments:
            raise error
        name = type(error).__name__
        return _refuse("internal", f"{name}: {error} (-v shows where)", INTERNAL, as_json=as_json)
    # From the special to the general: some errors are of two kinds.
    kinds: list[tuple[type[dc.DatomError], int, str]] = [
        (dc.MissingPackageError, USAGE, "missing-package"),
        (dc.InvalidInputError, USAGE, "usage"),
        (dc.AlreadyExistsError, USAGE, "exists"),
        (dc.NotFoundError, NOT_FOUND, "not-found"),
        (dc.AccessDeniedError, ACCESS, "access"),
        (dc.IntegrityError, INTEGRITY, "integrity"),
        (dc.FormatError, INTEGRITY, "format"),
        (dc.ConflictError, AGAIN, "conflict"),
        (dc.StorageError, AGAIN, "storage"),
    ]
    code, kind = next(((code, kind) for cls, code, kind in kinds if isinstance(error, cls)), (INTERNAL, "internal"))
    from datom_core.command.wording import in_commands

    return _refuse(kind, in_commands(str(error)), code, as_json=as_json)


def _refuse(kind: str, message: str, code: int, *, as_json: bool) -> int:
    """Say on standard error what went wrong."""
    if as_json:
        said: dict[str, Any] = {"form": "datom-error/1", "error": kind, "message": message, "exit_code": code}
        message = json.dumps(said, ensure_ascii=False)
    sys.stderr.write(f"{message}\n" if as_json else f"datom: {message}\n")
    return code
