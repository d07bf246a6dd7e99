"""Take the screenshots in docs/images/web, and the short capture in README.md, of the real page in Chromium.

uv run python scripts/web_images.py
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from promptvision.testing import ServerProcess

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images" / "web"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
NEURAL = "florence,grounding_dino,sam,sd_inpaint,sdxl_inpaint"
VIEWS = {"wide": (1280, 800, "light"), "wide-dark": (1280, 800, "dark"), "phone": (390, 844, "light")}
FRAME_MS = 1000
MAX_TURN_MS = 120_000


def main() -> int:
    """Write all images; return 1 if the page cannot be shown."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        server = ServerProcess(Path(home), {"PROMPTVISION_DISABLED_PLUGINS": NEURAL})
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            server.start()
            for name, (width, height, scheme) in VIEWS.items():
                frames = _visit(browser, server.url, name, width, height, scheme)
                if name == "wide":
                    _animate(frames)
        finally:
            browser.close()
            server.kill()
    for file in sorted(FOLDER.iterdir()):
        print(f"{file.name}: {file.stat().st_size // 1024} KiB")
    return 0


def _visit(browser: Browser, url: str, name: str, width: int, height: int, scheme: str) -> list[Image.Image]:
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="en-GB",
    )
    frames: list[Image.Image] = []

    def shoot(what: str, times: int = 2) -> None:
        page.wait_for_timeout(400)
        image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        image.save(FOLDER / f"{name}-{what}.webp", quality=80, method=6)
        frames.extend([image] * times)

    page.goto(url)
    page.get_by_role("button", name="Still life").wait_for()
    shoot("start", 3)
    page.get_by_role("button", name="Still life").click()
    page.get_by_alt_text("The current image").wait_for()
    field = page.get_by_label("Your instruction")
    field.fill("change the red ball to blue")
    shoot("instruction", 3)
    _send(page, 1)
    shoot("result", 3)
    page.get_by_label("Before and after").fill("35")
    shoot("compare", 3)
    page.get_by_role("button", name="Brush", exact=True).click()
    place = page.locator(".paper").bounding_box()
    if place is not None:
        page.get_by_label("Brush size").fill("216")
        x, y = place["x"] + place["width"] * 0.302, place["y"] + place["height"] * 0.62
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x, y + 1)
        page.mouse.up()
    field.fill("make it green")
    shoot("mask", 3)
    _send(page, 2)
    shoot("painted", 3)
    page.get_by_role("tab", name="Tools").click()
    page.locator("summary", has_text="adjust image").click()
    shoot("tools", 2)
    page.get_by_role("tab", name="Setup").click()
    shoot("setup", 1)
    page.close()
    return frames


def _send(page: Page, count: int) -> None:
    page.get_by_role("button", name="Send", exact=True).click()
    ended = page.locator("article.turn > p.status", has_text="Done")
    expect(ended).to_have_count(count, timeout=MAX_TURN_MS)


def _animate(frames: list[Image.Image]) -> None:
    small = [frame.resize((960, 600), Image.Resampling.LANCZOS) for frame in frames[:20]]
    small[0].save(
        FOLDER / "capture.webp",
        save_all=True,
        append_images=small[1:],
        duration=FRAME_MS,
        loop=0,
        quality=70,
        method=4,
    )


if __name__ == "__main__":
    sys.exit(main())
