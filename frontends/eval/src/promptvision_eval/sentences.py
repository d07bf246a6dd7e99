"""Score planners on labelled sentences: right operations and right slots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from promptvision_eval.labels import (
    OUTCOMES,
    Call,
    MadeCall,
    count_slots,
    has_chain,
    judge,
    read_sentences,
)

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["LabelledSentences"]

ANSWER_CHARS = 300
"""Of an answer in the report."""


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

    def draw(self, example: EvalExample) -> list[tuple[str, Image | None]]:
        """The labels, the calls and the answer."""
        calls = [
            " ".join([call["name"], *(f"{name}={value}" for name, value in call["arguments"].items())])
            for call in example.prediction["calls"]
        ]
        labels = " or ".join(map(_label_text, example.case.truth.labels))
        answer = example.prediction["text"]
        if len(answer) > ANSWER_CHARS:
            answer = f"{answer[:ANSWER_CHARS]} ... ({len(answer) - ANSWER_CHARS} more characters)"
        return [
            (f"labels: {labels}", None),
            (f"calls: {', then '.join(calls) or 'none'}", None),
            (f"answer: {answer}", None),
        ]


def _label_text(label: Sequence[Call | str]) -> str:
    """A label in the words of the report."""
    parts = [part if isinstance(part, str) else _call_text(*part) for part in label]
    return ", then ".join("not understood" if part == "?" else part for part in parts) or "no call"


def _call_text(name: str, slots: Mapping[str, str]) -> str:
    return " ".join([name, *(f"{slot}={value}" for slot, value in slots.items())])
