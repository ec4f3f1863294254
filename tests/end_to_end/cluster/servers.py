"""PostgreSQL, Redis and Celery's workers, each a process of its own on loopback."""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.patience import PATIENCE, wait_until
from tests.servers import free_port, started

REDIS = shutil.which("redis-server")
_POSTGRES = max(glob.glob("/usr/lib/postgresql/*/bin"), default=None) or os.path.dirname(shutil.which("initdb") or "")

MISSING = [name for name, found in (("redis-server", REDIS), ("PostgreSQL", _POSTGRES)) if not found]


@contextmanager
def postgres(log: Path, password: str) -> Iterator[dict[str, str]]:
    """PostgreSQL with an empty database; yields what Dagster's processes have in their environment."""
    port, user = free_port(), _somebody()
    # Below no folder of root's alone: the server looks its files up by their full path.
    with tempfile.TemporaryDirectory(prefix="datom-postgres-") as name:
        folder = Path(name)
        secret = folder / "password"
        secret.write_text(password)
        for path in (folder, secret):
            shutil.chown(path, user)
        init = ["-U", "dagster", "-D", f"{folder}/data", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8"]
        initdb = [*_as(user), f"{_POSTGRES}/initdb", *init, "--locale=C", "--no-sync"]
        subprocess.run(initdb, check=True, cwd=folder, capture_output=True)
        settings = ["listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "fsync=off"]
        options = [part for setting in settings for part in ("-c", setting)]
        command = [*_as(user), f"{_POSTGRES}/postgres", "-D", f"{folder}/data", "-p", str(port), *options]
        with started(command, log, cwd=folder) as server:
            _until_it_says(b"ready to accept connections", server, log)
            yield {
                "DAGSTER_PG_USERNAME": "dagster",
                "DAGSTER_PG_PASSWORD": password,
                "DAGSTER_PG_HOST": "127.0.0.1",
                "DAGSTER_PG_PORT": str(port),
                "DAGSTER_PG_DB": "postgres",
            }
            # SIGTERM would wait for connections that somebody has left open.
            server.send_signal(signal.SIGINT)
            server.wait(timeout=PATIENCE)


def dumped(environment: Mapping[str, str]) -> bytes:
    """Everything that is in the database."""
    login = {"PGPASSWORD": environment["DAGSTER_PG_PASSWORD"], "PATH": os.environ["PATH"]}
    place = ["-h", environment["DAGSTER_PG_HOST"], "-p", environment["DAGSTER_PG_PORT"], "-U", "dagster"]
    command = [f"{_POSTGRES}/pg_dump", *place, "--inserts", environment["DAGSTER_PG_DB"]]
    return subprocess.run(command, env=login, check=True, capture_output=True).stdout


@contextmanager
def redis(folder: Path, password: str) -> Iterator[dict[str, str]]:
    """Redis, and a file ``folder/redis.txt`` with all that is asked of it."""
    port, log = free_port(), folder / "redis.log"
    config = folder / "redis.conf"
    config.write_text(f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\ndir {folder}\n')
    login = {**os.environ, "REDISCLI_AUTH": password}
    with started(["redis-server", str(config)], log) as server:
        _until_it_says(b"Ready to accept connections", server, log)
        heard = folder / "redis.txt"
        with started(["redis-cli", "-h", "127.0.0.1", "-p", str(port), "monitor"], heard, env=login) as monitor:
            _until_it_says(b"OK", monitor, heard)
            url = f"redis://:{password}@127.0.0.1:{port}"
            yield {"CELERY_BROKER_URL": f"{url}/0", "CELERY_RESULT_BACKEND": f"{url}/1"}


@contextmanager
def workers(count: int, each: int, folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Workers that take so many steps at a time, each worker with a cache of its own, as on as many machines."""
    with contextlib.ExitStack() as stack:
        for name in (f"w{n}" for n in range(1, count + 1)):
            options = ["-n", f"{name}@%h", "--concurrency", str(each), "--disable-prefetch", "--loglevel", "INFO"]
            command = [sys.executable, "-m", "celery", "-A", "dagster_celery.app", "worker", *options]
            own = {**environment, "XDG_CACHE_HOME": str(folder / name / "cache")}
            stack.enter_context(started(command, folder / f"{name}.log", env=own, cwd=folder))
        yield


def alive(folder: Path) -> list[str]:
    """The processes that know of a folder by the environment that they were started with."""
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        # Most of what is listed has ended by now, or is somebody else's.
        with contextlib.suppress(OSError):
            if str(folder).encode() in Path("/proc", process, "environ").read_bytes():
                found.append(Path("/proc", process, "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def _somebody() -> str:
    """PostgreSQL refuses to be root."""
    user = pwd.getpwuid(os.getuid()).pw_name
    if os.getuid() != 0:
        return user
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _as(user: str) -> list[str]:
    if os.getuid() != 0:
        return []
    entry = pwd.getpwnam(user)
    return ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]


def _until_it_says(text: bytes, server: subprocess.Popen[bytes], log: Path) -> None:
    def said() -> bool:
        assert server.poll() is None, log.read_text()
        return text in log.read_bytes()

    wait_until(said, log.read_text)
