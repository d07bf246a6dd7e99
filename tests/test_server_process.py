"""Server processes on one SQLite database: readers that disconnect, kill -9, SIGTERM, and concurrent load."""

from __future__ import annotations

import base64
import io
import json
import multiprocessing
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from promptvision.builtin.samples import street_sign
from promptvision.builtin.sql.store import SQLConversationStore
from promptvision.cli.main import main
from promptvision.conversations.turn import TurnStatus
from promptvision.testing.server import ServerProcess

UNUSED = "florence,grounding_dino,opencv,sam,sdxl_inpaint,groq,openai,cloudinary,s3,supabase"
EDIT = "change the lion to orange"

Event = tuple[str, dict[str, Any]]
"""Id, empty for what is never replayed, and data of a server-sent event."""


def as_data_url(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


IMAGE = as_data_url(Image.linear_gradient("L").resize((32, 32)).convert("RGB"))


def body(prompt: str, prompt_id: str = "p", **members: Any) -> dict[str, Any]:
    ids = {"user_id": "ann", "conversation_id": "c", "prompt_id": prompt_id}
    return {**ids, "prompt": prompt, "input_image_url": IMAGE, **members}


class Harness:
    """A folder with a database, images, and the notes of tools; servers are started on it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.home = folder / "home"
        self.gate = folder / "gate"
        self.notes_file = folder / "notes"
        self.plugin = folder / "plugin"
        self._stack = stack
        metadata = self.plugin / "recording_tools-1.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: noting-tools\nVersion: 1\n")
        (metadata / "entry_points.txt").write_text("[promptvision]\nnoting = recording_tools\n")
        shutil.copy(Path(__file__).with_name("recording_tools.py"), self.plugin)

    def variables(self, name: str) -> dict[str, str]:
        return {
            "PROMPTVISION_CONVERSATIONS": f"sqlite:///{self.home / 'shared.db'}",
            "PROMPTVISION_IMAGES": (self.home / "images").as_uri(),
            "PROMPTVISION_DISABLED_PLUGINS": UNUSED,
            "NOTES": str(self.notes_file),
            "SERVER": name,
        }

    def start(self, name: str = "a", *, is_held: bool = False, **variables: str) -> ServerProcess:
        """Start a server; one that is held stops in ``segment_objects`` until the gate is opened."""
        held = {"HOLD": str(self.gate)} if is_held else {}
        variables = {**self.variables(name), **held, **variables}
        server = ServerProcess(self.home / name, variables, path=[self.plugin])
        return self._stack.enter_context(server)

    @property
    def notes(self) -> Counter[str]:
        """How often each tool ran, by tool and server: ``detect a``."""
        return Counter(self.notes_file.read_text().splitlines() if self.notes_file.exists() else [])

    def wait_for_note(self, note: str) -> None:
        wait_until(lambda: self.notes[note] > 0)


def wait_until(is_so: Callable[[], bool], timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    with ExitStack() as stack:
        yield Harness(tmp_path, stack)


def post(server: ServerProcess, document: dict[str, Any]) -> httpx.Response:
    return httpx.post(f"{server.url}/chat", json=document, timeout=60)


def read_events(response: httpx.Response, stop: Callable[[dict[str, Any]], bool]) -> list[Event]:
    """Events of a stream, up to the first that ``stop`` accepts or to its end."""
    seen: list[Event] = []
    number = ""
    for line in response.iter_lines():
        if line.startswith("id: "):
            number = line.removeprefix("id: ")
        elif line.startswith("data: "):
            seen.append((number, json.loads(line.removeprefix("data: "))))
            number = ""
            if stop(seen[-1][1]):
                return seen
    return seen


def follow(server: ServerProcess, turn_id: str, after: str = "") -> list[Event]:
    headers = {"Last-Event-ID": after} if after else {}
    url = f"{server.url}/turns/{turn_id}/events?user_id=ann"
    with httpx.stream("GET", url, headers=headers, timeout=30) as response:
        assert response.status_code == 200
        return read_events(response, lambda event: False)


def is_segment_call(event: dict[str, Any]) -> bool:
    return event["type"] == "TOOL_CALL_END" and str(event["toolCallId"]).endswith("-2")


def read_into_the_second_step(server: ServerProcess) -> list[Event]:
    """Start the edit as a stream, and disconnect while its second step runs."""
    headers = {"Accept": "text/event-stream"}
    with httpx.stream("POST", f"{server.url}/chat", json=body(EDIT), headers=headers, timeout=30) as response:
        return read_events(response, is_segment_call)


def with_relative_urls(event: dict[str, Any], before: ServerProcess, now: ServerProcess) -> dict[str, Any]:
    """An event with the URLs of the server's current port."""
    moved: dict[str, Any] = json.loads(json.dumps(event).replace(before.url, now.url))
    return moved


def operations(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(step["operation"], step["status"]) for step in document["steps"]]


def test_client_that_reconnects_during_a_turn_misses_no_event(harness: Harness) -> None:
    server = harness.start(is_held=True)
    first = read_into_the_second_step(server)
    harness.wait_for_note("segment a")
    harness.gate.touch()
    last, turn_id = first[-1][0], first[0][1]["runId"]
    rest = follow(server, turn_id, after=last)
    stored = [event for event in [*first, *rest] if event[0]]
    assert stored == follow(server, turn_id)
    assert rest[-1][1]["type"] == "RUN_FINISHED"
    assert operations(rest[-1][1]["result"]) == [
        ("detect_objects", "done"),
        ("segment_objects", "done"),
        ("inpaint_image", "done"),
    ]
    assert harness.notes == {"detect a": 1, "segment a": 1, "inpaint a": 1}


def test_killed_turn_is_reported_interrupted_and_continues_after_its_finished_steps(harness: Harness) -> None:
    server = harness.start(is_held=True, PROMPTVISION_LEASE_S="1")
    first = read_into_the_second_step(server)
    harness.wait_for_note("segment a")
    server.kill()
    turn_id = first[0][1]["runId"]
    after = harness.start("b", PROMPTVISION_LEASE_S="1")
    first = [(number, with_relative_urls(event, server, after)) for number, event in first]
    received = follow(after, turn_id)
    assert (received[-1][1]["type"], received[-1][1]["code"]) == ("RUN_ERROR", "interrupted")
    assert [event for event in received if event[0]] == first
    shown = httpx.get(f"{after.url}/conversations/c?user_id=ann").json()
    assert [turn["status"] for turn in shown["turns"]] == ["interrupted"]
    assert harness.notes == {"detect a": 1, "segment a": 1}, "nothing is restarted automatically"

    reply = post(after, body(EDIT)).json()
    assert reply["status"] == "done"
    assert reply["turn_id"] == turn_id
    assert operations(reply) == [
        ("detect_objects", "done"),
        ("segment_objects", "interrupted"),
        ("segment_objects", "done"),
        ("inpaint_image", "done"),
    ]
    assert harness.notes == {"detect a": 1, "segment a": 1, "segment b": 1, "inpaint b": 1}
    rest = follow(after, turn_id, after=first[-1][0])
    assert [*first, *rest] == follow(after, turn_id)
    assert httpx.get(reply["inpainted_image_url"]).status_code == 200


def test_terminated_server_waits_for_running_turns(harness: Harness) -> None:
    server = harness.start(is_held=True)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(post, server, body(EDIT))
        harness.wait_for_note("segment a")
        ending = pool.submit(server.terminate)
        wait_until(lambda: "Shutting down" in server.log)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.url}/health")
        harness.gate.touch()
        assert waiting.result(20).json()["status"] == "done"
        assert ending.result(20) == -signal.SIGTERM
    assert "Traceback" not in server.log


