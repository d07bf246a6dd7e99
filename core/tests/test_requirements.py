"""What a tool needs, checked without importing anything."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from promptvision.tools import requirements
from promptvision.tools.requirements import Gpu, Missing, Requirements, missing_requirements


def missing(
    requires: Requirements, variables: dict[str, str] | None = None, models: tuple[str, ...] = ()
) -> list[str]:
    found = missing_requirements(
        requires,
        has_model=lambda name: None if name in models else Missing(f"model {name!r}", f"pull {name}"),
        setting=(variables or {}).get,
    )
    return [f"{one.what}: {one.fix}" for one in found]


def test_nothing_needed_is_nothing_missing() -> None:
    assert missing(Requirements()) == []


def test_modules_are_looked_for_and_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "heavy_module.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    assert missing(Requirements(modules={"heavy_module": "pip install heavy"})) == []
    assert "heavy_module" not in sys.modules
    assert missing(Requirements(modules={"no_such_module": "pip install it"})) == [
        "Python module 'no_such_module' is not installed: pip install it"
    ]


def test_module_inside_a_missing_package_is_missing() -> None:
    assert len(missing(Requirements(modules={"no_such.part": "pip install it"}))) == 1


def test_module_without_a_spec_counts_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "half_made", type(sys)("half_made"))
    assert len(missing(Requirements(modules={"half_made": "pip install it"}))) == 1


def test_programs_are_looked_for_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "tesserocr"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    requires = Requirements(binaries={"tesserocr": "apt install tesserocr"})
    assert missing(requires) == ["program 'tesserocr' is not on the PATH: apt install tesserocr"]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert missing(requires) == []


def test_settings_must_be_set() -> None:
    requires = Requirements(settings={"API_URL": "where the service is"})
    assert missing(requires) == ["API_URL is not set: set API_URL (where the service is)"]
    assert missing(requires, {"API_URL": "http://x"}) == []


@pytest.mark.parametrize(
    ("gpu", "is_there", "count"),
    [
        (Gpu.NONE, False, 0),
        (Gpu.PREFERRED, False, 0),
        (Gpu.REQUIRED, True, 0),
        (Gpu.REQUIRED, False, 1),
    ],
)
def test_only_a_required_gpu_is_missed(
    monkeypatch: pytest.MonkeyPatch, gpu: Gpu, is_there: bool, count: int
) -> None:
    monkeypatch.setattr(requirements, "has_gpu", lambda: is_there)
    assert len(missing(Requirements(gpu=gpu))) == count


@pytest.mark.parametrize(
    ("wanted", "found", "is_fast"),
    [(0, 0, True), (8, 0, False), (8, 7, False), (8, 8, True), (8, None, True)],
)
def test_small_gpu_is_slow_and_an_unknown_one_is_not(
    monkeypatch: pytest.MonkeyPatch, wanted: int, found: int | None, is_fast: bool
) -> None:
    monkeypatch.setattr(requirements, "gpu_memory_bytes", lambda: found)
    assert Requirements(gpu_bytes=wanted).has_fast_gpu == is_fast


def test_models_are_asked_for_one_by_one() -> None:
    requires = Requirements(models=("large", "small"))
    assert missing(requires) == ["model 'large': pull large", "model 'small': pull small"]
    assert missing(requires, models=("large", "small")) == []


def test_variable_may_choose_another_model() -> None:
    requires = Requirements(models=("large", "fixed"), chosen_by={"large": "MODEL"})
    assert requires.chosen_models(lambda name: None) == ("large", "fixed")
    assert requires.chosen_models({"MODEL": "tiny"}.get) == ("tiny", "fixed")
    assert missing(requires, {"MODEL": "tiny"}, models=("fixed",)) == ["model 'tiny': pull tiny"]


def test_one_of_several_alternatives_is_enough() -> None:
    requires = Requirements(models=("large | small",), chosen_by={"large": "MODEL"})
    assert missing(requires) == ["model 'large': pull large"]
    assert missing(requires, models=("small",)) == []
    assert missing(requires, models=("large",)) == []
    assert missing(requires, {"MODEL": "tiny | toy"}, models=("toy",)) == []
    assert missing(requires, {"MODEL": "tiny"}, models=("small",)) == ["model 'tiny': pull tiny"]


def test_the_alternative_to_report_can_be_chosen() -> None:
    found = missing_requirements(
        Requirements(models=("large | small",)),
        has_model=lambda name: Missing(name, "", name, 5),
        setting=lambda name: None,
        choose=lambda models: models[-1],
    )
    assert list(found) == [Missing("small", "", "small", 5)]


def test_an_empty_alternative_is_refused() -> None:
    with pytest.raises(ValueError, match="a name is empty"):
        Requirements(models=("large | ",))


def test_everything_that_is_missing_is_reported_at_once() -> None:
    requires = Requirements(
        modules={"no_such": "a"}, binaries={"no-such": "b"}, settings={"NO": "c"}, models=("m",)
    )
    assert len(missing(requires)) == 4


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        (
            {"modules": ("cv2",)},
            r"modules must be a dict of str to str, not tuple \('cv2',\); write",
        ),
        ({"binaries": {"tesseract": None}}, "binaries must be a dict of str to str"),
        ({"settings": "API_URL"}, "settings must be a dict of str to str, not str 'API_URL'"),
        ({"chosen_by": ["MODEL"]}, "chosen_by must be a dict of str to str"),
        ({"models": "x"}, r"models is one string; write models=\('x',\)"),
        ({"models": 3}, "models must be a tuple of str, not int 3"),
        ({"models": (3,)}, "models must be a tuple of str, not int 3"),
        ({"gpu": True}, "gpu must be a Gpu, such as Gpu.PREFERRED, not bool True"),
    ],
)
def test_field_of_the_wrong_type_is_named_with_the_fix(fields: dict[str, Any], fault: str) -> None:
    with pytest.raises(TypeError, match=f"^Requirements: {fault}"):
        Requirements(**fields)


def test_models_may_be_a_list() -> None:
    assert Requirements(models=["a", "b"]).models == ("a", "b")  # type: ignore[arg-type]
