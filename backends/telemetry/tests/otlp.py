"""An OTLP receiver on loopback: an HTTP server that decodes what exporters send."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

__all__ = ["ReceivedSpan", "Receiver"]


@dataclass(frozen=True)
class ReceivedSpan:
    """One span.

    Args:
        id, parent, trace: in hexadecimal; ``parent`` is empty for the first span of a trace.
        name: its name.
        kind: ``SpanKind`` of the protocol as a number.
        attributes: its attributes.
        service: name of the service.
        begin, end: in nanoseconds since the epoch.
        status: 0 unset, 1 ok, 2 error.
    """

    id: str
    parent: str
    trace: str
    name: str
    kind: int
    attributes: dict[str, Any]
    service: str
    begin: int
    end: int
    status: int


@dataclass
class Receiver:
    """Receives spans and metrics; a context manager."""

    spans: list[ReceivedSpan] = field(default_factory=list)
    metrics: dict[str, list[Any]] = field(default_factory=dict)
    raw: bytes = b""

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.raw += body
                if self.path == "/v1/traces":
                    receiver.spans.extend(_spans(body))
                elif self.path == "/v1/metrics":
                    receiver._add_metrics(body)
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The value for ``OTEL_EXPORTER_OTLP_ENDPOINT``."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def wait_for(self, name: str, timeout_s: float = 60) -> None:
        """Wait until a span with a name has been received."""
        deadline = time.monotonic() + timeout_s
        while all(span.name != name for span in self.spans):
            assert time.monotonic() < deadline, f"{name} among {sorted(span.name for span in self.spans)}"
            time.sleep(0.02)

    def one(self, name: str) -> ReceivedSpan:
        """The one span with a name."""
        found = [span for span in self.spans if span.name == name]
        assert len(found) == 1, f"{name}: {len(found)} spans among {sorted(span.name for span in self.spans)}"
        return found[0]

    def path(self, span: ReceivedSpan) -> list[str]:
        """The names of the received ancestors of a span and of the span itself, outermost first."""
        known = {one.id: one for one in self.spans}
        names = [span.name]
        while (above := known.get(span.parent)) is not None:
            assert above.trace == span.trace
            assert above.begin <= span.begin
            span = above
            names.insert(0, span.name)
        return names

    def _add_metrics(self, body: bytes) -> None:
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    points = [
                        (_attributes(point.attributes), point.count, point.sum)
                        for point in metric.histogram.data_points
                    ]
                    self.metrics[metric.name] = points


def _spans(body: bytes) -> Iterator[ReceivedSpan]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = _attributes(resource.resource.attributes)["service.name"]
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield ReceivedSpan(
                    id=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    trace=span.trace_id.hex(),
                    name=span.name,
                    kind=span.kind,
                    attributes=_attributes(span.attributes),
                    service=service,
                    begin=span.start_time_unix_nano,
                    end=span.end_time_unix_nano,
                    status=span.status.code,
                )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return getattr(value, kind)
