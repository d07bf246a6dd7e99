"""How tools are named and ordered, for a tool and for the record of one."""

from __future__ import annotations

from typing import Protocol

from promptvision.tools.requirements import Requirements

__all__ = ["Ranked"]


class _Declared(Protocol):
    @property
    def plugin(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def priority(self) -> int: ...

    @property
    def slow_priority(self) -> int | None: ...

    @property
    def requires(self) -> Requirements: ...


class Ranked:
    """What follows from the name, the plugin, the priorities and the requirements of a tool."""

    @property
    def qualified_name(self: _Declared) -> str:
        """``plugin:tool``, which is unique even if two plugins have a tool of the same name."""
        return f"{self.plugin}:{self.name}"

    @property
    def rank(self: _Declared) -> int:
        """The priority on this machine."""
        if self.slow_priority is None or self.requires.has_fast_gpu:
            return self.priority
        return self.slow_priority
