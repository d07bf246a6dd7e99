"""A pytest plugin, loaded by the entry point ``pytest11``: images, tools, servers and plugins for tests."""

from __future__ import annotations

import base64
import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib import import_module
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from PIL import Image
    from starlette.testclient import TestClient

    from promptvision.agent.agent import Agent
    from promptvision.tools.tool import Tool


@pytest.fixture(scope="session")
def tools() -> list[Tool]:
    """Detect, segment, inpaint and convert, in plain Pillow; see :func:`promptvision.testing.make_tools`."""
    from promptvision.testing.tools import make_tools

    return [tool for tool in make_tools() if tool.name in ("find_colour", "box_mask", "fill", "grey")]


@pytest.fixture(scope="session")
def scene() -> Image.Image:
    """A white image, 60 x 40, with a red square at (10, 10, 30, 30) and a blue one at (40, 5, 50, 15)."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (60, 40), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((10, 10, 29, 29), fill="red")
    draw.rectangle((40, 5, 49, 14), fill="blue")
    return image


@pytest.fixture(scope="session")
def scene_png(scene: Image.Image) -> bytes:
    """The scene as the bytes of a PNG file."""
    from promptvision.images.codec import encode_png

    return encode_png(scene)


@pytest.fixture(scope="session")
def scene_url(scene_png: bytes) -> str:
    """The scene as a data URL."""
    return "data:image/png;base64," + base64.b64encode(scene_png).decode()


@pytest.fixture(scope="session")
def one_torch_thread() -> Iterator[None]:
    """Run torch on one thread: tiny models are slower on several."""
    torch = import_module("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def photo(scene: Image.Image, tmp_path: Path) -> Path:
    """The scene as a PNG file."""
    file = tmp_path / "photo.png"
    scene.save(file)
    return file


@pytest.fixture(scope="session")
def noise_image() -> Callable[..., Image.Image]:
    """Make an image of noise, in which every pixel differs from what a tool fills in."""
    from PIL import Image

    def make(size: tuple[int, int], mode: str = "RGB", seed: int = 7) -> Image.Image:
        data = random.Random(seed).randbytes(size[0] * size[1] * 4)  # noqa: S311  # the same noise in every run
        image = Image.frombytes("RGBA", size, data)
        return image if mode == "RGBA" else image.convert(mode)

    return make


@pytest.fixture(scope="session")
def chat_body() -> Callable[..., dict[str, Any]]:
    """Create bodies for ``POST /chat`` with a new prompt_id; members may be replaced or added."""

    def make(prompt: Any = "make it black and white", **members: Any) -> dict[str, Any]:
        return {"prompt": prompt, "prompt_id": uuid.uuid4().hex, "conversation_id": "c", **members}

    return make


@pytest.fixture
def serve() -> Iterator[Callable[[Agent], TestClient]]:
    """Start the HTTP server of an agent and return a client; all are stopped after the test."""
    from starlette.testclient import TestClient

    from promptvision.server import create_app

    with ExitStack() as stack:

        def start(agent: Agent) -> TestClient:
            app = create_app(agent=agent)
            client = TestClient(app, base_url="http://127.0.0.1:5000", raise_server_exceptions=False)
            return stack.enter_context(client)

        yield start


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[EntryPoint]]]:
    """Write a real distribution with one plugin module; return the entry points of all written so far."""
    from promptvision.testing.modules import forget_modules

    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)

    def write(
        distribution: str, source: str, name: str | None = None, version: str = "1.0"
    ) -> list[EntryPoint]:
        package = distribution.replace("-", "_")
        info = folder / f"{package}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        entry = name or package.removeprefix("promptvision_")
        (info / "entry_points.txt").write_text(f"[promptvision]\n{entry} = {package}\n")
        (folder / f"{package}.py").write_text(source)
        return [point for dist in distributions(path=[str(folder)]) for point in dist.entry_points]

    yield write
    forget_modules(folder)
