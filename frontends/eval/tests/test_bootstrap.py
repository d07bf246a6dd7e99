"""Intervals are those of scipy's percentile bootstrap, and the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap  # type: ignore[import-untyped]

from promptvision.plugin import Metric, mean_metric, ratio_metric
from promptvision_eval.bootstrap import confidence_intervals


def test_the_interval_of_a_mean_agrees_with_scipy() -> None:
    values = np.random.default_rng(1).normal(5, 2, 80)
    metric = mean_metric("mean", values.tolist(), scale=1.0)
    found = confidence_intervals((metric,), 80, seed=0, resamples=2000)["mean"]
    wanted = bootstrap((values,), np.mean, n_resamples=2000, method="percentile", rng=0).confidence_interval
    assert found == pytest.approx((wanted.low, wanted.high), abs=0.05)
    assert found == confidence_intervals((metric,), 80, seed=0, resamples=2000)["mean"]
    assert found != confidence_intervals((metric,), 80, seed=1, resamples=2000)["mean"]


def test_there_is_no_interval_without_examples_resamples_or_a_value() -> None:
    metrics = (
        mean_metric("mean", [1.0, 2.0]),
        ratio_metric("none", [0.0], [0.0]),
        Metric(name="FID", value=1),
    )
    assert set(confidence_intervals(metrics, 2, seed=0, resamples=5)) == {"mean"}
    assert confidence_intervals(metrics, 1, seed=0, resamples=5) == {}
    assert confidence_intervals(metrics, 2, seed=0, resamples=0) == {}
