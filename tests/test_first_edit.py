"""From an installation to the first edit: setup, killed twice, and the question at the point of failure."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pexpect
import pytest
from PIL import Image, ImageDraw
from starlette.testclient import TestClient

from promptvision.server.app import create_app
from promptvision.settings import Settings
from promptvision.testing.hub import LocalHub, local_hub

SENTENCE = "change the cat to a dog"
CHAIN = ["detect_objects", "segment_objects", "inpaint_image"]
REPOSITORIES = {
    "grounding-dino-tiny": "tiny/grounding-dino",
    "sam2.1-t": "tiny/sam",
    "sd15-inpaint": "tiny/sd",
}
KEPT = {"promptvision", "grounding_dino", "sam", "sd_inpaint", "web"}
OFF = ",".join(point.name for point in entry_points(group="promptvision") if point.name not in KEPT)
COMMAND = [sys.executable, "-c", "from promptvision.cli.main import main; main()"]
WAIT_S = 500
MIB = 2**20
PAGE = Path(__file__).parents[1] / "docs" / "get-started.md"


@pytest.fixture
def hub(tiny_models: dict[str, dict[str, str]], tmp_path: Path) -> Iterator[LocalHub]:
    """The hub with the models of the light profile, one of which takes a while to download."""
    places = {
        "tiny/grounding-dino": tiny_models["grounding_dino"]["PROMPTVISION_MODEL_GROUNDING_DINO_BASE"],
        "tiny/sam": tiny_models["sam"]["PROMPTVISION_MODEL_SAM2_1_L"],
        "tiny/sd": tiny_models["sd_inpaint"]["PROMPTVISION_MODEL_SD15_INPAINT"],
    }
    shutil.copytree(places["tiny/sd"], tmp_path / "hub")
    (tmp_path / "hub" / "unet" / "padding.json").write_bytes(bytes(4 * MIB))
    folders = {name: Path(place) for name, place in places.items()}
    with local_hub({**folders, "tiny/sd": tmp_path / "hub"}) as hub:
        yield hub


@pytest.fixture
def variables(hub: LocalHub, tmp_path: Path) -> dict[str, str]:
    """Settings of an empty home, with the hub on loopback instead of the real one."""
    models = {
        "PROMPTVISION_MODEL_" + "".join(c if c.isalnum() else "_" for c in id_.upper()): repository
        for id_, repository in REPOSITORIES.items()
    }
    return {
        "PROMPTVISION_HOME": str(tmp_path / "home"),
        "PROMPTVISION_DISABLED_PLUGINS": OFF,
        "HF_ENDPOINT": hub.url,
        **models,
    }


@pytest.fixture
def environment(variables: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Of a child process, without the settings of this one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PROMPTVISION_")}
    image = Image.new("RGB", (211, 157), (30, 60, 160))
    ImageDraw.Draw(image).ellipse((40, 50, 120, 130), fill=(220, 40, 30))
    image.save(tmp_path / "cat.jpg")
    return {**kept, "OMP_NUM_THREADS": "1", "COLUMNS": "120", **variables}


def run(words: list[str], environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_S,
        stdin=subprocess.DEVNULL,
    )


def wait_for_part(folder: Path, size: int, child: subprocess.Popen[bytes]) -> None:
    """Wait until a download has a number of bytes."""
    part = "unet/padding.json.part"
    until = time.monotonic() + WAIT_S
    while not any(found.stat().st_size >= size for found in folder.glob(f"weights/*/{part}")):
        assert child.poll() is None, "setup ended before it was killed"
        assert time.monotonic() < until
        time.sleep(0.02)


def test_setup_survives_two_kills_and_the_first_edit_runs(
    hub: LocalHub, environment: dict[str, str], tmp_path: Path
) -> None:
    hub.hold_after = MIB + 256 * 1024
    for kill in (1, 2):
        child = subprocess.Popen(
            [*COMMAND, "setup", "--yes", "--profile", "light"],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            wait_for_part(tmp_path / "home", kill * MIB, child)
        finally:
            os.killpg(child.pid, signal.SIGKILL)
        assert child.wait(WAIT_S) == -signal.SIGKILL
    hub.hold_after = None
    hub.is_open.set()
    before = hub.served
    done = run(["setup", "--yes", "--profile", "light", "--json"], environment, tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {model["id"] for model in report["models"]} == set(REPOSITORIES)
    assert [(test["tool"], test["is_ok"]) for test in report["tests"]] == [
        ("grounding_dino", True),
        ("sd_inpaint", True),
        ("sam", True),
    ]
    assert done.stderr.count("downloaded and verified") == sum(
        not model["present"] for model in report["models"]
    )
    assert report["planner"] == "offline"
    assert f"bytes={2 * MIB}-" in hub.ranges, "the third run resumes the file"
    whole = sum(path.stat().st_size for path in (tmp_path / "home" / "weights").rglob("*") if path.is_file())
    assert hub.served - before < whole, "downloaded bytes were not downloaded again"
    edited = run(["run", "cat.jpg", SENTENCE, "-o", "dog.png", "--json"], environment, tmp_path)
    assert edited.returncode == 0, edited.stderr
    steps = json.loads(edited.stdout)["steps"]
    assert [step["operation"] for step in steps] == CHAIN
    assert [step["models"] for step in steps] == [[id_] for id_ in REPOSITORIES]
    with Image.open(tmp_path / "dog.png") as image:
        assert image.size == (211, 157)


def at_terminal(words: list[str], environment: dict[str, str], folder: Path) -> pexpect.spawn[str]:
    """Run ``promptvision`` at a terminal; its name is the first word."""
    assert words[0] == "promptvision"
    return pexpect.spawn(
        COMMAND[0],
        [*COMMAND[1:], *words[1:]],
        env=environment,
        cwd=str(folder),
        timeout=WAIT_S,
        dimensions=(40, 200),
        encoding="utf-8",
    )


def test_on_a_terminal_the_models_are_offered_and_the_edit_continues(
    hub: LocalHub, environment: dict[str, str], tmp_path: Path
) -> None:
    words = ["promptvision", "run", "cat.jpg", SENTENCE, "-o", "dog.png"]
    terminal = at_terminal(words, environment, tmp_path)
    terminal.expect(r"This needs (.*) \(\d+\.\d\d GB\)\. Download now\? \[Y/n\]")
    found = terminal.match
    assert isinstance(found, re.Match)
    asked = found.group(1).split(", ")
    assert set(asked) == set(REPOSITORIES), "what all steps need is asked for once"
    terminal.sendline("")
    terminal.expect("wrote dog.png")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0


def test_on_a_terminal_no_means_no(hub: LocalHub, environment: dict[str, str], tmp_path: Path) -> None:
    words = ["promptvision", "tools", "run", "detect_objects", "-i", "cat.jpg", "-a", "prompt=cat"]
    terminal = at_terminal(words, environment, tmp_path)
    terminal.expect(r"This needs grounding-dino-tiny \(0\.69 GB\)\. Download now\? \[Y/n\]")
    terminal.sendline("n")
    terminal.expect("promptvision models pull grounding-dino-tiny\r\n")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 3
    assert hub.served == 0


def shell_lines(page: Path, number: int | None = None) -> list[list[str]]:
    """The commands of a page, or of its first blocks, in their order."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL)[:number]
    return [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]


