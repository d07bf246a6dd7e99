"""Score planners on labelled sentences: right operations and right slots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from promptvision.plugin import (
    EvalCase,
    EvalExample,
    EvalOutput,
    EvalSetup,
    Metric,
    Scores,
    mean_metric,
    ratio_metric,
)
from promptvision_eval.labels import OUTCOMES, MadeCall, count_slots, has_chain, judge, read_sentences

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["LabelledSentences"]


class LabelledSentences:
    """Sentences of a text file, or of all text files of a folder, as a test of a planner.

    Args:
        setup: no options.

    Raises:
        InputError: a label cannot be read.
    """

    def __init__(self, setup: EvalSetup) -> None:
        files = sorted(setup.data.glob("*.txt")) if setup.data.is_dir() else [setup.data]
        self._sentences = [sentence for file in files for sentence in read_sentences(file)]
        self.conditions = {
            "data": setup.data.name,
            "sentences in the data set": str(len(self._sentences)),
        }

    def cases(self) -> Iterator[EvalCase]:
        """The sentences, in the order of the files."""
        for number, sentence in enumerate(self._sentences, start=1):
            call = {"sentence": sentence.text, "before": sentence.before}
            name = f"{number}. {sentence.text}"
            yield EvalCase(id=name, calls=(call,), truth=sentence)

    def predict(self, case: EvalCase, outputs: Sequence[EvalOutput]) -> dict[str, Any]:
        """The calls, the answer, and whether it says that everything was understood."""
        return dict(outputs[0].fields)

    def score(self, examples: Sequence[EvalExample]) -> Scores:
        """Shares of outcomes, and chain and slot accuracy."""
        calls = [[MadeCall(**call) for call in each.prediction["calls"]] for each in examples]
        pairs = [*zip(examples, calls, strict=True)]
        outcomes = [
            judge(each.case.truth, made, is_understood=each.prediction["is_understood"])
            for each, made in pairs
        ]
        chains = [float(has_chain(each.case.truth, made)) for each, made in pairs]
        slots = [count_slots(each.case.truth, made) for each, made in pairs]
        return Scores(
            metrics=(
                *(self._share(outcome, outcomes) for outcome in OUTCOMES),
                mean_metric("chain accuracy", chains),
                ratio_metric(
                    "slot accuracy",
                    [right for right, _ in slots],
                    [count for _, count in slots],
                    note="of sentences whose chain is right",
                ),
            ),
            per_case=tuple(float(outcome == "right") for outcome in outcomes),
            per_case_name="right",
        )

    def _share(self, outcome: str, outcomes: Sequence[str]) -> Metric:
        shares = [float(each == outcome) for each in outcomes]
        return mean_metric(outcome, shares, higher_is_better=outcome == OUTCOMES[0])

    def draw(self, example: EvalExample) -> list[tuple[str, Image]]:
        """Nothing: a sentence has no image."""
        return []
