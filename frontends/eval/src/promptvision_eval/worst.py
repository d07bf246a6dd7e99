"""The worst examples of a report: labels and predictions, the tools in parallel columns."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from promptvision.plugin import Evaluation, PromptvisionError
from promptvision_eval.run import Outcome
from promptvision_eval.thumbnails import data_uri

__all__ = ["STYLE", "worst_examples"]

COUNT = 8
"""Examples that are shown."""
STYLE = """
.example { margin-top: 1.4rem; border-top: 1px solid var(--line); padding-top: .9rem }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(240px, 100%), 1fr)); gap: 1rem }
.columns.few { grid-template-columns: repeat(auto-fill, minmax(min(320px, 100%), 1fr)) }
.columns h3 { margin: .2rem 0 .4rem } figure + .text, h3 ~ figure + figure { margin-top: .6rem }
.text { margin: 0 0 .4rem; font-size: .9rem } figcaption, .text, .head { overflow-wrap: anywhere }
"""
Part = tuple[str, str]
"""A caption, which may be empty, and the data URI of its image; empty for a text."""


@dataclass(frozen=True)
class Column:
    """One example of one tool.

    Args:
        tool, score: the heading.
        file: name of the image, if the id of the example does not contain it.
        parts: what the evaluation draws.
    """

    tool: str
    score: str
    file: str
    parts: tuple[Part, ...]

    @property
    def heading(self) -> str:
        """The tool with its score."""
        return ", ".join(filter(None, (self.tool, self.score)))


def worst_examples(evaluation: Evaluation, outcomes: Sequence[Outcome]) -> str:
    """The examples with the lowest score of any tool, as HTML; empty if there is none.

    Args:
        evaluation: draws the examples.
        outcomes: one per tool.
    """
    lowest: dict[str, float] = {}
    best = 0.0
    for outcome in outcomes:
        for case, score in _scores(outcome).items():
            lowest[case], best = min(score, lowest.get(case, score)), max(score, best)
    order = sorted(lowest, key=lowest.__getitem__)
    chosen = [case for case in order[:COUNT] if lowest[case] < best] or order[: 1 if best > 0 else COUNT]
    return "".join(_example(evaluation, outcomes, case) for case in chosen)


def _scores(outcome: Outcome) -> dict[str, float]:
    """The score of each example by its id; 0 for all where the metrics give none."""
    values = outcome.scores.per_case or (0.0,) * len(outcome.examples)
    return {each.case.id: value for each, value in zip(outcome.examples, values, strict=True)}


def _example(evaluation: Evaluation, outcomes: Sequence[Outcome], case: str) -> str:
    found = (_column(evaluation, outcome, case) for outcome in outcomes)
    columns = [column for column in found if column is not None]
    first, *others = columns
    body = _several(columns) if others else _one(first)
    heading = first.score if len(outcomes) == 1 else "" if others else first.heading
    said = " \u00b7 ".join(filter(None, (first.file, heading)))
    head = f"<b>{html.escape(case)}</b><span class='quiet'>{html.escape(said)}</span>"
    return f"<div class='example'><div class='head'>{head}</div>{body}</div>"


def _column(evaluation: Evaluation, outcome: Outcome, case: str) -> Column | None:
    at = next((at for at, each in enumerate(outcome.examples) if each.case.id == case), None)
    if at is None:
        return None
    scores = outcome.scores
    score = f"{scores.per_case_name}: {scores.per_case[at]:.3f}" if scores.per_case else ""
    labelled = outcome.examples[at].case
    file = labelled.image.name if labelled.image is not None and labelled.image.stem != case else ""
    try:
        drawn = evaluation.draw(outcome.examples[at])
    except PromptvisionError as exc:  # an image that was moved since it was scored
        return Column(outcome.name, score, file, ((str(exc), ""),))
    parts = ((caption, data_uri(image) if image is not None else "") for caption, image in drawn)
    return Column(outcome.name, score, file, tuple(parts))


def _one(column: Column) -> str:
    """The images of one tool next to each other, then the texts."""
    images = [_part(part) for part in column.parts if part[1]]
    texts = [_part(part) for part in column.parts if not part[1]]
    return (f"<div class='columns few'>{''.join(images)}</div>" if images else "") + "".join(texts)


def _several(columns: Sequence[Column]) -> str:
    """A column with what all tools share, and one for each tool."""
    first, *others = columns
    shared = [part for part in first.parts if all(part in other.parts for other in others)]
    cells = [("example", shared)] if shared else []
    for column in columns:
        cells.append((column.heading, [part for part in column.parts if part not in shared]))
    body = "".join(
        f"<div><h3>{html.escape(name)}</h3>{''.join(map(_part, parts))}</div>" for name, parts in cells
    )
    return f"<div class='columns'>{body}</div>"


def _part(part: Part) -> str:
    caption, uri = html.escape(part[0], quote=True), part[1]
    if not uri:
        return f"<p class='text'>{caption}</p>"
    below = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f"<figure><img src='{uri}' alt='{caption}'>{below}</figure>"
