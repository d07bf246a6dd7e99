"""Average precision and recall as COCO defines them, by faster-coco-eval, and on resampled images.

Source: https://cocodataset.org/#detection-eval. Boundary IoU: Cheng et al., "Boundary IoU: Improving
Object-Centric Image Segmentation Evaluation", CVPR 2021.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from faster_coco_eval.core import faster_eval_api  # type: ignore[import-untyped]
from faster_coco_eval.core.coco import COCO  # type: ignore[import-untyped]

from promptvision.plugin import Metric

__all__ = ["AveragePrecision"]

Kind = Literal["bbox", "segm", "boundary"]
MAX_DETECTIONS = (1, 10, 100)


class AveragePrecision(faster_eval_api.COCOeval_faster):  # type: ignore[misc]  # it has no types
    """AP and AR of detections or masks.

    Args:
        truth: the labels.
        results: detections in the result format of COCO.
        image_ids: the images to evaluate, in the order of the positions of :meth:`resample`.
        kind: boxes, masks, or masks with boundary IoU.
    """

    def __init__(
        self, truth: COCO, results: Sequence[Mapping[str, Any]], image_ids: Sequence[int], kind: Kind
    ) -> None:
        self._evalImgs_cpp: list[Any]  # both are set by evaluate()
        self._paramsEval: Any
        self._last_key: tuple[int, ...] | None = None
        self._last: Any = None
        super().__init__(truth, truth.loadRes([*map(dict, results)]), kind, separate_eval=True)
        self.params.imgIds = list(image_ids)
        self.params.maxDets = list(MAX_DETECTIONS)
        self.evaluate()
        at = {image_id: index for index, image_id in enumerate(self.params.imgIds)}
        self._indices = [at[image_id] for image_id in image_ids]
        self._all_images = self._evalImgs_cpp
        self._all_params = self._paramsEval
        self.accumulate()

    def metrics(self, prefix: str = "") -> tuple[Metric, ...]:
        """The twelve figures of COCO; those that no label exists for have no value."""
        precision, recall = self.eval["precision"], self.eval["recall"]
        sizes = {name: at for at, name in enumerate(self.params.areaRngLbl)}
        last = len(MAX_DETECTIONS) - 1
        figures = {
            "AP": _mean(precision[:, :, :, 0, last]),
            "AP50": _mean(precision[0, :, :, 0, last]),
            "AP75": _mean(precision[5, :, :, 0, last]),
            **{f"AP {name}": _mean(precision[:, :, :, sizes[name], last]) for name in _SIZES},
            **{f"AR{most}": _mean(recall[:, :, 0, at]) for at, most in enumerate(MAX_DETECTIONS)},
            **{f"AR {name}": _mean(recall[:, :, sizes[name], last]) for name in _SIZES},
        }
        resampled = {"AP": slice(None), "AP50": slice(0, 1), "AP75": slice(5, 6)}
        return tuple(
            Metric(
                name=f"{prefix}{name}",
                value=value,
                unit="%",
                resample=self._resampled(resampled[name]) if name in resampled else None,
                note="" if value is not None else "no label of this size",
            )
            for name, value in figures.items()
        )

    def _resampled(self, thresholds: slice) -> Any:
        def over(positions: Sequence[int]) -> float:
            value = _mean(self.resample(positions)[thresholds])
            return float("nan") if value is None else value

        return over

    def resample(self, positions: Sequence[int]) -> Any:
        """Precision by threshold, recall and class, over these images for objects of all sizes."""
        key = tuple(positions)
        if self._last_key == key:  # AP, AP50 and AP75 ask for the same images
            return self._last
        params = copy.copy(self._all_params)
        classes, sizes, images = len(params.catIds), len(params.areaRng), len(params.imgIds)
        indices = [self._indices[position] for position in positions]
        chosen = [
            self._all_images[(number * sizes) * images + index]
            for number in range(classes)
            for index in indices
        ]
        params.imgIds = [params.imgIds[index] for index in indices]
        params.areaRng, params.areaRngLbl = params.areaRng[:1], params.areaRngLbl[:1]
        params.maxDets = params.maxDets[-1:]
        self._evalImgs_cpp, self._paramsEval = chosen, params
        self.accumulate()
        self._last_key, self._last = key, self.eval["precision"][:, :, :, 0, 0]
        return self._last


_SIZES = ("small", "medium", "large")


def _mean(values: Any) -> float | None:
    known = np.asarray(values)[np.asarray(values) > -1]
    return 100 * float(known.mean()) if known.size else None
