"""Every file in examples/ runs as it stands, with nothing configured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image
from starlette.testclient import TestClient

from promptvision import Agent
from promptvision.plugin import ChatReply, Usage
from promptvision.testing import ScriptedPlanner
from promptvision.testing.agents import make_agent
from promptvision.testing.modules import load_module
from promptvision.testing.program import Program

EXAMPLES = Path(__file__).parents[1] / "examples"
PROMPT = "make it black and white"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTVISION_HOME", str(tmp_path / "home"))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "photo.png"
    Image.new("RGB", (40, 30), "orange").save(file)
    return file


def load(name: str) -> ModuleType:
    return load_module(EXAMPLES / f"{name}.py")


def run(*words: str | Path) -> str:
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_tested() -> None:
    tested = {"script", "notebook", "embed_starlette", "embed_fastapi"}
    tested |= {"log_turns", "count_costs", "approve_steps", "redact_prompts"}
    assert {file.stem for file in EXAMPLES.glob("*.py")} == tested
    assert [
        folder.name
        for folder in EXAMPLES.iterdir()
        if folder.is_dir() and (folder / "pyproject.toml").exists()
    ] == ["mirror_plugin"]


def test_script_writes_the_edited_image(photo: Path, tmp_path: Path) -> None:
    output = run(EXAMPLES / "script.py", photo, PROMPT, tmp_path / "out.png")
    assert "convert_to_bw by bw: done" in output
    with Image.open(tmp_path / "out.png") as made:
        assert (made.mode, made.size) == ("L", (40, 30))


def test_notebook_runs_inside_a_running_event_loop() -> None:
    lines = run(EXAMPLES / "notebook.py").splitlines()
    assert "RUN_STARTED" in lines
    assert "RUN_FINISHED" in lines
    assert lines[-1] == "done"


def test_logging_middleware_logs_each_part_of_a_turn(photo: Path) -> None:
    begun, *planned, step, asked, ended = run(EXAMPLES / "log_turns.py", photo, PROMPT).splitlines()
    assert begun == f"turn of local begins: {PROMPT}"
    assert planned == ["planner offline: ['convert_to_bw']"]
    assert step.startswith("step 1: bw:bw done in ")
    assert asked == "planner offline: answer"
    assert ended.startswith("turn is done in ")


def test_cost_middleware_counts_and_stops_a_turn_over_budget(photo: Path) -> None:
    assert run(EXAMPLES / "count_costs.py", photo, PROMPT) == "alice: 0 tokens, 0 paid calls\n"
    usage = Usage(input_tokens=80, output_tokens=40)
    costs = load("count_costs").CountCosts(budget_tokens=100)
    planner = ScriptedPlanner([ChatReply(text="Hello.", usage=usage)])
    agent = make_agent(planner=planner)
    with Agent(registry=agent.registry, planner=planner, middleware=[costs]) as agent:
        assert agent.run_sync("hi", user_id="ann").status == "done"
        assert costs.tokens == {"ann": 120}
        refused = agent.run_sync("hi again", user_id="ann")
    assert "the budget of 100 tokens is used up" in refused.text_response
    planner.assert_used_up()


def test_approval_middleware_waits_for_the_user() -> None:
    lines = run(EXAMPLES / "approve_steps.py").splitlines()
    question = "app:develop sends the image to another machine and costs money. May it run?"
    assert lines[::2] == [f"waiting_for_approval - {question}"] * 2
    assert lines[1].startswith("done - ")
    assert lines[3].startswith("failed - ")
    assert "was not approved: too expensive" in lines[3]


def test_redacting_middleware_hides_addresses_from_the_planner() -> None:
    assert run(EXAMPLES / "redact_prompts.py").splitlines() == [
        "planner: send it to <email-1>",
        "user: I would write to ann@example.org",
    ]


def chat(client: TestClient, photo: Path) -> dict[str, object]:
    with photo.open("rb") as file:
        uploaded = client.post("/vision/images", files={"file": ("photo.png", file, "image/png")})
    assert uploaded.status_code == 201, uploaded.text
    body = {"prompt": PROMPT, "prompt_id": "p1", "conversation_id": "c1", "user_id": "u"}
    answer = client.post("/vision/chat", json={**body, "input_image_url": uploaded.json()["image_url"]})
    assert answer.status_code == 200, answer.text
    document: dict[str, object] = answer.json()
    return document


def test_mounted_in_starlette(photo: Path) -> None:
    with TestClient(load("embed_starlette").app, base_url="http://127.0.0.1:5000") as client:
        assert "/vision" in client.get("/").text
        document = chat(client, photo)
        assert document["status"] == "done"
        assert client.get(str(document["bw_image_url"])).status_code == 200


def test_mounted_in_fastapi_beside_a_route_of_its_own(photo: Path, tmp_path: Path) -> None:
    with TestClient(load("embed_fastapi").app, base_url="http://127.0.0.1:5000") as client:
        assert chat(client, photo)["status"] == "done"
        with photo.open("rb") as file:
            answer = client.post("/grey", files={"image": ("photo.png", file, "image/png")})
        assert answer.status_code == 200, answer.text
        (tmp_path / "grey.png").write_bytes(answer.content)
        with Image.open(tmp_path / "grey.png") as made:
            assert made.mode == "L"


def test_ten_line_plugin_installs_runs_and_passes_its_own_tests(photo: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    command = ["uv", "pip", "install", "--no-deps", "--no-index", "--no-build-isolation", "--no-config"]
    subprocess.run(
        [*command, "--python", sys.executable, "--target", site, EXAMPLES / "mirror_plugin"],
        check=True,
        capture_output=True,
        timeout=120,
    )
    program = Program(tmp_path / "home", {}, path=[site])
    done = program.run("run", str(photo), "mirror it", "-o", str(tmp_path / "mirrored.png"))
    assert done.code == 0, done.err
    assert (tmp_path / "mirrored.png").exists()
    tested = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            EXAMPLES / "mirror_plugin" / "tests",
        ],
        env={**program.environment, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout
