"""The page under a prefix: behind a reverse proxy that strips it, and mounted in another application."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient
from web_pages import Open, click_at, current, drop, saved_mask, say, start_server, wait_for_end

from promptvision import Agent, Settings

PREFIX = "/pv"


class Proxy(BaseHTTPRequestHandler):
    """Forwards what is under the prefix, without the prefix, and streams the response."""

    upstream = ""

    def forward(self) -> None:
        if not self.path.startswith(f"{PREFIX}/"):
            self.send_error(404)
            return
        length = int(self.headers.get("Content-Length", 0))
        connection = http.client.HTTPConnection(urlsplit(self.upstream).netloc, timeout=60)
        connection.request(
            self.command, self.path.removeprefix(PREFIX), self.rfile.read(length), dict(self.headers.items())
        )
        response = connection.getresponse()
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        while part := response.read1(65_536):
            self.wfile.write(part)
            self.wfile.flush()
        connection.close()

    def do_GET(self) -> None:
        self.forward()

    def do_POST(self) -> None:
        self.forward()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def proxied(tmp_path: Path, gate_file: Path) -> Iterator[str]:
    """The URL of the page behind the proxy."""
    server = start_server(tmp_path, gate_file, PROMPTVISION_ROOT_PATH=PREFIX)
    handler = type("Handler", (Proxy,), {"upstream": server.url})
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{proxy.server_port}{PREFIX}"
    proxy.shutdown()
    thread.join()
    proxy.server_close()
    server.kill()


def test_page_works_behind_a_proxy_that_strips_a_prefix(proxied: str, open_page: Open, png: bytes) -> None:
    page = open_page(proxied).page
    drop(page, png)
    say(page, "mirror it")
    wait_for_end(page)
    assert current(page).getpixel((240, 120)) == (208, 28, 32)
    cover = page.locator("nav.history img")
    expect(cover).to_be_visible()
    assert cover.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") > 0
    page.get_by_role("button", name="Select by click").click()
    click_at(page, 240, 120)
    assert saved_mask(page).getpixel((240, 120)) == 255
    page.get_by_role("tab", name="Tools").click()
    page.locator("summary", has_text=re.compile("^frame")).click()
    page.locator("details[open] form").get_by_role("button", name="Run").click()
    expect(page.locator(".lineage li")).to_have_count(3)
    page.reload()
    wait_for_end(page)


@pytest.fixture
def mounted(tmp_path: Path, serve: Callable[[Agent], TestClient]) -> TestClient:
    """A client of another application that has ours under a prefix."""
    app = serve(Agent(Settings.from_mapping({"PROMPTVISION_HOME": str(tmp_path)}))).app
    return TestClient(Starlette(routes=[Mount(PREFIX, app)]), base_url="http://127.0.0.1")


def test_page_works_under_a_mount(mounted: TestClient) -> None:
    redirect = mounted.get(PREFIX, follow_redirects=False)
    assert redirect.headers["location"].endswith(f"{PREFIX}/")
    page = mounted.get(f"{PREFIX}/")
    assert page.status_code == 200
    for address in re.findall(r'(?:src|href)="\./([^"]+)"', page.text):
        assert mounted.get(f"{PREFIX}/{address}").status_code == 200
