"""Settings from the environment, ``.env`` and ``promptvision.toml``, with sections that plugins declare."""

from __future__ import annotations

from promptvision.settings.section import PREFIX, Section
from promptvision.settings.settings import Settings
from promptvision.settings.sources import load_settings

__all__ = ["PREFIX", "Section", "Settings", "load_settings"]
