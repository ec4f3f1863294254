"""All that a reader does, and what is said of the rest, with what the distribution installs without extras and no git.

    python reader.py STUDY FOLDER

It is run by a Python that has no more than that, and imports nothing of these tests.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datom_core as dc
from datom_core.command import main as command


def datom(*arguments: str) -> str:
    """What the command answers."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            command(arguments)
        except SystemExit as end:
            code = end.code
    assert code == 0, (arguments, code, err.getvalue())
    out.seek(0)
    return out.read()


def look(study: Path, folder: Path) -> None:
    """Every verb that only reads, but for those that compare."""
    assert "Take out" in datom("--help")
    where = ("-p", str(study))
    listed = json.loads(datom("list", *where, "--json"))
    assert [t["name"] for t in listed["tables"]] == ["dm", "lb results (v2)"], listed
    for verb in ("list", "status", "cuts", "log", "show dm", "show @2026-01", "log dm", "lineage dm"):
        assert datom(*verb.split(), *where), verb
    assert "72" in datom("history", "dm", "USUBJID=01-002", *where)
    assert datom("read", "dm@2026-01", *where).splitlines()[2] == "01-002,71,M"
    assert '"rows"' in datom("read", "dm", "--as", "json", *where)
    for name in ("dm.csv", "dm.tsv", "dm.parquet", "dm.json"):
        datom("export", "dm", str(folder / name), *where)
    datom("export", "@2026-02", str(folder / "cut"), "--as", "parquet", *where)
    assert sorted(p.name for p in (folder / "cut").iterdir()) == ["dm.parquet", "lb results (v2).parquet"]


def prove(study: Path) -> None:
    """Data is verified down to its values."""
    reader = dc.ProjectReader.open(dc.LocalStore(study / "data"))
    for table in ("dm", "lb results (v2)"):
        for version in reader.history(table):
            whole = reader.read_arrow(table, version.version, verify="content")
            assert dc.hash_table(whole).data_sha == version.data_sha
    datom("verify", "@2026-02", "-p", str(study / "data"))
    print(reader.list(), reader.cuts(), reader.history("dm"))


def refused(study: Path, folder: Path) -> None:
    """What needs an extra says which."""
    store = dc.LocalStore(study / "data")
    reader = dc.ProjectReader.open(store)
    token = dc.EnvironmentToken("PATH")
    bucket: dict[str, Any] = {"credentials": dc.Credentials("a", "b")}
    calls: list[tuple[str, str, Callable[[], object]]] = [
        ("pandas", "pandas", lambda: reader.read("dm")),
        ("pandas", "pandas", lambda: reader.list().to_pandas()),
        ("numpy", "compare", lambda: reader.changes("dm", "2026-01", "2026-02")),
        ("numpy", "compare", lambda: reader.diff("dm", reader.history("dm")[1].version)),
        ("defusedxml", "compare", lambda: dc.keys_of_define(b"<ODM/>")),
        ("boto3", "s3", lambda: dc.S3Store("bucket", **bucket)),
        ("PyGithub", "github", lambda: dc.GitHub(token).login()),
        ("keyring", "keyring", dc.KeyringToken("study")),
        ("numpy", "formats", lambda: dc.write_table(reader.read_arrow("dm"), folder / "dm.xpt")),
        ("numpy", "formats", lambda: dc.read_extract(folder / "dm.csv")),
        ("", "write", lambda: dc.Project.open(store, remote=study / "history.git")),
        ("dagster", "dagster", lambda: __import__("datom_dagster")),
    ]
    for package, extra, call in calls:
        said = missing(call)
        assert said.endswith(f", which is not installed: pip install 'datom-dagster[{extra}]'."), said
        assert f" needs {package}" in said, said


def missing(call: Callable[[], object]) -> str:
    """What is said when something is not installed."""
    try:
        call()
    except dc.MissingPackageError as error:
        return str(error)
    raise AssertionError("nothing was missing")


def everything_public() -> None:
    everything: dict[str, Any] = {}
    exec("from datom_core import *", everything)
    assert set(dc.__all__) <= set(everything)


if __name__ == "__main__":
    assert shutil.which("git") is None
    given = Path(sys.argv[1]), Path(sys.argv[2])
    everything_public()
    look(*given)
    prove(given[0])
    refused(*given)
