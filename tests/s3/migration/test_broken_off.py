"""Wherever a move broke off, the same call completes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.long import LONG
from tests.s3.migration.looking import Frame, everything, git
from tests.s3.proxy import Fault, Proxy
from tests.s3.server import S3Server


class Killed(BaseException):
    """As sudden as a kill: nothing in the code catches it."""


def mortal(effects: int, *stores: dc.ObjectStore, after: bool = True) -> None:
    """Let the process die before the n-th effect on these stores, or right after it."""
    left = [effects]

    def dying(act: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            left[0] -= 1
            if left[0] < 0 and not after:
                raise Killed
            result = act(*args, **kwargs)
            if left[0] < 0:
                raise Killed
            return result

        return run

    for store in stores:
        for name in ("create", "replace", "delete", "copy_from"):
            if hasattr(store, name):
                setattr(store, name, dying(getattr(store, name)))


# What dies after an effect dies before the next one, but for what other threads have begun.
@pytest.mark.parametrize("after", [False, True] if LONG else [False], ids=["before", "after"] if LONG else ["before"])
@pytest.mark.parametrize("kind", ["local", "s3"])
def test_killed_at_any_effect_it_is_completed_by_the_same_call(
    tmp_path: Path,
    clock: Clock,
    dm: Frame,
    s3_server: S3Server,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    after: bool,
) -> None:
    """Each effect on either place in turn is the last; then once more, from a process that knows nothing.

    Every few effects, unless `make test-long` asks for all.
    """
    step = 1 if LONG else {"local": 5, "s3": 19}[kind]
    # moto does not heed the condition on copies, and nobody else is here: so that copies within the server die, too.
    monkeypatch.setattr("datom_core.storage.s3.conditions.Conditions.known", lambda *_: True)
    bucket, outcomes = s3_server.bucket(), 0

    def place(name: str) -> dc.ObjectStore:
        return s3_server.store(bucket, name) if kind == "s3" else dc.LocalStore(tmp_path / name)

    for effects in range(2 * after, 100, step):
        source, target, remote = f"s{effects}", f"t{effects}", tmp_path / f"{effects}.git"
        project = dc.Project.init("STUDY_001", place(source), remote=remote, clock=clock)
        project.write("dm", dm(2))
        project.cut("lock", {"dm": dm(3), "ex": dm(1)})
        before = everything(project.reader)
        new = place(target)
        mortal(effects, new, project.store, after=after)
        try:
            dc.migrate(project, new, delete_source=True)
        except Killed:
            outcomes += 1
        else:
            break
        recorded = target if _moved(remote, target) else source
        assert everything(dc.ProjectReader.open(place(recorded))) == before, f"after {effects} effects"
        again = dc.Project.open(place(recorded), remote=remote, clock=clock)
        dc.migrate(again, place(target), source=place(source), delete_source=True)
        assert everything(dc.ProjectReader.open(place(target))) == before
        assert dc.Project.open(place(target), remote=remote).status().level
        assert [o.key for o in place(target).list() if "claim" in o.key] == []
        assert list(place(source).list()) == []
    assert outcomes * step > 25, "up to the last effect"


def _moved(remote: Path, target: str) -> bool:
    recorded = git(remote, "show", "HEAD:.datom/project.yaml")
    return f"/{target}\n" in recorded or f"prefix: {target}\n" in recorded


def test_resumed_by_another_name_of_the_remote(project: dc.Project, tmp_path: Path, remote: Path, dm: Frame) -> None:
    target = dc.LocalStore(tmp_path / "t")
    mortal(4, target)
    with pytest.raises(Killed):
        dc.migrate(project, target)
    again = dc.Project.open(project.store, remote=f"file://{remote}")
    dc.migrate(again, dc.LocalStore(tmp_path / "t"))
    assert dc.Project.open(dc.LocalStore(tmp_path / "t"), remote=remote).status().level


def test_a_target_that_fails_in_the_middle_is_completed_by_the_same_call(
    project: dc.Project, s3_server: S3Server, proxy: Proxy, bucket: str, remote: Path
) -> None:
    from tests.s3.conftest import HASTY

    target = s3_server.store(bucket, "t", endpoint_url=proxy.endpoint, config=HASTY)
    before = everything(project.reader)
    proxy.only("PUT", "Lab", Fault(status=503), times=100)
    with pytest.raises(dc.StorageError):
        dc.migrate(project, target)
    proxy.fault = lambda _: None
    report = dc.migrate(project, target)
    assert report.present > 0
    assert everything(dc.ProjectReader.open(target)) == before
