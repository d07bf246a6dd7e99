"""A browser, a server with the tools of the tests, and pages whose console and requests are checked."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))

from web_pages import CHROMIUM, FLAGS, VIEWS, CheckedPage, Open, drawing, start_server

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


@pytest.fixture(scope="module")
def new_context(browser: Browser) -> Callable[[str], BrowserContext]:
    """Make a browser profile for one of the views."""

    def make(view: str) -> BrowserContext:
        context = browser.new_context(
            **VIEWS[view],
            locale="en-GB",
            permissions=["clipboard-read", "clipboard-write"],
            accept_downloads=True,
            reduced_motion="reduce",
        )
        context.set_default_timeout(30_000)
        return context

    return make


@pytest.fixture(scope="module")
def shared_contexts(new_context: Callable[[str], BrowserContext]) -> Callable[[str], BrowserContext]:
    """The profile of a view that the tests of a module share, so that files of the page are cached."""
    return cache(new_context)


@pytest.fixture
def open_page(
    new_context: Callable[[str], BrowserContext], shared_contexts: Callable[[str], BrowserContext]
) -> Iterator[Open]:
    """Open the page in a tab; console errors and requests to other origins fail the test.

    A test that changes what the page keeps in local storage opens it in an ``own_profile``.
    """
    opened: list[CheckedPage] = []
    with ExitStack() as stack:

        def start(url: str, view: str = "wide", *, path: str = "/", own_profile: bool = False) -> CheckedPage:
            context = new_context(view) if own_profile else shared_contexts(view)
            watched = CheckedPage(context, url)
            stack.callback(context.close if own_profile else watched.page.close)
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
