"""Tests of the placements, with the CPU acting as the GPU."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
import torch

from promptvision.plugin import DoesNotFit, OutOfMemory, Placement, ToolFailed, modules_of, stream
from promptvision.testing import CallContext
from promptvision_sdxl_inpaint.load import TEXT_LOCK
from promptvision_sdxl_inpaint.plugin import BASE, REFINER, VAE
from promptvision_sdxl_inpaint.staged import StagedRunner, private_view

Make = Callable[..., CallContext]


OUT = "While decoding, memory ran out; "


def test_running_out_of_memory_tries_each_level_and_reports_it(context: Make) -> None:
    with context() as held:
        runner = StagedRunner(held, Placement.RESIDENT, gpu="cpu")
        tried: list[Placement] = []

        def work(device: str, vae: Any) -> str:
            tried.append(runner.placement)
            if len(tried) < 6:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
            return "done"

        assert runner.run("decoding", (VAE,), work) == "done"
        resident = [Placement.RESIDENT] * 3
        assert tried == [*resident, Placement.COMPONENT, Placement.GROUP, Placement.SEQUENTIAL]
        assert runner.notes == [
            f"{OUT}tried again with cached memory released.",
            f"{OUT}tried again with unused models evicted.",
            f"{OUT}continued component by component.",
            f"{OUT}continued with weights streamed in groups of layers.",
            f"{OUT}continued layer by layer.",
        ]
        assert held.notes == runner.notes
        runner.run("decoding", (VAE,), work)
        assert tried[-1] is Placement.SEQUENTIAL  # later stages keep the placement


def test_models_that_do_not_fit_report_the_missing_memory(context: Make) -> None:
    with context() as held:
        runner = StagedRunner(held, Placement.SEQUENTIAL, gpu="cpu")

        def work(device: str, vae: Any) -> str:
            if runner.placement is Placement.SEQUENTIAL:
                raise DoesNotFit([VAE], "cuda", 2_000_000_000, 1_000_000_000, "")
            return device

        assert runner.run("decoding", (VAE,), work) == "cpu"
        assert "2.00 GB needed on cuda, 1.00 GB available; continued on the CPU" in runner.notes[0]


def test_the_last_placement_and_other_errors_raise(context: Make) -> None:
    def fail(error: Exception) -> Callable[..., None]:
        def work(device: str, vae: Any) -> None:
            raise error

        return work

    with context() as held:
        with pytest.raises(OutOfMemory, match=r"decoding: more than .* needed on cpu") as caught:
            StagedRunner(held, Placement.CPU).run("decoding", (VAE,), fail(MemoryError()))
        assert caught.value.needed_bytes > 0
        assert caught.value.free_bytes > 0
        assert list(caught.value.peaks) == [
            "on the CPU",
            "tried again with cached memory released",
            "tried again with unused models evicted",
        ]
        with pytest.raises(ToolFailed, match="black"):
            StagedRunner(held, Placement.RESIDENT, gpu="cpu").run(
                "decoding", (VAE,), fail(ToolFailed("black"))
            )


def test_leases_are_released_after_each_stage(context: Make) -> None:
    held = context()
    runner = StagedRunner(held, Placement.RESIDENT, gpu="cpu")
    runner.run("painting", (BASE, VAE), lambda device, base, vae: None)
    loaded = {model.id: model.leases for model in held._pool.loaded()}
    assert loaded == {BASE: 0, VAE: 0}  # still loaded, but evictable


def test_component_by_component_keeps_models_until_others_need_the_memory(context: Make) -> None:
    held = context()
    StagedRunner(held, Placement.COMPONENT, gpu="cpu").run("painting", (BASE, VAE), lambda *_: None)
    assert {model.id: model.leases for model in held._pool.loaded()} == {BASE: 0, VAE: 0}


@pytest.mark.parametrize("placement", [Placement.SEQUENTIAL, Placement.GROUP])
def test_streamed_layers_compute_the_same(models: Any, placement: Placement) -> None:
    unet = models.base.unet
    inputs: dict[str, Any] = {
        "sample": torch.randn(1, unet.config.in_channels, 8, 8),
        "timestep": 500,
        "encoder_hidden_states": torch.randn(1, 77, 64),
        "added_cond_kwargs": {"text_embeds": torch.randn(1, 32), "time_ids": torch.randn(1, 6)},
    }
    with torch.inference_mode():
        wanted = unet(**inputs).sample
        view = private_view(unet)
        with stream([view], "cpu", placement):
            where = next(view.parameters()).device.type
            assert where == ("meta" if placement is Placement.SEQUENTIAL else "cpu")
            streamed = view(**inputs).sample
        assert next(unet.parameters()).device.type == "cpu"
        assert torch.equal(streamed, wanted)
        assert torch.equal(unet(**inputs).sample, wanted)


def test_private_view_shares_weights_without_changing_the_model(models: Any) -> None:
    for model in (models.base, models.first, models.vae):
        view = private_view(model)
        (own,), (shared,) = modules_of(view), modules_of(model)
        assert own is not shared
        pairs = list(zip(own.parameters(), shared.parameters(), strict=True))
        assert all(a.data_ptr() == b.data_ptr() for a, b in pairs)
        with stream([own], "cpu", Placement.SEQUENTIAL):
            assert next(own.parameters()).device.type == "meta"
            assert next(shared.parameters()).device.type == "cpu"


def test_a_text_encoder_is_not_copied_while_it_runs(models: Any) -> None:
    """Its first run installs hooks; a copy with some of them would return other hidden states."""
    with ThreadPoolExecutor(1) as threads:
        with TEXT_LOCK:
            copied = threads.submit(private_view, models.first)
            assert not wait([copied], timeout=0.2).done
        assert copied.result(30).model is not models.first.model


def test_component_by_component_keeps_other_plugins_models(context: Make) -> None:
    held = context()
    with held._pool.lease(REFINER):
        pass
    runner = StagedRunner(held, Placement.COMPONENT, gpu="cpu")
    runner.run("painting", (BASE, VAE), lambda *_: None)
    assert [model.id for model in held._pool.loaded()] == [REFINER, BASE, VAE]


def test_running_out_of_memory_frees_only_the_gpu(context: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    held = context()
    freed: list[Any] = []
    monkeypatch.setattr(held, "free_memory", lambda *models, device: freed.append((models, device)))
    runner = StagedRunner(held, Placement.RESIDENT, gpu="cpu")
    errors: list[Exception] = [RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED")] * 2

    def work(device: str, vae: Any) -> None:
        if errors:
            raise errors.pop()

    runner.run("decoding", (VAE,), work)
    assert freed == [((), "cpu")]
