"""Score captions with the metrics of the COCO caption evaluation, by pycocoevalcap."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptvision.plugin import (
    EvalCase,
    EvalExample,
    EvalOutput,
    EvalSetup,
    InputError,
    Metric,
    Scores,
    SetupError,
    mean_metric,
)
from promptvision_eval.coco import find_images, read_json
from promptvision_eval.layouts import CAPTION_FILES, find_annotations
from promptvision_eval.spice import spice_metric
from promptvision_eval.thumbnails import open_thumbnail
from promptvision_eval.tokens import has_java, tokenise

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["CocoCaptions", "caption_metrics"]

INSTALL = 'pip install "promptvision-eval[captions]"'
WITHOUT_JAVA = "tokenised without Java, so not comparable with published figures; install a Java runtime"


class CocoCaptions:
    """COCO captions as a test of ``caption_image``, with ``detail`` ``brief`` unless it is given.

    Args:
        setup: option ``split`` selects a part of Karpathy's ``dataset_coco.json``; default ``test``.

    Raises:
        InputError: the captions cannot be used.
        SetupError: pycocoevalcap is not installed.
    """

    def __init__(self, setup: EvalSetup) -> None:
        try:
            import pycocoevalcap  # type: ignore[import-untyped]  # noqa: F401
        except ImportError as exc:
            raise SetupError("eval: pycocoevalcap is not installed", hint=INSTALL) from exc
        path = find_annotations(setup.data, CAPTION_FILES)
        if path is None:
            raise InputError(f"eval: {setup.data} holds no captions", hint="give captions_*.json")
        self._captions = _read(path, setup.options.get("split", "test"))
        if not self._captions:
            raise InputError(f"eval: {path} has no caption of this split", hint="choose one with -o split=")
        self._folder = find_images(path, next(iter(self._captions)), setup.options)
        self.conditions = {
            "annotations": path.name,
            "images in the data set": str(len(self._captions)),
            "tokenizer": "PTB" if has_java() else "words",
        }

    def cases(self) -> Iterator[EvalCase]:
        """The images, in the order of the file."""
        for name, captions in self._captions.items():
            path = self._folder / name
            calls = ({"image_url": path, "detail": "brief"},)
            yield EvalCase(id=name, calls=calls, image=path, truth=captions)

    def predict(self, case: EvalCase, outputs: Sequence[EvalOutput]) -> dict[str, Any]:
        """The caption."""
        return {"caption": str(outputs[0].fields["caption"])}

    def score(self, examples: Sequence[EvalExample]) -> Scores:
        """CIDEr, BLEU and SPICE."""
        captions = [caption for each in examples for caption in each.case.truth]
        tokens = iter(tokenise([*captions, *(each.prediction["caption"] for each in examples)]))
        labels = [[next(tokens) for _ in each.case.truth] for each in examples]
        return caption_metrics(labels, [*tokens])

    def draw(self, example: EvalExample) -> list[tuple[str, Image | None]]:
        """The image, its labels and the caption."""
        image = open_thumbnail(example.case.image)[0]
        labels = "; ".join(example.case.truth)
        return [
            ("", image),
            (f"labels: {labels}", None),
            (f"caption: {example.prediction['caption']}", None),
        ]


def caption_metrics(labels: Sequence[Sequence[str]], found: Sequence[str]) -> Scores:
    """Figures of tokenised captions.

    Args:
        labels: at least one caption per image.
        found: the predicted caption of each image.
    """
    from pycocoevalcap.cider.cider import Cider  # type: ignore[import-untyped]

    truth = {at: list(each) for at, each in enumerate(labels)}
    result = {at: [each] for at, each in enumerate(found)}
    _, per_image = Cider().compute_score(truth, result)
    cider = [float(score) for score in per_image]
    note = "" if has_java() else WITHOUT_JAVA
    return Scores(
        metrics=(
            mean_metric("CIDEr", cider, unit="", note=note),
            *_bleu(truth, result, note),
            spice_metric(truth, result),
        ),
        per_case=tuple(cider),
        per_case_name="CIDEr / 100",
    )


def _bleu(truth: Mapping[int, list[str]], result: Mapping[int, list[str]], note: str) -> Iterator[Metric]:
    from pycocoevalcap.bleu.bleu_scorer import BleuScorer  # type: ignore[import-untyped]

    scorer = BleuScorer(n=4)
    for at, labels in truth.items():
        scorer += (result[at][0], labels)
    counts = scorer.ctest

    def figure(order: int) -> Callable[[Sequence[int]], float]:
        def over(positions: Sequence[int]) -> float:
            part = copy.copy(scorer)
            part.ctest = [counts[at] for at in positions]
            scores, _ = part.recompute_score(option="closest")
            return 100 * float(scores[order - 1])

        return over

    everything = range(len(counts))
    for order in (1, 2, 3, 4):
        over = figure(order)
        yield Metric(
            name=f"BLEU-{order}",
            value=over(everything),
            resample=over if order == 4 else None,
            note=note,
        )


def _read(path: Path, split: str) -> dict[str, list[str]]:
    """File name to captions: COCO's own form, Karpathy's, or the list of images that BLIP made of it."""
    content = read_json(path)
    captions: dict[str, list[str]] = {}
    try:
        if isinstance(content, list):
            for row in content:
                captions[row["image"]] = [*row["caption"]]
        elif "annotations" in content:
            names = {image["id"]: image["file_name"] for image in content["images"]}
            for row in content["annotations"]:
                captions.setdefault(names[row["image_id"]], []).append(row["caption"])
        else:
            for row in content["images"]:
                if row["split"] == split:
                    name = "/".join(part for part in (row.get("filepath"), row["filename"]) if part)
                    captions[name] = [sentence["raw"] for sentence in row["sentences"]]
    except (KeyError, TypeError) as exc:
        raise InputError(
            f"eval: {path} is not a file of COCO captions: {exc!r}", hint="give captions_val2014.json"
        ) from exc
    return captions
