"""The setup panel: models are downloaded from the page, and the checks of the doctor run."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect
from web_pages import Open, start_server

from promptvision.testing import ServerProcess

WEIGHTS = bytes(range(256)) * 16_000
"""The file of the model that the plugin of the tests declares."""
HALF = re.compile("[12] MB of 4 MB")  # it is reported in blocks


class Hub:
    """A model hub on loopback that sends half of a file, and the rest when the test says so."""

    def __init__(self) -> None:
        self.proceed = threading.Event()
        """Set to send the rest of the files that are requested."""
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(WEIGHTS)))
                self.end_headers()
                self.wfile.write(WEIGHTS[: len(WEIGHTS) // 2])
                self.wfile.flush()
                hub.proceed.wait(180)
                self.wfile.write(WEIGHTS[len(WEIGHTS) // 2 :])

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    made = Hub()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.proceed.set()
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, gate_file: Path, hub: Hub) -> Iterator[ServerProcess]:
    variables = {"PROMPTVISION_TEST_HUB": hub.url, "HF_ENDPOINT": hub.url}
    running = start_server(tmp_path_factory.mktemp("setup"), gate_file, **variables)
    yield running
    running.kill()


def test_model_is_pulled_with_live_progress(server: ServerProcess, open_page: Open, hub: Hub) -> None:
    hub.proceed.clear()
    page = open_page(server.url).page
    page.get_by_role("tab", name="Setup").click()
    model = page.locator(".models li", has_text="toy-captions")
    expect(model).to_contain_text("4 MB")
    expect(model.get_by_role("link", name="Apache-2.0")).to_have_attribute(
        "href", "https://www.apache.org/licenses/LICENSE-2.0"
    )
    model.get_by_role("button", name="Download to the server: toy-captions").click()
    expect(model).to_contain_text(HALF)
    hub.proceed.set()
    expect(page.get_by_text("toy-captions: is downloaded.")).to_be_visible()
    expect(model).to_have_count(0)
    page.get_by_role("tab", name="Tools").click()
    expect(page.locator("details.tool", has_text="describe toy").locator(".badge")).to_have_count(0)


def test_pull_continues_when_the_page_is_closed(server: ServerProcess, open_page: Open, hub: Hub) -> None:
    hub.proceed.clear()
    page = open_page(server.url).page
    page.get_by_role("tab", name="Setup").click()
    model = page.locator(".models li", has_text="toy-tags")
    model.get_by_role("button").click()
    expect(model).to_contain_text(HALF)
    page.reload()
    hub.proceed.set()
    page.get_by_role("tab", name="Setup").click()
    expect(page.locator(".models li").first).to_be_visible()

    def is_here() -> bool:
        answer = page.request.get(f"{server.url}/web/setup").json()
        return all(model["present"] for model in answer["models"] if model["id"] == "toy-tags")

    for _ in range(600):
        if is_here():
            return
        page.wait_for_timeout(100)
    pytest.fail("the model did not arrive")


def test_findings_of_the_doctor_are_shown(server: ServerProcess, open_page: Open) -> None:
    page = open_page(server.url).page
    page.get_by_role("tab", name="Setup").click()
    page.get_by_role("button", name="Run the checks").click()
    expect(page.locator(".findings li").first).to_contain_text("Python 3")
    expect(page.locator(".findings li.warn").first).to_contain_text("Warning")
