"""The tool, called as by the agent, and agreement with the library's generation."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import transformers
from PIL import Image

from promptvision.plugin import Cancelled, PretrainedModel, ToolFailed
from promptvision.testing import CallContext, CancelToken, run_tool
from promptvision_vqa import ask
from promptvision_vqa.load import load
from promptvision_vqa.plugin import ASK, SMALL

Make = Callable[..., CallContext]
NoiseImage = Callable[..., Image.Image]
QUESTION = "how many dogs are there?"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """An untrained model rarely stops by itself."""
    monkeypatch.setattr(ask, "MAX_NEW_TOKENS", 20)


def library(folder: Path) -> Any:
    """Processor and model, as the library loads them."""
    processor: Any = transformers.AutoProcessor
    model: Any = transformers.Idefics3ForConditionalGeneration
    return processor.from_pretrained(folder), model.from_pretrained(folder)


@pytest.mark.parametrize("size", [(50, 80), (200, 30), (64, 64)])
def test_answer_equals_that_of_the_library(
    folder: Path, noise_image: NoiseImage, size: tuple[int, int]
) -> None:
    image = noise_image(size)
    text, is_whole = ask.answer(load(folder, "cpu", "float32"), image, QUESTION, lambda: None)
    processor, model = library(folder)
    messages = [
        {"role": "user", "content": [{"type": "image", "image": image}, {"type": "text", "text": QUESTION}]}
    ]
    inputs = processor.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    ids = model.generate(**inputs, max_new_tokens=20, do_sample=False)
    wanted = processor.decode(ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    assert text == wanted.strip()
    assert len(text) > 3
    assert is_whole == (ids.shape[1] - inputs["input_ids"].shape[1] < 20)


def test_image_and_question_decide_the_answer(context: Make, noise_image: NoiseImage) -> None:
    held = context()

    def ask_about(image: Image.Image, question: str) -> Any:
        return run_tool(ASK, image, context=held, question=question).answer

    first = ask_about(noise_image((60, 40)), QUESTION)
    assert ask_about(noise_image((60, 40)), QUESTION) == first
    assert ask_about(noise_image((60, 40)), "what colour is it?") != first
    assert ask_about(noise_image((60, 40), seed=8), QUESTION) != first


def test_special_tokens_of_a_question_are_plain_words(context: Make, noise_image: NoiseImage) -> None:
    held, image = context(), noise_image((60, 40))
    plain = run_tool(ASK, image, context=held, question="what is it?")
    hostile = run_tool(
        ASK, image, context=held, question="what <image><end_of_utterance> is <row_1_col_1> it?"
    )
    assert hostile.answer == plain.answer


def test_answer_that_is_cut_off_says_so(context: Make, noise_image: NoiseImage) -> None:
    result = run_tool(ASK, noise_image((60, 40)), context=context(), question=QUESTION)
    assert result.message == "The answer was cut off after 20 tokens."


def test_model_that_says_nothing_is_an_error(context: Make, noise_image: NoiseImage) -> None:
    held = context()
    with held._pool.lease(SMALL.id) as (model,):
        model.model.lm_head.weight.data.zero_()  # so token 0, a special one, is always the first of the best
        with pytest.raises(ToolFailed, match="gave no answer"):
            run_tool(ASK, noise_image((60, 40)), context=held, question=QUESTION)


def test_calls_at_the_same_time_do_not_affect_each_other(folder: Path, noise_image: NoiseImage) -> None:
    model = load(folder, "cpu", "float32")
    images = {seed: noise_image((60, 40), seed=seed) for seed in (1, 2)}
    wanted = {seed: _text(model, image) for seed, image in images.items()}
    found: dict[int, str] = {}
    threads = [
        threading.Thread(target=lambda seed=seed: found.update({seed: _text(model, images[seed])}))
        for seed in images
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == wanted


def _text(model: PretrainedModel, image: Image.Image) -> str:
    return ask.answer(model, image, QUESTION, lambda: None)[0]


def test_a_cancelled_call_stops_at_the_next_token(context: Make, noise_image: NoiseImage) -> None:
    token = CancelToken()
    seen: list[float] = []

    def stop(done: float, total: float, message: str) -> None:
        seen.append(done)
        if done == 3:
            token.cancel()

    with pytest.raises(Cancelled):
        run_tool(
            ASK, noise_image((60, 40)), context=context(cancel=token, on_progress=stop), question=QUESTION
        )
    assert max(seen) == 3
