"""The six figures of the project's first description are in the registry, with their differences."""

from __future__ import annotations

from promptvision_eval.plugin import EVALUATORS
from promptvision_eval.published import PUBLISHED, differences, find_published


def test_every_figure_has_a_source_and_an_evaluator() -> None:
    assert {each.value for each in PUBLISHED} == {
        *("56.7 %", "79.5 %", "23.5", "31.75", "135.6", "95 to 98 %"),
    }
    assert {each.operation for each in PUBLISHED} <= {each.operation for each in EVALUATORS}
    assert all(each.source.startswith("https://") for each in PUBLISHED)


def test_a_run_under_the_same_conditions_has_no_difference() -> None:
    (cider,) = find_published("caption_image", "CIDEr")
    conditions = {**cider.conditions, "tool": "florence"}
    assert differences(cider, conditions) == []
    assert differences(cider, {**conditions, "images": "10"}) == ["images: 10 here, 5000 published"]
    assert "tokenizer: not set here, PTB published" in differences(cider, {})