def test_bind_for_other_machines_needs_keys(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from promptvision.cli.main import main; main()", "serve"]
    environment = {"PATH": os.defpath, "PROMPTVISION_HOME": str(tmp_path), "HOME": str(tmp_path)}
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        ended = subprocess.run(
            [*command, "--host", host],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert ended.returncode == 3
        assert "PROMPTVISION_API_KEYS" in ended.stderr
        assert ended.stdout == ""


def test_fifty_posts_of_one_prompt_over_two_processes_run_it_once(harness: Harness) -> None:
    servers = [harness.start("a"), harness.start("b")]
    with ThreadPoolExecutor(50) as pool:
        replies = list(pool.map(lambda n: post(servers[n % 2], body(EDIT)), range(50)))
    assert {reply.status_code for reply in replies} == {200}
    assert len({json.dumps(operations(reply.json())) for reply in replies}) == 1
    assert len({reply.json()["turn_id"] for reply in replies}) == 1
    ran = harness.notes
    assert sorted(note.split()[0] for note in ran.elements()) == ["detect", "inpaint", "segment"]
    shown = httpx.get(f"{servers[0].url}/conversations/c?user_id=ann").json()
    assert [turn["seq"] for turn in shown["turns"]] == [1]


def test_sign_is_read_through_http(harness: Harness) -> None:
    server = harness.start()
    sign = body("what does this sign say?", input_image_url=as_data_url(street_sign()))
    reply = post(server, sign).json()
    assert reply["status"] == "done", reply["text_response"]
    assert [step["plugin"] for step in reply["steps"]] == ["rapidocr"]
    assert "NO PARKING" in reply["extracted_text"].upper()
    assert "NO PARKING" in reply["text_response"].upper()


# Load and kill -9

ROUNDS = 30
LOAD_S = 0.25
CONVERSATIONS = [("ann", "own"), ("bob", "own"), ("cy", "shared"), ("cy", "shared")]


class ForkedServer:
    """``promptvision serve``, forked from a process that has imported it, so that it starts quickly.

    It has a fixed port, so that clients can reconnect.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._process: ForkServerProcess | None = None

    def start(self) -> None:
        context = multiprocessing.get_context("forkserver")
        self._process = context.Process(target=main, args=(["serve", "--port", str(self.port)],))
        self._process.start()

    def wait(self) -> None:
        def answers() -> bool:
            assert self._process is not None
            assert self._process.is_alive(), f"it ended with {self._process.exitcode}"
            try:
                return httpx.get(f"{self.url}/health", timeout=5).status_code == 200
            except httpx.TransportError:
                return False

        wait_until(answers)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
            self._process = None


class Client:
    """Sends one request after the other, each until it is acknowledged, and keeps the replies."""

    def __init__(self, number: int, urls: list[str]) -> None:
        self.number = number
        self.user, self.conversation = CONVERSATIONS[number]
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.failures = 0
        self._urls = urls

    def run(self, is_over: threading.Event) -> None:
        with httpx.Client(timeout=20) as client:
            while not is_over.is_set():
                prompt_id = f"{self.number}-{len(self.acknowledged)}"
                ids = {"user_id": self.user, "conversation_id": self.conversation}
                url = self._urls[(self.number + self.failures) % len(self._urls)]
                try:
                    reply = client.post(f"{url}/chat", json=body("find the lion", prompt_id, **ids))
                except httpx.TransportError:
                    reply = None
                if reply is not None and reply.status_code == 200:
                    self.acknowledged[prompt_id] = reply.json()
                else:
                    self.failures += 1
                    is_over.wait(0.02)


def have_acknowledged(clients: list[Client], count: float) -> bool:
    return min(len(client.acknowledged) for client in clients) >= count


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_thirty_rounds_of_kill_under_load_lose_nothing(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**harness.variables("x"), "PROMPTVISION_LEASE_S": "0.3"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PROMPTVISION_HOME", str(harness.home))
    monkeypatch.setenv("PYTHONPATH", str(harness.plugin))
    monkeypatch.syspath_prepend(harness.plugin)
    multiprocessing.get_context("forkserver").set_forkserver_preload(
        ["pytest", "promptvision.server.process", "promptvision.builtin.sql.store", "promptvision.cli.serve"]
    )
    servers = [ForkedServer(free_port()), ForkedServer(free_port())]
    clients = [Client(number, [server.url for server in servers]) for number in range(len(CONVERSATIONS))]
    is_over = threading.Event()
    with ThreadPoolExecutor(len(clients)) as pool, ExitStack() as stack:
        for server in servers:
            stack.callback(server.kill)
            server.start()
        stack.callback(is_over.set)
        running = [pool.submit(client.run, is_over) for client in clients]
        for number in range(ROUNDS):
            for server in servers:
                server.wait()
            time.sleep(LOAD_S)
            wait_until(partial(have_acknowledged, clients, number / 2))  # at any speed of the machine
            dying = servers if number % 3 == 0 else [servers[number % 2]]
            for server in dying:
                server.kill()
            for server in dying:
                server.start()
        for server in servers:
            server.wait()
        is_over.set()
        for ended in running:
            ended.result(30)
    check_history(harness, clients)


def check_history(harness: Harness, clients: list[Client]) -> None:
    """Every acknowledged turn exists exactly once as received, without a gap, in an intact database."""
    database = harness.home / "shared.db"
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    store = SQLConversationStore(f"sqlite:///{database}")
    for place in sorted(set(CONVERSATIONS)):
        turns = store.history(*place, 100_000)
        assert [turn.seq for turn in turns] == list(range(1, len(turns) + 1))
        assert len({turn.key.prompt_id for turn in turns}) == len(turns)
        by_id = {turn.key.prompt_id: turn for turn in turns}
        received = {
            prompt_id: reply
            for client in clients
            if (client.user, client.conversation) == place
            for prompt_id, reply in client.acknowledged.items()
        }
        assert received.keys() <= by_id.keys()
        for prompt_id, reply in received.items():
            turn = by_id[prompt_id]
            assert turn.status is TurnStatus.DONE
            assert turn.id == reply["turn_id"]
            assert turn.reply is not None
            assert turn.reply["text_response"] == reply["text_response"]
            assert [event.seq for event in turn.events] == list(range(1, len(turn.events) + 1))
        unacknowledged = [turn for turn in turns if turn.key.prompt_id not in received]
        assert len(unacknowledged) <= len(clients)
    store.close()
    acknowledged = [len(client.acknowledged) for client in clients]
    assert min(acknowledged) >= ROUNDS / 2, acknowledged
    assert sum(client.failures for client in clients) >= ROUNDS / 2, "no client noticed a kill"


def test_access_log_has_no_query(harness: Harness) -> None:
    """A client may put its key there."""
    server = harness.start("logged")
    assert httpx.get(f"{server.url}/health?api_key=canary").status_code == 200
    wait_until(lambda: "GET /health" in server.log)
    assert "canary" not in server.log


def test_server_behind_a_proxy_with_a_prefix(tmp_path: Path) -> None:
    """The proxy strips the prefix and forwards the scheme; every URL that clients get has both."""
    variables = {"PROMPTVISION_ROOT_PATH": "/vision", "PROMPTVISION_TRUSTED_PROXIES": "127.0.0.1"}
    with ServerProcess(tmp_path / "home", variables) as server:
        proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7", "Host": "localhost"}
        with httpx.Client(base_url=server.url, headers=proxied) as client:
            assert client.get("/openapi.json").json()["servers"] == [{"url": "/vision"}]
            image = base64.b64decode(IMAGE.partition(",")[2])
            stored = client.post("/images", files={"file": ("x.png", image)})
            assert stored.status_code == 201
            url = stored.json()["image_url"]
            assert url == f"https://localhost/vision/images/{stored.json()['image_id']}"
            assert client.get(url.removeprefix("https://localhost/vision")).status_code == 200
            answer = client.post("/chat", json=body("what can you do", input_image_url=url))
            assert answer.json()["image_url"] == url
        assert "203.0.113.7" in server.log


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
def test_memory_does_not_grow_with_requests(harness: Harness) -> None:
    """Different uploads, turns and conversations, whose data is in the store only."""
    server = harness.start("steady")
    with httpx.Client(base_url=server.url, timeout=60) as client:
        _use(client, range(60))
        before = _rss_mb(server.pid)
        _use(client, range(60, 260))
        after = _rss_mb(server.pid)
    assert after - before < 40


def _use(client: httpx.Client, numbers: range) -> None:
    for number in numbers:
        image = Image.new("RGB", (400 + number, 300), (number % 256, 90, 30))
        file = io.BytesIO()
        image.save(file, "PNG")
        uploaded = client.post("/images", files={"file": ("x.png", file.getvalue())})
        assert uploaded.status_code in (201, 429), uploaded.text
        sent = body("help", conversation_id=f"c{number}")
        assert client.post("/chat", json=sent).status_code == 200


def _rss_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024
