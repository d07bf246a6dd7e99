"""Every file in examples/ runs as it stands, with nothing configured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image
from starlette.testclient import TestClient

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
    assert done.code == 0, done.said
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
