"""The instrument: a span for each activity, and histograms of durations."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from promptvision.plugin import (
    Activity,
    Cancelled,
    RequestActivity,
    StoreActivity,
    ToolRunActivity,
)
from promptvision_telemetry.attributes import contents, ended, kind_of, name_of, started
from promptvision_telemetry.durations import Durations
from promptvision_telemetry.providers import Providers

__all__ = ["OpenTelemetryInstrument"]

NAME = "promptvision"
_W3C = TraceContextTextMapPropagator()


class OpenTelemetryInstrument:
    """Makes spans and measures durations.

    Args:
        providers: the tracer and meter providers.
        has_content: whether prompts, answers, and arguments and results of tools are exported.
    """

    def __init__(self, providers: Providers, *, has_content: bool = False) -> None:
        self._providers = providers
        self._tracer = providers.tracers.get_tracer(NAME)
        self._durations = Durations(providers.meters.get_meter(NAME))
        self._has_content = has_content

    def around(self, activity: Activity) -> AbstractContextManager[object]:
        """A span, and a measurement of its duration.

        A store call outside a trace, such as a heartbeat or a health check, gets no span.
        """
        if isinstance(activity, StoreActivity) and not _is_in_trace():
            return nullcontext()
        return self._record(activity, _parent(activity))

    def headers(self) -> Mapping[str, str]:
        """``traceparent`` and ``tracestate`` of the current span."""
        carrier: dict[str, str] = {}
        _W3C.inject(carrier)
        return carrier

    def close(self) -> None:
        """Export pending data."""
        self._providers.close()

    @contextmanager
    def _record(self, activity: Activity, parent: Context | None) -> Iterator[None]:
        began = time.perf_counter()
        attributes = started(activity)
        with self._tracer.start_as_current_span(
            name_of(activity),
            context=parent,
            kind=kind_of(activity),
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            error: BaseException | None = None
            try:
                yield
            except BaseException as exc:
                error = exc
                raise
            finally:
                facts = ended(activity)
                span.set_attributes(facts)
                self._end(span, activity, error)
                attributes |= facts
                self._durations.record(activity, time.perf_counter() - began, attributes, error)

    def _end(self, span: Span, activity: Activity, error: BaseException | None) -> None:
        if isinstance(activity, RequestActivity) and activity.route is not None:
            span.update_name(f"{activity.method} {activity.route}")
        if self._has_content:
            span.set_attributes(contents(activity))
        if error is not None:
            span.set_attribute("error.type", type(error).__qualname__)
        if error is not None and not isinstance(error, Cancelled | GeneratorExit):
            span.set_status(Status(StatusCode.ERROR, str(error)[:500] if self._has_content else None))


def _parent(activity: Activity) -> Context | None:
    """The context that a span belongs to: the current one, or that of the process that sent the headers."""
    if isinstance(activity, RequestActivity):
        return propagate.extract(dict(activity.headers))
    if isinstance(activity, ToolRunActivity) and not _is_in_trace():
        return _W3C.extract(dict(activity.headers))
    return None


def _is_in_trace() -> bool:
    return trace.get_current_span().get_span_context().is_valid
