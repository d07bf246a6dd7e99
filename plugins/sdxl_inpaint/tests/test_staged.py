"""Tests of the placements, with the CPU acting as the GPU."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
import torch

from promptvision.plugin import DoesNotFit, Placement, ToolFailed
from promptvision.testing import CallContext
from promptvision_sdxl_inpaint import staged as staged_module
from promptvision_sdxl_inpaint.load import TEXT_LOCK
from promptvision_sdxl_inpaint.plugin import BASE, REFINER, SPECS, TEXT_ENCODER, TEXT_ENCODER_2, VAE
from promptvision_sdxl_inpaint.staged import StagedRunner, first_placement, module_of, private_view, stream

Make = Callable[..., CallContext]


def stages() -> list[list[Any]]:
    specs = {spec.id: spec for spec in SPECS}
    return [
        [specs[id_] for id_ in ids] for ids in ((TEXT_ENCODER, TEXT_ENCODER_2), (BASE, VAE), (REFINER, VAE))
    ]


def test_without_a_gpu_the_cpu_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staged_module, "best_device", lambda devices: "cpu")
    assert first_placement(stages()) is Placement.CPU


@pytest.mark.parametrize(
    ("gigabytes", "expected"),
    [
        (24, Placement.RESIDENT),
        (13, Placement.RESIDENT),
        (11, Placement.COMPONENT),
        (6.5, Placement.COMPONENT),
        (4, Placement.SEQUENTIAL),
        (0.3, Placement.CPU),
    ],
)
def test_measured_memory_determines_the_placement(
    gigabytes: float, expected: Placement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staged_module, "best_device", lambda devices: "cuda")
    monkeypatch.setattr(staged_module, "usable_bytes", lambda device: int(gigabytes * 1e9))
    assert first_placement(stages()) is expected


def test_running_out_of_memory_goes_one_lower_and_says_so(context: Make) -> None:
    with context() as held:
        runner = StagedRunner(held, Placement.RESIDENT, gpu="cpu")
        tried: list[Placement] = []

        def work(device: str, vae: Any) -> str:
            tried.append(runner.placement)
            if len(tried) < 3:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
            return "done"

        assert runner.run("decoding", (VAE,), work) == "done"
        assert tried == [Placement.RESIDENT, Placement.COMPONENT, Placement.SEQUENTIAL]
        assert runner.notes == [
            "While decoding, the GPU's memory ran out; continued component by component.",
            "While decoding, the GPU's memory ran out; continued layer by layer.",
        ]
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
        with pytest.raises(MemoryError):
            StagedRunner(held, Placement.CPU).run("decoding", (VAE,), fail(MemoryError()))
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


def test_component_by_component_drops_other_models(context: Make) -> None:
    held = context()
    StagedRunner(held, Placement.COMPONENT, gpu="cpu").run("painting", (BASE, VAE), lambda *_: None)
    assert held._pool.loaded() == []


def test_streamed_layers_compute_the_same_and_return_to_the_cpu(models: Any) -> None:
    unet = models.base.unet
    inputs: dict[str, Any] = {
        "sample": torch.randn(1, unet.config.in_channels, 8, 8),
        "timestep": 500,
        "encoder_hidden_states": torch.randn(1, 77, 64),
        "added_cond_kwargs": {"text_embeds": torch.randn(1, 32), "time_ids": torch.randn(1, 6)},
    }
    with torch.inference_mode():
        wanted = unet(**inputs).sample
        with stream([unet], "cpu"):
            assert next(unet.parameters()).device.type == "meta"
            streamed = unet(**inputs).sample
        assert next(unet.parameters()).device.type == "cpu"
        assert torch.equal(streamed, wanted)
        assert torch.equal(unet(**inputs).sample, wanted)


def test_the_memory_setting_counts_when_the_placement_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staged_module, "best_device", lambda devices: "cuda")
    monkeypatch.setattr(staged_module, "usable_bytes", lambda device: int(80e9))
    assert first_placement(stages(), int(12e9)) is Placement.RESIDENT
    assert first_placement(stages(), int(8e9)) is Placement.COMPONENT


def test_private_view_shares_weights_without_changing_the_model(models: Any) -> None:
    for model in (models.base, models.first, models.vae):
        view = private_view(model)
        own, shared = module_of(view), module_of(model)
        assert own is not shared
        assert all(a is b for a, b in zip(own.parameters(), shared.parameters(), strict=True))
        with stream([own], "cpu"):
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
    runner.run("painting", (BASE, VAE), lambda *_: None, keep=(VAE,))
    assert [model.id for model in held._pool.loaded()] == [REFINER, VAE]


@pytest.mark.parametrize(("gigabytes", "reserved"), [(24, 4_600_000_000), (3, 0)])
def test_a_stage_reserves_the_peak_that_the_gpu_can_have(
    context: Make, monkeypatch: pytest.MonkeyPatch, gigabytes: float, reserved: int
) -> None:
    monkeypatch.setattr(staged_module, "usable_bytes", lambda device: int(gigabytes * 1e9))
    held = context()
    asked: list[Any] = []
    lease = held.lease

    def note(*models: str, peak_bytes: int | None, **options: Any) -> Any:
        asked.append(peak_bytes)
        return lease(*models, peak_bytes=0, **options)

    monkeypatch.setattr(held, "lease", note)
    runner = StagedRunner(held, Placement.RESIDENT, gpu="cpu")
    runner.run("decoding", (VAE,), lambda *_: None, peak_bytes=lambda dtype: 4_600_000_000)
    assert asked == [reserved]


def test_running_out_of_memory_frees_only_the_gpu(context: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    held = context()
    freed: list[Any] = []
    monkeypatch.setattr(held, "free_memory", lambda *models, device: freed.append((models, device)))
    runner = StagedRunner(held, Placement.RESIDENT, gpu="cpu")
    errors: list[Exception] = [RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED")]

    def work(device: str, vae: Any) -> None:
        if errors:
            raise errors.pop()

    runner.run("decoding", (VAE,), work, keep=(VAE,))
    assert freed == [((), "cpu")]
