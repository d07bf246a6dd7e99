"""Metrics of the model pool: memory by device, copies to the GPU, and where pipelines are placed and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from promptvision.models.pool import ModelPool

__all__ = ["ModelMetrics"]


class ModelMetrics(Collector):
    """Reads a pool at each scrape.

    Args:
        pool: the pool of the server's process.
    """

    def __init__(self, pool: ModelPool) -> None:
        self._pool = pool

    def collect(self) -> Iterator[Metric]:
        """Memory, copies and placements."""
        sizes: Counter[str] = Counter()
        for model in self._pool.loaded():
            sizes[model.device] += model.bytes
        memory = GaugeMetricFamily(
            "promptvision_model_device_bytes",
            "Memory of loaded models by device; host: copies in main memory from which a GPU is filled.",
            labels=["device"],
        )
        for device, size in sorted(sizes.items()):
            memory.add_metric([device], size)
        yield memory
        yield CounterMetricFamily(
            "promptvision_model_copied_bytes",
            "Weights copied from main memory to the GPU; none are ever copied back.",
            self._pool.speeds.copied_bytes,
        )
        placements = GaugeMetricFamily(
            "promptvision_model_placement_seconds",
            "Predicted time of a pipeline with its current placement; 0 without a GPU.",
            labels=["models", "placement", "reason"],
        )
        for models, choice in self._pool.placements().items():
            name = choice.placement.name.lower()
            placements.add_metric([models, name, choice.reason], choice.seconds.get(name, 0.0))
        yield placements
