"""Metrics: histograms of durations and tokens."""

from __future__ import annotations

from opentelemetry.metrics import Histogram, Meter
from opentelemetry.util.types import AttributeValue

from promptvision.plugin import (
    Activity,
    ModelLoadActivity,
    PlannerActivity,
    RequestActivity,
    StepActivity,
    StoreActivity,
    TurnActivity,
)

__all__ = ["Durations"]

_NAMES: dict[type[Activity], tuple[str, str]] = {
    RequestActivity: ("http.server.request.duration", "Duration of HTTP requests."),
    TurnActivity: ("promptvision.turn.duration", "Duration of turns."),
    PlannerActivity: ("gen_ai.client.operation.duration", "Duration of planner requests."),
    StepActivity: ("promptvision.step.duration", "Duration of tool calls."),
    ModelLoadActivity: ("promptvision.model.load.duration", "Duration of model loads."),
    StoreActivity: ("promptvision.store.duration", "Duration of store calls."),
}
_LABELS = (
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.tool.name",
    "promptvision.cached",
    "promptvision.device",
    "promptvision.model",
    "promptvision.operation",
    "promptvision.store",
    "promptvision.store.method",
    "promptvision.turn.status",
)
"""Attributes of low cardinality; spans have the ids and counts."""
_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_TOKEN_BUCKETS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576)


class Durations:
    """The histograms of one meter.

    Args:
        meter: creates the histograms.
    """

    def __init__(self, meter: Meter) -> None:
        self._histograms: dict[type[Activity], Histogram] = {
            kind: meter.create_histogram(
                name, unit="s", description=text, explicit_bucket_boundaries_advisory=_BUCKETS
            )
            for kind, (name, text) in _NAMES.items()
        }
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            unit="{token}",
            description="Tokens of planner requests.",
            explicit_bucket_boundaries_advisory=_TOKEN_BUCKETS,
        )

    def record(
        self,
        activity: Activity,
        seconds: float,
        attributes: dict[str, AttributeValue],
        error: BaseException | None,
    ) -> None:
        """Add an activity that has ended.

        Args:
            activity: the activity.
            seconds: its duration.
            attributes: the attributes of its span.
            error: the exception that it raised, if any.
        """
        histogram = self._histograms.get(type(activity))
        if histogram is None:
            return
        labels = {name: attributes[name] for name in _LABELS if name in attributes}
        if error is not None:
            labels["error.type"] = type(error).__qualname__
        histogram.record(seconds, labels)
        if isinstance(activity, PlannerActivity) and activity.reply is not None:
            usage = activity.reply.usage
            for kind, count in (("input", usage.input_tokens), ("output", usage.output_tokens)):
                if count:
                    self._tokens.record(count, {**labels, "gen_ai.token.type": kind})
