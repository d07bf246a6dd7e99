"""Run ``promptvision serve`` as a process that a test can kill, pause and resume."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from promptvision.testing.program import coverage_variables

__all__ = ["ServerProcess"]

START_TIMEOUT_S = 120.0
_MAIN = "from promptvision.cli.main import main; main()"
_SERVES = re.compile(r"promptvision serves on (http://\S+)")


class ServerProcess:
    """A server on a free loopback port; a context manager that ends it on exit.

    It gets only ``PROMPTVISION_HOME`` and the settings that the test passes.

    Args:
        home: a separate folder for data and the log; may contain ``promptvision.toml``.
        variables: further environment variables.
        path: additional folders to import from, such as one with a plugin.
        port: port to listen on; default: any free port, which may differ after a restart.
    """

    def __init__(
        self,
        home: Path,
        variables: Mapping[str, str] | None = None,
        *,
        path: Sequence[Path] = (),
        port: int = 0,
    ) -> None:
        self._port = port
        self._home = home
        self._log = home / "server.log"
        self._environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "PROMPTVISION_HOME": str(home),
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            **coverage_variables(),
            **(variables or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        """The URL of the server, such as ``http://127.0.0.1:40123``."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._running.pid

    @property
    def log(self) -> str:
        """Its output on stdout and stderr so far."""
        return self._log.read_text("utf-8", "replace")

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            AssertionError: it ended instead, or took longer than two minutes.
        """
        self._home.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-c", _MAIN, "serve", "--port", str(self._port)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._home,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while (found := _SERVES.search(self.log)) is None:
            has_ended = self._process.poll() is not None
            if has_ended or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"promptvision serve did not start: {self.log[-2000:]}")
            time.sleep(0.02)
        self.url = found[1]

    def kill(self) -> None:
        """End it at once, as ``kill -9`` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def terminate(self, timeout_s: float = 120) -> int:
        """Ask it to end, as a service manager does; return its exit status."""
        process = self._running
        process.terminate()
        status = process.wait(timeout_s)
        self._process = None
        return status

    def pause(self) -> None:
        """Suspend it, so that it misses its heartbeats."""
        self._running.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Resume it after :meth:`pause`."""
        self._running.send_signal(signal.SIGCONT)

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise AssertionError("the server was not started, or has been ended")
        return self._process
