"""The result of an evaluation as one JSON document, which the terminal and the report show."""

from __future__ import annotations

import os
import platform
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from promptvision.plugin import Metric
from promptvision_eval.models import ALEXNET, CLIP, INCEPTION
from promptvision_eval.published import Published, differences, find_published
from promptvision_eval.run import Outcome

__all__ = ["Request", "make_document"]

LIBRARIES = (
    *("faster-coco-eval", "jiwer", "lpips", "numpy", "pillow", "promptvision", "promptvision-eval"),
    *("pycocoevalcap", "rapidfuzz", "scikit-image", "scipy", "shapely", "torch", "torch-fidelity"),
    *("torchmetrics", "torchvision", "transformers"),
)
NETWORKS = {"CLIP score": CLIP, "FID": INCEPTION, "LPIPS": ALEXNET}
"""The models that metrics use."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the user asked for.

    Args:
        operation: its name, or ``planner``.
        data: a folder or file.
        tools: names of tools or planners.
        evaluator: name of the layout; empty for the first that accepts the data.
        limit: how many examples; None for all.
        seed: of the choice of examples, the bootstrap, and tools that take one.
        resamples: of the bootstrap.
        arguments: given to each call.
        options: of the evaluator.
    """

    operation: str
    data: Path
    tools: tuple[str, ...]
    evaluator: str
    limit: int | None
    seed: int
    resamples: int
    arguments: Mapping[str, Any]
    options: Mapping[str, str]

    @property
    def command(self) -> str:
        """The command that does the same again."""
        words = ["promptvision", "eval", self.operation, "--data", str(self.data)]
        words += [word for tool in self.tools for word in ("--tool", tool)]
        words += ["--evaluator", self.evaluator] if self.evaluator else []
        words += [word for pair in self.arguments.items() for word in ("-a", _pair(*pair))]
        words += [word for pair in self.options.items() for word in ("-o", _pair(*pair))]
        words += ["--limit", str(self.limit)] if self.limit is not None else []
        return shlex.join([*words, "--seed", str(self.seed), "--resamples", str(self.resamples)])


def _pair(name: str, value: Any) -> str:
    import json

    return f"{name}={value if isinstance(value, str) else json.dumps(value)}"


def make_document(
    request: Request, evaluator: str, outcomes: Sequence[Outcome], total: int
) -> dict[str, Any]:
    """The document.

    Args:
        request: what was asked for.
        evaluator: name of the layout.
        outcomes: one per tool.
        total: number of examples of the data set.
    """
    return {
        "operation": request.operation,
        "evaluator": evaluator,
        "date": datetime.now(UTC).date().isoformat(),
        "data": str(request.data),
        "examples": total,
        "limit": request.limit,
        "seed": request.seed,
        "resamples": request.resamples,
        "tools": [_tool(request.operation, outcome) for outcome in outcomes],
        "command": request.command,
        "versions": _versions(),
    }


def _tool(operation: str, outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.name,
        "plugin": outcome.identity["plugin"],
        "version": outcome.identity["version"],
        "replaced_weights": _replaced_weights(outcome),
        "metrics": [_metric(operation, outcome, metric) for metric in outcome.scores.metrics],
        "done": len(outcome.examples),
        "failed": len(outcome.failures),
        "from_log": outcome.known,
        "seconds_per_image": round(outcome.median_seconds, 4) if outcome.examples else None,
        "peak_bytes": outcome.peak_bytes if outcome.examples else None,
        "gpu_bytes": outcome.gpu_bytes,
        "conditions": dict(outcome.conditions),
        "failures": dict(outcome.failures),
    }


def _replaced_weights(outcome: Outcome) -> list[str]:
    """The settings that replace published weights of a model that the tool or one of its metrics has used."""
    known = {metric.name for metric in outcome.scores.metrics if metric.value is not None}
    used = [*outcome.conditions["model"].split(", "), *(NETWORKS[name].id for name in known & set(NETWORKS))]
    names = ("PROMPTVISION_MODEL_" + re.sub(r"\W", "_", id_).upper() for id_ in used)
    return sorted(name for name in names if name in outcome.identity)


def _metric(operation: str, outcome: Outcome, metric: Metric) -> dict[str, Any]:
    interval = outcome.intervals.get(metric.name)
    return {
        "name": metric.name,
        "value": metric.value,
        "interval": list(interval) if interval else None,
        "unit": metric.unit,
        "higher_is_better": metric.higher_is_better,
        "note": metric.note,
        "published": [
            _published(each, outcome.conditions) for each in find_published(operation, metric.name)
        ],
    }


def _published(each: Published, conditions: Mapping[str, str]) -> dict[str, Any]:
    return {
        "value": each.value,
        "model": each.model,
        "data": each.data,
        "source": each.source,
        "differences": differences(each, conditions),
        "remark": each.remark,
    }


def _versions() -> dict[str, str]:
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPU cores"
    found = {"python": platform.python_version(), "system": system}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
