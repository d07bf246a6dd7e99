"""The worst examples of a report: which are shown, and how tools are compared."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from promptvision.plugin import EvalCase, EvalExample, InputError, Scores
from promptvision_eval.run import Outcome
from promptvision_eval.worst import COUNT, worst_examples


class Texts:
    """An evaluation whose examples are an image that all tools share, a label and a reading."""

    conditions: dict[str, str] = {}

    def cases(self) -> list[EvalCase]:
        return []

    def predict(self, case: EvalCase, outputs: object) -> dict[str, str]:
        return {}

    def score(self, examples: object) -> Scores:
        return Scores(metrics=())

    def draw(self, example: EvalExample) -> list[tuple[str, Image.Image | None]]:
        if example.prediction["text"] == "moved":
            raise InputError("eval: a.png is gone", hint="restore it")
        image = Image.new("RGB", (8, 8), "red")
        return [("", image), ("label: a < b", None), (f"read: {example.prediction['text']}", None)]


def outcome(tool: str, scores: Sequence[float], *texts: str, is_ranked: bool = True) -> Outcome:
    examples = [
        EvalExample(case=EvalCase(id=f"case {at}", calls=()), prediction={"text": text})
        for at, text in enumerate(texts or ["x"] * len(scores))
    ]
    return Outcome(
        name=tool,
        identity={},
        scores=Scores(metrics=(), per_case=tuple(scores) if is_ranked else (), per_case_name="share"),
        intervals={},
        examples=examples,
        failures={},
        seconds=[],
        peak_bytes=0,
        gpu_bytes=0,
        known=0,
    )


def titles(page: str) -> list[str]:
    return [part.partition("</b>")[0] for part in page.split("<b>")[1:]]


def test_the_examples_with_the_lowest_scores_come_first() -> None:
    page = worst_examples(Texts(), [outcome("one", [0.9, 0.2, 1.0, 0.5])])
    assert titles(page) == ["case 1", "case 3", "case 0"]
    assert "share: 0.200" in page
    assert "label: a &lt; b" in page
    many = worst_examples(Texts(), [outcome("one", [at / 20 for at in range(20)])])
    assert len(titles(many)) == COUNT


def test_tools_are_in_parallel_columns_and_what_they_share_is_shown_once() -> None:
    outcomes = [outcome("one", [1, 0.5], "a", "b"), outcome("two", [0.25, 1], "c", "d")]
    page = worst_examples(Texts(), outcomes)
    assert titles(page) == ["case 0", "case 1"]
    first = page.split("<div class='example'>")[1]
    assert first.count("<img ") == first.count("label:") == 1
    assert [part.partition("<")[0] for part in first.split("<h3>")[1:]] == [
        "example",
        "one, share: 1.000",
        "two, share: 0.250",
    ]
    assert first.index("read: a") < first.index("read: c")


def test_an_example_that_one_tool_failed_on_is_that_of_the_others() -> None:
    page = worst_examples(Texts(), [outcome("one", [1, 0.5], "a", "b"), outcome("two", [1], "c")])
    assert titles(page) == ["case 1"]
    assert "read: b" in page


def test_without_scores_or_with_equal_ones_some_examples_are_shown() -> None:
    assert len(titles(worst_examples(Texts(), [outcome("one", [1, 1, 1])]))) == 1
    assert len(titles(worst_examples(Texts(), [outcome("one", [0, 0, 0])]))) == 3
    assert len(titles(worst_examples(Texts(), [outcome("one", [1, 1], is_ranked=False)]))) == 2
    assert worst_examples(Texts(), [outcome("one", [])]) == ""


def test_a_moved_image_is_reported() -> None:
    assert "a.png is gone" in worst_examples(Texts(), [outcome("one", [0.5, 1], "moved", "b")])
