"""The page as a person uses it, in Chromium against a real server."""

from __future__ import annotations

import base64
import io
import re
import shutil
import socket
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image, ImageChops, ImageDraw
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect, sync_playwright

from promptvision.testing import ServerProcess, write_plugin

AXE = Path(__file__).parents[1] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
SIZES = [(1440, 900, "light"), (1440, 900, "dark"), (390, 844, "light"), (390, 844, "dark")]


CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
INDEX = Path(__file__).parents[1] / "src" / "promptvision_web" / "static" / "index.html"
TOOLS = Path(__file__).with_name("photo_tools.py")
NEURAL = "florence,grounding_dino,sam,sdxl_inpaint"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_server(folder: Path, gate: Path, **variables: str) -> ServerProcess:
    assert INDEX.is_file(), "the page is not built; run scripts/install"
    site = write_plugin(folder / "site", "phototools", TOOLS.read_text("utf-8"))
    settings = {"PROMPTVISION_DISABLED_PLUGINS": NEURAL, "PROMPTVISION_TEST_GATE": str(gate), **variables}
    server = ServerProcess(folder / "home", settings, path=[site], port=free_port())
    server.start()
    return server


@pytest.fixture(scope="module")  # Playwright holds the event loop of the thread until it is closed
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def gate_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gate") / "open"


@pytest.fixture
def gate(gate_file: Path) -> Iterator[Path]:
    """The file that the tool of "wait a moment" waits for; a test creates it to let the turn end."""
    gate_file.unlink(missing_ok=True)
    yield gate_file
    gate_file.touch()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, gate_file: Path) -> Iterator[ServerProcess]:
    running = start_server(tmp_path_factory.mktemp("web"), gate_file)
    yield running
    running.kill()


REFUSED_KEY = re.escape("Failed to load resource: the server responded with a status of 401 (Unauthorized)")
NOT_FOUND = re.escape("Failed to load resource: the server responded with a status of 404 (Not Found)")
BROKEN_CONNECTION = r"Failed to load resource: net::ERR_(CONNECTION|INCOMPLETE|EMPTY|SOCKET)\w*"


class Watched:
    """A page whose console and requests are judged when the test ends."""

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


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Watched]]:
    """Open the page in a fresh browser profile; console errors and foreign requests fail the test."""
    opened: list[Watched] = []
    with ExitStack() as stack:

        def start(
            url: str,
            *,
            width: int = 1440,
            height: int = 900,
            scheme: str = "light",
            context: BrowserContext | None = None,
            path: str = "/",
        ) -> Watched:
            if context is None:
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if scheme == "dark" else "light",
                    locale="en-GB",
                    permissions=["clipboard-read", "clipboard-write"],
                    accept_downloads=True,
                )
                stack.callback(context.close)
            context.set_default_timeout(30_000)
            watched = Watched(context, url)
            watched.page.goto(url + path)
            opened.append(watched)
            return watched

        yield start
        for watched in opened:
            assert not watched.foreign
            assert not [text for text in watched.errors if not re.fullmatch("|".join(watched.expected), text)]


Open = Callable[..., Watched]


def drawing() -> Image.Image:
    image = Image.new("RGB", (320, 240), "#dcdcd8")
    draw = ImageDraw.Draw(image)
    draw.ellipse((40, 80, 120, 160), fill=(208, 28, 32))
    draw.rectangle((200, 90, 270, 160), fill=(32, 86, 204))
    return image


@pytest.fixture(scope="module")
def png() -> bytes:
    file = io.BytesIO()
    drawing().save(file, "PNG")
    return file.getvalue()


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
    expect(page.locator("label.progress")).to_be_visible(timeout=60_000)


def say(page: Page, words: str) -> None:
    page.get_by_label("Your instruction").fill(words)
    page.get_by_role("button", name="Send", exact=True).click()


def wait_for_end(page: Page, status: str = "Done", count: int = 1) -> None:
    expect(page.locator("article.turn > p.status", has_text=status)).to_have_count(count, timeout=60_000)


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


def check_axe(page: Page) -> None:
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    problems = [(item["id"], [node["html"] for node in item["nodes"]][:3]) for item in found["violations"]]
    assert not problems


