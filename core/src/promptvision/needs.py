"""What must be set up before something can run, as plain JSON that errors, steps and answers carry."""

from __future__ import annotations

from typing import TypedDict

__all__ = ["NeedsSetup"]


class NeedsSetup(TypedDict):
    """What must be downloaded, installed or configured first.

    ``models`` are ids of models, ``bytes`` is the size of their download (0 if unknown), and ``command`` is
    what to run.
    """

    models: list[str]
    bytes: int
    command: str
