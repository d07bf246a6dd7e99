"""A browser, a server with the tools of the tests, and pages whose console and requests are judged."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))

from web_pages import CHROMIUM, FLAGS, Watched, drawing, start_server

from promptvision.testing import ServerProcess


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


@pytest.fixture(scope="module")
def png() -> bytes:
    file = io.BytesIO()
    drawing().save(file, "PNG")
    return file.getvalue()
