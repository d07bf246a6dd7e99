"""Hook implementations of promptvision-telemetry."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from promptvision.plugin import Section, Settings, hookimpl
from promptvision_telemetry.settings import TelemetrySettings

if TYPE_CHECKING:
    from promptvision.plugin import Instrument, InstrumentFactory

PLUGIN_API = 1


@hookimpl
def promptvision_instruments() -> list[InstrumentFactory]:
    """Traces and metrics, if an endpoint is configured."""
    return [make_instrument]


@hookimpl
def promptvision_settings() -> list[type[Section]]:
    """Settings of telemetry."""
    return [TelemetrySettings]


def make_instrument(settings: Settings) -> Instrument | None:
    """Create the instrument; None if telemetry is off.

    It is on if an endpoint is configured or the application has set its own tracer provider.
    """
    section = settings.section(TelemetrySettings)
    has_application = "opentelemetry.trace" in sys.modules  # a provider can only be set after the import
    if section.is_disabled or (section.endpoint is None and not has_application):
        return None
    from promptvision_telemetry.providers import make_providers

    providers = make_providers(section)
    if providers is None:
        return None
    from promptvision_telemetry.instrument import OpenTelemetryInstrument

    return OpenTelemetryInstrument(providers, has_content=section.telemetry_content)
