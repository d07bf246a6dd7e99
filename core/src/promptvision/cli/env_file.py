"""Write variables to the file ``.env``, which holds keys and is readable by its owner alone."""

from __future__ import annotations

from pathlib import Path

from promptvision.errors import InputError

__all__ = ["ENV_FILE", "store_variable"]

ENV_FILE = ".env"


def store_variable(name: str, value: str, folder: Path | None = None) -> Path:
    """Set a variable in ``.env``, in which settings are looked up, and make the file private (mode 600).

    Args:
        name: of the variable.
        value: on one line.
        folder: where the file is; default: the working folder.

    Returns:
        The file.

    Raises:
        InputError: the value is empty or has several lines, or the file cannot be written.
    """
    from dotenv import set_key

    if not value or len(value.splitlines()) > 1:
        raise InputError(f"{name}: the value is empty or has several lines")
    path = (folder or Path.cwd()) / ENV_FILE
    try:
        if path.exists():
            path.chmod(0o600)  # before the key is in it; a new file is private from the start
        set_key(path, name, value, quote_mode="auto")
        path.chmod(0o600)
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError(f"{path}: {exc}", hint=f"set {name} in the environment") from exc
    return path
