"""Server processes on one PostgreSQL: the database or one of the servers stops."""

from __future__ import annotations

import base64
import io
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from promptvision.testing.postgres import PostgresServer
from promptvision.testing.server import ServerProcess

DOWN_S = 10.0
LEASE_S = 1.0
UNUSED = "florence,grounding_dino,opencv,sam,sdxl_inpaint,tesseract,groq,openai,cloudinary,s3,supabase"

StartServer = Callable[..., ServerProcess]


@dataclass(frozen=True)
class Harness:
    """Servers that share one database and one folder of images, and the recorded runs of their tools."""

    database: str
    folder: Path
    start: StartServer

    @property
    def notes(self) -> Counter[str]:
        """How often each tool ran, by tool and server: ``detect a``."""
        notes = self.folder / "notes"
        return Counter(notes.read_text().splitlines() if notes.exists() else [])

    def wait_for_note(self, note: str) -> None:
        """Wait until a tool has begun to run."""
        deadline = time.monotonic() + 60
        while not self.notes[note]:
            assert time.monotonic() < deadline, self.notes
            time.sleep(0.01)


@pytest.fixture
def harness(postgres: PostgresServer, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Harness]:
    database = f"test_{abs(hash(request.node.name))}"
    url = postgres.create_database(database)
    plugin = tmp_path / "plugin"
    metadata = plugin / "recording_tools-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: noting-tools\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[promptvision]\nnoting = recording_tools\n")
    shutil.copy(Path(__file__).with_name("recording_tools.py"), plugin)
    with ExitStack() as stack:

        def start(name: str, **variables: str) -> ServerProcess:
            settings = {
                "PROMPTVISION_CONVERSATIONS": url,
                "PROMPTVISION_IMAGES": (tmp_path / "images").as_uri(),
                "PROMPTVISION_DISABLED_PLUGINS": UNUSED,
                "NOTES": str(tmp_path / "notes"),
                "SERVER": name,
            }
            home = tmp_path / name
            return stack.enter_context(ServerProcess(home, {**settings, **variables}, path=[plugin]))

        yield Harness(database, tmp_path, start)


@pytest.fixture(scope="module")
def image() -> str:
    """An image as a ``data:`` URL."""
    file = io.BytesIO()
    Image.effect_noise((32, 32), 80).convert("RGB").save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def chat(server: ServerProcess, body: dict[str, Any]) -> httpx.Response:
    return httpx.post(f"{server.url}/chat", json=body, timeout=60)


def edit(image: str, prompt_id: str = "p1") -> dict[str, Any]:
    return {
        "user_id": "ann",
        "conversation_id": "shared",
        "prompt_id": prompt_id,
        "prompt": "change the lion to orange",
        "input_image_url": image,
    }


def conversation(server: ServerProcess, user: str, place: str) -> dict[str, Any]:
    found = httpx.get(f"{server.url}/conversations/{place}", params={"user_id": user}, timeout=10)
    found.raise_for_status()
    document: dict[str, Any] = found.json()
    return document


# The database stops


@dataclass(eq=False)
class Client:
    """Sends requests one after the other, retries each until it is answered, and keeps the replies."""

    server: ServerProcess
    user: str
    image: str
    answered: dict[str, dict[str, Any]] = field(default_factory=dict)
    answered_at: list[float] = field(default_factory=list)
    refusals: list[tuple[httpx.Response, float, float]] = field(default_factory=list)
    """The response, when it came, and how long it took, in seconds."""
    stopping: threading.Event = field(default_factory=threading.Event)

    def body(self, number: int) -> dict[str, Any]:
        return {
            "user_id": self.user,
            "conversation_id": "under-load",
            "prompt_id": f"p{number}",
            "prompt": "make it black and white",
            "input_image_url": self.image,
        }

    def run(self) -> None:
        number = 1
        while not self.stopping.is_set():
            started = time.monotonic()
            response = chat(self.server, self.body(number))
            now = time.monotonic()
            if response.status_code == 200:
                self.answered[f"p{number}"] = response.json()
                self.answered_at.append(now)
                number += 1
            else:
                self.refusals.append((response, now, now - started))
                self.stopping.wait(0.05)


def test_database_crash_under_load_loses_no_answer_and_causes_no_long_wait(
    postgres: PostgresServer, harness: Harness, image: str
) -> None:
    server = harness.start("a")
    clients = [Client(server, f"client-{number}", image) for number in range(6)]
    with ThreadPoolExecutor(len(clients)) as pool, ExitStack() as stack:
        running = [pool.submit(client.run) for client in clients]
        for client in clients:
            stack.callback(client.stopping.set)
        time.sleep(2)
        postgres.stop("immediate")
        down_at = time.monotonic()
        assert httpx.get(f"{server.url}/health").status_code == 200
        ready = httpx.get(f"{server.url}/ready", timeout=5)
        assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
        time.sleep(max(0, down_at + DOWN_S - time.monotonic()))
        postgres.start()
        up_at = time.monotonic()
        time.sleep(3)
    for client, run in zip(clients, running, strict=True):
        run.result()
        assert len([at for at in client.answered_at if at < down_at]) > 1
        _check_refusals(client)
        first = min(at for at in client.answered_at if at > up_at)
        assert first - up_at < 2, f"{client.user} waited {first - up_at:.1f} s"
        _check_answers(client)


def _check_refusals(client: Client) -> None:
    assert len(client.refusals) > DOWN_S  # it was refused all the time, and did not hang
    for response, _, seconds in client.refusals:
        assert response.status_code == 503, response.text
        assert response.headers["content-type"] == "application/problem+json"
        assert int(response.headers["retry-after"]) > 0
        assert response.json()["error"].startswith("conversations: ")
        assert seconds < 2, response.text


