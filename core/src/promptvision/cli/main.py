"""The command line: lazily imported commands, error reporting and exit codes.

Exit codes: 0 success, 1 failure, 2 wrong usage, 3 something must be installed or configured, 130 interrupted.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, NoReturn

import click

from promptvision.builtin.commands import COMMANDS
from promptvision.cli.output import complain, say_command
from promptvision.errors import PromptvisionError, SetupError, StoreError
from promptvision.plugins.commands import Command
from promptvision.plugins.listing import list_plugin_commands

if TYPE_CHECKING:
    import logging

__all__ = ["cli", "main"]


class LazyGroup(click.Group):
    """A group whose commands come from the hook ``promptvision_commands`` and are imported when called.

    The core's commands take precedence: a plugin cannot replace one, and running one loads no plugin.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the core's commands and of those that plugins add."""
        return [name for name, _ in _list_commands()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        for command in COMMANDS:
            if command.name == cmd_name:
                return command.load()
        return _plugin_command(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(_list_commands())


def _list_commands() -> list[tuple[str, str]]:
    names = {command.name for command in COMMANDS}
    try:
        added = [(name, summary) for name, summary in list_plugin_commands() if name not in names]
    except PromptvisionError as exc:  # help must work whatever the settings are
        complain(str(exc))
        added = []
    return [(command.name, command.summary) for command in COMMANDS] + added


def _plugin_command(name: str) -> click.Command | None:
    from promptvision.plugins.registry import Registry
    from promptvision.settings import load_settings

    for _, command in Registry.load(load_settings()).plugin_commands():
        if command.name == name:
            return command.load() if isinstance(command, Command) else command
    return None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show tracebacks and debug logs.")
@click.version_option(package_name="promptvision")
def cli(debug: bool) -> None:
    """Edit or examine images by describing the task.

    Data goes to stdout, progress to stderr. Plugins may add commands.
    """
    import logging

    if debug:
        logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
        return
    # users get one line, not a traceback
    logging.getLogger("promptvision").addHandler(logging.NullHandler())
    _show_warnings(logging.getLogger("promptvision.plugins"))


def _show_warnings(logger: logging.Logger) -> None:
    """Print warnings about plugins and settings on stderr, one line each."""
    import logging

    class PrintWarnings(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            complain(record.getMessage())

    if not logger.handlers:
        logger.addHandler(PrintWarnings(logging.WARNING))


def main(args: list[str] | None = None) -> None:
    """Entry point of the ``promptvision`` program; always exits through ``sys.exit``."""
    words = sys.argv[1:] if args is None else args
    if not faulthandler.is_enabled() and sys.__stderr__ is not None:
        faulthandler.enable(sys.__stderr__)  # a crash in native code, such as of a plugin, names its caller
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # loading is shown as the progress of a step
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # some terminals cannot show every character
    try:
        code: Any = cli.main(args=words, prog_name="promptvision", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Exit as exc:
        sys.exit(exc.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _leave_interrupted()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has closed the pipe
        sys.exit(1)
    except Exception as exc:  # boundary to the user: print one line instead of a traceback
        if "--debug" in words:
            raise
        sys.exit(_explain(exc))


def _explain(exc: Exception) -> int:
    """Print in one line what is wrong and how to fix it; return the exit code."""
    if isinstance(exc, click.ClickException):
        return _explain_usage(exc)
    if isinstance(exc, PromptvisionError):
        is_vague = isinstance(exc, StoreError) and not exc.hint
        complain(f"{exc}; `promptvision doctor` says more" if is_vague else str(exc))
        if not isinstance(exc, SetupError):
            return 1
        if exc.needs is not None and exc.needs["command"]:
            say_command(exc.needs["command"])
        return 3
    complain(
        f"unexpected {type(exc).__name__}: {exc}; run it again with `promptvision --debug ...` for the "
        "traceback, and report it"
    )
    return 1


def _explain_usage(exc: click.ClickException) -> int:
    message, context = exc.format_message(), getattr(exc, "ctx", None)
    if "\n" in message:  # the help of a group that was called without a command
        click.echo(message, err=True)
    else:
        command = context.command_path if context else "promptvision"
        complain(f"{message.rstrip('.')}; see `{command} --help`")
    return exc.exit_code


def _leave_interrupted() -> NoReturn:
    """Exit with 130 at once, even if a thread still runs a tool that cannot be stopped."""
    complain("interrupted")
    if threading.active_count() > 1:
        sys.stdout.flush()
        os._exit(130)
    sys.exit(130)
