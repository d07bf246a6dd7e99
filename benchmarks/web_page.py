"""The web page in headless Chromium: size, cold load, memory of a long session, long conversations.

    python benchmarks/web_page.py [--runs 9] [--turns 50] [--steps 300]

A server with the tools that need no model runs on loopback; the page must be built (``scripts/install``).
Each cold load has a browser profile of its own, so nothing is cached. *Interactive* is when the list of
tools is shown, *key to dialog* the time from pressing ``?`` to the frame that shows the dialog. Memory
is the heap of JavaScript after a collection and the resident memory of the page's process, which holds
decoded images. The conversation is scrolled from its end to its start, by a tenth of the window a frame.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import platform
import shutil
import statistics
import tempfile
import urllib.request
import uuid
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect, sync_playwright

from promptvision.testing import ServerProcess
from promptvision_web.page import STATIC

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
NEURAL = "florence,grounding_dino,sam,sd_inpaint,sdxl_inpaint"
THREE_STEPS = "mirror it, then rotate it by 180 degrees, then make it black and white"
TURN_MS = 120_000
SETTLE_MS = 3_000
FIRST_PAINT = """() => new Promise((done) => new PerformanceObserver((list) => {
    const [entry] = list.getEntriesByName("first-contentful-paint");
    if (entry) done(entry.startTime);
}).observe({ type: "paint", buffered: true }))"""
KEY_TO_DIALOG = """() => new Promise((done) => {
    addEventListener("keydown", (event) => {
        const look = () => document.querySelector("dialog[open]")
            ? requestAnimationFrame(() => done(performance.now() - event.timeStamp))
            : requestAnimationFrame(look);
        look();
    }, { once: true, capture: true });
    window.isListening = true;
})"""
SCROLL = """() => new Promise((done) => {
    const log = document.querySelector("[role=log]");
    const step = log.clientHeight / 10;
    const frames = [];
    const next = (now) => {
        frames.push(now);
        if (log.scrollTop > 0) {
            log.scrollTop -= step;
            requestAnimationFrame(next);
        } else done(frames);
    };
    log.scrollTop = log.scrollHeight;
    requestAnimationFrame(next);
})"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="cold loads")
    parser.add_argument("--turns", type=int, default=50)
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.platform()}\n")
    print("| | |\n|---|--:|")
    for name, value in _sizes():
        print(f"| {name} | {value} |")
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with ServerProcess(Path(home), {"PROMPTVISION_DISABLED_PLUGINS": NEURAL}) as server:
            for rows in (
                _cold_loads(browser, server.url, options.runs),
                _memory(browser, server.url, options.turns),
                _scrolling(browser, server.url, options.steps),
            ):
                for name, value in rows:
                    print(f"| {name} | {value} |", flush=True)
        print(f"\nChromium {browser.version}")
        browser.close()


def _sizes() -> Iterator[tuple[str, str]]:
    files = [file for file in STATIC.rglob("*.*") if file.suffix in (".html", ".css", ".js")]
    packed = {file: len(gzip.compress(file.read_bytes())) for file in files}
    later = sum(size for file, size in packed.items() if not file.name.startswith("index"))
    total = sum(packed.values())
    yield "first load, gzip", f"{(total - later) / 1024:.1f} KiB"
    yield "loaded when an archive is made, gzip", f"{later / 1024:.1f} KiB"


def _cold_loads(browser: Browser, url: str, runs: int) -> Iterator[tuple[str, str]]:
    paints, interactive, answers = [], [], []
    for _ in range(runs + 1):  # the first one warms the server
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
        page = context.new_page()
        page.goto(url)
        page.locator(".abilities li").first.wait_for()
        interactive.append(page.evaluate("performance.now()"))
        paints.append(page.evaluate(FIRST_PAINT))
        answer = page.evaluate_handle(f"() => ({{ time: ({KEY_TO_DIALOG})() }})")
        page.keyboard.press("?")
        answers.append(answer.evaluate("(handle) => handle.time"))
        context.close()
    for name, values in (
        ("first contentful paint", paints),
        ("interactive", interactive),
        ("key to dialog", answers),
    ):
        measured = values[1:]
        yield (
            f"{name}, cold, median of {runs}",
            f"{statistics.median(measured):.0f} ms ({min(measured):.0f} to {max(measured):.0f})",
        )


