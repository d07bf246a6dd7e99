"""What a profile downloads, derived from tools and tiers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from promptvision.models.machine import Machine
from promptvision.models.profiles import Profile
from promptvision.models.spec import ModelSpec, Tier, WeightFile
from promptvision.plugins.registry import Registry
from promptvision.plugins.setup_plan import SetupPlan, make_plan, ready_commands
from promptvision.settings import Settings
from promptvision.testing.agents import make_registry
from promptvision.tools import operations
from promptvision.tools.requirements import Requirements
from promptvision.tools.tool import Operation, Tool

LAPTOP = Machine(memory_bytes=8_000, gpu_bytes=0, disk_bytes=10**12)


def spec(id_: str, size: int, tier: Tier, **changes: str) -> ModelSpec:
    return ModelSpec(
        id=id_,
        source="a/b",
        revision="0",
        files=(WeightFile("weights", size=size),),
        license=changes.get("license", "MIT"),
        weight_bytes={"float32": size},
        tier=tier,
    )


def tool(name: str, operation: Operation, *models: str, **requires: dict[str, str]) -> Tool:
    needed = Requirements(models=models, **requires)  # type: ignore[arg-type]
    return Tool(name=name, operation=operation, run="nowhere:run", requires=needed)


FIND = tool("find", operations.DETECT, "large | small")
CUT = tool("cut", operations.SEGMENT, "cutter")
PAINT = tool("paint", operations.INPAINT, "painter", "small")
MODELS = [
    spec("large", 5_000, "full"),
    spec("small", 500, "light"),
    spec("cutter", 50, "light"),
    spec("painter", 7_000, "light", license="RAIL"),
    spec("refiner", 5, "full"),
    spec("extra", 5, ""),
]


def registry(home: Path, tools: Sequence[Tool] = (FIND, CUT, PAINT), **variables: str) -> Registry:
    settings = Settings.from_mapping({"PROMPTVISION_HOME": str(home), **variables})
    return make_registry(tools, MODELS, settings)


def plan(home: Path, profile: Profile = "light", machine: Machine = LAPTOP, **variables: str) -> SetupPlan:
    return make_plan(registry(home, (FIND, CUT, PAINT), **variables), profile, machine)


def ids(made: SetupPlan) -> set[str]:
    return {model.spec.id for model in made.models}


def test_light_takes_the_light_alternative(tmp_path: Path) -> None:
    made = plan(tmp_path)
    assert ids(made) == {"small", "cutter", "painter"}
    assert made.bytes == 7_550
    (small,) = [model for model in made.models if model.spec.id == "small"]
    assert set(small.operations) == {"detect_objects", "inpaint_image"}


def test_full_takes_the_best_and_what_no_tool_requires(tmp_path: Path) -> None:
    assert ids(plan(tmp_path, "full")) == {"large", "small", "cutter", "painter", "refiner"}


def test_a_smaller_one_is_taken_if_the_best_does_not_fit(tmp_path: Path) -> None:
    machine = Machine(memory_bytes=4_000, gpu_bytes=0, disk_bytes=0)
    made = plan(tmp_path, "full", machine)
    assert ids(made) == {"small", "cutter", "refiner"}
    assert [(one.tool, one.reason) for one in made.skipped] == [("paint", "needs 0.00 GB of memory")]


def test_a_better_one_that_is_here_is_kept(tmp_path: Path) -> None:
    (tmp_path / "weights" / "large").mkdir(parents=True)
    (tmp_path / "weights" / "large" / "weights").write_bytes(b"w")
    made = plan(tmp_path)
    assert "large" in ids(made)
    assert [model.spec.id for model in made.models if model.is_here] == ["large"]


def test_a_setting_chooses_the_model(tmp_path: Path) -> None:
    chosen = Tool(
        name="find",
        operation=operations.DETECT,
        run="nowhere:run",
        requires=Requirements(models=("large | small",), chosen_by={"large": "PROMPTVISION_FINDER"}),
    )
    made = make_plan(registry(tmp_path, [chosen], PROMPTVISION_FINDER="cutter"), "light", LAPTOP)
    assert "cutter" in ids(made)
    assert not ids(made) & {"large", "small"}


def test_a_tool_with_another_missing_requirement_is_left_out_with_the_fix(tmp_path: Path) -> None:
    odd = tool("odd", operations.CAPTION, "small", binaries={"no-such-program": "apt install it"})
    made = make_plan(registry(tmp_path, [odd]), "light", LAPTOP)
    assert ids(made) == set()
    assert made.skipped[0].reason == "program 'no-such-program' is not on the PATH: apt install it"


def test_a_model_without_a_tier_is_not_part_of_a_profile(tmp_path: Path) -> None:
    odd = tool("odd", operations.CAPTION, "extra")
    made = make_plan(registry(tmp_path, [odd]), "full", LAPTOP)
    assert ids(made) == set()
    assert made.skipped[0].reason == "its models are not part of this profile"


def test_a_model_that_a_setting_replaces_has_no_known_size(tmp_path: Path) -> None:
    machine = Machine(memory_bytes=4_000, gpu_bytes=0, disk_bytes=0)
    made = plan(tmp_path, machine=machine, PROMPTVISION_MODEL_PAINTER="me/mine")
    (painter,) = [model for model in made.models if model.spec.id == "painter"]
    assert (painter.bytes, painter.is_here) == (0, False)


def test_refusing_a_licence_removes_the_tools_that_need_the_model(tmp_path: Path) -> None:
    made = plan(tmp_path)
    restricted = [model for model in made.models if model.is_restrictive]
    assert [model.spec.id for model in restricted] == ["painter"]
    rest = made.without(restricted)
    assert ids(rest) == {"small", "cutter"}
    assert [one.name for one in rest.tools] == ["find", "cut"]
    assert rest.skipped[-1].reason == "a licence was not accepted"
    assert ids(made.without(list(made.models))) == set()


def test_commands_to_try_fit_the_tools(tmp_path: Path) -> None:
    commands = ready_commands(plan(tmp_path).tools, "cat.jpg")
    assert commands[0] == 'promptvision run cat.jpg "change the cat to a dog"'
    assert len(commands) == len(set(commands)) == 3
    assert len(ready_commands((), "cat.jpg")) == 3
