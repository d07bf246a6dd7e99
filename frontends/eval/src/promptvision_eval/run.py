"""Run a target over the examples of a data set, resume from its log, and score it."""

from __future__ import annotations

import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from promptvision.plugin import (
    BatchProgress,
    EvalCase,
    EvalExample,
    Evaluation,
    Evaluator,
    PromptvisionError,
    Scores,
)
from promptvision_eval.bootstrap import Interval, confidence_intervals
from promptvision_eval.peak_memory import PeakMemory
from promptvision_eval.prediction_log import PredictionLog, case_key
from promptvision_eval.targets import Target

__all__ = ["Outcome", "Plan", "choose_cases", "run_target"]

QUIET = 100
"""Up to so many examples, no message says that the metrics are computed."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is run.

    Args:
        evaluator: the data layout with its metrics.
        evaluation: the data set.
        cases: the examples.
        options: of the evaluator.
        arguments: given by the user for each call.
        folder: of the logs.
        seed: of the bootstrap and of the choice of examples.
        resamples: of the bootstrap.
        is_fresh: whether logged predictions are ignored.
    """

    evaluator: Evaluator
    evaluation: Evaluation
    cases: Sequence[EvalCase]
    options: Mapping[str, str]
    arguments: Mapping[str, Any]
    folder: Path
    seed: int
    resamples: int
    is_fresh: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The figures of one target.

    Args:
        name, identity: of the target.
        scores: its metrics.
        intervals: by the name of the metric.
        examples: those that did not fail.
        failures: case id to error.
        seconds: of each example.
        peak_bytes: of the process.
        gpu_bytes: of the GPU.
        known: number of predictions taken from the log.
        conditions: what the figures depend on.
    """

    name: str
    identity: Mapping[str, str]
    scores: Scores
    intervals: Mapping[str, Interval]
    examples: Sequence[EvalExample]
    failures: Mapping[str, str]
    seconds: Sequence[float]
    peak_bytes: int
    gpu_bytes: int
    known: int
    conditions: Mapping[str, str] = field(default_factory=dict)

    @property
    def median_seconds(self) -> float:
        """Median time of one example, without the time to score it."""
        return statistics.median(self.seconds) if self.seconds else 0.0


def choose_cases(cases: Sequence[EvalCase], limit: int | None, seed: int) -> list[EvalCase]:
    """All examples, or a random part in their order.

    Args:
        cases: of the data set.
        limit: how many; None for all.
        seed: the same seed chooses the same examples.
    """
    if limit is None or limit >= len(cases):
        return list(cases)
    chosen = random.Random(seed).sample(range(len(cases)), limit)  # noqa: S311  # not for security
    return [cases[at] for at in sorted(chosen)]


async def run_target(plan: Plan, target: Target) -> Outcome:
    """Predict what the log does not hold, then score everything. A failed example does not stop the rest."""
    memory = PeakMemory()
    records: dict[str, Mapping[str, Any]] = {}
    failures: dict[str, str] = {}
    keys = [case_key(case, target.identity, plan.options, plan.arguments) for case in plan.cases]
    log = PredictionLog(plan.folder / f"{target.name}.jsonl", keys)
    todo = []
    for case, key in zip(plan.cases, keys, strict=True):
        record = None if plan.is_fresh else log.get(key)
        if record is None:
            todo.append((case, key))
        else:
            records[case.id] = record
    known = len(records)
    with BatchProgress(len(todo)) as progress:
        if known:
            progress.note(f"{target.name}: {known} of {len(plan.cases)} are known from {plan.folder}")
        for case, key in todo:
            memory.reset()
            try:
                records[case.id] = await _predict(plan, target, case, key, log, memory)
            except PromptvisionError as exc:
                failures[case.id] = str(exc)
            finally:
                await target.clear()
            name = f"{target.name}: {case.id}"
            progress.advance(name, failures.get(case.id, ""), is_done=case.id not in failures)
        if len(records) > QUIET:
            progress.note(f"{target.name}: computing the metrics of {len(records)} examples")
    return _score(plan, target, records, failures, known)


async def _predict(
    plan: Plan, target: Target, case: EvalCase, key: str, log: PredictionLog, memory: PeakMemory
) -> Mapping[str, Any]:
    outputs, seconds = [], 0.0
    for values in case.calls:
        output, spent = await target.call(values)
        outputs.append(output)
        seconds += spent
    prediction = dict(plan.evaluation.predict(case, outputs))
    peak, gpu = memory.read()
    return log.add(
        key,
        case=case.id,
        prediction=prediction,
        seconds=round(seconds, 6),
        peak_bytes=peak,
        gpu_bytes=gpu,
        models=target.models,
    )


def _score(
    plan: Plan,
    target: Target,
    records: Mapping[str, Mapping[str, Any]],
    failures: Mapping[str, str],
    known: int,
) -> Outcome:
    done = [case for case in plan.cases if case.id in records]
    examples = [EvalExample(case=case, prediction=records[case.id]["prediction"]) for case in done]
    scores = plan.evaluation.score(examples) if examples else Scores(metrics=())
    intervals = confidence_intervals(scores.metrics, len(examples), seed=plan.seed, resamples=plan.resamples)
    used = [records[case.id] for case in done]
    models = dict.fromkeys(model for record in used for model in record["models"])
    conditions = {
        "tool": target.name,
        "model": ", ".join(models) or "none",
        "sentences" if plan.evaluator.operation == "planner" else "images": str(len(examples)),
        **plan.evaluation.conditions,
        **target.conditions,
        **_arguments(done),
        **{
            name: f"{value:g}" if isinstance(value, float) else str(value)
            for name, value in plan.arguments.items()
        },
    }
    return Outcome(
        name=target.name,
        identity=target.identity,
        scores=scores,
        intervals=intervals,
        examples=examples,
        failures=failures,
        seconds=[record["seconds"] for record in used],
        peak_bytes=max((record["peak_bytes"] for record in used), default=0),
        gpu_bytes=max((record["gpu_bytes"] for record in used), default=0),
        known=known,
        conditions=conditions,
    )


def _arguments(cases: Sequence[EvalCase]) -> dict[str, str]:
    """Plain arguments that the evaluator gives to each call, such as ``detail``."""
    shared: dict[str, str] = {}
    for name, value in cases[0].calls[0].items() if cases and cases[0].calls else ():
        is_plain = isinstance(value, str | int | float) and len(str(value)) <= 40
        if is_plain and all(call.get(name) == value for case in cases for call in case.calls):
            shared[name] = str(value)
    return shared