def _memory(browser: Browser, url: str, turns: int) -> Iterator[tuple[str, str]]:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, locale="en-GB")
    page.goto(url)
    page.locator(".abilities li").first.wait_for()
    before = _heap(page), _resident(browser)
    for number in range(1, turns + 1):
        _choose(page, _photo(number))
        page.get_by_label("Your instruction").fill("make it black and white")
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.locator("article.turn > p.status", has_text="Done")).to_have_count(
            number, timeout=TURN_MS
        )
    after = _heap(page), _resident(browser)
    yield f"heap, before and after {turns} turns with {turns} images of 12 MP", _pair(before[0], after[0])
    yield "resident memory of the page's process", _pair(before[1], after[1])
    session = page.context.new_cdp_session(page)
    session.send("Memory.simulatePressureNotification", {"level": "critical"})
    page.wait_for_timeout(SETTLE_MS)
    yield (
        "the same, without what the browser only keeps while memory is free",
        _pair(before[1], _resident(browser)),
    )
    page.close()


def _pair(before: float, after: float) -> str:
    return f"{before / 2**20:.1f} to {after / 2**20:.1f} MiB"


def _photo(number: int) -> bytes:
    image = Image.new("RGB", (4000, 3000), (200, 200, 190))
    ImageDraw.Draw(image).ellipse((40 * number, 400, 40 * number + 900, 1300), fill=(200, 30, number))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return file.getvalue()


def _choose(page: Page, data: bytes) -> None:
    shown = page.locator(".lineage li").count()
    files = page.locator('input[type="file"][accept="image/*"]').first
    files.set_input_files({"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": data})
    expect(page.locator(".lineage li")).to_have_count(shown + 1, timeout=TURN_MS)


def _heap(page: Page) -> float:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = session.send("Performance.getMetrics")["metrics"]
    session.detach()
    return next(float(metric["value"]) for metric in metrics if metric["name"] == "JSHeapUsedSize")


def _resident(browser: Browser) -> float:
    """Resident bytes of the largest process that shows a page."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    pages = [int(process["id"]) for process in processes if process["type"] == "renderer"]
    sizes = [int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * 4096 for pid in pages]
    return float(max(sizes))


def _scrolling(browser: Browser, url: str, steps: int) -> Iterator[tuple[str, str]]:
    conversation = uuid.uuid4().hex
    image = _upload(url, _photo(1))
    for _ in range(steps // 3):
        _post(url, "chat", _chat_body(conversation, image))
    page = browser.new_page(viewport={"width": 1440, "height": 900}, locale="en-GB")
    page.goto(f"{url}/#c={conversation}")
    expect(page.locator("section.step")).to_have_count(steps, timeout=TURN_MS)
    session = page.context.new_cdp_session(page)
    session.send("Performance.setTimeDomain", {"timeDomain": "threadTicks"})
    session.send("Performance.enable")
    busy = _task_seconds(session)
    frames = page.evaluate(SCROLL)
    busy = _task_seconds(session) - busy
    gaps = [after - before for before, after in pairwise(frames)]
    seconds = (frames[-1] - frames[0]) / 1000
    yield f"frames a second, scrolling {steps} steps", f"{len(gaps) / seconds:.0f}"
    yield "longest frame of 95 %", f"{sorted(gaps)[int(0.95 * len(gaps))]:.0f} ms"
    yield "CPU time of the page per frame", f"{1000 * busy / len(gaps):.1f} ms"
    page.close()


def _task_seconds(session: Any) -> float:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(float(metric["value"]) for metric in metrics if metric["name"] == "TaskDuration")


def _chat_body(conversation: str, image: str) -> dict[str, str]:
    return {
        "prompt": THREE_STEPS,
        "prompt_id": uuid.uuid4().hex,
        "conversation_id": conversation,
        "user_id": "local",
        "input_image_url": image,
    }


def _upload(url: str, data: bytes) -> str:
    with Image.open(io.BytesIO(data)) as photo:
        photo.thumbnail((640, 480))
        file = io.BytesIO()
        photo.save(file, "JPEG")
    edge = uuid.uuid4().hex
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    body = head.encode() + file.getvalue() + f"\r\n--{edge}--\r\n".encode()
    made = _send(url, "images", body, f"multipart/form-data; boundary={edge}")
    return str(made["image_url"])


def _post(url: str, path: str, body: dict[str, str]) -> dict[str, Any]:
    reply = _send(url, path, json.dumps(body).encode(), "application/json")
    assert len(reply["steps"]) == 3, reply
    return reply


def _send(url: str, path: str, body: bytes, media_type: str) -> dict[str, Any]:
    headers = {"Content-Type": media_type, "Accept": "application/json"}
    request = urllib.request.Request(f"{url}/{path}", body, headers)
    with urllib.request.urlopen(request, timeout=120) as response:
        made: dict[str, Any] = json.load(response)
    return made


if __name__ == "__main__":
    main()
