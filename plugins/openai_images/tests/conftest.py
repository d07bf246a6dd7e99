"""The stub host, and contexts that are configured to use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from promptvision.testing import CallContext, load_module, make_context


@pytest.fixture(scope="session")
def stub_host() -> ModuleType:
    """The module ``stub_host.py``."""
    return load_module(Path(__file__).with_name("stub_host.py"))


@pytest.fixture
def host(stub_host: ModuleType) -> Iterator[Any]:
    """A running host."""
    with stub_host.StubHost() as running:
        yield running


@pytest.fixture
def variables(host: Any) -> dict[str, Any]:
    """Settings that name the host."""
    return {"PROMPTVISION_OPENAI_IMAGES_KEY": "sk-secret", "PROMPTVISION_OPENAI_IMAGES_URL": host.url}


@pytest.fixture
def context(variables: dict[str, Any]) -> Callable[..., CallContext]:
    """Makes contexts; further settings by name."""

    def make(on_progress: Any = None, **more: Any) -> CallContext:
        return make_context(variables={**variables, **more}, on_progress=on_progress)

    return make
