"""Completion as shells ask for it: their scripts, how a line that is being typed is split, how an offer is quoted.

A script hands over the line up to the cursor and gets a word per line. Bash splits words at ``@`` and ``=``, and would
insert blanks and parentheses as they are: for it alone, offers are quoted, and what is before such a sign is left out.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass

#: The variable by which a shell asks; typer's own protocol, where ``COMP_CWORD`` is given too, is heeded as well.
ASKED = "_DATOM_COMPLETE"
_LINE, _PLACE, _BREAKS = "COMP_WORDS", "COMP_CWORD", "_DATOM_BREAKS"

#: Shell -> what makes it complete the command.
SCRIPTS = {
    "bash": r"""_datom_completion() {
    local IFS=$'\n'
    COMPREPLY=($(COMP_WORDS="${COMP_LINE:0:COMP_POINT}" _DATOM_BREAKS="$COMP_WORDBREAKS" \
        _DATOM_COMPLETE=complete_bash "$1" 2>/dev/null))
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
    return 0
}
complete -o default -o nosort -F _datom_completion datom""",
    "zsh": r"""#compdef datom
_datom_completion() {
    local -a offered
    offered=("${(@f)$(COMP_WORDS="${(j: :)words[1,CURRENT]}" _DATOM_COMPLETE=complete_bash "$words[1]" 2>/dev/null)}")
    if [[ -z $offered[1] ]]; then
        _files
        return
    fi
    compadd -V datom -S '' -- ${(M)offered:#*=}
    compadd -V datom -- ${offered:#*=}
}
compdef _datom_completion datom""",
    "fish": r"""function __datom_completion
    set -l line (commandline -cp | string collect)
    set -l offered (env COMP_WORDS="$line" _DATOM_COMPLETE=complete_bash datom 2>/dev/null)
    if test -n "$offered"
        printf '%s\n' $offered
    else
        __fish_complete_path (commandline -ct)
    end
end
complete --command datom --no-files --keep-order --arguments '(__datom_completion)'""",
}


@dataclass(frozen=True)
class Line:
    """A line that is being typed, up to the cursor.

    Attributes:
        words: as the command would get them; the last one is being typed.
        raw: the last one as it stands there.
        quote: the quotation mark that is open in it, if any.
    """

    words: tuple[str, ...]
    raw: str
    quote: str

    @classmethod
    def of(cls, text: str) -> Line:
        start, quote, escaped = 0, "", False
        for place, sign in enumerate(text):
            if escaped:
                escaped = False
            elif sign == "\\" and quote != "'":
                escaped = True
            elif quote:
                quote = "" if sign == quote else quote
            elif sign in "\"'":
                quote = sign
            elif sign in " \t\n":
                start = place + 1
        return cls((*_split(text[:start]), "".join(_split(text[start:]))), text[start:], quote)

    def for_bash(self, offer: str, breaks: str) -> str:
        """What bash has to insert for an offer, in place of the part of the word that it takes for the word."""
        if self.quote:
            return offer.replace(self.quote, "'\\''" if self.quote == "'" else f"\\{self.quote}")
        signs = [s for s in re.finditer(r"\\.|.", self.raw, re.DOTALL) if len(s[0]) == 1 and s[0] in breaks]
        # A word begins after such a sign; but an @ belongs to it, as it is to bash the beginning of a host's name.
        ends = [sign.start() if sign[0] == "@" else sign.end() for sign in signs]
        before = "".join(_split(self.raw[: ends[-1]])) if ends else ""
        return re.sub(r"[^\w@%+=:,./~-]", r"\\\g<0>", offer.removeprefix(before))


def complete(main: Callable[[], object]) -> None:
    """Answer a shell that asks what may follow; ``main`` runs the command, which finds the variable.

    Raises:
        SystemExit: always.
    """
    if _PLACE in os.environ or _LINE not in os.environ:
        main()
        return
    line = Line.of(os.environ[_LINE])
    breaks = os.environ.get(_BREAKS)
    said = io.StringIO()
    asked = {_LINE: "\n".join(map(shlex.quote, line.words)), _PLACE: str(len(line.words) - 1)}
    with _variables(os.environ, asked), contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        main()
    for offer in said.getvalue().splitlines():
        if offer:
            sys.stdout.write((offer if breaks is None else line.for_bash(offer, breaks)) + "\n")
    raise SystemExit(0)


@contextlib.contextmanager
def _variables(environment: MutableMapping[str, str], given: dict[str, str]) -> Iterator[None]:
    before = {name: environment.get(name) for name in given}
    environment.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del environment[name]
            else:
                environment[name] = value


def _split(text: str) -> list[str]:
    """As a shell splits it; a quotation that is still open ends here."""
    for end in ("", "'", '"', "\\"):
        with contextlib.suppress(ValueError):
            return shlex.split(text + end)
    return [text]
