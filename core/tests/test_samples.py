from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image

from promptvision.builtin.samples import still_life, street_sign


@pytest.mark.parametrize("draw", [still_life, street_sign])
def test_same_image_each_time(draw: Callable[[], Image.Image]) -> None:
    first = draw()
    assert (first.mode, first.size) == ("RGB", (960, 640))
    assert first.tobytes() == draw().tobytes()


def test_things_of_the_still_life_have_their_colours() -> None:
    image = still_life()
    for place, strongest in (((290, 420), 0), ((550, 360), 2), ((780, 470), 1)):
        pixel = image.getpixel(place)
        assert isinstance(pixel, tuple)
        assert max(range(3), key=pixel.__getitem__) == strongest
        assert max(pixel) > 2 * min(pixel)
