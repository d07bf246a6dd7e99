"""The contact sheet of a batch: an HTML page with each image before and after."""

from __future__ import annotations

import hashlib
import html
import os
import shutil
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self
from urllib.parse import quote

from promptvision.cli.report import html_head

if TYPE_CHECKING:
    from PIL.Image import Image

    from promptvision.batches.folder import BatchFolder

__all__ = ["ContactSheet"]

SIDE_PX = 360
"""Longest side of the thumbnails."""


class ContactSheet:
    """Collects thumbnails while a batch runs, and writes the page at its end.

    Args:
        path: of the page; the thumbnails are in a folder with the same name and the suffix ``_files``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._images = path.with_name(f"{path.stem}_files")

    @classmethod
    def open(cls, path: Path) -> Self:
        """Create the folder, so that an unwritable path fails before any image is run.

        Raises:
            OSError: the folder cannot be created.
        """
        sheet = cls(path)
        sheet._images.mkdir(parents=True, exist_ok=True)
        return sheet

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._path.exists() and not any(self._images.iterdir()):
            shutil.rmtree(self._images)

    def add(self, image: Path, before: Image | None, after: Image | None) -> None:
        """Write the thumbnails of one image; thread-safe."""
        for name, full in (("before", before), ("after", after)):
            if full is not None:
                small = full.convert("RGBA" if full.has_transparency_data else "RGB")
                small.thumbnail((SIDE_PX, SIDE_PX))
                small.save(self._small(image, name), "WEBP", quality=80)

    def write(self, text: str, folder: BatchFolder, images: list[Path]) -> None:
        """Write the page.

        Args:
            text: the instruction.
            folder: the records and results of the batch.
            images: all images of the batch, in order.
        """
        done = sum(str(image) in folder.done for image in images)
        with self._path.open("w", encoding="utf-8", errors="replace") as page:
            page.write(
                f"{html_head('promptvision batch')}<h1>\u201c{html.escape(text)}\u201d</h1>"
                f"<p class='lead'>{done} of {len(images)} images done</p>"
            )
            for image in images:
                self._write_item(page, image, folder)
            page.write("</main></body></html>\n")

    def _write_item(self, page: IO[str], image: Path, folder: BatchFolder) -> None:
        record = folder.done.get(str(image))
        status = "done" if record else "failed"
        message = record["message"] if record else folder.failures.get(str(image), "")
        result = record["result"] if record else None
        target = folder.path / result if result else None
        figures = self._figure(image, "before", image) + self._figure(image, "after", target)
        name = html.escape(image.name)
        page.write(
            f"<section><div class='head'><b>{name}</b><span class='{status}'>{status}</span></div>"
            f"<p class='note'>{html.escape(message)}</p><div class='small'>{figures}</div></section>\n"
        )

    def _figure(self, image: Path, name: str, full: Path | None) -> str:
        if full is None:
            return ""
        small = self._small(image, name)
        shown = self._link(small if small.exists() else full)
        alt = html.escape(f"{image.name}, {name}", quote=True)
        return (
            f"<figure><a href='{self._link(full)}'><img src='{shown}' alt='{alt}' loading='lazy'></a>"
            f"<figcaption>{name}</figcaption></figure>"
        )

    def _link(self, path: Path) -> str:
        relative = os.path.relpath(path, self._path.parent)
        return quote(Path(relative).as_posix(), errors="replace")

    def _small(self, image: Path, name: str) -> Path:
        digest = hashlib.sha256(os.fsencode(image)).hexdigest()[:16]
        return self._images / f"{digest}-{name}.webp"
