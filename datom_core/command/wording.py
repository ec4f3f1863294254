"""What the core tells users of Python to call, as users of the command call it."""

from __future__ import annotations

import re

#: What a sentence of the core says -> what it says here; the longer ones first, as they hold shorter ones.
_COMMANDS = {
    "project.validate(fix=True)": "datom validate --fix",
    "project.validate('full')": "datom validate full",
    "project.validate('deep', fix=True)": "datom validate deep --fix",
    "project.upgrade() converts": "datom upgrade converts",
    "Give a reader of it, or the register's storage: governance=...": "Name the register with --register.",
    "project.mirror()": "datom mirror",
    "signing=SigningKey(path), here or when the project is opened": "--key FILE, or a table [signing] in datom.toml",
    "signing=SigningKey(path)": "--key FILE",
    "project.allow_signer(...)": "datom signers allow",
    "Say which: approval=...": "Say which: --approval ID",
    "Project.open and mirror() put": "datom mirror puts",
    " mirror() puts": " datom mirror puts",
    "project.recover_versions()": "datom recover",
    "project.accept_history(reason=...)": "datom accept --reason ...",
    "Governance.repair(name)": "datom register repair",
    "Governance.attach(project)": "datom attach",
    "Governance.init.": "datom register init.",
    " attach(project) completes": " datom attach completes",
    " decommission(name) completes": " datom decommission completes",
    "Reading needs no git: ProjectReader.open(store).": "Reading needs no git.",
    "Check root and prefix.": "Check the folder, or the bucket and prefix.",
    ", or an entry of history()": "",
    "an entry of history(), ": "",
    "project.parent(table, version)": "--parent TABLE@STATE",
    "relocate=True if the data was moved": "datom use WHERE --moved if it was moved by other means",
    "it can only be read. Give the remote.": "it can only be read. datom use WHERE --remote URL says where it is.",
    "backwards=True": "--backwards",
    ", or give format=": "",
    "Give format= or encoding=": "Give --encoding",
    "sheet=": "--sheet",
    "another encoding=": "another --encoding",
    "the right encoding=": "the right --encoding",
    "Give encoding=": "Give --encoding",
    "in schema=": "in a schema, which Python takes",
    "by pattern=": "by --pattern",
    "one with branch=": "one with --branch",
    "without branch= or": "without a branch in its settings, or",
    "with branch='": "with the branch '",
    "a token: Remote(url, token=...)": "a token: --token-env or --token-keyring",
    "given with Remote(url, token=...)": "given with --token-env or --token-keyring",
    ", or GitHub(..., org=...)": "",
    ", or ask for private=False": "",
    'On GitHub, give remote=GitHub(token=...).repository("owner/name").': "On GitHub, name it https://github.com/owner/name.",
    "leave create_repo out": "leave --create-repo out",
    " GitHub.repository_name(project) makes one from a project's name.": "",
    "Give remote=.": "Give its remote.",
    "Open it with remote= to": "Name its remote in datom.toml to",
    "give credentials= for it": "name its credentials, as with --profile",
    "Give governance= with a store for it.": "Name the register, as with --register.",
    "governance= has no effect": "its register has no effect",
    "This cannot be an S3Store:": "This cannot be the address of a bucket:",
    "quiet is a positive": "--quiet-for is a positive",
}
_PATTERNS = [
    (
        re.compile(r"project\.withdraw\((.+?), meaning='?(.+?)'?, reason=\.\.\.\)"),
        r"datom withdraw \1 --meaning \2 --reason ...",
    ),
    (re.compile(r"let Project\.init do it: remote=.*, create_repo=True\."), "give --create-repo."),
    (
        re.compile(r'Find it by name: ProjectReader\.find\("[^"]*", governance=\.\.\.\)'),
        "Name the register, and the project by its name, to find it there",
    ),
]


def in_commands(text: str) -> str:
    """A sentence with commands in the place of calls."""
    for call, command in _COMMANDS.items():
        text = text.replace(call, command)
    for pattern, said in _PATTERNS:
        text = pattern.sub(said, text)
    return text
