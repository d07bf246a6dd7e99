"""Load SAM 2.1 with the engine for the format of its files."""

from __future__ import annotations

from pathlib import Path

from promptvision.plugin import SetupError
from promptvision_sam.engine import Engine
from promptvision_sam.plugin import has_ultralytics

__all__ = ["load"]


def load(path: Path, device: str, dtype: str) -> Engine:
    """Load a SAM 2.1 model.

    Args:
        path: a ``.pt`` file or a folder with one (ultralytics), or a folder with ``config.json``.
        device: ``cpu`` or ``cuda``.
        dtype: such as ``float32``.

    Raises:
        SetupError: the format of the files is unknown, weights are missing, or the engine is not installed.
    """
    if (path / "config.json").is_file():
        from promptvision_sam.engine_transformers import TransformersEngine

        return TransformersEngine(path, device, dtype)
    file = path if path.is_file() else next(iter(sorted(path.glob("*.pt"))), None)
    if file is None:
        raise SetupError(
            f"promptvision-sam: {path} contains neither a .pt file nor config.json",
            hint="run `promptvision models pull sam2.1-l`",
        )
    if not has_ultralytics():
        raise SetupError(
            f"promptvision-sam: {file.name} needs the ultralytics engine (AGPL-3.0), which is not installed",
            hint='run `pip install "promptvision-sam[ultralytics]"`, or `promptvision models pull sam2.1-l` '
            "for the weights of the transformers engine",
        )
    from promptvision_sam.engine_ultralytics import UltralyticsEngine

    return UltralyticsEngine(file, device, dtype)
