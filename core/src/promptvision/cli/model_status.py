"""``promptvision models status``: memory of the devices, and how models were placed and what calls needed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from promptvision.models import devices
from promptvision.models.peak_table import PeakTable
from promptvision.models.placement import gigabytes
from promptvision.models.placements import read_choices
from promptvision.models.pool import PEAKS_FILE, PLACEMENTS_FILE
from promptvision.settings import Settings

__all__ = ["pool_status", "status_lines"]


def pool_status(settings: Settings) -> dict[str, Any]:
    """Memory of this machine, the last placements, and the measured peaks, as plain JSON.

    Args:
        settings: limits, and the folder in which placements and peaks are stored.
    """
    names = ["cuda", "cpu"] if devices.has_cuda() else ["cpu"]
    return {
        "devices": [
            {
                "device": name,
                "usable_bytes": devices.usable_bytes(name, headroom_bytes=settings.model_headroom),
                "total_bytes": devices.total_bytes(name),
            }
            for name in names
        ],
        "model_memory": settings.model_memory,
        "host_memory": devices.host_limit(settings.model_host_memory),
        "placements": [
            {
                "models": models.split("+"),
                "placement": choice.placement.name.lower(),
                "reason": choice.reason,
                "predicted_s": choice.seconds,
                "needed_bytes": choice.needed_bytes,
                "free_bytes": choice.free_bytes,
                "at": datetime.fromtimestamp(choice.at, UTC).isoformat(timespec="seconds"),
            }
            for models, choice in read_choices(settings.home / PLACEMENTS_FILE).items()
        ],
        "peaks": [
            {"call": call, "peak_bytes": peak, "samples": samples, "more_than_bytes": more_than}
            for call, (peak, samples, more_than) in PeakTable(settings.home / PEAKS_FILE).rows().items()
        ],
    }


def status_lines(status: dict[str, Any]) -> Iterator[str]:
    """The status as text."""
    for device in status["devices"]:
        usable, total = gigabytes(device["usable_bytes"]), gigabytes(device["total_bytes"])
        yield f"{device['device']}: {usable} of {total} for models"
    if status["model_memory"] is not None:
        yield f"PROMPTVISION_MODEL_MEMORY: at most {gigabytes(status['model_memory'])} of weights"
    yield f"copies in main memory: at most {gigabytes(status['host_memory'])}"
    for one in status["placements"]:
        yield ""
        yield f"{', '.join(one['models'])}: {one['placement']} ({one['at']})"
        yield f"  {one['reason']}"
    if status["peaks"]:
        yield ""
        yield "measured memory of calls, weights not included:"
    for row in status["peaks"]:
        known = "not yet" if row["peak_bytes"] is None else gigabytes(row["peak_bytes"])
        failed = f", more than {gigabytes(row['more_than_bytes'])}" if row["more_than_bytes"] else ""
        yield f"  {row['call']}: {known}{failed} ({row['samples']} runs)"
