"""The documentation site builds without a warning or a broken link, and its pages show at both widths."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ROOT = Path(__file__).parents[1]
PAGES = ("", "tutorial/", "all-plugins/", "tools/", "reference/plugin/", "reference/commands/", "settings/")


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The URL of the built site."""
    done = subprocess.run(
        [ROOT / "scripts" / "docs"], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    serve = partial(_Quiet, directory=str(ROOT / "build" / "site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def test_pages_show_at_both_widths_and_load_nothing_from_elsewhere(site: str) -> None:
    problems: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width, height in ((1440, 900), (390, 844)):
            page = browser.new_page(viewport={"width": width, "height": height})
            page.set_default_timeout(120_000)  # a bound for a page that hangs, not on its speed
            page.on("request", lambda sent: None if sent.url.startswith(site) else problems.append(sent.url))
            page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
            for place in PAGES:
                page.goto(f"{site}/{place}")
                assert page.locator("h1").first.is_visible(), place
                overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert overflow <= 0, f"{place} scrolls sideways by {overflow} px at {width} px"
        browser.close()
    assert problems == []


def test_every_name_of_the_public_api_has_its_place(site: str) -> None:
    from promptvision import plugin

    page = (ROOT / "build" / "site" / "reference" / "plugin" / "index.html").read_text("utf-8")
    assert [name for name in plugin.__all__ if name not in page] == []
