"""A local LLM and SDXL inpainting share the memory of the pool: the LLM is evicted and loaded again."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from promptvision.agent.agent import Agent
from promptvision.llm.messages import ChatReply, ChatRequest, ToolCall
from promptvision.plugin import ModelPool
from promptvision.settings import Settings
from promptvision.testing import ScriptedPlanner
from promptvision.testing.modules import load_module
from promptvision_sdxl_inpaint.plugin import promptvision_models
from promptvision_transformers_llm.provider import TransformersLLM

LLM = "qwen3-0.6b"
CALL = ToolCall(
    id="1", name="inpaint_image", arguments={"image_url": "img_1", "prompt": "a red hat", "steps": 2}
)
OTHER_PARTS = 6_500_000
"""Bytes for the other parts of the untrained SDXL (5.3 MB), but not for the untrained LLM (2.2 MB) too."""
MEMBERS = Path(__file__).parents[1]


class AskingPlanner(ScriptedPlanner):
    """Generates a reply with the local LLM at each step, and returns a scripted one."""

    pool: ModelPool
    seen: list[set[str]]

    async def complete(self, request: ChatRequest) -> ChatReply:
        """The scripted reply, after the LLM has written its own."""
        self.seen.append(self.loaded())
        llm = TransformersLLM(self.pool, temperature=0.0, context_tokens=2000)
        try:
            reply = await llm.complete(ChatRequest(messages=request.messages[-1:], tool_choice="none"))
        finally:
            await llm.close()
        assert reply.finish_reason
        self.seen.append(self.loaded())
        return await super().complete(request)

    def loaded(self) -> set[str]:
        """The models in memory."""
        return {model.id for model in self.pool.loaded()}


@pytest.fixture(scope="module")
def variables(one_torch_thread: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """SDXL and the local LLM on untrained checkpoints, and no other plugin."""
    sdxl = load_module(MEMBERS / "plugins" / "sdxl_inpaint" / "tests" / "tiny_sdxl.py")
    tiny_llm = load_module(MEMBERS / "backends" / "transformers_llm" / "tests" / "tiny_llm.py")
    folder = tmp_path_factory.mktemp("models")
    used = {"promptvision", "transformers_llm", "sdxl_inpaint"}
    others = {point.name for point in entry_points(group="promptvision")} - used
    network = next(spec for spec in promptvision_models() if spec.id == "sdxl-inpaint")
    cap = network.weight_bytes["float32"] + OTHER_PARTS
    return {
        **sdxl.variables(sdxl.build_base(folder / "base"), sdxl.build_refiner(folder / "refiner")),
        "PROMPTVISION_MODEL_QWEN3_0_6B": str(tiny_llm.build(folder / "llm", ["make the hat red"])),
        "PROMPTVISION_HOME": str(tmp_path_factory.mktemp("home")),
        "PROMPTVISION_DISABLED_PLUGINS": ",".join(sorted(others)),
        "PROMPTVISION_MODEL_MEMORY": str(cap),
        "PROMPTVISION_STRICT_PLUGINS": "1",
    }


def test_llm_is_evicted_for_the_lease_of_sdxl_and_loaded_again_to_answer(variables: dict[str, str]) -> None:
    photo, hat = Image.new("RGB", (96, 64), (30, 60, 160)), Image.new("L", (96, 64), 0)
    ImageDraw.Draw(hat).ellipse((30, 10, 70, 50), fill=255)
    planner = AskingPlanner([ChatReply(tool_calls=(CALL,)), ChatReply(text="The hat is red now.")])
    with Agent(Settings.from_mapping(variables), planner=planner) as agent:
        planner.pool, planner.seen = agent.services.runtime.pool, []
        reply = agent.run_sync("make the hat red", image=photo, mask=hat)
    assert (reply.status, reply.text_response) == ("done", "The hat is red now.")
    assert [(step.tool, step.status) for step in reply.steps] == [("sdxl_inpaint", "done")]
    before, asked, painted, answered = planner.seen
    assert before == set()
    assert asked == {LLM}, "the LLM was loaded for the first step"
    assert LLM not in painted, "it was evicted for SDXL"
    assert painted
    assert LLM in answered, "it was loaded again for the answer"
