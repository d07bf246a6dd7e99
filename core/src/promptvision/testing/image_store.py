"""Contract tests for image stores.

Subclass :class:`ImageStoreContract` in a test module and define a ``store`` fixture::

    class TestMyStore(ImageStoreContract):
        @pytest.fixture
        def store(self) -> Iterator[ImageStore]:
            store = MyStore("...")
            yield store
            store.close()

It needs pytest. Every test creates its own images, so all can share one store.
"""

from __future__ import annotations

import io
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from PIL import Image

from promptvision.errors import NotFound, StoreError
from promptvision.images.store import ImageStore, StoredImage, image_id_of

__all__ = ["HOSTILE_KEYS", "ImageStoreContract", "hostile_keys", "new_image"]

HOSTILE_KEYS = (
    "",
    ".",
    "..",
    "../../etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "http://169.254.169.254/latest/meta-data/",
    "data:image/png;base64,AAAA",
    "..%2f..%2fetc%2fpasswd",
    "..\\..\\windows\\win.ini",
    "a\x00b",
    "a" * 63,
    "a" * 65,
    "A" * 64,
    "g" * 64,
    "\N{FULLWIDTH DIGIT ONE}" * 64,
    "a" * 64 + "\n",
    f"../{'a' * 61}",
    f"{'a' * 32}/../{'a' * 28}",
    "*" * 64,
    "?" * 64,
)
"""Strings that are not image ids, but that a store's backend might accept as names."""

_FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
}


_ODD_PARTS = (
    "..", "../", "..\\", "%2e%2e%2f", "%00", "\x00", "/", "//", "\\", "?", "#", "*", "..%2f", "\n", " ", "%",
    "&", "'", "@", ":", "~", "etc/passwd", "file:///etc/passwd", "http://169.254.169.254/", "s3://other/",
    "data:image/png;base64,", "\N{FULLWIDTH SOLIDUS}", "\u202e", "A" * 64, "a" * 63, "a" * 64, "a" * 65,
    "g" * 64, ".png", "images",
)  # fmt: skip


def hostile_keys(count: int = 1000) -> list[str]:
    """``count`` different keys that are not image ids, the same in every run."""
    random, found = Random(0), dict.fromkeys(HOSTILE_KEYS)  # noqa: S311  # not secrets
    while len(found) < count:
        found["".join(random.choices(_ODD_PARTS, k=random.randint(2, 4)))] = None
    return list(found)


def new_image(media_type: str = "image/png") -> bytes:
    """The bytes of a new image of 8 x 8 pixels of noise."""
    file = io.BytesIO()
    Image.frombytes("RGB", (8, 8), os.urandom(192)).save(file, _FORMATS[media_type])
    return file.getvalue()


