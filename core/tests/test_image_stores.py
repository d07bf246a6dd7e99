"""The image store contract on the two stores that ship with the core."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from promptvision.builtin.files import FileImageStore
from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.images.store import ImageStore
from promptvision.testing.image_store import ImageStoreContract, hostile_keys, new_picture


class TestFileImageStore(ImageStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ImageStore:
        return FileImageStore(tmp_path / "pictures")


class TestMemoryImageStore(ImageStoreContract):
    @pytest.fixture
    def store(self) -> ImageStore:
        return MemoryImageStore()


def test_hostile_ids_make_no_file_anywhere(tmp_path: Path) -> None:
    store = FileImageStore(tmp_path / "inside" / "pictures")
    (tmp_path / "inside" / "secret").write_text("keep me")
    for hostile in hostile_keys():
        store.delete(hostile)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["inside", "pictures", "secret"]


def test_age_of_a_file_is_that_of_its_writing(tmp_path: Path) -> None:
    store = FileImageStore(tmp_path)
    old, new = store.put(new_picture(), "image/png"), store.put(new_picture(), "image/png")
    two_hours_ago = time.time() - 7200
    os.utime(tmp_path / old.id[:2] / f"{old.id}.png", (two_hours_ago, two_hours_ago))
    assert store.ids(older_than_s=3600) == [old.id]
    assert set(store.ids()) == {old.id, new.id}
