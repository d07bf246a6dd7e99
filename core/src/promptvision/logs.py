"""Log lines as JSON objects, with the turn that they belong to."""

from __future__ import annotations

import json
import logging
import time
from contextvars import ContextVar

__all__ = ["JsonFormatter", "current_turn"]

current_turn: ContextVar[str | None] = ContextVar("current_turn", default=None)
"""Id of the turn that this task or thread works for."""


class JsonFormatter(logging.Formatter):
    """Formats a record as a line of JSON: time, level, logger, message, turn_id, and a traceback as error."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without a line break inside."""
        seconds, milliseconds = divmod(round(record.created * 1000), 1000)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        line = {
            "time": f"{stamp}.{milliseconds:03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (turn_id := current_turn.get()) is not None:
            line["turn_id"] = turn_id
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")
