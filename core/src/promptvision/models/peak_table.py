"""Measured activation memory by kind of call, kept on disk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from promptvision.models.json_file import read_json, write_json

__all__ = ["MARGIN", "PeakTable", "percentile_95", "shape_class"]

_MIN_SAMPLES = 3
_MAX_SAMPLES = 20
_MAX_ROWS = 500
_WHAT = "measured peaks"
MARGIN = 1.1
"""Factor on the 95th percentile of measured peaks."""

_SAVE_CHANGE = 0.1
"""Relative change of an estimate after which the table is written at once; smaller ones wait for the end."""


class _Row(BaseModel):
    """The last measured peaks in bytes, and the largest peak that is known to be too small."""

    model_config = ConfigDict(extra="forbid")

    samples: list[int] = Field(default_factory=list, max_length=_MAX_SAMPLES)
    more_than: int = Field(0, ge=0)

    def estimate(self) -> int | None:
        if len(self.samples) < _MIN_SAMPLES:
            return None
        return max(int(MARGIN * percentile_95(self.samples)), self.more_than + 1 if self.more_than else 0)


_ROWS = TypeAdapter(dict[str, _Row])


def percentile_95(values: Sequence[int]) -> int:
    """The 95th percentile by the nearest-rank method."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def shape_class(shape: Sequence[int]) -> str:
    """The class of an input's shape: products of its sizes within a factor of the square root of 2.

    Args:
        shape: sizes of the input that determine its memory, such as height and width; empty for none.
    """
    size = math.prod(shape)
    return str(math.ceil(2 * math.log2(size))) if shape and size > 0 else "-"


@dataclass
class PeakTable:
    """Rows by name, the least recently changed first. Not thread-safe.

    Args:
        path: a JSON file; None to keep nothing on disk.
    """

    path: Path | None
    _rows: dict[str, _Row] = field(default_factory=dict)
    _is_changed: bool = False

    def __post_init__(self) -> None:
        self._rows = self._read()

    def estimate(self, key: str) -> int | None:
        """The 95th percentile of the measured peaks plus 10 %; None with fewer than three."""
        row = self._rows.get(key)
        return None if row is None else row.estimate()

    def more_than(self, key: str) -> int:
        """The peak with which a call ran out of memory; 0 if none did."""
        row = self._rows.get(key)
        return 0 if row is None else row.more_than

    def samples(self, key: str) -> int:
        """The number of measured peaks."""
        row = self._rows.get(key)
        return 0 if row is None else len(row.samples)

    def add(self, key: str, peak: int) -> None:
        """Record a measured peak in bytes."""
        row = self._touch(key)
        before = row.estimate()
        row.samples = [*row.samples, peak][-_MAX_SAMPLES:]
        if peak > row.more_than:
            row.more_than = 0  # a run that succeeded says more than one that failed
        self._save_if_needed(before, row.estimate())

    def exceeded(self, key: str, available: int) -> None:
        """Record that a call ran out of memory with ``available`` bytes for its activations."""
        row = self._touch(key)
        if available > row.more_than:
            row.more_than = available
            self.save()

    def rows(self) -> dict[str, tuple[int | None, int, int]]:
        """Estimate, number of samples and lower bound by key."""
        return {key: (row.estimate(), len(row.samples), row.more_than) for key, row in self._rows.items()}

    def save(self) -> None:
        """Write the file; a failure is logged."""
        self._is_changed = False
        if self.path is not None:
            write_json(self.path, {key: row.model_dump() for key, row in self._rows.items()}, _WHAT)

    def close(self) -> None:
        """Write changes that were not written yet."""
        if self._is_changed:
            self.save()

    def _touch(self, key: str) -> _Row:
        row = self._rows.pop(key, None) or _Row()
        self._rows[key] = row
        while len(self._rows) > _MAX_ROWS:
            del self._rows[next(iter(self._rows))]
        return row

    def _save_if_needed(self, before: int | None, after: int | None) -> None:
        self._is_changed = True
        if after is not None and (before is None or abs(after - before) > _SAVE_CHANGE * before):
            self.save()

    def _read(self) -> dict[str, _Row]:
        rows = read_json(self.path, _ROWS, {}, _WHAT) if self.path is not None else {}
        return dict(list(rows.items())[-_MAX_ROWS:])
