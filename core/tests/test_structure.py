"""Checks of a file's structure before it is decoded."""

from __future__ import annotations

import pytest

from promptvision.images.structure import MAX_GIF_BLOCKS, check_structure
from promptvision.testing.hostile_images import HOSTILE


@pytest.mark.parametrize("junk", [b"\x77", b"\x77\x78", b"\x00\x21\xfe\x00"])
def test_gif_of_bytes_between_blocks_is_refused(junk: bytes) -> None:
    with pytest.raises(ValueError, match="blocks"):
        check_structure("GIF", b"GIF89a" + bytes(7) + junk * MAX_GIF_BLOCKS + junk)


def test_gif_ends_at_its_trailer() -> None:
    check_structure("GIF", b"GIF89a" + bytes(7) + b"\x3b" + bytes(2 * MAX_GIF_BLOCKS))


def test_tiff_of_more_strips_than_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="180,000 strips"):
        check_structure("TIFF", HOSTILE["TIFF of more strips than rows"]())