def test_get_started_is_exactly_these_steps(
    hub: LocalHub, environment: dict[str, str], tmp_path: Path
) -> None:
    install, set_up, edit, *others = shell_lines(PAGE)
    assert install == ["uv", "tool", "install", "promptvision[full]"]
    (tmp_path / "cat.jpg").rename(tmp_path / edit[2])
    hosts = {"groq", "openai"}
    disabled = ",".join(name for name in OFF.split(",") if name not in hosts)
    environment = {**environment, "PROMPTVISION_DISABLED_PLUGINS": disabled}
    for name in ("GROQ_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        environment.pop(name, None)
    terminal = at_terminal(set_up, environment, tmp_path)
    terminal.expect(r"accept the licences marked \*\?.*: ")
    terminal.sendline("")
    terminal.expect(r"0\. none: the built-in planner")
    terminal.expect("Number.*: ")
    terminal.sendline("")
    terminal.expect("Ready. Try:")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    edited = run(edit[1:], environment, tmp_path)
    assert edited.returncode == 0, edited.stderr
    assert (tmp_path / "dog.png").exists()
    pull, key = others
    assert pull == [*edit, "--pull"]
    stored = subprocess.run(
        [*COMMAND, *key[1:]],
        env=environment,
        cwd=tmp_path,
        input="gsk_1\n",
        text=True,
        capture_output=True,
        check=False,
        timeout=WAIT_S,
    )
    assert stored.returncode == 0, stored.stderr
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_readme_begins_with_the_same_steps() -> None:
    steps = shell_lines(PAGE)[:3]
    assert shell_lines(PAGE.parents[1] / "README.md", 1) == steps


def test_without_a_terminal_the_last_line_is_the_command(
    environment: dict[str, str], tmp_path: Path, hub: LocalHub
) -> None:
    done = run(["run", "cat.jpg", SENTENCE], environment, tmp_path)
    assert done.returncode == 3
    command = done.stderr.splitlines()[-1]
    assert command.split()[:3] == ["promptvision", "models", "pull"]
    assert set(command.split()[3:]) == set(REPOSITORIES)
    detected = run(
        ["tools", "run", "detect_objects", "-i", "cat.jpg", "-a", "prompt=cat"], environment, tmp_path
    )
    assert detected.returncode == 3
    assert detected.stderr.splitlines()[-1] == "promptvision models pull grounding-dino-tiny"


def test_over_http_the_answer_says_what_is_needed_as_data(variables: dict[str, str], hub: LocalHub) -> None:
    file = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(file, "PNG")
    image = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    body = {"user_id": "ann", "conversation_id": "c", "prompt": SENTENCE, "input_image_url": image}
    with TestClient(create_app(Settings.from_mapping(variables)), base_url="http://127.0.0.1") as client:
        answer = client.post("/chat", json={**body, "prompt_id": "1"}).json()
        streamed = client.post(
            "/chat", json={**body, "prompt_id": "2"}, headers={"Accept": "text/event-stream"}
        ).text
        refused = client.post("/tools/detect_objects", json={"image_url": image, "prompt": "cat"})
    needs = answer["needs_setup"]
    assert answer["status"] == "failed"
    assert set(needs["models"]) == set(REPOSITORIES)
    assert needs["bytes"] > 3_000_000_000
    assert needs["command"] == f"promptvision models pull {' '.join(needs['models'])}"
    events = [json.loads(line[6:]) for line in streamed.splitlines() if line.startswith("data: ")]
    custom = [event for event in events if event["type"] == "CUSTOM"]
    assert custom[0]["value"]["needs_setup"] == needs
    assert custom[-1]["value"]["needs_setup"] == needs
    assert refused.status_code == 503
    assert refused.json()["needs_setup"]["command"] == "promptvision models pull grounding-dino-tiny"


def test_setup_without_a_terminal_says_what_to_add(environment: dict[str, str], tmp_path: Path) -> None:
    done = run(["setup"], environment, tmp_path)
    assert done.returncode == 2
    assert "--yes or --dry-run" in done.stderr