def _check_answers(client: Client) -> None:
    """Check that each answer is stored in its position, and returned again for the same request."""
    turns = conversation(client.server, client.user, "under-load")["turns"]
    assert [turn["prompt_id"] for turn in turns] == [f"p{seq}" for seq in range(1, len(turns) + 1)]
    assert [turn["seq"] for turn in turns] == list(range(1, len(turns) + 1))
    assert len(turns) == len(client.answered)
    for turn in turns:
        reply = client.answered[turn["prompt_id"]]
        assert turn["status"] == reply["status"] == "done"
        assert turn["reply"] == reply
    last = len(turns)
    assert chat(client.server, client.body(last)).json() == client.answered[f"p{last}"]


def test_turn_interrupted_by_the_crash_continues_before_its_lease_expires(
    postgres: PostgresServer, harness: Harness, image: str
) -> None:
    server = harness.start("a", HOLD=str(harness.folder / "gate"), PROMPTVISION_LEASE_S="60")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(chat, server, edit(image))
        harness.wait_for_note("segment a")
        postgres.stop("immediate")
        (harness.folder / "gate").touch()
        assert answer.result(10).status_code == 503
    postgres.start()
    up_at = time.monotonic()
    reply = chat(server, edit(image))
    assert time.monotonic() - up_at < 2
    assert reply.json()["status"] == "done"
    assert harness.notes == Counter({"detect a": 1, "segment a": 1, "inpaint a": 1})


# A server stops


def test_fifty_duplicates_at_two_servers_run_once(harness: Harness, image: str) -> None:
    servers = [harness.start("a"), harness.start("b")]
    with ThreadPoolExecutor(50) as pool:
        sent = [pool.submit(chat, servers[number % 2], edit(image)) for number in range(50)]
    replies = [response.result() for response in sent]
    assert {reply.status_code for reply in replies} == {200}, replies
    paths = [reply.text.replace(server.url, "") for reply, server in zip(replies, servers * 25, strict=True)]
    assert len(set(paths)) == 1
    assert sorted(note.split()[0] for note in harness.notes.elements()) == ["detect", "inpaint", "segment"]
    (turn,) = conversation(servers[0], "ann", "shared")["turns"]
    assert turn["reply"] == replies[0].json()


@dataclass(frozen=True)
class Held:
    """Server ``a`` in the middle of a turn, with the request that waits for it; server ``b``, idle."""

    a: ServerProcess
    b: ServerProcess
    request: dict[str, Any]
    answer: Future[httpx.Response]
    gate: Path


@pytest.fixture
def held(harness: Harness, image: str) -> Iterator[Held]:
    gate = harness.folder / "gate"
    a = harness.start("a", HOLD=str(gate), PROMPTVISION_LEASE_S=str(LEASE_S))
    b = harness.start("b", PROMPTVISION_LEASE_S=str(LEASE_S))
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(chat, a, edit(image))
        harness.wait_for_note("segment a")
        yield Held(a, b, edit(image), answer, gate)
        a.kill()


def _check_taken_over(reply: httpx.Response, harness: Harness) -> None:
    """Check that the finished step is kept, and that the new owner closes the open one and runs it again."""
    assert reply.status_code == 200, reply.text
    document = reply.json()
    assert document["status"] == "done"
    assert [(step["operation"], step["status"]) for step in document["steps"]] == [
        ("detect_objects", "done"),
        ("segment_objects", "interrupted"),
        ("segment_objects", "done"),
        ("inpaint_image", "done"),
    ]
    assert harness.notes == Counter(["detect a", "segment a", "segment b", "inpaint b"])


def test_turn_of_a_killed_server_is_taken_over_after_the_lease(harness: Harness, held: Held) -> None:
    held.a.kill()
    killed_at = time.monotonic()
    with pytest.raises(httpx.HTTPError):
        held.answer.result(10)
    reply = chat(held.b, held.request)
    assert time.monotonic() - killed_at < LEASE_S + 3
    _check_taken_over(reply, harness)
    assert chat(held.b, held.request).json() == reply.json()


def test_running_owner_keeps_its_turn_past_the_lease(harness: Harness, held: Held) -> None:
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(chat, held.b, held.request)
        time.sleep(2.5 * LEASE_S)
        assert not other.done()
        held.gate.touch()
        mine, theirs = held.answer.result(10), other.result(10)
    assert mine.text.replace(held.a.url, "") == theirs.text.replace(held.b.url, "")
    assert harness.notes == Counter(["detect a", "segment a", "inpaint a"])


def test_late_write_of_a_suspended_server_is_rejected(
    postgres: PostgresServer, harness: Harness, held: Held
) -> None:
    held.a.pause()
    reply = chat(held.b, held.request)
    _check_taken_over(reply, harness)
    before = _rows(postgres, harness)
    held.gate.touch()
    held.a.resume()
    late = held.answer.result(10)
    assert late.status_code == 429, late.text
    assert "another process has taken it over" in late.json()["error"]
    assert int(late.headers["retry-after"]) > 0
    assert _rows(postgres, harness) == before
    again = chat(held.a, held.request)
    assert again.text.replace(held.a.url, held.b.url) == reply.text
    assert harness.notes == Counter(["detect a", "segment a", "segment b", "inpaint b"])


def _rows(postgres: PostgresServer, harness: Harness) -> list[tuple[Any, ...]]:
    """Everything that is stored of turns, except the time of the last heartbeat."""
    turns = postgres.execute(
        "SELECT id, status, fence, event_count, reply FROM turns ORDER BY id", database=harness.database
    )
    events = postgres.execute("SELECT * FROM events ORDER BY turn_id, seq", database=harness.database)
    return [*turns, *events]
