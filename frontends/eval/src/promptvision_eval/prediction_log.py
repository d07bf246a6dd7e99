"""The log of predictions: one JSON line per example, so that an interrupted evaluation can continue."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from promptvision.plugin import EvalCase

__all__ = ["PredictionLog", "case_key"]


class PredictionLog:
    """Predictions of one tool for one evaluator, by key.

    Args:
        path: the file; a line that a killed process left unfinished is ignored.
        keys: of the predictions that are needed; those of other runs are not kept in memory.
    """

    def __init__(self, path: Path, keys: Iterable[str]) -> None:
        self._path = path
        needed = frozenset(keys)
        self._records = {record["key"]: record for record in self._read() if record["key"] in needed}

    def _read(self) -> Iterator[dict[str, Any]]:
        if not self._path.exists():
            return
        with self._path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    record = json.loads(line)
                except ValueError:
                    continue
                if isinstance(record, dict) and "key" in record and "prediction" in record:
                    yield record

    def get(self, key: str) -> Mapping[str, Any] | None:
        """The record of a key."""
        return self._records.get(key)

    def add(self, key: str, **members: Any) -> Mapping[str, Any]:
        """Append a record; it is on disk when this returns."""
        line = json.dumps({"key": key, **members}, ensure_ascii=False) + "\n"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a+b") as file:
            if file.tell() and not _ends_line(self._path):
                line = "\n" + line
            file.write(line.encode())
        self._records[key] = json.loads(line)  # what a later run reads
        return self._records[key]


def _ends_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"


def case_key(
    case: EvalCase, identity: Mapping[str, str], options: Mapping[str, str], arguments: Mapping[str, Any]
) -> str:
    """SHA-256 over what a prediction depends on: tool, options, arguments, and the bytes of the images.

    Args:
        case: its calls; paths count by the content of their files.
        identity: of the tool.
        options: of the evaluator.
        arguments: given by the user.
    """
    digests: dict[Path, str] = {}
    calls = [{name: _content(value, digests) for name, value in call.items()} for call in case.calls]
    parts = [case.id, calls, dict(identity), dict(options), dict(arguments)]
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _content(value: Any, digests: dict[Path, str]) -> Any:
    if not isinstance(value, Path):
        return value
    if value not in digests:
        try:
            with value.open("rb") as file:
                digests[value] = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            digests[value] = ""
    return digests[value]
