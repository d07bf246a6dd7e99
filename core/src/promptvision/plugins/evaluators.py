"""Evaluators: how ``promptvision eval`` reads a labelled data set and scores the tools of an operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from promptvision.declarations import IMPORT_STRING, check_callable, check_type
from promptvision.settings import Settings

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "EvalCase",
    "EvalExample",
    "EvalOutput",
    "EvalSetup",
    "Evaluation",
    "Evaluator",
    "Metric",
    "Scores",
    "mean_metric",
    "ratio_metric",
]


@dataclass(frozen=True, kw_only=True)
class EvalCase:
    """One labelled example of a data set.

    Args:
        id: unique in the data set.
        calls: the arguments of each call of the operation; images are paths.
        image: the image that the report shows.
        truth: the labels, in any form that the evaluation accepts.
    """

    id: str
    calls: tuple[Mapping[str, Any], ...]
    image: Path | None = None
    truth: Any = None


@dataclass(frozen=True, kw_only=True)
class EvalOutput:
    """The result of one call.

    Args:
        fields: the result fields of the operation; images are ids.
        open: returns the image of an id, decoded; it must not be changed in place.
    """

    fields: Mapping[str, Any]
    open: Callable[[str], Image]


@dataclass(frozen=True, kw_only=True)
class EvalExample:
    """A case with its prediction, as it was logged."""

    case: EvalCase
    prediction: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class EvalSetup:
    """What an evaluation is created from.

    Args:
        data: a folder or file of the user.
        options: the options of the evaluator that the user has set.
        settings: the active settings, which say where model weights are.
        folder: where predictions may keep files, such as edited images; it lasts as long as the log.
    """

    data: Path
    options: Mapping[str, str]
    settings: Settings
    folder: Path


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One figure of one tool.

    Args:
        name: such as ``AP50``.
        value: the figure over all examples; None if it cannot be computed, see ``note``.
        unit: such as ``%``.
        higher_is_better: whether a larger figure is better.
        resample: the figure over the examples at these positions, some of them several times, for the
            bootstrap; None where no confidence interval is defined.
        note: what the reader must know, such as the command that fetches missing weights.
    """

    name: str
    value: float | None
    unit: str = ""
    higher_is_better: bool = True
    resample: Callable[[Sequence[int]], float] | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The figures of one tool on one data set.

    Args:
        metrics: the figures, the most important first.
        per_case: one number per example, larger is better; the report shows the worst examples.
        per_case_name: what these numbers are.
    """

    metrics: tuple[Metric, ...]
    per_case: tuple[float, ...] = ()
    per_case_name: str = ""


class Evaluation(Protocol):
    """One data set with its metrics."""

    @property
    def conditions(self) -> Mapping[str, str]:
        """What the figures depend on besides the tool: the data set and the options."""

    def cases(self) -> Iterable[EvalCase]:
        """The examples, always in the same order, without pixels."""

    def predict(self, case: EvalCase, outputs: Sequence[EvalOutput]) -> Mapping[str, Any]:
        """The prediction of a case as JSON, from the results of its calls. It is logged."""

    def score(self, examples: Sequence[EvalExample]) -> Scores:
        """The figures over all examples that did not fail."""

    def draw(self, example: EvalExample) -> Sequence[tuple[str, Image | None]]:
        """Captions with their images, or texts without one, that show label and prediction in the report."""


@dataclass(frozen=True, kw_only=True)
class Evaluator:
    """A data layout with its metrics, for one operation.

    Args:
        name: unique, such as ``coco-detection``.
        operation: name of the operation whose tools it scores.
        summary: the layout and the metrics, in one line.
        accepts: whether a folder or file has this layout. It must be fast.
        create: ``"package.module:callable"``, imported when used; it is called with an :class:`EvalSetup` and
            returns an :class:`Evaluation`.
        options: name to description of the options that it reads.

    Raises:
        TypeError: a field has the wrong type.
        ValueError: ``create`` is not an import string.
    """

    name: str
    operation: str
    summary: str
    accepts: Callable[[Path], bool]
    create: str
    options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        owner = f"Evaluator {self.name!r}"
        for name in ("name", "operation", "summary", "create"):
            check_type(owner, name, getattr(self, name), str, "a str")
        check_callable(owner, "accepts", self.accepts, "a function of a Path")
        check_type(owner, "options", self.options, Mapping, "a dict of name to description")
        if not IMPORT_STRING.fullmatch(self.create):
            raise ValueError(
                f"{owner}: create must have the form 'package.module:callable', not {self.create!r}"
            )

    def load(self) -> Callable[[EvalSetup], Evaluation]:
        """Import and return the callable."""
        module, _, attribute = self.create.partition(":")
        create: Callable[[EvalSetup], Evaluation] = getattr(import_module(module), attribute)
        return create


def ratio_metric(
    name: str,
    numerators: Sequence[float],
    denominators: Sequence[float],
    *,
    unit: str = "%",
    scale: float = 100.0,
    higher_is_better: bool = True,
    note: str = "",
) -> Metric:
    """A metric that is the sum of numerators over the sum of denominators, each of one example.

    Args:
        name: of the metric.
        numerators, denominators: one each per example.
        unit: of the figure.
        scale: factor of the figure.
        higher_is_better: whether a larger figure is better.
        note: for the reader.
    """

    def over(positions: Iterable[int]) -> float:
        chosen = list(positions)
        total = sum(denominators[at] for at in chosen)
        return scale * sum(numerators[at] for at in chosen) / total if total else float("nan")

    value = over(range(len(denominators)))
    return Metric(
        name=name,
        value=None if value != value else value,
        unit=unit,
        higher_is_better=higher_is_better,
        resample=over,
        note=note,
    )


def mean_metric(
    name: str,
    values: Sequence[float],
    *,
    unit: str = "%",
    scale: float = 100.0,
    higher_is_better: bool = True,
    note: str = "",
) -> Metric:
    """A metric that is the mean of one number per example; see :func:`ratio_metric`."""
    return ratio_metric(
        name,
        values,
        [1.0] * len(values),
        unit=unit,
        scale=scale,
        higher_is_better=higher_is_better,
        note=note,
    )
