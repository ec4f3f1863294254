"""Write into docs/ what the command itself says: its verbs and options, its sessions, and the JSON of each answer.

python .ci/command_pages.py          write docs/command.schema.json, the verbs in docs/command.md, the pages' sessions
python .ci/command_pages.py demo DIR write the sessions of README.md and docs/auditor.md on the study of `make demo`
python .ci/command_pages.py check    end with 1, and say what to do, when they are not what they would be
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import sessions
from generated import ROOT, settle
from pydantic import TypeAdapter

from datom_core.command import forms
from datom_core.command.app import argument_shown, command
from datom_core.command.session import SHARED_OPTIONS

README, AUDITOR = ROOT / "README.md", ROOT / "docs" / "auditor.md"
LINES = 7  # of each answer in the README
PAGE, SCHEMA = ROOT / "docs" / "command.md", ROOT / "docs" / "command.schema.json"
WIDTH = 120
_MARK = re.compile(r"(?<=<!-- verbs -->\n).*?(?=<!-- end -->)", re.DOTALL)


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["demo"]:
        README.write_text(sessions.played_in(README.read_text(), Path(arguments[1]), LINES))
        AUDITOR.write_text(sessions.played_in(AUDITOR.read_text(), Path(arguments[1]), 2 * LINES, sessions.DEMO))
        return 0
    files = {path: sessions.played(path.read_text()) for path in sorted((ROOT / "docs").glob("*.md"))}
    files |= {PAGE: page(files[PAGE]), SCHEMA: json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"}
    return settle(files, arguments, "command")


def page(text: str) -> str:
    """The page with the verbs as they are now."""
    if not _MARK.search(text):
        raise SystemExit(f"{PAGE.name} has no part <!-- verbs --> ... <!-- end -->.")
    whole = command()
    parts = [part for section, listed in whole.sections.items() for part in section_of(whole, section, listed)]
    return _MARK.sub(lambda _: "\n" + "\n".join(parts) + "\n", text, count=1)


def section_of(whole: Any, section: str, listed: list[Any]) -> Iterator[str]:
    """A section of the help: each of its verbs, and what is below one."""
    yield f"### {section}\n"
    for name in (one.name for one in listed):
        verb = whole.commands[name]
        below = getattr(verb, "commands", None)
        for path, one in [(name, verb)] if not below else [(f"{name} {n}", v) for n, v in below.items()]:
            yield from verb_of(path, one)


def verb_of(path: str, verb: Any) -> Iterator[str]:
    """A verb: how it is called, what it does, what it takes."""
    arguments = [p for p in verb.params if p.param_type_name == "argument"]
    options = [p for p in verb.params if p.param_type_name == "option" and p.name not in {*SHARED_OPTIONS, "help"}]
    usage = " ".join(["datom", path, *(argument_shown(a) for a in arguments), *(["[OPTIONS]"] if options else [])])
    yield f"#### {path}\n\n```text\n{usage}\n```\n"
    for paragraph in inspect.cleandoc(verb.help or "").split("\n\n"):
        yield paragraph if paragraph.startswith(("- ", "  ")) else textwrap.fill(paragraph.replace("\b\n", ""), WIDTH)
        yield ""
    rows = [(f"`{argument_shown(a)}`", a.help or "") for a in arguments if getattr(a, "help", None)]
    rows += [(f"`{flags(o)}`", o.help or "") for o in options]
    if rows:
        yield (
            "| | |\n| --- | --- |\n" + "\n".join(f"| {in_cell(name)} | {in_cell(said)} |" for name, said in rows) + "\n"
        )


def in_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def flags(option: Any) -> str:
    # The longest spelling first, as people look for it.
    spelt = ", ".join([*sorted(option.opts, key=len, reverse=True), *option.secondary_opts])
    kind = getattr(option, "type_descriptor", None) or getattr(option, "type", None)
    return spelt if option.is_flag else f"{spelt} {option.metavar or str(getattr(kind, 'name', 'text')).upper()}"


def schema() -> dict[str, Any]:
    """One JSON Schema for all answers: a definition for each form."""
    found: dict[str, Any] = {}
    for form in sorted(every_form(), key=lambda f: f.form):
        made = TypeAdapter(form).json_schema(mode="serialization", ref_template="#/$defs/{model}")
        found |= {name: described(inner) for name, inner in made.pop("$defs", {}).items()}
        made["properties"] = {"form": {"const": form.form}, **made.get("properties", {})}
        made["required"] = ["form", *(f.name for f in fields(form))]
        found[form.form] = described(made | {"title": form.form})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What `datom VERB --json` answers",
        "oneOf": [{"$ref": "#/$defs/" + f.form.replace("/", "~1")} for f in sorted(every_form(), key=lambda f: f.form)],
        "$defs": dict(sorted(found.items())),
    }


def every_form() -> list[Any]:
    """Every form, from whichever module defines it."""
    for module in pkgutil.iter_modules(forms.__path__, f"{forms.__name__}."):
        importlib.import_module(module.name)
    return [form for form in below(forms.Answer) if is_dataclass(form) and "form" in vars(form)]


def below(cls: type) -> Iterator[type]:
    for sub in cls.__subclasses__():
        yield sub
        yield from below(sub)


def described(form: dict[str, Any]) -> dict[str, Any]:
    """A definition in which each attribute that the docstring tells of has its own description."""
    text, _, attributes = inspect.cleandoc(form.get("description") or "").partition("\nAttributes:\n")
    told = dict(re.findall(r"^ {4}([\w, ]+): ((?:.|\n(?! {4}\w))*)", attributes, re.MULTILINE))
    told = {name.strip(): " ".join(said.split()) for names, said in told.items() for name in names.split(",")}
    inner = {n: p | ({"description": told[n]} if n in told else {}) for n, p in form.get("properties", {}).items()}
    return (
        form
        | {"description": " ".join(text.split()), "additionalProperties": False}
        | ({"properties": inner} if inner else {})
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
