"""Score OCR on images with their texts: character and word accuracy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from promptvision.plugin import (
    EvalCase,
    EvalExample,
    EvalOutput,
    EvalSetup,
    InputError,
    Metric,
    Scores,
    ratio_metric,
)
from promptvision_eval.layouts import image_files
from promptvision_eval.text_distance import TextDistance, mark_differences, normalise_text
from promptvision_eval.thumbnails import open_thumbnail

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

__all__ = ["TextPairs"]

SHOWN_CHARS = 1000
"""Of each text in the report."""


class TextPairs:
    """``NAME.png`` with ``NAME.txt`` as a test of ``extract_text``.

    Args:
        setup: no options.
    """

    def __init__(self, setup: EvalSetup) -> None:
        self._images = [each for each in image_files(setup.data) if each.with_suffix(".txt").exists()]
        self.conditions = {"data": setup.data.name, "images in the data set": str(len(self._images))}

    def cases(self) -> Iterator[EvalCase]:
        """The images, by name."""
        for image in self._images:
            text = _read(image.with_suffix(".txt"))
            yield EvalCase(id=image.stem, calls=({"image_url": image},), image=image, truth=text)

    def predict(self, case: EvalCase, outputs: Sequence[EvalOutput]) -> dict[str, Any]:
        """The recognised text."""
        return {"text": str(outputs[0].fields["extracted_text"])}

    def score(self, examples: Sequence[EvalExample]) -> Scores:
        """Accuracies and error rates over all characters and words."""
        found = [TextDistance.between(each.case.truth, each.prediction["text"]) for each in examples]
        metrics = [
            *_rates("character", "CER", [d.character_edits for d in found], [d.characters for d in found]),
            *_rates("word", "WER", [d.word_edits for d in found], [d.words for d in found]),
        ]
        return Scores(
            metrics=tuple(metrics),
            per_case=tuple(1 - d.character_edits / max(d.characters, 1) for d in found),
            per_case_name="character accuracy",
        )

    def draw(self, example: EvalExample) -> list[tuple[str, Image | None]]:
        """The image and both texts, with their differences in brackets."""
        texts = normalise_text(example.case.truth), normalise_text(example.prediction["text"])
        label, found = (text[:SHOWN_CHARS] for text in mark_differences(*texts))
        where = ", differences in brackets" if texts[0] != texts[1] else ""
        image = open_thumbnail(example.case.image)[0]
        return [("", image), (f"label{where}: {label}", None), (f"recognised: {found}", None)]


def _rates(unit: str, rate: str, edits: Sequence[int], lengths: Sequence[int]) -> list[Metric]:
    right = [length - wrong for length, wrong in zip(lengths, edits, strict=True)]
    return [
        ratio_metric(f"{unit} accuracy", right, lengths, note=f"1 - {rate}"),
        ratio_metric(rate, edits, lengths, higher_is_better=False),
    ]


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError(f"eval: {path} cannot be read: {exc}", hint="save it as UTF-8") from exc
