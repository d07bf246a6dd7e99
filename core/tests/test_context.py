"""The context of a tool call: images, leases, progress, cancellation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw

from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.errors import Cancelled, NotFound
from promptvision.images.store import ImageStore
from promptvision.models.pool import ModelPool
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.context import CallContext
from promptvision.runtime.image_cache import ImageCache
from promptvision.settings import Settings
from promptvision.testing.context import make_context
from promptvision.types import ImageRef, MaskRef


@pytest.fixture
def sample() -> Image.Image:
    return Image.linear_gradient("L").resize((8, 6)).convert("RGB")


def context_with(store: ImageStore, **changes: Any) -> CallContext:
    settings = Settings()
    images = ImageCache(store)
    return CallContext(images=images, pool=ModelPool({}, settings), settings=settings, **changes)


def test_saved_image_is_noted_and_opens_again(sample: Image.Image) -> None:
    store = MemoryImageStore()
    context = context_with(store, parent="a" * 64)
    ref = context.save(sample)
    (saved,) = context.saved
    assert (saved.id, saved.kind, saved.parent) == (ref.id, "edit", "a" * 64)
    assert (saved.width, saved.height) == (8, 6)
    assert store.stat(ref.id).media_type == "image/png"
    opened = context_with(store).open(ref)
    assert ImageChops.difference(opened, sample).getbbox() is None


def test_call_has_no_deadline_unless_one_is_given() -> None:
    assert make_context().deadline is None
    assert make_context(deadline=12.5).deadline == 12.5


def test_parent_can_be_named(sample: Image.Image) -> None:
    context = make_context()
    first = context.save(sample, kind="input")
    context.save(sample.rotate(90), kind="annotated", parent=first)
    assert (context.saved[1].kind, context.saved[1].parent) == ("annotated", first.id)


def test_unknown_kind_of_image_is_an_error(sample: Image.Image) -> None:
    context = make_context()
    with pytest.raises(ValueError, match="'sketch' is not a kind of image; use input, edit, annotated, mask"):
        context.save(sample, kind="sketch")  # type: ignore[arg-type]
    assert context.saved == []


def test_changing_an_image_after_saving_it_changes_nothing_saved(sample: Image.Image) -> None:
    context = make_context()
    before = sample.copy()
    ref = context.save(sample)
    sample.paste("red", (0, 0, 8, 6))
    assert ImageChops.difference(context.open(ref), before).getbbox() is None


@pytest.mark.parametrize("mode", ["1", "P", "L", "LA", "RGB", "RGBA", "CMYK", "I;16", "I", "F", "HSV"])
def test_image_of_any_mode_opens_as_it_is_stored(mode: str) -> None:
    store = MemoryImageStore()
    context = context_with(store)
    ref = context.save(Image.new(mode, (4, 4)))
    kept, opened = context.open(ref), context_with(store).open(ref)
    assert kept.mode == opened.mode
    assert kept.mode in ("L", "LA", "RGB", "RGBA")
    assert kept.tobytes() == opened.tobytes()


def test_mask_is_greyscale_whatever_is_given() -> None:
    context = make_context()
    ref = context.save_mask(Image.new("1", (4, 4), 1))
    assert isinstance(ref, MaskRef)
    assert context.open(ref).mode == "L"
    assert context.open(ref).getextrema() == (255, 255)
    assert context.saved[0].kind == "mask"


def test_unknown_image_cannot_be_opened() -> None:
    with pytest.raises(NotFound):
        make_context().open(ImageRef("a" * 64))


def test_image_is_decoded_once_and_the_oldest_is_dropped_first() -> None:
    class Counting(MemoryImageStore):
        reads = 0

        def get(self, image_id: str) -> bytes:
            self.reads += 1
            return super().get(image_id)

    store = Counting()
    writer = ImageCache(store, limit_bytes=0)
    ids = [writer.save(Image.new("L", (10, 10), shade)).id for shade in range(3)]
    reader = ImageCache(store, limit_bytes=200)
    assert reader.open(ids[0]) is reader.open(ids[0])
    assert store.reads == 1
    for image_id in (ids[1], ids[0], ids[2], ids[0]):
        reader.open(image_id)
    assert store.reads == 3, "the one that was used again stayed"
    reader.open(ids[1])
    assert store.reads == 4


def test_progress_is_reported_and_stops_a_cancelled_call(sample: Image.Image) -> None:
    reported: list[tuple[float, float, str]] = []
    cancel = CancelToken()
    context = make_context(cancel=cancel, on_progress=lambda *how_far: reported.append(how_far))
    context.progress(1, 2, "half")
    cancel.cancel("enough")
    for act in (lambda: context.progress(2, 2), context.check_cancelled, lambda: context.save(sample)):
        with pytest.raises(Cancelled, match="enough"):
            act()
    assert reported == [(1, 2, "half")]
    assert context.saved == []


def test_settings_and_seed_are_handed_in(tmp_path: Path) -> None:
    context = make_context(variables={"SOME_KEY": "k"}, home=tmp_path, seed=9)
    assert (context.settings.value("SOME_KEY"), context.settings.home, context.seed) == ("k", tmp_path, 9)


def test_image_changed_in_place_by_a_tool_is_unchanged_for_the_next_call(sample: Image.Image) -> None:
    images = ImageCache(MemoryImageStore())
    settings = Settings()

    def context() -> CallContext:
        return CallContext(images=images, pool=ModelPool({}, settings), settings=settings)

    ref = context().save(sample)
    before = context().open(ref).tobytes()
    for change in (
        lambda image: ImageDraw.Draw(image).rectangle((0, 0, 3, 3), fill="red"),
        lambda image: image.paste("red", (0, 0, 4, 4)),
        lambda image: image.putpixel((0, 0), (255, 0, 0)),
        lambda image: image.putalpha(3),
        lambda image: image.thumbnail((2, 2)),
    ):
        changed = context().open(ref)
        change(changed)
        assert changed.tobytes() != before
        assert context().open(ref).tobytes() == before


def test_pixels_are_shared_until_they_are_changed(sample: Image.Image) -> None:
    context = make_context()
    ref = context.save(sample)
    one, other = context.open(ref), context.open(ref)
    assert one is not other
    assert one.im is other.im
    pixels: Any = one.load()
    with pytest.raises(ValueError, match="readonly"):
        pixels[0, 0] = (255, 0, 0)
