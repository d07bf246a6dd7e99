"""Values of slots against the schema of their argument."""

from __future__ import annotations

import pytest

from promptvision.builtin.planner.slots import MISFIT, Fit, fitted
from promptvision.llm.planner import PlannerFunction

FUNCTION = PlannerFunction(
    name="any",
    description="",
    parameters={
        "properties": {
            "degrees": {"type": "number"},
            "width": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "aspect": {"type": "string", "pattern": r"^\d+:\d+$"},
            "part": {"type": "string", "enum": ["left half"]},
            "color": {"type": "string"},
        }
    },
)


@pytest.mark.parametrize(
    ("name", "value", "fit"),
    [
        ("degrees", "22,5", Fit("22.5")),
        ("degrees", "by 90 degrees", Fit("90")),
        ("degrees", "many", Fit("many", is_sure=False)),
        ("width", "800 px", Fit("800")),
        ("width", "two", Fit("2")),
        ("aspect", "16:9 ratio", Fit("16:9")),
        ("aspect", "the dog", MISFIT),
        ("part", "left half", Fit("left half")),
        ("part", "dog", MISFIT),
        ("color", "dark red", Fit("dark red")),
        ("color", "German", MISFIT),
        ("text", "German", Fit("German")),
    ],
)
def test_value_fits_or_not(name: str, value: str, fit: Fit) -> None:
    assert fitted(FUNCTION, name, value) == fit
