"""Run the ``promptvision`` program as a process: to its end, interrupted, or at a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

__all__ = ["Ended", "Program", "Terminal", "coverage_variables", "write_plugin"]

_MAIN = "from promptvision.cli.main import main; main()"


def coverage_variables() -> dict[str, str]:
    """The variables by which coverage.py measures processes that a test starts; empty without it."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}


@dataclass(frozen=True)
class Ended:
    """The exit code and output of an ended process."""

    code: int
    data: bytes
    """All of stdout."""
    err: str
    """All of stderr."""

    @property
    def out(self) -> str:
        """Stdout as text."""
        return self.data.decode("utf-8")


class Program:
    """Runs ``promptvision`` with only the settings that the test passes.

    Args:
        home: ``PROMPTVISION_HOME`` and the working directory; created if missing.
        variables: further environment variables.
        path: additional folders to import from, such as one of :func:`write_plugin`.
    """

    def __init__(
        self, home: Path, variables: Mapping[str, str] | None = None, *, path: Sequence[Path] = ()
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PROMPTVISION_HOME": str(home),
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            **coverage_variables(),
            **(variables or {}),
        }

    def run(self, *words: str | Path, given: bytes = b"", timeout_s: float = 180) -> Ended:
        """Run a command to its end.

        Args:
            words: the command line after ``promptvision``.
            given: content of stdin.
            timeout_s: after this many seconds the process is killed and an error raised.
        """
        done = subprocess.run(
            self._command(words),
            input=given,
            capture_output=True,
            cwd=self.home,
            env=self.environment,
            timeout=timeout_s,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr.decode("utf-8"))

    def start(self, *words: str | Path) -> subprocess.Popen[bytes]:
        """Start a command with pipes for stdout and stderr; the caller ends it."""
        return subprocess.Popen(
            self._command(words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.home,
            env=self.environment,
        )

    def at_terminal(self, *words: str | Path, variables: Mapping[str, str] | None = None) -> Terminal:
        """Start a command at a terminal of 100 columns and 30 lines; a context manager."""
        size = {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
        return Terminal(self._command(words), self.home, {**self.environment, **size, **(variables or {})})

    def _command(self, words: Sequence[str | Path]) -> list[str]:
        return [sys.executable, "-c", _MAIN, *map(str, words)]


class Terminal:
    """A process whose three streams are one pseudo-terminal, with methods that read and type."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._end, inner = pty.openpty()
        self._process = subprocess.Popen(
            command,
            stdin=inner,
            stdout=inner,
            stderr=inner,
            cwd=folder,
            env=environment,
            start_new_session=True,
            preexec_fn=_own_terminal,
        )
        os.close(inner)
        self.seen = ""
        """Everything on the screen so far, escape sequences included."""
        self._read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._end)

    def type(self, text: str) -> None:
        """Type a line; ``\\x03`` is Ctrl-C and ``\\x04`` at its start Ctrl-D."""
        os.write(self._end, text.encode())

    def wait_for(self, text: str, timeout_s: float = 120, *, typing: str = "") -> str:
        """Read until a text appears after the previously awaited text; return the output before it.

        Args:
            text: the text to wait for.
            timeout_s: how long to wait.
            typing: typed first, and again every second: a signal that comes just before Python waits for a
                key is noticed only after the next one.

        Raises:
            AssertionError: it did not appear in time.
        """
        deadline, next_key = time.monotonic() + timeout_s, 0.0
        while text not in self.seen[self._read :]:
            now = time.monotonic()
            if now > deadline:
                raise AssertionError(f"{text!r} did not appear in {self.seen[self._read :]!r}")
            if typing and now > next_key:
                self.type(typing)
                next_key = now + 1
            self._more(min(deadline - now, 0.2))
        start = self._read
        self._read = self.seen.index(text, start) + len(text)
        return self.seen[start : self._read]

    def end(self, timeout_s: float = 120) -> int:
        """Read to the end; return the exit code."""
        deadline = time.monotonic() + timeout_s
        while self._more(deadline - time.monotonic()):
            pass
        return self._process.wait(max(deadline - time.monotonic(), 0.1))

    def _more(self, timeout_s: float) -> bool:
        ready, _, _ = select.select([self._end], [], [], max(timeout_s, 0))
        try:
            data = os.read(self._end, 65536) if ready else b""
        except OSError:  # Linux reports the end of a terminal as an error
            data = b""
        self.seen += data.decode("utf-8", "replace")
        return bool(data)


def _own_terminal() -> None:
    """In the child: make the pseudo-terminal the controlling terminal, so that Ctrl-C becomes a signal."""
    import fcntl
    import termios

    signal.signal(signal.SIGINT, signal.default_int_handler)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def write_plugin(folder: Path, name: str, source: str) -> Path:
    """Write an installed distribution ``promptvision-<name>`` with one plugin module; return the folder.

    Args:
        folder: the folder that processes under test import from.
        name: entry-point name; the module is ``promptvision_<name>``.
        source: text of the module.
    """
    (folder / f"promptvision_{name}.py").parent.mkdir(parents=True, exist_ok=True)
    (folder / f"promptvision_{name}.py").write_text(source, "utf-8")
    info = folder / f"promptvision_{name}-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: promptvision-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[promptvision]\n{name} = promptvision_{name}\n")
    return folder
