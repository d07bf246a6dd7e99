"""Damaged TIFF files: messages of libtiff."""

from __future__ import annotations

import io
import sys

import pytest
from PIL import Image

from promptvision.errors import InputError
from promptvision.images.codec import normalise


@pytest.mark.skipif(sys.platform != "linux", reason="the loaded library is known on Linux only")
def test_damaged_file_writes_nothing_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    """libtiff prints warnings, and uploaded files must not fill the log of a server."""
    out = io.BytesIO()
    Image.effect_noise((300, 300), 60).save(out, "TIFF", compression="tiff_lzw")
    data = out.getvalue()
    damaged = data[:5000] + b"\xff" * 400 + data[5400:]
    with pytest.raises(InputError, match="damaged"):
        normalise(damaged)
    assert capfd.readouterr().err == ""
