"""Settings of telemetry: the endpoint, and whether contents are exported."""

from __future__ import annotations

from pydantic import Field

from promptvision.plugin import Section

__all__ = ["TelemetrySettings"]


class TelemetrySettings(Section):
    """The variables that switch telemetry on; the exporters read the other ``OTEL_*`` ones themselves."""

    endpoint: str | None = Field(
        None,
        alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        pattern=r"^https?://",
        description="Base URL of an OTLP receiver over HTTP; telemetry is off without it.",
    )
    service_name: str = Field(
        "promptvision", alias="OTEL_SERVICE_NAME", description="Name of this service in traces and metrics."
    )
    is_disabled: bool = Field(
        False, alias="OTEL_SDK_DISABLED", description="Switch telemetry off although there is an endpoint."
    )
    telemetry_content: bool = Field(
        False, description="Export prompts, answers, and arguments and results of tools with the traces."
    )
