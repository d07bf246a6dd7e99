"""Take the screenshots in docs/images/web, and the short capture in README.md, of the real page in Chromium.

uv run python scripts/web_images.py
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from promptvision.testing import ServerProcess, write_plugin

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "images" / "web"
PLUGIN = """
from approve_steps import ApproveSteps, develop
from promptvision.plugin import hookimpl

@hookimpl
def promptvision_tools():
    return [develop]

@hookimpl
def promptvision_middleware():
    return [ApproveSteps()]
"""
"""Asks for approval, with the example of the documentation."""
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
NEURAL = "florence,grounding_dino,sam,sd_inpaint,sdxl_inpaint"
VIEWS = {
    "wide": (1440, 900, "light"),
    "wide-dark": (1440, 900, "dark"),
    "phone": (390, 844, "light"),
    "phone-dark": (390, 844, "dark"),
}
IS_LOADED = """() => [...document.images].every((image) => {
    const { top, bottom, left, right } = image.getBoundingClientRect();
    const isInside = bottom > 0 && top < innerHeight && right > 0 && left < innerWidth;
    return image.complete || !isInside || !image.checkVisibility();
})"""
FRAME_MS = 1000
FRAMES = 20
MAX_TURN_MS = 120_000


@dataclass
class Camera:
    """Takes screenshots of one view."""

    page: Page
    view: str
    frames: list[Image.Image] = field(default_factory=list)

    def shoot(self, state: str, seconds: int = 2) -> None:
        """Write a screenshot, and keep it for the capture for some seconds."""
        self.page.wait_for_function(IS_LOADED)
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 150)))")
        image = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        image.save(FOLDER / f"{self.view}-{state}.webp", quality=75, method=6)
        self.frames.extend([image] * seconds)


def main() -> int:
    """Write all images."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    settings = {"PROMPTVISION_DISABLED_PLUGINS": NEURAL}
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        path = [write_plugin(Path(home, "site"), "approvals", PLUGIN), ROOT / "examples"]
        with ServerProcess(Path(home, "open"), settings, path=path) as server:
            for view in VIEWS:
                camera = Camera(_new_page(browser, view), view)
                _visit(camera, server.url)
                if view == "wide":
                    _animate(camera.frames)
        keys = {**settings, "PROMPTVISION_API_KEYS": "alice:key-of-alice-1"}
        with ServerProcess(Path(home, "keys"), keys) as server:
            for view in VIEWS:
                _refuse_key(Camera(_new_page(browser, view), view), server.url)
        browser.close()
    for file in sorted(FOLDER.iterdir()):
        print(f"{file.name}: {file.stat().st_size // 1024} KiB")
    return 0


def _new_page(browser: Browser, view: str) -> Page:
    width, height, scheme = VIEWS[view]
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="en-GB",
    )
    page.set_default_timeout(MAX_TURN_MS)
    return page


def _visit(camera: Camera, url: str) -> None:
    """Go through the states of the page; the first ones make the capture."""
    page = camera.page
    page.goto(url)
    page.get_by_role("button", name="Still life").wait_for()
    camera.shoot("start", 3)
    page.get_by_role("button", name="Still life").click()
    _wait_for_image(page)
    field_ = page.get_by_label("Your instruction")
    field_.fill("change the red ball to blue")
    camera.shoot("instruction", 2)
    _send(page, "Done", 1)
    camera.shoot("result", 3)
    for share in (25, 50, 75, 35):
        page.get_by_label("Before and after").fill(str(share))
        camera.shoot("compare", 1)
    page.get_by_label("Before and after").fill("0")
    page.get_by_role("button", name="Select by click").click()
    place = page.locator(".layers").bounding_box()
    assert place is not None
    page.mouse.click(place["x"] + place["width"] * 0.56, place["y"] + place["height"] * 0.56)
    page.get_by_text("The next message works on the painted area.").wait_for()
    camera.shoot("selected", 2)
    field_.fill("make it orange")
    camera.shoot("mask", 2)
    _send(page, "Done", 2)
    camera.shoot("painted", 3)
    page.get_by_role("tab", name="Tools").click()
    page.get_by_label("Search tools").fill("adjust")
    page.locator("summary", has_text="adjust image").click()
    camera.shoot("tools", 1)
    _others(camera)


def _others(camera: Camera) -> None:
    """States that are not part of the capture."""
    page = camera.page
    page.get_by_role("tab", name="Conversation").click()
    page.get_by_role("button", name="Move", exact=True).click()
    page.locator(".lineage li").first.get_by_role("button").first.click()
    _wait_for_image(page)
    page.get_by_label("Your instruction").fill("find the green cone")
    _send(page, "Done", 3)
    camera.shoot("boxes")
    page.get_by_label("Your instruction").fill("sing me a song about it")
    _send(page, "Failed", 1)
    camera.shoot("failed")
    _ask_for_approval(camera)
    page.get_by_role("tab", name="Setup").click()
    page.get_by_role("button", name="Run the checks").click()
    page.locator(".findings li").first.wait_for()
    page.get_by_role("button", name="Run the checks").scroll_into_view_if_needed()
    camera.shoot("doctor")
    page.locator(".panel").evaluate("(panel) => panel.scrollTo(0, 0)")
    camera.shoot("setup")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    camera.shoot("shortcuts")
    page.get_by_role("button", name="Close").last.click()
    menu = page.get_by_role("button", name="History")
    if menu.is_visible():
        menu.click()
        camera.shoot("history")
        page.locator("nav.history").get_by_role("button", name="Close").click()
    _show_in_german(camera)
    page.close()


def _ask_for_approval(camera: Camera) -> None:
    page = camera.page
    page.get_by_label("Your instruction").fill("develop it")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("group", name="Approval needed").wait_for()
    camera.shoot("approval")
    page.get_by_role("button", name="Deny").click()
    expect(page.locator("article.turn > p.status", has_text="Failed")).to_have_count(2)


def _show_in_german(camera: Camera) -> None:
    page = camera.page
    page.get_by_label("Language").select_option("de")
    page.get_by_role("tab", name="Gespräch").wait_for()
    _wait_for_image(page)
    camera.shoot("german")


def _refuse_key(camera: Camera, url: str) -> None:
    page = camera.page
    page.goto(url)
    page.get_by_label("API key").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").wait_for()
    camera.shoot("sign-in")
    page.close()


def _wait_for_image(page: Page) -> None:
    page.locator('.stage[aria-busy="false"]').wait_for()


def _send(page: Page, status: str, count: int) -> None:
    page.get_by_role("button", name="Send", exact=True).click()
    ended = page.locator("article.turn > p.status", has_text=status)
    expect(ended).to_have_count(count, timeout=MAX_TURN_MS)
    _wait_for_image(page)


def _animate(frames: list[Image.Image]) -> None:
    small = [frame.resize((960, 600), Image.Resampling.LANCZOS) for frame in frames[:FRAMES]]
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