@pytest.mark.parametrize(("width", "height", "scheme"), SIZES)
def test_start_edit_compare_and_audit(
    server: ServerProcess, open_page: Open, png: bytes, width: int, height: int, scheme: str
) -> None:
    watched = open_page(server.url, width=width, height=height, scheme=scheme)
    page = watched.page
    expect(page.get_by_role("heading", name="What should happen to your image?")).to_be_visible()
    check_axe(page)
    drop(page, png)
    say(page, "change the red circle to green")
    wait_for_end(page)
    expect(
        page.get_by_role("region", name="inpaint image").or_(page.locator("section.step.done"))
    ).not_to_have_count(0)
    made = current(page)
    assert (
        ImageChops.difference(made.crop((150, 0, 320, 240)), drawing().crop((150, 0, 320, 240))).getbbox()
        is None
    )
    red, green, _ = made.getpixel((80, 120))  # type: ignore[misc]
    assert green > red
    slider = page.get_by_label("Before and after")
    slider.fill("50")
    expect(page.get_by_alt_text("The image before the edit")).to_have_css(
        "clip-path", "inset(0px 50% 0px 0px)"
    )
    check_axe(page)


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_image_comes_by_drop_and_paste(server: ServerProcess, open_page: Open, png: bytes, way: str) -> None:
    page = open_page(server.url).page
    drop(page, png, way)
    assert ImageChops.difference(current(page), drawing()).getbbox() is None


def test_image_comes_by_the_file_dialog_and_as_a_sample(
    server: ServerProcess, open_page: Open, png: bytes
) -> None:
    page = open_page(server.url).page
    page.get_by_role("button", name="Still life").click()
    expect(page.get_by_alt_text("The current image")).to_be_visible()
    with page.expect_file_chooser() as chosen:
        page.get_by_text("Choose an image").click()
    chosen.value.set_files({"name": "photo.png", "mimeType": "image/png", "buffer": png})
    expect(page.locator(".lineage li")).to_have_count(2)


