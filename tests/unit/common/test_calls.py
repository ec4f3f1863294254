"""Calls whose arguments do not fit are answered with what to write."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import datom_core as dc
from datom_core.common.calls import fitting, level_outside
from tests.frames import shown_in

STORE: Any = dc.MemoryStore()
REMOTE: Any = "history.git"
FRAME: Any = pd.DataFrame({"x": [1]})
NOTHING: Any = None
NUMBER: Any = 3
# What checks types refuses these calls, too; that is not what is asked here.
project: Any = dc.Project
reader: Any = dc.ProjectReader
local: Any = dc.LocalStore
s3: Any = dc.S3Store
remote: Any = dc.Remote

MISTAKES: dict[str, tuple[Callable[[], object], str]] = {
    "a name too many": (lambda: project.open("S", STORE), r"and 2 are given.*Write Project\.open\(store, remote="),
    "no remote": (lambda: project.open(STORE), r"Project\.open: remote is missing\. Write"),
    "no remote for a new one": (lambda: project.init("S", STORE), r"remote is missing\. Write Project\.init\(name, st"),
    "a misspelt remote": (lambda: project.open(STORE, remotee=REMOTE), "no 'remotee'.*Did you mean 'remote'"),
    "a branch": (lambda: project.open(STORE, remote=REMOTE, branch=3), "3 cannot be the name of a branch"),
    "its constructor": (lambda: project(), r"Write Project\.open\(store, remote="),
    "a register": (lambda: dc.Governance.open("register", STORE), r"Write Governance\.open\(store, remote=\.\.\."),  # type: ignore[call-arg, misc, arg-type]
    "a register that is none": (
        lambda: project.open(STORE, remote=REMOTE, governance="x"),
        r"governance is the register.*not str\. Write governance=",
    ),
    "a swapped reader": (lambda: reader.open("S", STORE), r"swapped\?.*ProjectReader\.open\(store, name\)"),
    "a reader of nothing": (lambda: reader.open(), r"store is missing\. Write ProjectReader\.open\(store, project="),
    "a reader by name": (lambda: reader.find("S", STORE), "governance is missing; it takes 1 argument without"),
    "a folder": (lambda: local(), r"path is missing\. Write LocalStore\(path, prefix=\.\.\.\)"),
    "a number for a folder": (lambda: local(3), r"as in LocalStore\(.*\), not 3"),
    "None for a folder": (lambda: local(None), "not None"),
    "bytes for a folder": (lambda: local(b"x"), "not b'x'"),
    "a prefix too many": (lambda: local("a", "b", "c"), "takes 2 arguments without a name, and 3 are given"),
    "a number for a prefix": (lambda: local("a", 3), "prefix is text"),
    "a bucket": (lambda: s3(), r"bucket is missing\. Write S3Store\(bucket, prefix="),
    "a number for a bucket": (lambda: s3(3), "3 cannot be the name of a bucket"),
    "None for a bucket": (lambda: s3(None), "None cannot be the name of a bucket"),
    "a bucket's prefix": (lambda: s3("bucket", 3), "prefix is text"),
    "a bucket's config": (lambda: s3("bucket", config=3), "config is a mapping.*not int"),
    "a bucket's credentials": (lambda: s3("b", "p", "us-east-1", "c"), "3 arguments without a name, and 4 are given"),
    "no URL": (lambda: remote(), r"url is missing\. Write Remote\(url, token=\.\.\.\)"),
    "a number for a URL": (lambda: remote(3), "is a URL or a path, not int"),
    "a misspelt token": (lambda: remote("https://h/r.git", tokn="t"), "no 'tokn'.*Did you mean 'token'"),
    "a function": (lambda: dc.migrate(NOTHING), r"to is missing\. Write migrate\(project, to, "),  # type: ignore[call-arg]
    "an author": (lambda: dc.Author("X"), r"Write Author\(name, email\)"),  # type: ignore[call-arg]
}

ON_A_PROJECT: dict[str, tuple[Callable[[Any], object], str]] = {
    "swapped": (lambda p: p.write(FRAME, "dm"), r"not DataFrame\. Are the arguments swapped\?"),
    "no frame": (lambda p: p.write("dm"), r"Project\.write: frame is missing\. Write Project\.write\(table, frame, "),
    "unknown": (lambda p: p.write("dm", FRAME, msg="x"), "no 'msg', it takes table, frame, message, "),
    "misspelt": (lambda p: p.write("dm", FRAME, mesage="x"), "Did you mean 'message'"),
    "twice": (lambda p: p.write("dm", FRAME, table="dm"), "table is given twice"),
    "without its name": (lambda p: p.write("dm", FRAME, "why"), "2 arguments without a name, and 3 are given"),
    "a swapped cut": (lambda p: p.cut({"dm": FRAME}, "lock"), r"not dict\. Are the arguments swapped\?"),
    "a cut of nothing": (lambda p: p.cut("lock"), "tables is missing"),
    "a cut by names": (lambda p: p.cut("lock", dm=FRAME), "tables is missing; there is no 'dm'"),
    "a cut of a frame": (lambda p: p.cut("lock", FRAME), r'as in \{"dm": dm\}, not DataFrame'),
    "parents of a cut": (lambda p: p.cut("lock", {"dm": FRAME}, parents=[1, "x"]), "parents is a mapping.*not list"),
    "a swapped record": (lambda p: p.record_cut(["dm"], "lock"), r"swapped\?"),
    "no reason": (lambda p: p.accept_history(), r"reason is missing\. Write Project\.accept_history\(reason=\.\.\."),
    "a reason without its name": (lambda p: p.accept_history("why"), "no arguments without a name, and 1 is given"),
    "no confirmation": (lambda p: p.decommission(), "confirm is missing"),
    "nothing to compare": (lambda p: p.reader.compare("dm"), r"before is missing\. Write ProjectReader\.compare\("),
    "nothing to read": (lambda p: p.reader.read(), "table is missing"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_to_write_is_said(mistake: str) -> None:
    call, said = MISTAKES[mistake]
    with pytest.raises(dc.InvalidInputError, match=said):
        call()


def test_what_to_write_to_a_project_is_said_before_anything_is_done(project: dc.Project) -> None:
    project.write("dm", pd.DataFrame({"x": [0]}))
    before = project.status().commit, {o.key for o in project.store.list()}
    for call, said in ON_A_PROJECT.values():
        with pytest.raises(dc.InvalidInputError, match=said):
            call(project)
    assert (project.status().commit, {o.key for o in project.store.list()}) == before


def test_a_register_without_effect_is_told_at_the_callers_line(project: dc.Project, tmp_path: Path) -> None:
    with pytest.warns(dc.GovernanceWarning, match="has no effect") as caught:
        dc.Project.open(project.store, remote=project.remote, governance=dc.LocalStore(tmp_path / "register"))
    assert caught[0].filename == __file__


@fitting
def fitted(needed: int, *, named: str = "") -> int:
    return needed + len(named)


def test_what_fits_is_called_and_keeps_its_signature() -> None:
    assert fitted(1, named="ab") == 3
    assert list(inspect.signature(fitted).parameters) == ["needed", "named"]
    assert list(inspect.signature(dc.Project.write).parameters)[:3] == ["self", "table", "frame"]


def test_an_error_further_down_stays_what_it_is() -> None:
    with pytest.raises(TypeError, match="concatenate"):
        fitted("1", named=())  # type: ignore[arg-type]


def test_a_secret_in_a_call_that_does_not_fit_shows_nowhere() -> None:
    with pytest.raises(dc.InvalidInputError) as caught:
        remote("https://h/r.git", tokn="plantedPLANTED")
    assert not shown_in(caught.value, ["plantedPLANTED"])


def test_a_warning_stands_where_the_package_was_called() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("here", stacklevel=level_outside())
    assert caught[0].filename == __file__
