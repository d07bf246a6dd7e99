"""Confidence intervals by the percentile bootstrap over examples.

Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
"""

from __future__ import annotations

import numpy as np

from promptvision.plugin import Metric

__all__ = ["LEVEL", "confidence_intervals"]

LEVEL = 0.95
Interval = tuple[float, float]


def confidence_intervals(
    metrics: tuple[Metric, ...], count: int, *, seed: int, resamples: int
) -> dict[str, Interval]:
    """The interval of each metric that can be resampled, by its name.

    Args:
        metrics: the figures.
        count: number of examples.
        seed: the same seed gives the same intervals.
        resamples: how often ``count`` examples are drawn with replacement; 0 for no interval.
    """
    kept = [metric for metric in metrics if metric.resample is not None and metric.value is not None]
    drawn: dict[str, list[float]] = {metric.name: [] for metric in kept}
    generator = np.random.default_rng(seed)
    for _ in range(resamples if count > 1 and kept else 0):
        positions = generator.integers(0, count, count).tolist()
        for metric in kept:
            if metric.resample is not None and np.isfinite(value := metric.resample(positions)):
                drawn[metric.name].append(value)
    tail = 100 * (1 - LEVEL) / 2
    return {
        name: (float(low), float(high))
        for name, values in drawn.items()
        if values
        for low, high in (np.percentile(values, [tail, 100 - tail]),)
    }
