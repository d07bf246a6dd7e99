"""Groups of tools and the resources of their actors, without a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from promptvision.plugin import Gpu, ModelSpec, Operation, Requirements, Result, Settings, Tool
from promptvision.testing import TrialArgs
from promptvision_ray.groups import GPU_GIB, Accelerators, ModelGroup, group_tools

GB = 10**9
GPUS = Accelerators(count=2, bytes_each=20 * GB)


def tool(name: str, *models: str, **requires: Any) -> Tool:
    operation = Operation(name=name, description="Try it.", args=TrialArgs, result=Result)
    needs = Requirements(models=models, **{"gpu": Gpu.PREFERRED if models else Gpu.NONE, **requires})
    return Tool(name=name, operation=operation, run="module:run", requires=needs).owned_by("p", "1")


def spec(id_: str, weights: int, peak: int = 0) -> ModelSpec:
    return ModelSpec(
        id=id_,
        source="a/b",
        revision="1",
        files=(),
        license="MIT",
        weight_bytes={"float16": weights, "float32": 2 * weights},
        peak_bytes={"float16": peak},
        dtypes={"cuda": ("float16",), "cpu": ("float32",)},
    )


SPECS = {each.id: each for each in (spec("a", 4 * GB, GB), spec("b", 2 * GB), spec("c", 30 * GB))}


def groups(*tools: Tool, gpus: Accelerators = GPUS) -> dict[str, ModelGroup]:
    found = group_tools(tools, SPECS, Settings(), gpus)
    return {name.removeprefix("p:"): group for name, group in found.items()}


def test_tools_that_share_a_model_share_actors_and_others_do_not() -> None:
    found = groups(
        tool("one", "a"), tool("two", "b"), tool("both", "a | b"), tool("other", "c"), tool("cpu1")
    )
    assert found["one"] is found["two"] is found["both"]
    assert (found["one"].name, found["other"].name, found["cpu1"].name) == ("a+b", "c", "cpu")
    assert groups(tool("cpu1"), tool("cpu2"))["cpu2"].demand == {"CPU": 1}
    apart = groups(tool("one", "a"), tool("two", "b"))
    assert apart["one"] != apart["two"]


def test_share_of_a_gpu_is_that_of_weights_and_working_memory() -> None:
    found = groups(tool("one", "a"), tool("pair", "b"), tool("large", "c"))
    assert found["one"].options == {"num_cpus": 1, "num_gpus": 0.25}
    assert found["pair"].options["num_gpus"] == 0.1
    assert found["large"].options["num_gpus"] == 1.0
    assert groups(tool("both", "a", "b"))["both"].options["num_gpus"] == 0.35
    assert groups(tool("needs", "b", gpu_bytes=10 * GB))["needs"].options["num_gpus"] == 0.5


def test_memory_of_accelerators_is_a_custom_resource() -> None:
    gpus = Accelerators.of([{"CPU": 8, "GPU": 2, GPU_GIB: 48}, {"GPU": 1, GPU_GIB: 80}, {"CPU": 4}], 24 * GB)
    assert (gpus.count, gpus.bytes_each, gpus.declares_memory) == (3, 24 * 2**30, True)
    assert groups(tool("large", "c"), gpus=gpus)["large"].options["resources"] == {GPU_GIB: 28.0}
    undeclared = Accelerators.of([{"GPU": 1}], 24 * GB)
    assert (undeclared.bytes_each, undeclared.declares_memory) == (24 * GB, False)


@pytest.mark.parametrize(("gpu", "expected"), [(Gpu.PREFERRED, 0), (Gpu.REQUIRED, 0.25), (Gpu.NONE, 0)])
def test_cluster_without_gpus_runs_what_does_not_require_one(gpu: Gpu, expected: float) -> None:
    found = groups(tool("one", "a", gpu=gpu), gpus=Accelerators(bytes_each=20 * GB))["one"]
    assert found.num_gpus == expected
    if not expected:
        assert found.options == {"num_cpus": 1, "num_gpus": 0, "memory": 9 * GB}


def test_gpu_tool_without_a_declared_model_has_a_gpu_of_its_own() -> None:
    found = groups(tool("raw", gpu=Gpu.REQUIRED), tool("cpu1"))
    assert (found["raw"].num_gpus, found["raw"].name, found["cpu1"].name) == (1.0, "p:raw", "cpu")
