"""Run the command once: the verb, its exit code, and one line on standard error for whatever goes wrong."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

#: What the exit code says.
DONE, DIFFERS, USAGE, NOT_FOUND, ACCESS, INTEGRITY, AGAIN, INTERNAL = 0, 1, 2, 3, 4, 5, 6, 70
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)
INTERRUPTED, PIPE_CLOSED = 130, 141  # as the shell has it for these signals


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run ``datom`` with these arguments, by default those of the process, and exit."""
    from datom_core.command.signals import heed_signals, interrupted_code

    given = list(sys.argv[1:] if arguments is None else arguments)
    _complete_streams()
    heed_signals()
    try:
        code = run(given)
        if code == INTERRUPTED:
            code = interrupted_code()
    except BrokenPipeError:
        code = PIPE_CLOSED
    try:
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer would be written, and fail again, while Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = PIPE_CLOSED if isinstance(error, BrokenPipeError) else code or AGAIN
    sys.exit(code)


def _complete_streams() -> None:
    """Stand in for streams that were closed, and let text through that the terminal's encoding lacks."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - it stays open until the process ends
    # A file that fails while it is taken down has failed before, and that was told.
    sys.unraisablehook = lambda found: None
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


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
        if as_json:
            return _refuse("usage", _of_usage(error, arguments), USAGE, as_json=True)
        with contextlib.suppress(OSError):
            if type(error).__name__ == "NoArgsIsHelpError":
                error.show()  # type: ignore[attr-defined]
                return USAGE
            sys.stderr.write(_usage_of(error))
        return _refuse("usage", _of_usage(error, arguments), USAGE, as_json=False)
    except BrokenPipeError:
        raise
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # which typer takes for an error
            raise end.__context__ from None
        raise
    except Exception as error:  # noqa: BLE001 - the outermost frame: whatever it is becomes an exit code
        return _failed(error, arguments, as_json=as_json)
    return result if isinstance(result, int) else DONE


def _usage_of(error: Any) -> str:
    """How the verb is called, and where more is said."""
    if error.ctx is None:
        return ""
    return f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} -h' for help.\n\n"


def _of_usage(error: Any, arguments: list[str]) -> str:
    message: str = error.format_message().removeprefix("Invalid value: ")
    if error.ctx is not None and error.ctx.parent is None and "No such option" in message:
        message = message.rstrip(".") + f". Options come after the verb, as in datom list {arguments[0]}."
    return message


def _failed(error: Exception, arguments: list[str], *, as_json: bool) -> int:
    import datom_core as dc

    message = " ".join([str(error), *getattr(error, "__notes__", ())])
    if not isinstance(error, dc.DatomError):
        if isinstance(error, ImportError):
            return _refuse("missing-package", message, USAGE, as_json=as_json)
        if isinstance(error, OSError) and error.strerror:
            kind, code = ("access", ACCESS) if error.errno in _NOT_ALLOWED else ("system", AGAIN)
            kind, code = ("not-found", NOT_FOUND) if isinstance(error, FileNotFoundError) else (kind, code)
            said = f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
            if kind == "not-found" and not error.filename:
                said = "The working folder is not there any more. Change to one that is."
            return _refuse(kind, said, code, as_json=as_json)
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

    return _refuse(kind, in_commands(message), code, as_json=as_json)


def _refuse(kind: str, message: str, code: int, *, as_json: bool) -> int:
    """Say on standard error what went wrong."""
    if as_json:
        from datom_core.command.forms import ErrorAnswer, plain

        said = ErrorAnswer(kind, message, code)
        message = json.dumps({"form": said.form, **plain(said)}, ensure_ascii=False)
    from datom_core.command.output import printable

    # What cannot be said there is still told by the exit code.
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{message}\n" if as_json else f"datom: {printable(message)}\n")
        sys.stderr.flush()
    return code
