"""A server for the tests of the page, and the actions of a user in Chromium."""

from __future__ import annotations

import base64
import io
import re
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from PIL import Image, ImageDraw
from playwright.sync_api import BrowserContext, Locator, Page, Request, Route, expect

from promptvision.testing import ServerProcess, write_plugin

AXE = Path(__file__).parents[1] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
EXAMPLES = Path(__file__).parents[3] / "examples"
VIEWS: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "color_scheme": "dark",
        "is_mobile": True,
        "has_touch": True,
    },
}
"""Both sizes and both themes; :func:`audit` checks each size in each theme."""
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
INDEX = Path(__file__).parents[1] / "src" / "promptvision_web" / "static" / "index.html"
TOOLS = Path(__file__).with_name("photo_tools.py")
NEURAL = "florence,grounding_dino,sam,sd_inpaint,sdxl_inpaint"

expect.set_options(timeout=60_000)  # tolerates a slow machine; a real failure does not go away


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_server(folder: Path, gate: Path, **variables: str) -> ServerProcess:
    assert INDEX.is_file(), "the page is not built; run scripts/install"
    site = write_plugin(folder / "site", "phototools", TOOLS.read_text("utf-8"))
    settings = {"PROMPTVISION_DISABLED_PLUGINS": NEURAL, "PROMPTVISION_TEST_GATE": str(gate), **variables}
    server = ServerProcess(folder / "home", settings, path=[site, EXAMPLES], port=free_port())
    server.start()
    return server


REFUSED_KEY = re.escape("Failed to load resource: the server responded with a status of 401 (Unauthorized)")
NOT_FOUND = re.escape("Failed to load resource: the server responded with a status of 404 (Not Found)")
BROKEN_CONNECTION = r"Failed to load resource: net::ERR_(CONNECTION|INCOMPLETE|EMPTY|SOCKET)\w*"


class CheckedPage:
    """A page whose console and requests are checked when the test ends."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.page: Page = context.new_page()
        self.origin = url
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.expected: tuple[str, ...] = ()
        """Patterns of log lines that the browser writes for answers that the test provokes."""
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._check)

    def _note(self, kind: str, text: str) -> None:
        if kind == "error":
            self.errors.append(text)

    def _check(self, request: Request) -> None:
        parts, own = urlsplit(request.url), urlsplit(self.origin)
        if parts.scheme not in ("blob", "data") and parts.netloc != own.netloc:
            self.foreign.append(request.url)


Open = Callable[..., CheckedPage]


def drawing() -> Image.Image:
    image = Image.new("RGB", (320, 240), "#dcdcd8")
    draw = ImageDraw.Draw(image)
    draw.ellipse((40, 80, 120, 160), fill=(208, 28, 32))
    draw.rectangle((200, 90, 270, 160), fill=(32, 86, 204))
    return image


def drop(page: Page, data: bytes, kind: str = "drop") -> None:
    """Drop or paste an image file, as the browser hands it to the page."""
    page.evaluate(
        """([text, kind]) => {
            const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
            const files = new DataTransfer();
            files.items.add(new File([bytes], "photo.png", { type: "image/png" }));
            const event = kind === "drop"
                ? new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true })
                : new ClipboardEvent("paste", { clipboardData: files, bubbles: true, cancelable: true });
            document.body.dispatchEvent(event);
        }""",
        [base64.b64encode(data).decode(), kind],
    )
    wait_for_image(page)


def wait_for_image(page: Page) -> None:
    """Wait until the canvas shows the image that is chosen."""
    expect(page.locator('.stage[aria-busy="false"]')).to_be_visible()
    expect(page.get_by_alt_text("The current image")).to_be_visible()


def hold(page: Page, pattern: str) -> list[Route]:
    """Collect requests until the test continues them."""
    held: list[Route] = []
    page.route(pattern, lambda route: held.append(route))
    return held


def wait_in_tool(page: Page) -> None:
    """Ask for the tool that waits at the gate, and wait until it is called."""
    say(page, "wait a moment")
    expect(page.locator("label.progress")).to_be_visible()


def say(page: Page, words: str) -> None:
    page.get_by_label("Your instruction").fill(words)
    page.get_by_role("button", name="Send", exact=True).click()


def wait_for_end(page: Page, status: str = "Done", count: int = 1) -> None:
    expect(page.locator("article.turn > p.status", has_text=status)).to_have_count(count)


def current(page: Page) -> Image.Image:
    """The image on the canvas."""
    wait_for_image(page)
    text = page.get_by_alt_text("The current image").evaluate(
        """async (image) => {
            await image.decode();
            const canvas = document.createElement("canvas");
            [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
            canvas.getContext("2d").drawImage(image, 0, 0);
            return canvas.toDataURL("image/png").split(",")[1];
        }"""
    )
    with Image.open(io.BytesIO(base64.b64decode(text))) as image:
        return image.convert("RGB")


def audit(page: Page, area: str = "body") -> None:
    """Run axe on the page, or on an area of it, in both themes."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate(
            "(area) => axe.run(area === 'body' ? document : area, { resultTypes: ['violations'] })", area
        )
        problems = [
            (item["id"], [node["html"] for node in item["nodes"]][:3]) for item in found["violations"]
        ]
        assert not problems, (area, scheme, problems)


def place_of(page: Page, x: float, y: float) -> tuple[float, float]:
    """The position of a pixel of the test image in the window."""
    wait_for_image(page)
    page.locator(".layers").scroll_into_view_if_needed()
    place = page.locator(".layers").bounding_box()
    assert place is not None
    width, height = drawing().size
    return place["x"] + place["width"] * x / width, place["y"] + place["height"] * y / height


def click_at(page: Page, x: float, y: float) -> None:
    """Click a pixel of the image, and wait for what that starts."""
    page.mouse.click(*place_of(page, x, y))
    wait_for_image(page)


def paint(page: Page, start: tuple[float, float], length: float) -> None:
    """Drag to the right from a pixel of the image, by a distance in the window."""
    x, y = place_of(page, *start)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + length, y)
    page.mouse.up()


def open_history(page: Page) -> None:
    """Open the list of conversations where it is a drawer."""
    menu = page.get_by_role("button", name="History")
    if menu.is_visible():
        menu.click()


def open_tool(page: Page, name: str) -> Locator:
    """Open the form of an operation."""
    page.get_by_role("tab", name="Tools").click()
    page.locator("summary", has_text=re.compile(f"^{name}")).click()
    return page.locator("details[open] form")


def saved_mask(page: Page) -> Image.Image:
    """The mask as the page saves it: white is selected."""
    with page.expect_download() as file:
        page.get_by_role("button", name="Download the mask").click()
    with Image.open(file.value.path()) as image:
        return image.convert("L")
