"""Counters and timings in Prometheus text form."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from promptvision.agent.agent import Agent
from promptvision.agent.reply import Reply
from promptvision.runtime.stage_cache import StageCache
from promptvision.server.bodies import SAFE_HEADERS
from promptvision.server.model_metrics import ModelMetrics

__all__ = ["Metrics", "get_metrics"]

_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """The metrics of one app, in a separate collector registry.

    Args:
        agent: the agent whose turns are counted; running turns and loaded models are read at each scrape.
    """

    def __init__(self, agent: Agent) -> None:
        queue = agent.services.runtime.queue
        self.registry = CollectorRegistry()
        self._turns = Counter(
            "promptvision_turns", "Turns that ended.", ["status", "planner"], registry=self.registry
        )
        self._steps = Histogram(
            "promptvision_step_seconds",
            "Time of tool calls.",
            ["operation", "tool", "status"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._cached = Counter(
            "promptvision_cached_steps",
            "Calls answered from the result cache.",
            ["operation"],
            registry=self.registry,
        )
        gauges = {
            "running_turns": ("Turns that are running.", lambda: agent.admission.running),
            "waiting_turns": ("Turns that are waiting.", lambda: agent.admission.waiting),
            "refused_turns": (
                "Turns that were refused.",
                lambda: agent.admission.refused,
            ),
            "running_steps": ("Tool calls that an executor runs.", lambda: queue.running),
            "waiting_steps": ("Tool calls that wait for an executor.", lambda: queue.waiting),
            "waiting_users": ("Users whose tool calls wait.", lambda: queue.waiting_users),
            "longest_wait_seconds": (
                "Age of the tool call that waits longest.",
                lambda: queue.longest_wait_s,
            ),
            "refused_steps": (
                "Tool calls that were refused because too many of their user wait.",
                lambda: queue.refused,
            ),
        }
        for name, (text, read) in gauges.items():
            Gauge(f"promptvision_{name}", text, registry=self.registry).set_function(read)
        models = Gauge("promptvision_model_bytes", "Memory of loaded models.", registry=self.registry)
        models.set_function(lambda: sum(model.bytes for model in agent.services.runtime.pool.loaded()))
        self.registry.register(_StageCounters(agent.services.runtime.stages))
        self.registry.register(ModelMetrics(agent.services.runtime.pool))
        agent.observers.append(self.count)

    def count(self, reply: Reply) -> None:
        """Count a turn that has ended."""
        self._turns.labels(reply.status, reply.planner).inc()
        for step in reply.steps:
            self._steps.labels(step.operation, step.tool, step.status).observe(step.seconds)
            if step.cached:
                self._cached.labels(step.operation).inc()


_STAGE_COUNTERS = {
    "hits": "Stages that were found in the cache.",
    "misses": "Stages that were computed.",
    "saved_s": "Seconds of computation that the cache of stages saved.",
}


class _StageCounters(Collector):
    """The counts of the cache of stages, of all processes that share it."""

    def __init__(self, stages: StageCache) -> None:
        self._stages = stages

    def describe(self) -> Iterator[Metric]:
        """The counters without values, for the registry."""
        for name, text in _STAGE_COUNTERS.items():
            yield CounterMetricFamily(
                f"promptvision_stage_cache_{name.replace('_s', '_seconds')}", text, labels=["stage"]
            )

    def collect(self) -> Iterator[Metric]:
        """Read the counts; may wait for the disk."""
        use = self._stages.use()
        for name, counter in zip(_STAGE_COUNTERS, self.describe(), strict=True):
            for one in use:
                counter.add_sample(f"{counter.name}_total", {"stage": one.stage}, getattr(one, name))
            yield counter


async def get_metrics(request: Request) -> Response:
    """All metrics as text."""
    # In a thread: counts of the cache of stages are read from the disk.
    text = await asyncio.to_thread(generate_latest, request.app.state.metrics.registry)
    return Response(text, headers=SAFE_HEADERS, media_type=CONTENT_TYPE_PLAIN_0_0_4)
