"""Tests of the tool, called as by the agent."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations_with_replacement
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from promptvision import Agent, Settings
from promptvision.plugin import ArgumentsError, Cancelled, Placement, SetupError, StopTurn
from promptvision.testing import (
    BOXES,
    CallContext,
    CancelToken,
    MaskedEditContract,
    make_agent,
    make_tools,
    rectangles,
    run_tool,
)
from promptvision_sdxl_inpaint import paint, text
from promptvision_sdxl_inpaint.paint import NEGATIVE_PROMPT, REMOVAL_PROMPT, prompts
from promptvision_sdxl_inpaint.plugin import BASE, INPAINT, SPECS, VAE, SdxlArgs
from promptvision_sdxl_inpaint.staged import StagedRunner

Make = Callable[..., CallContext]
Mask = NDArray[np.bool_]
STEPS = 6


def paint_in(context: CallContext, image: Image.Image, mask: Mask, **args: Any) -> tuple[Any, Image.Image]:
    ref = context.save_mask(Image.fromarray(mask).convert("L"))
    given = {"prompt": "an orange cat", "seed": 3, "steps": STEPS, **args}
    result = run_tool(INPAINT, image, context=context, mask_url=ref, **given)
    return result, context.open(result.inpainted_image_url)


class TestEdits(MaskedEditContract):
    tool = INPAINT
    values = {"prompt": "an orange cat", "seed": 3, "steps": STEPS}

    @pytest.fixture(autouse=True)
    def _keep(self, context: Make) -> None:
        self.make = context

    def edit_context(self, image: Image.Image) -> CallContext:
        return self.make(channels=9 if image.mode == "RGB" else 4)


@pytest.fixture
def scene(noise_image: Callable[..., Image.Image]) -> tuple[Image.Image, Mask]:
    """An image and a mask for tests that do not depend on them."""
    return noise_image((90, 70)), rectangles((90, 70), (20, 15, 60, 50))


def test_same_seed_same_image(context: Make, scene: tuple[Image.Image, Mask]) -> None:
    first = paint_in(context(), *scene, seed=1)[0].inpainted_image_url
    assert paint_in(context(), *scene, seed=1)[0].inpainted_image_url == first
    assert paint_in(context(), *scene, seed=2)[0].inpainted_image_url != first
    assert paint_in(context(seed=1), *scene, seed=None)[0].inpainted_image_url == first


def test_calls_in_parallel_do_not_interfere(context: Make, scene: tuple[Image.Image, Mask]) -> None:
    held = context()
    wanted = {seed: paint_in(held, *scene, seed=seed)[0].inpainted_image_url for seed in (1, 2)}
    found: dict[int, Any] = {}
    pool = held._pool

    def work(seed: int) -> None:
        own = CallContext(images=held._images, pool=pool, settings=held.settings)
        found[seed] = paint_in(own, *scene, seed=seed)[0].inpainted_image_url

    threads = [threading.Thread(target=work, args=(seed,)) for seed in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == wanted


def test_arguments_reach_the_model(context: Make, scene: tuple[Image.Image, Mask]) -> None:
    held = context()
    plain = paint_in(held, *scene)[0].inpainted_image_url
    for change in (
        {"prompt": "a blue dog"},
        {"negative_prompt": "stripes"},
        {"guidance": 3.0},
        {"strength": 0.6},
        {"steps": 8},
        {"refiner": False},
        {"refiner_steps": 12},
    ):
        assert paint_in(held, *scene, **change)[0].inpainted_image_url != plain, change


def test_progress_counts_the_steps_of_both_stages(context: Make, scene: tuple[Image.Image, Mask]) -> None:
    seen: list[tuple[float, float, str]] = []
    paint_in(context(on_progress=lambda *step: seen.append(step)), *scene, steps=10)
    steps = [step for step in seen if step[2] in ("painting", "refining")]
    assert [done for done, _, _ in steps] == list(range(1, 10))
    assert {total for _, total, _ in steps} == {9}
    assert [message for *_, message in steps] == ["painting"] * 7 + ["refining"] * 2


@pytest.mark.parametrize("at", [2, 8])
def test_a_cancelled_run_stops_at_the_next_step_and_decodes_nothing(
    context: Make, scene: tuple[Image.Image, Mask], at: int
) -> None:
    token = CancelToken()
    seen: list[float] = []

    def stop(done: float, total: float, message: str) -> None:
        seen.append(done)
        if done == at:
            token.cancel()

    held = context(cancel=token, on_progress=stop)
    decoded: list[int] = []
    with held._pool.lease(VAE) as (vae,):
        vae.decoder.register_forward_hook(lambda *_: decoded.append(1))
        with pytest.raises(Cancelled):
            paint_in(held, *scene, steps=10)
    assert max(seen) == at
    assert decoded == []
    assert not [saved for saved in held.saved if saved.kind == "edit"]


def test_empty_mask_is_an_error(context: Make, scene: tuple[Image.Image, Mask]) -> None:
    with pytest.raises(ArgumentsError, match="the mask is empty"):
        paint_in(context(), scene[0], np.zeros((70, 90), bool))


def test_mask_of_another_size_is_an_error(context: Make, scene: tuple[Image.Image, Mask]) -> None:
    with pytest.raises(ArgumentsError, match="90 x 30 pixels and the image 90 x 70"):
        paint_in(context(), scene[0], np.ones((30, 90), bool))


@pytest.fixture(scope="module")
def boxed(folders: Any, tiny_sdxl: ModuleType) -> Agent:
    """An agent that makes a mask of the given boxes and paints in it."""
    (mask_of_boxes,) = (tool for tool in make_tools() if tool.operation.name == "segment_objects")
    values = tiny_sdxl.variables(folders.bases[9], folders.refiner)
    settings = Settings.from_mapping(
        {**values, "PROMPTVISION_SDXL_PIXELS": "4096", "PROMPTVISION_CACHE_DISK": "0"}
    )
    return make_agent([mask_of_boxes, INPAINT], models=SPECS, settings=settings)


@pytest.mark.parametrize("spelling", BOXES)
def test_box_in_every_spelling_is_what_is_painted(
    boxed: Agent, noise_image: Callable[..., Image.Image], spelling: str
) -> None:
    image, case = noise_image((640, 360)), BOXES[spelling]

    async def paint() -> tuple[str, Image.Image]:
        boxes = {"image_url": image, "bounding_boxes": case.written}
        cut = await boxed.call_tool("segment_objects", boxes)
        mask, how = (
            boxed.open(cut.fields["merged_mask_url"]),
            {"prompt": "a cat", "steps": 2, "refiner": False},
        )
        painted = await boxed.call_tool("inpaint_image", {"image_url": image, "mask_url": mask, **how})
        return cut.text_response, boxed.open(painted.fields["inpainted_image_url"])

    text, after = asyncio.run(paint())
    assert case.note in text
    changed = (np.asarray(after) != np.asarray(image)).any(axis=2)
    assert changed[141:239, 241:339].mean() > 0.9
    changed[139:241, 239:341] = False
    assert not changed.any()


def test_too_few_steps_are_an_error(context: Make, scene: tuple[Image.Image, Mask]) -> None:
    with pytest.raises(ArgumentsError, match=r"1 at strength 0\.5 leave no step"):
        paint_in(context(), *scene, steps=1, strength=0.5)


def test_too_few_steps_are_an_error_before_any_model_is_loaded(
    context: Make, scene: tuple[Image.Image, Mask]
) -> None:
    held = context()
    with pytest.raises(ArgumentsError, match="leave no step"):
        paint_in(held, *scene, steps=1)
    assert held._pool.loaded() == []


def test_words_that_the_model_does_not_read_are_named(context: Make, scene: tuple[Image.Image, Mask]) -> None:
    held = context()
    long, _ = paint_in(held, *scene, prompt="orange " * 20 + "cat")
    other, _ = paint_in(held, *scene, prompt="orange " * 20 + "dog")
    assert "SDXL reads only the start of a long prompt; not read: '" in long.message
    assert "cat'." in long.message
    assert long.inpainted_image_url == other.inpainted_image_url
    assert "long negative_prompt" in paint_in(held, *scene, negative_prompt="dog " * 40)[0].message
    assert paint_in(held, *scene)[0].message is None


def test_distant_regions_are_painted_in_separate_windows(
    context: Make, noise_image: Callable[..., Image.Image]
) -> None:
    image = noise_image((1400, 600))
    mask = rectangles((1400, 600), (20, 20, 60, 60), (1300, 500, 1340, 540))
    seen: list[tuple[float, float, str]] = []
    _, painted = paint_in(context(on_progress=lambda *step: seen.append(step)), image, mask, steps=10)
    steps = [done for done, _, what in seen if what in ("painting", "refining")]
    assert steps == list(range(1, 19))  # twice the 9 steps of one window
    changed = (np.asarray(painted) != np.asarray(image)).any(axis=-1)
    assert not changed[~mask].any()
    assert changed[20:60, 20:60].mean() > 0.9
    assert changed[500:540, 1300:1340].mean() > 0.9


@pytest.mark.parametrize("size", [(2000, 1), (1, 900)])
def test_extreme_aspects_are_painted(
    context: Make, noise_image: Callable[..., Image.Image], size: tuple[int, int]
) -> None:
    mask = rectangles(size, (0, 0, *size))
    _, painted = paint_in(context(), noise_image(size), mask)
    assert painted.size == size


def test_xformers_is_used_only_with_the_setting(
    context: Make, scene: tuple[Image.Image, Mask], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(paint, "use_xformers", asked.append)
    for variables in ({}, {"PROMPTVISION_SDXL_XFORMERS": "1"}):
        held = context(variables=variables)
        painting = paint._Painting(SdxlArgs.model_validate(REFS), held, [])
        painting._choose_attention("cpu", held.lease(BASE))
        painting._choose_attention("cuda", held.lease(BASE))
    assert len(asked) == 1


def test_base_runs_all_steps_if_too_few_for_two_stages(
    context: Make, scene: tuple[Image.Image, Mask]
) -> None:
    result, _ = paint_in(context(), *scene, steps=2)
    assert "too few steps for both stages" in result.message
    assert paint_in(context(), *scene, steps=2, refiner=False)[0].message is None


def test_without_the_refiner_weights_the_base_paints_alone(
    context: Make, scene: tuple[Image.Image, Mask], tmp_path: Any
) -> None:
    held = context(variables={"PROMPTVISION_MODEL_SDXL_REFINER": ""}, home=tmp_path)
    result, _ = paint_in(held, *scene)
    assert "without the refiner" in result.message
    assert "promptvision models pull sdxl-refiner" in result.message
    alone, _ = paint_in(context(), *scene, refiner=False)
    assert result.inpainted_image_url == alone.inpainted_image_url


STAGES = ["embed_prompts", "encode", "denoise", "decode"]


@pytest.mark.parametrize(
    ("stage", "failures"), [("embed_prompts", 1), ("encode", 4), ("denoise", 4), ("refine", 2), ("decode", 4)]
)
def test_running_out_of_memory_in_any_stage_is_reported_and_keeps_the_result(
    context: Make,
    scene: tuple[Image.Image, Mask],
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
    failures: int,
) -> None:
    """The CPU acts as the GPU. Each failure is one level; finished stages do not run again."""
    monkeypatch.setattr("promptvision.tools.stages.release_cached", lambda: None)  # collects all garbage
    monkeypatch.setattr("promptvision.models.devices.release_cached", lambda: None)
    wanted, _ = paint_in(context(), *scene)
    calls: Counter[str] = Counter()
    left = [failures]

    def counted(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, name: str = name, **options: Any) -> Any:
            name = "refine" if options.get("taken_over") is not None else name
            calls[name] += 1
            if name == stage and left[0] and not options.get("tiled"):
                left[0] -= 1
                raise torch.OutOfMemoryError("CUDA out of memory")
            options.pop("tiled", None)  # tiny images have one tile
            return original(*args, **options)

        return call

    held = context()
    monkeypatch.setattr(CallContext, "choose_placement", lambda self, plans: Placement.RESIDENT)
    monkeypatch.setattr(
        paint, "StagedRunner", lambda held, placement: StagedRunner(held, placement, gpu="cpu")
    )
    for name in STAGES:
        place: Any = text if name == "embed_prompts" else paint
        monkeypatch.setattr(place, name, counted(name, getattr(place, name)))
    result, _ = paint_in(held, *scene)
    assert result.inpainted_image_url == wanted.inpainted_image_url
    levels = ["tried again with cached memory released", "tried again with unused models evicted"]
    if stage in ("encode", "decode"):
        levels.append("continued in tiles")
    else:
        levels += ["continued component by component", "continued with weights streamed in groups of layers"]
    levels = levels[:failures]
    assert [level for level in levels if level in result.message] == levels
    assert result.message.count("memory ran out") == len(levels) == len(held.notes)
    once = {"embed_prompts": 2, "encode": 2, "denoise": 1, "refine": 1, "decode": 1}
    assert calls == {**once, stage: once[stage] + len(levels)}


PAIRS = [
    pair
    for pair in combinations_with_replacement(Placement, 2)
    if Placement.GROUP not in pair
    or pair
    in (
        (Placement.GROUP, Placement.GROUP),
        (Placement.GROUP, Placement.SEQUENTIAL),
    )
]


@pytest.mark.parametrize("pair", PAIRS, ids=[f"{a.name}-{b.name}".lower() for a, b in PAIRS])
def test_overlapping_calls_in_every_pair_of_placements_paint_the_same(
    context: Make,
    scene: tuple[Image.Image, Mask],
    monkeypatch: pytest.MonkeyPatch,
    pair: tuple[Placement, Placement],
) -> None:
    """The CPU acts as the GPU, so that all placements share the loaded models. The pool works afterwards."""
    held = context()
    wanted = [paint_in(held, *scene, seed=seed)[0].inpainted_image_url for seed in (1, 2)]
    monkeypatch.setattr(paint, "StagedRunner", lambda held, at: StagedRunner(held, at, gpu="cpu"))
    by_thread: dict[int, Placement] = {}
    monkeypatch.setattr(CallContext, "choose_placement", lambda self, plans: by_thread[threading.get_ident()])
    together = threading.Barrier(2)

    def work(seed: int) -> Any:
        by_thread[threading.get_ident()] = pair[seed - 1]
        own = CallContext(images=held._images, pool=held._pool, settings=held.settings)
        together.wait(30)
        return paint_in(own, *scene, seed=seed)[0].inpainted_image_url

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(work, (1, 2))) == wanted
    monkeypatch.undo()
    assert paint_in(held, *scene, seed=1)[0].inpainted_image_url == wanted[0]
    assert all(model.leases == 0 for model in held._pool.loaded())


@pytest.mark.parametrize("placement", [Placement.COMPONENT, Placement.GROUP, Placement.SEQUENTIAL])
def test_every_placement_paints_the_same(
    context: Make, scene: tuple[Image.Image, Mask], monkeypatch: pytest.MonkeyPatch, placement: Placement
) -> None:
    wanted, _ = paint_in(context(), *scene)
    monkeypatch.setattr(paint, "StagedRunner", lambda held, _: StagedRunner(held, placement, gpu="cpu"))
    result, _ = paint_in(context(), *scene)
    assert result.inpainted_image_url == wanted.inpainted_image_url


def refuse_cats(image: Image.Image, prompt: str) -> str | None:
    """A content check for the tests below."""
    assert image.size == (90, 70)
    return "no cats here" if "cat" in prompt else None


def test_content_check_can_reject(
    context: Make, scene: tuple[Image.Image, Mask], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys
    from types import ModuleType

    module = ModuleType("content_rules")
    module.check = refuse_cats  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "content_rules", module)
    held = context(variables={"PROMPTVISION_SDXL_CONTENT_CHECK": "content_rules:check"})
    with pytest.raises(StopTurn, match="no cats here"):
        paint_in(held, *scene)
    assert not [saved for saved in held.saved if saved.kind == "edit"]
    assert paint_in(held, *scene, prompt="a dog")[0].success


@pytest.mark.parametrize(
    "variables",
    [
        {"PROMPTVISION_SDXL_CONTENT_CHECK": "no_such_module:check"},
        {"PROMPTVISION_SDXL_CONTENT_CHECK": "json:no_such_function"},
        {"PROMPTVISION_SDXL_PIXELS": "a lot"},
        {"PROMPTVISION_SDXL_PIXELS": "12"},
    ],
)
def test_invalid_settings_are_named(
    context: Make, scene: tuple[Image.Image, Mask], variables: dict[str, str]
) -> None:
    with pytest.raises(SetupError, match=next(iter(variables))):
        paint_in(context(variables=variables), *scene)


REFS = {"image_url": "0" * 64, "mask_url": "1" * 64}


def test_default_negative_prompt_and_the_callers_own() -> None:
    assert prompts(SdxlArgs.model_validate({**REFS, "prompt": "cat"})) == ("cat", NEGATIVE_PROMPT)
    own = SdxlArgs.model_validate({**REFS, "prompt": "cat", "negative_prompt": ""})
    assert prompts(own) == ("cat", "")


def test_empty_prompt_paints_background_without_the_target() -> None:
    args = SdxlArgs.model_validate({**REFS, "target": "lion"})
    assert prompts(args) == (REMOVAL_PROMPT, f"lion, {NEGATIVE_PROMPT}")
    nameless, negative = prompts(SdxlArgs.model_validate(REFS))
    assert nameless == REMOVAL_PROMPT
    assert negative.endswith(NEGATIVE_PROMPT)
