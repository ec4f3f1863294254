"""index.html: what the bag is, who recorded it, when, and how to verify it; for people, without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

from datom_core.evidence.bag_files import TOOL, About
from datom_core.evidence.results import HeldVersion

_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 sans-serif; max-width: 80em; margin: 2em auto; padding: 0 1em; color: #222; }}
table {{ border-collapse: collapse; margin: 1em 0; }}
th, td {{ border: 1px solid #bbb; padding: .25em .6em; text-align: left; vertical-align: top; }}
code, pre {{ font: 13px/1.5 monospace; overflow-wrap: anywhere; }}
pre {{ background: #f4f4f4; padding: .6em; }}
</style>
</head>
<body>
"""
_VERIFY = """<h2>How to verify it</h2>
<p>With a POSIX shell, coreutils, git and ssh-keygen, in this folder. README.txt has the same steps to type by hand.</p>
<pre>sh verify.sh
sh verify.sh --signers FILE     whose signatures count, from a source of your own</pre>
<p>It says of each step what it proves, and names every file with which something is wrong. Begin with the SHA-256 of
<code>tagmanifest-sha256.txt</code>: it stands for the whole bag, and you were told it in another way than with the
bag. What these tools cannot check is the content hash, for which there is <code>reader.py</code> (it needs Python and
pyarrow):</p>
<pre>sha256sum tagmanifest-sha256.txt
python reader.py .</pre>
"""


def index_page(
    about: About,
    versions: Sequence[HeldVersion],
    unproven: Iterable[tuple[str, str, str]],
    approvals: Iterable[tuple[Mapping[str, Any], str]],
    files: Iterable[str],
) -> bytes:
    """The page."""
    title = f"Evidence of {about.project} at {about.state}"
    facts = [
        ("Project", about.project),
        ("State", f"the cut {about.cut}" if about.cut is not None else about.state),
        ("Newest version in it", about.at),
        ("Git history up to", f"{about.commit} on {about.branch}" if about.commit else "not in this bag"),
        ("Made by", TOOL),
    ]
    parts = [
        _HEAD.format(title=escape(title)),
        f"<h1>{escape(title)}</h1>\n",
        _table((), facts),
        _VERIFY,
        "<h2>What it holds</h2>\n",
        _table(("table", "version", "recorded", "by", "why", "data"), map(_version, versions)),
        "<h2>Who approved it</h2>\n",
        _table(("what", "meaning", "cut", "by", "key", "when", "why", "commit"), map(_approval, approvals))
        or "<p>Nothing in this bag was approved by a signed record.</p>\n",
        _unproven(list(unproven)),
        "<h2>Also in it</h2>\n<ul>\n",
        *(f"<li>{_link(path)}</li>\n" for path in files),
        "</ul>\n</body>\n</html>\n",
    ]
    return "".join(parts).encode()


def _version(held: HeldVersion) -> tuple[str, ...]:
    v = held.version
    by = f"{v.author.name} <{v.author.email}>" if v.author.email else v.author.name
    return held.table, v.version, v.timestamp or "", by, v.message, _link(f"data/datom/{held.key}")


def _approval(one: tuple[Mapping[str, Any], str]) -> tuple[str, ...]:
    record, commit = one
    signer: Mapping[str, Any] = record.get("signer") or {}
    told = (record.get("kind"), record.get("meaning"), record.get("cut"))
    who = (f"{signer.get('name')} <{signer.get('email')}>", signer.get("key"), record.get("recorded_at"))
    return tuple(str(value or "") for value in (*told, *who, record.get("reason"), commit))


def _unproven(unproven: Sequence[tuple[str, str, str]]) -> str:
    if not unproven:
        return ""
    said = "<h2>Ids that cannot be computed again</h2>\n<p>R wrote these versions. They are tied to the rest by the "
    return f"{said}history alone.</p>\n" + _table(("table", "version", "why"), unproven)


class _Link(str):
    """Text that is HTML already."""


def _link(path: str) -> _Link:
    return _Link(f'<a href="{quote(path)}">{escape(path)}</a>')


def _table(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table; nothing where there are no lines."""
    rows = ["".join(f"<td>{v if isinstance(v, _Link) else escape(v)}</td>" for v in line) for line in lines]
    if not rows:
        return ""
    head = "<tr>" + "".join(f"<th>{escape(h)}</th>" for h in headings) + "</tr>\n" if headings else ""
    return "<table>\n" + head + "".join(f"<tr>{row}</tr>\n" for row in rows) + "</table>\n"