@pytest.mark.usefixtures("gate")
def test_stop_in_the_middle(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
    drop(page, png)
    wait_in_tool(page)
    page.get_by_role("button", name="Stop", exact=True).click()
    wait_for_end(page, "Stopped")


@pytest.mark.usefixtures("gate")
def test_stop_before_the_turn_has_an_id(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
    drop(page, png)
    held = hold(page, "**/chat")
    with page.expect_request("**/chat"):
        say(page, "wait a moment")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("button", name="Stopping")).to_be_disabled()
    held[0].continue_()
    wait_for_end(page, "Stopped")


def test_reload_in_the_middle_follows_the_turn(
    server: ServerProcess, open_page: Open, png: bytes, gate: Path
) -> None:
    page = open_page(server.url).page
    drop(page, png)
    wait_in_tool(page)
    page.reload()
    expect(page.locator("label.progress")).to_be_visible(timeout=60_000)
    gate.touch()
    wait_for_end(page)
    expect(page.locator("section.step.done")).to_have_count(1)


def test_two_tabs_show_the_same_turn(server: ServerProcess, open_page: Open, png: bytes, gate: Path) -> None:
    first = open_page(server.url)
    drop(first.page, png)
    wait_in_tool(first.page)
    hash_ = first.page.evaluate("location.hash")
    second = open_page(server.url, context=first.page.context, path=f"/{hash_}")
    expect(second.page.locator("label.progress")).to_be_visible(timeout=60_000)
    gate.touch()
    wait_for_end(first.page)
    wait_for_end(second.page)


def test_server_restart_in_the_middle_is_survived(
    tmp_path: Path, open_page: Open, png: bytes, gate: Path
) -> None:
    server = start_server(tmp_path, gate)
    try:
        watched = open_page(server.url)
        watched.expected = (BROKEN_CONNECTION,)
        page = watched.page
        drop(page, png)
        wait_in_tool(page)
        server.kill()
        expect(page.get_by_role("alert")).to_be_visible()
        server.start()
        expect(
            page.locator("article.turn > p.status", has_text=re.compile("Interrupted|Done"))
        ).to_be_visible(timeout=60_000)
        expect(page.get_by_role("alert")).to_have_count(0)
        say(page, "make it black and white")
        wait_for_end(page)
    finally:
        server.kill()


def test_form_of_a_third_party_tool(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
    drop(page, png)
    page.get_by_role("tab", name="Tools").click()
    page.locator("summary", has_text=re.compile("^frame")).click()
    form = page.locator("details[open] form")
    form.locator("input[type=number]").fill("20")
    form.locator("select").select_option("red")
    form.get_by_role("button", name="Run").click()
    expect(page.locator(".lineage li")).to_have_count(2)
    made = current(page)
    assert made.size == (360, 280)
    assert made.getpixel((5, 5)) == (255, 0, 0)


def test_earlier_image_is_used_again(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
    drop(page, png)
    say(page, "make it black and white")
    wait_for_end(page)
    assert current(page).getpixel((80, 120)) != (208, 28, 32)
    page.locator(".lineage li").first.get_by_role("button").first.click()
    expect(page.locator(".lineage li").first).to_have_class("current")
    assert current(page).getpixel((80, 120)) == (208, 28, 32)
    say(page, "mirror it")
    wait_for_end(page, count=2)
    assert current(page).getpixel((240, 120)) == (208, 28, 32)


def test_history_is_renamed_searched_and_deleted_with_undo(
    server: ServerProcess, open_page: Open, png: bytes
) -> None:
    page = open_page(server.url).page
    drop(page, png)
    say(page, "make it black and white")
    wait_for_end(page)
    entry = page.locator("nav.history li.current")
    entry.get_by_role("button", name=re.compile("^Rename")).click()
    page.get_by_label("New title").fill("A grey drawing")
    page.keyboard.press("Enter")
    expect(page.locator("nav.history li", has_text="A grey drawing")).to_have_count(1)
    page.get_by_label("Search conversations").fill("no such thing")
    expect(page.locator("nav.history li")).to_have_count(0)
    page.get_by_label("Search conversations").fill("grey drawing")
    page.get_by_role("button", name="Delete: A grey drawing").click()
    expect(page.locator("nav.history li")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("nav.history li")).to_have_count(1)
    page.get_by_role("button", name="Delete: A grey drawing").click()
    with page.expect_response(lambda response: response.request.method == "DELETE") as deleted:
        page.locator(".notice").get_by_role("button", name="Close").click()
    assert deleted.value.ok
    with page.expect_response("**/conversations?limit=200"):
        page.reload()
    expect(page.locator("nav.history li", has_text="A grey drawing")).to_have_count(0)


def test_downloads_one_and_all(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
    drop(page, png)
    say(page, "make it black and white")
    wait_for_end(page)
    with page.expect_download() as one:
        page.get_by_role("button", name="Download", exact=True).click()
    with Image.open(one.value.path()) as image:
        assert image.size == (320, 240)
    with page.expect_download() as all_:
        page.get_by_role("button", name="Download all (zip)").click()
    with zipfile.ZipFile(all_.value.path()) as archive:
        assert len(archive.namelist()) >= 2
        assert archive.testzip() is None


def test_mask_is_painted_undone_inverted_and_saved(
    server: ServerProcess, open_page: Open, png: bytes, tmp_path: Path
) -> None:
    page = open_page(server.url).page
    drop(page, png)
    page.get_by_role("button", name="Brush", exact=True).click()
    place = page.locator(".paper").bounding_box()
    assert place is not None
    x, y = place["x"] + place["width"] / 4, place["y"] + place["height"] / 2
    for offset in (0, 40):
        page.mouse.move(x, y + offset)
        page.mouse.down()
        page.mouse.move(x + 30, y + offset)
        page.mouse.up()

    def saved() -> Image.Image:
        with page.expect_download() as file:
            page.get_by_role("button", name="Save the mask").click()
        with Image.open(file.value.path()) as image:
            return image.convert("L")

    both = saved()
    assert both.size == (320, 240)
    assert both.getextrema() == (0, 255)
    page.get_by_role("button", name="Undo", exact=True).click()
    one = saved()
    assert 0 < one.histogram()[255] < both.histogram()[255]
    page.get_by_role("button", name="Redo", exact=True).click()
    assert saved().tobytes() == both.tobytes()
    page.get_by_role("button", name="Invert").click()
    assert saved().tobytes() == both.point([255 - value for value in range(256)]).tobytes()


def test_painted_area_is_removed_and_nothing_else(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
    drop(page, png)
    page.get_by_role("button", name="Brush", exact=True).click()
    page.get_by_label("Brush size").fill("100")
    place = page.locator(".paper").bounding_box()
    assert place is not None
    x, y = place["x"] + place["width"] * 80 / 320, place["y"] + place["height"] * 120 / 240
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 2, y)
    page.mouse.up()
    expect(page.get_by_text("The next message works on the painted area.")).to_be_visible()
    say(page, "remove it")
    wait_for_end(page)
    expect(page.locator("section.step")).to_have_count(1)
    made, rest = current(page), (140, 0, 320, 240)
    assert ImageChops.difference(made.crop(rest), drawing().crop(rest)).getbbox() is None
    red, green, blue = made.getpixel((80, 120))  # type: ignore[misc]
    assert abs(red - 220) + abs(green - 220) + abs(blue - 216) < 60, "the background is where the circle was"


def test_clicked_box_is_what_the_next_message_is_about(
    server: ServerProcess, open_page: Open, png: bytes
) -> None:
    page = open_page(server.url).page
    drop(page, png)
    say(page, "find the blue box")
    wait_for_end(page)
    page.locator("button.box").first.click()
    expect(page.get_by_text("The next message is about the selected box.")).to_be_visible()
    say(page, "make it green")
    wait_for_end(page, count=2)
    made, rest = current(page), (0, 0, 150, 240)
    assert ImageChops.difference(made.crop(rest), drawing().crop(rest)).getbbox() is None
    assert made.getpixel((235, 125)) != (32, 86, 204)


def test_shortcuts_are_listed(server: ServerProcess, open_page: Open) -> None:
    page = open_page(server.url).page
    expect(page.get_by_role("button", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.get_by_role("button", name="Close").last.click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_german(server: ServerProcess, open_page: Open) -> None:
    page = open_page(server.url).page
    page.get_by_label("Language").select_option("de")
    expect(page.get_by_role("heading", name="Was soll mit deinem Bild geschehen?")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "de"


def test_sign_in_and_two_users_see_nothing_of_each_other(
    tmp_path: Path, open_page: Open, png: bytes, gate_file: Path
) -> None:
    keys = "alice:key-of-alice-1,bob:key-of-bob-22"
    server = start_server(tmp_path, gate_file, PROMPTVISION_API_KEYS=keys)
    try:
        alice, bob = open_page(server.url), open_page(server.url)
        for watched, name in ((alice, "alice-1"), (bob, "bob-22")):
            watched.expected = (REFUSED_KEY, NOT_FOUND)
            held = hold(watched.page, "**/tools")
            watched.page.get_by_label("API key").fill("wrong")
            with watched.page.expect_request("**/tools"):
                watched.page.get_by_role("button", name="Sign in").click()
            expect(watched.page.get_by_label("API key")).to_be_disabled()
            expect(watched.page.get_by_role("button", name="Sign in")).to_be_disabled()
            held[0].continue_()
            watched.page.unroute("**/tools")
            expect(watched.page.get_by_role("alert")).to_have_text("The server did not accept this key.")
            watched.page.get_by_label("API key").fill(f"key-of-{name}")
            watched.page.get_by_role("button", name="Sign in").click()
            expect(watched.page.get_by_role("button", name="Sign out")).to_be_visible()
        drop(alice.page, png)
        say(alice.page, "make it black and white")
        wait_for_end(alice.page)
        assert current(alice.page).getpixel((5, 5)) == (220, 220, 220)
        bob.page.reload()
        expect(bob.page.get_by_role("button", name="Sign out")).to_be_visible()
        expect(bob.page.locator("nav.history li")).to_have_count(0)
        place: Any = alice.page.evaluate("location.hash")
        bob.page.goto(f"{server.url}/{place}")
        expect(bob.page.get_by_role("status").filter(has_text="conversation")).to_be_visible()
        expect(bob.page.locator("article.turn")).to_have_count(0)
        alice.page.get_by_role("button", name="Sign out").click()
        expect(alice.page.get_by_label("API key")).to_be_visible()
    finally:
        server.kill()
