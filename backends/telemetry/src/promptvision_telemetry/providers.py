"""The tracer and meter providers: those of the application if it has set them, else new ones."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry import metrics, trace

if TYPE_CHECKING:
    from promptvision_telemetry.settings import TelemetrySettings

__all__ = ["Providers", "make_providers"]

TIMEOUT_S = 5
"""Time limit of one export."""
CLOSE_S = 5.0
"""Time limit for pending exports at the end of the process."""


@dataclass(frozen=True)
class Providers:
    """The tracer provider and the meter provider.

    Args:
        tracers: the tracer provider.
        meters: the meter provider.
        shut_down: called at the end; empty for the providers of an application.
    """

    tracers: trace.TracerProvider
    meters: metrics.MeterProvider
    shut_down: tuple[Callable[[], None], ...] = ()

    def close(self) -> None:
        """Export pending data; a receiver that does not answer causes a delay of a few seconds at most."""
        for shut_down in self.shut_down:
            thread = threading.Thread(target=shut_down, daemon=True)
            thread.start()
            thread.join(CLOSE_S)


def make_providers(section: TelemetrySettings) -> Providers | None:
    """Providers that export to the endpoint, or those of the application; None if there is neither."""
    own = trace.get_tracer_provider()
    if not isinstance(own, trace.ProxyTracerProvider):
        return Providers(own, metrics.get_meter_provider())
    if section.endpoint is None:
        return None
    return _export_to(section.endpoint.rstrip("/"), section.service_name)


def _export_to(endpoint: str, service_name: str) -> Providers:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": service_name})
    tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
    spans = OTLPSpanExporter(f"{endpoint}/v1/traces", timeout=TIMEOUT_S)
    tracers.add_span_processor(BatchSpanProcessor(spans))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{endpoint}/v1/metrics", timeout=TIMEOUT_S))
    meters = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
    return Providers(tracers, meters, (tracers.shutdown, meters.shutdown))
