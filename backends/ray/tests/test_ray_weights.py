"""A tool is made ready on a node: its weights are there or pulled, and its requirements are checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from promptvision.plugin import (
    Busy,
    Cancelled,
    CancelToken,
    ModelPool,
    ModelSpec,
    Operation,
    Requirements,
    Result,
    Settings,
    SetupError,
    Tool,
    WeightFile,
    Worker,
)
from promptvision.testing import TrialArgs, make_worker
from promptvision_ray import weights
from promptvision_ray.weights import prepare_tool

SPEC = ModelSpec(
    id="small",
    source="owner/small",
    revision="0" * 40,
    files=(WeightFile("model.safetensors"),),
    license="MIT",
)
CALL = {"plugin": "p", "tool": "look"}


def worker_of(folder: Path, **requires: Any) -> Worker:
    operation = Operation(name="look", description="Look.", args=TrialArgs, result=Result)
    made = Tool(name="look", operation=operation, run="module:run", requires=Requirements(**requires))
    settings = Settings.from_mapping({"PROMPTVISION_HOME": str(folder), "HF_HUB_OFFLINE": "1"})
    here = make_worker(settings)
    tools = {"look": made.owned_by("p", "1")}
    return Worker(settings, here.images.store, ModelPool({"small": SPEC}, settings), tools)


def prepare(worker: Worker, cancel: CancelToken | None = None) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    prepare_tool(worker, CALL, cancel or CancelToken(), sent.append)
    return sent


def store_weights(worker: Worker) -> None:
    folder = worker.settings.weights_home / "small"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"x")


def test_weights_on_the_node_are_used(tmp_path: Path) -> None:
    worker = worker_of(tmp_path, models=("missing | small",))
    store_weights(worker)
    assert prepare(worker) == []


def test_weights_that_cannot_be_pulled_are_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be pulled: HF_HUB_OFFLINE is set"):
        prepare(worker_of(tmp_path, models=("small",)))


def test_requirement_that_the_node_does_not_meet_is_named(tmp_path: Path) -> None:
    worker = worker_of(tmp_path, binaries={"no-such-program": "apt-get install it"})
    with pytest.raises(SetupError, match=r"p: tool 'look': program 'no-such-program'.* on this node"):
        prepare(worker)


def test_weights_that_another_process_of_the_node_pulls_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, tries = worker_of(tmp_path, models=("small",)), list[str]()

    def pull(spec: ModelSpec, settings: Settings, report: Any) -> None:
        tries.append(spec.id)
        if len(tries) < 3:
            raise Busy("another process is pulling it")
        store_weights(worker)
        report(5, 10, "model.safetensors")

    monkeypatch.setattr(weights, "pull", pull)
    monkeypatch.setattr(weights, "PAUSE_S", 0)
    expected = {"type": "progress", "done": 5, "total": 10, "message": "downloading model.safetensors"}
    assert prepare(worker) == [expected]
    assert tries == ["small"] * 3


def test_download_ends_with_its_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cancel = CancelToken()
    cancel.cancel("cancelled by the user")
    monkeypatch.setattr(weights, "pull", lambda spec, settings, report: report(1, 2, "model.safetensors"))
    with pytest.raises(Cancelled, match="by the user"):
        prepare(worker_of(tmp_path, models=("small",)), cancel)
