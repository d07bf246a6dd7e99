"""A tiny checkpoint in the real file layout, built once per run, and servers on loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from promptvision.testing import load_module

Serve = Callable[[Any], str]


def load_builder() -> Any:
    """The module ``tiny_florence`` next to this file."""
    return load_module(Path(__file__).with_name("tiny_florence.py"))


@pytest.fixture(scope="session")
def checkpoint(one_torch_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an untrained Florence-2."""
    folder: Path = load_builder().build(tmp_path_factory.mktemp("florence"))
    return folder


@pytest.fixture(scope="session")
def florence(checkpoint: Path) -> Any:
    """The checkpoint, loaded as by the model pool."""
    from promptvision_florence.load import load

    return load(checkpoint, "cpu", "float32")


@pytest.fixture(scope="session")
def image() -> Image.Image:
    """400 x 300 pixels of coloured noise, sufficient for an untrained model."""
    pixels = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start an ASGI app on a free port of this machine; returns ``http://127.0.0.1:PORT``."""
    with ExitStack() as running:
        yield lambda app: running.enter_context(_running(app))


@contextmanager
def _running(app: Any) -> Iterator[str]:
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(5)