class ImageStoreContract:
    """Contract tests for image stores. A subclass defines the ``store`` fixture."""

    @pytest.mark.parametrize("media_type", sorted(_FORMATS))
    def test_get_returns_the_bytes_of_put(self, store: ImageStore, media_type: str) -> None:
        """Bytes and media type are unchanged in each of the six formats."""
        data = new_image(media_type)
        stored = store.put(data, media_type)
        assert stored == StoredImage(image_id_of(data), media_type, len(data))
        assert store.get(stored.id) == data
        assert store.stat(stored.id) == stored

    def test_putting_again_is_harmless(self, store: ImageStore) -> None:
        """The same bytes are the same image, stored once."""
        data = new_image()
        first = store.put(data, "image/png")
        assert store.put(data, "image/png") == first
        assert store.ids().count(first.id) == 1
        assert store.get(first.id) == data

    def test_images_of_a_few_megabytes(self, store: ImageStore) -> None:
        """Large images are stored like small ones."""
        file = io.BytesIO()
        Image.frombytes("RGB", (1000, 1000), os.urandom(3_000_000)).save(file, "PNG")
        stored = store.put(file.getvalue(), "image/png")
        assert store.get(stored.id) == file.getvalue()

    def test_unknown_image_is_not_found(self, store: ImageStore) -> None:
        """A valid id that is not stored."""
        missing = image_id_of(os.urandom(16))
        for ask in (store.get, store.stat, store.url):
            with pytest.raises(NotFound):
                ask(missing)
        store.delete(missing)

    @pytest.mark.parametrize("key", HOSTILE_KEYS)
    def test_invalid_id_is_not_found(self, store: ImageStore, key: str) -> None:
        """Paths, URLs and patterns are not found, and deleting one does nothing."""
        kept = store.put(new_image(), "image/png")
        for ask in (store.get, store.stat, store.url):
            with pytest.raises(NotFound):
                ask(key)
        store.delete(key)
        assert store.stat(kept.id) == kept

    def test_a_thousand_hostile_keys_change_nothing(self, store: ImageStore) -> None:
        """Nothing is read, created or deleted for any of them."""
        kept = store.put(new_image(), "image/png")
        before = sorted(store.ids())
        for key in hostile_keys():
            for ask in (store.get, store.stat, store.url):
                with pytest.raises(NotFound):
                    ask(key)
            store.delete(key)
        assert sorted(store.ids()) == before
        assert store.stat(kept.id) == kept

    def test_other_media_types_are_refused(self, store: ImageStore) -> None:
        """The type determines the extension, so only known types are accepted."""
        data = new_image()
        for media_type in ("text/html", "image/svg+xml", "../../x", ""):
            with pytest.raises(StoreError):
                store.put(data, media_type)
        assert image_id_of(data) not in store.ids()

    def test_delete_removes_one_image(self, store: ImageStore) -> None:
        """Only this image is removed, it can be put again, and deleting twice has no effect."""
        data = new_image()
        gone, kept = store.put(data, "image/png"), store.put(new_image(), "image/png")
        store.delete(gone.id)
        store.delete(gone.id)
        with pytest.raises(NotFound):
            store.get(gone.id)
        with pytest.raises(NotFound):
            store.stat(gone.id)
        assert gone.id not in store.ids()
        assert store.stat(kept.id) == kept
        assert store.put(data, "image/png") == gone
        assert store.get(gone.id) == data

    def test_ids_lists_stored_images(self, store: ImageStore) -> None:
        """Every image is listed once."""
        held = {store.put(new_image(), "image/png").id for _ in range(5)}
        listed = store.ids()
        assert held <= set(listed)
        assert len(listed) == len(set(listed))

    def test_ids_by_age(self, store: ImageStore) -> None:
        """An image that was just put is not an hour old."""
        stored = store.put(new_image(), "image/png")
        assert stored.id in store.ids(older_than_s=0)
        assert stored.id not in store.ids(older_than_s=3600)

    def test_url_names_the_image(self, store: ImageStore) -> None:
        """The URL has a known scheme and differs from that of another image."""
        one, other = (store.url(store.put(new_image(), "image/png").id) for _ in range(2))
        assert one.startswith(("https:", "http:", "file:", "memory:"))
        assert one != other

    def test_many_threads_put_the_same_image(self, store: ImageStore) -> None:
        """All succeed, and the bytes are intact."""
        data = new_image()
        with ThreadPoolExecutor(16) as pool:
            stored = set(pool.map(lambda _: store.put(data, "image/png"), range(16)))
        assert stored == {StoredImage(image_id_of(data), "image/png", len(data))}
        assert store.get(image_id_of(data)) == data
        assert store.ids().count(image_id_of(data)) == 1

    def test_many_threads_put_different_images(self, store: ImageStore) -> None:
        """No image is lost or mixed up with another."""
        images = [new_image() for _ in range(16)]
        with ThreadPoolExecutor(16) as pool:
            stored = list(pool.map(lambda data: store.put(data, "image/png"), images))
        assert [store.get(image.id) for image in stored] == images

    def test_image_that_was_put_before_is_deleted(self, store: ImageStore) -> None:
        """A conditional deletion removes an image that was not put since."""
        stored = store.put(new_image(), "image/png")
        store.delete(stored.id, unless_put_since=time.time() + 1)
        assert stored.id not in store.ids()

    def test_image_that_was_put_since_stays(self, store: ImageStore) -> None:
        """A first or repeated put protects the image: its caller is about to refer to it."""
        data = new_image()
        began_at = time.time()
        stored = store.put(data, "image/png")
        store.delete(stored.id, unless_put_since=began_at)
        assert store.get(stored.id) == data
        time.sleep(0.01)
        began_again_at = time.time()
        store.put(data, "image/png")
        store.delete(stored.id, unless_put_since=began_again_at)
        assert store.get(stored.id) == data
        store.delete(stored.id)
        assert stored.id not in store.ids()

    def test_acknowledged_image_survives_150_deletions_by_another_user(self, store: ImageStore) -> None:
        """One user deletes an image that it found unused while another user puts the same bytes."""
        with ThreadPoolExecutor(2) as threads:
            for _ in range(150):
                data = new_image()
                image_id = store.put(data, "image/png").id
                references = set[str]()
                began_at = time.time()
                start = threading.Barrier(2)

                def delete(
                    image_id: str = image_id,
                    references: set[str] = references,
                    start: threading.Barrier = start,
                    began_at: float = began_at,
                ) -> None:
                    start.wait(10)
                    if image_id not in references:
                        store.delete(image_id, unless_put_since=began_at)

                def upload(
                    data: bytes = data,
                    references: set[str] = references,
                    start: threading.Barrier = start,
                ) -> None:
                    start.wait(10)
                    references.add(store.put(data, "image/png").id)

                for done in [threads.submit(delete), threads.submit(upload)]:
                    done.result(30)
                assert store.get(image_id) == data
