"""The image store contract on the two stores that ship with the core."""

from __future__ import annotations

from pathlib import Path

import pytest

from promptvision.builtin.files import FileImageStore
from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.images.store import ImageStore
from promptvision.testing.image_store import ImageStoreContract


class TestFileImageStore(ImageStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ImageStore:
        return FileImageStore(tmp_path / "images")


class TestMemoryImageStore(ImageStoreContract):
    @pytest.fixture
    def store(self) -> ImageStore:
        return MemoryImageStore()
