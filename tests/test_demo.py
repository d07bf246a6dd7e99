"""``promptvision demo`` through its command line, and its report in a real Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from promptvision.testing.program import Ended, Program

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def ended(folder: Path) -> Ended:
    return Program(folder / "home").run("demo", "-o", folder / "out", timeout_s=120)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


def pixels(file: Path, mode: str | None = "RGB") -> NDArray[np.int64]:
    """The values of an image, in its own mode when none is named."""
    with Image.open(file) as image:
        return np.asarray(image.convert(mode) if mode else image).astype(np.int64)


def test_five_instructions_are_done(ended: Ended, folder: Path) -> None:
    assert ended.code == 0, ended.err
    assert "5 of 5 instructions done" in ended.err
    assert ended.out == f"{folder / 'out' / 'report.html'}\n"
    assert "NO PARKING\nVIOLATORS WILL\nBE TOWED" in ended.err
    for operation in ("detect_objects", "segment_objects", "inpaint_image", "convert_to_bw", "caption_image"):
        assert f"{operation} (" in ended.err


def test_nothing_outside_the_folder_is_written(ended: Ended, folder: Path) -> None:
    assert ended.code == 0
    assert not list((folder / "home").iterdir())


def test_pixels_outside_the_mask_are_those_of_the_input(ended: Ended, folder: Path) -> None:
    assert ended.code == 0
    out = folder / "out"
    before, after = pixels(out / "1_0.png"), pixels(out / "1_1.png")
    (mask,) = [grey for file in sorted(out.glob("1_*.png")) if (grey := pixels(file, None)).ndim == 2]
    edited = mask > 0
    assert 0.02 < edited.mean() < 0.2
    assert (before[~edited] == after[~edited]).all()
    changed = (before != after).any(axis=2)
    assert changed[edited].mean() > 0.9
    ball = after[edited].mean(axis=0)
    assert ball[2] > 2 * ball[0], "the ball is blue now"


def test_black_and_white_continues_from_the_edit(ended: Ended, folder: Path) -> None:
    assert ended.code == 0
    out = folder / "out"
    assert (pixels(out / "2_0.png") == pixels(out / "1_1.png")).all()
    with Image.open(out / "2_1.png") as grey:
        assert grey.mode == "L"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_report_opens_in_chromium(
    ended: Ended, folder: Path, browser: Browser, width: int, scheme: str
) -> None:
    assert ended.code == 0
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((folder / "out" / "report.html").as_uri(), wait_until="load")
    assert said == []
    assert all(url.startswith("file:") for url in asked)
    sizes = page.eval_on_selector_all("img", "all => all.map(one => [one.complete, one.naturalWidth])")
    assert len(sizes) >= 14
    assert all(complete and natural > 0 for complete, natural in sizes)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    _check_words(page)
    page.close()


def _check_words(page: Page) -> None:
    assert page.locator("section").count() == 5
    assert page.locator("img:not([alt])").count() == 0
    sign = page.locator("section").nth(2)
    assert "NO PARKING" in sign.inner_text()
    assert "before" not in sign.locator("figcaption").all_inner_texts()
    table = page.locator("section").nth(0)
    assert table.locator("figcaption").all_inner_texts()[:2] == ["before", "after"]
