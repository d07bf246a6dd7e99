"""Choose among detected objects by position, order, size, shade, number and relations of their boxes.

Detectors find the objects that a phrase describes; this module chooses among them, so that "the second ball
from the left" means the same for all detectors.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from promptvision.errors import ArgumentsError
from promptvision.tools.labels import split_labels
from promptvision.tools.target_grammar import Relation, Shade, Side
from promptvision.tools.targets import TargetPhrase, is_colour_word, plural, read_targets
from promptvision.types import Box

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "Candidate",
    "Choice",
    "measure_lightness",
    "phrases_to_find",
    "select_by_labels",
    "select_candidates",
]

CLEARLY_LARGER = 1.3
"""Ratio of areas from which two objects differ in size."""
CLEARLY_LIGHTER = 0.12
"""Difference of lightness, on a scale of 0 to 1, from which two objects differ in shade."""
DARK_UP_TO, LIGHT_FROM = 0.5, 0.35
"""Lightness limits up to which a single object is dark, and from which it is light."""
OVERLAP = 0.5
"""Two boxes that share this much of the smaller one show the same object."""
GOOD_SHARE = 0.8
"""Candidates with this share of the best score are equally good; the largest is chosen."""


@dataclass(frozen=True)
class Candidate:
    """An object that a detector found.

    Args:
        box: in pixels.
        label: the label it was found with.
        score: 0 to 1.
        lightness: 0 to 1, from :func:`measure_lightness`; None when it was not measured.
    """

    box: Box
    label: str
    score: float
    lightness: float | None = None


@dataclass(frozen=True)
class Choice:
    """The candidates that a phrase refers to.

    Args:
        chosen: best first, or in the order that the phrase counts in.
        note: a message for the user, such as why nothing was chosen; empty if there is none.
        is_exact: whether the choice is unambiguous.
    """

    chosen: tuple[Candidate, ...]
    note: str = ""
    is_exact: bool = True


Find = Callable[[TargetPhrase], Sequence[Candidate]]


def phrases_to_find(phrase: TargetPhrase) -> list[TargetPhrase]:
    """A phrase and the phrases that it refers to (exceptions, relations), each on its own.

    A complement itself is not searched for.
    """
    referred = [*phrase.exceptions, *([phrase.relation[1]] if phrase.relation else [])]
    found = [] if phrase.is_complement else [phrase]
    return found + [inner for other in referred for inner in phrases_to_find(other)]


def select_candidates(phrase: TargetPhrase, find: Find, size: tuple[int, int], *, strict: bool) -> Choice:
    """Find the objects that a phrase describes and choose those that it refers to.

    Args:
        phrase: the target; not a complement.
        find: returns all objects that match a phrase's description, best first.
        size: width and height of the image in pixels.
        strict: whether a singular phrase means one object, as before an edit. Otherwise all matches are
            returned, and the choice is inexact.

    Returns:
        The choice; empty, with the reason, when the phrase cannot be fulfilled.
    """
    candidates = list(find(phrase))
    if not candidates:
        return Choice((), f"No {phrase.description} found.")
    for narrow in (_without_exceptions, _related):
        choice = narrow(phrase, candidates, find, size)
        if not choice.chosen:
            return choice
        candidates = list(choice.chosen)
    narrowed = _shaded(phrase, candidates)
    for rule in (_sized, _placed):
        if not narrowed.chosen:
            return narrowed
        narrowed = rule(phrase, list(narrowed.chosen), size)
    return _counted(phrase, narrowed, strict=strict) if narrowed.chosen else narrowed


def select_by_labels(
    prompt: str, find: Callable[[list[str]], Sequence[Candidate]], size: tuple[int, int], *, strict: bool
) -> Choice:
    """Choose the objects that a prompt refers to, for an open-vocabulary detector.

    Args:
        prompt: one or several phrases, see :func:`~promptvision.tools.targets.read_targets`.
        find: called once with all labels to search for; returns detections with one of them as label.
        size: width and height of the image in pixels.
        strict: see :func:`select_candidates`.

    Returns:
        The objects of all phrases together, best first.

    Raises:
        ArgumentsError: the prompt names nothing, or means everything but something.
    """
    phrases = read_targets(prompt)
    if not phrases and (labels := split_labels(prompt)):
        return Choice(tuple(find(labels)))
    wanted = [_label(each) for phrase in phrases for each in phrases_to_find(phrase)]
    if not phrases or not all(wanted):
        raise ArgumentsError("prompt: names nothing to look for; give a noun phrase such as 'lion'")
    if any(phrase.is_complement for phrase in phrases):
        raise ArgumentsError(f"prompt: {prompt!r} has no boxes; name what to find, or segment it as 'target'")
    found = find(list(dict.fromkeys(wanted)))

    def labelled(phrase: TargetPhrase) -> list[Candidate]:
        return [one for one in found if one.label == _label(phrase)]

    choices = [select_candidates(phrase, labelled, size, strict=strict) for phrase in phrases]
    chosen = sorted((one for choice in choices for one in choice.chosen), key=lambda one: -one.score)
    notes = dict.fromkeys(choice.note for choice in choices if choice.note)
    return Choice(tuple(chosen), " ".join(notes), all(choice.is_exact for choice in choices))


def _label(phrase: TargetPhrase) -> str:
    """The label to search for; a phrase with special characters is used unchanged."""
    is_words = re.fullmatch(r"[\w\s'&-]*", phrase.text) is not None
    return phrase.description if is_words or phrase.has_selection else phrase.text


def measure_lightness(image: Image, box: Box) -> float:
    """Median luma (ITU-R BT.601, 0 to 1) of the inner half of a box.

    Args:
        image: any mode that Pillow converts to greyscale.
        box: in pixels, within the image.
    """
    across, down = (box.x2 - box.x1) / 4, (box.y2 - box.y1) / 4
    left, top = int(box.x1 + across), int(box.y1 + down)
    right, bottom = max(left + 1, int(box.x2 - across)), max(top + 1, int(box.y2 - down))
    counts = image.crop((left, top, right, bottom)).convert("L").histogram()
    half, seen = sum(counts) / 2, 0
    for level, count in enumerate(counts):
        seen += count
        if seen >= half:
            return level / 255
    return 0.0


def _without_exceptions(
    phrase: TargetPhrase, candidates: list[Candidate], find: Find, size: tuple[int, int]
) -> Choice:
    for exception in phrase.exceptions:
        kept_out = select_candidates(exception, find, size, strict=False).chosen
        candidates = [
            one for one in candidates if all(_shared(one.box, other.box) < OVERLAP for other in kept_out)
        ]
    note = "" if candidates else f"Every {phrase.description} found is one of the exceptions."
    return Choice(tuple(candidates), note)


def _related(phrase: TargetPhrase, candidates: list[Candidate], find: Find, size: tuple[int, int]) -> Choice:
    if phrase.relation is None:
        return Choice(tuple(candidates))
    relation, anchor = phrase.relation
    anchors = select_candidates(anchor, find, size, strict=True)
    if not anchors.chosen:
        return Choice((), f"Cannot tell what lies {relation} {anchor.description}: {anchors.note}")
    target = anchors.chosen[0].box
    others = [one for one in candidates if _shared(one.box, target) < OVERLAP or relation is Relation.INSIDE]
    if relation is Relation.NEAR:
        others.sort(key=lambda one: _gap(one.box, target))
        near = others[: phrase.count or 1] if not phrase.is_all else others
        return _found(phrase, near, f"{relation} {anchor.description}")
    kept = [one for one in others if _lies(relation, one.box, target)]
    return _found(phrase, kept, f"{relation} {anchor.description}")


def _lies(relation: Relation, box: Box, anchor: Box) -> bool:
    x, y = box.centroid
    if relation is Relation.INSIDE:
        return anchor.x1 <= x <= anchor.x2 and anchor.y1 <= y <= anchor.y2
    return {
        Relation.LEFT_OF: x < anchor.x1,
        Relation.RIGHT_OF: x > anchor.x2,
        Relation.ABOVE: y < anchor.y1,
        Relation.BELOW: y > anchor.y2,
    }[relation]


def _shaded(phrase: TargetPhrase, candidates: list[Candidate]) -> Choice:
    measured = [one for one in candidates if one.lightness is not None]
    if phrase.shade is None or not measured:
        return Choice(tuple(candidates), is_exact=phrase.shade is None)
    values = sorted(one.lightness or 0.0 for one in measured)
    steps = [(after - before, (after + before) / 2) for before, after in itertools.pairwise(values)]
    widest, border = max(steps, default=(0.0, 0.0))
    if widest >= CLEARLY_LIGHTER:
        dark_limit = light_limit = border
    else:
        dark_limit, light_limit = DARK_UP_TO, LIGHT_FROM
    is_dark = phrase.shade is Shade.DARK
    kept = [
        one
        for one in measured
        if ((one.lightness or 0) <= dark_limit if is_dark else (one.lightness or 0) >= light_limit)
    ]
    return _found(phrase, kept, "")


def _sized(phrase: TargetPhrase, candidates: list[Candidate], size: tuple[int, int]) -> Choice:
    if phrase.size is None or len(candidates) == 1:
        return Choice(tuple(candidates))
    ranked = sorted(candidates, key=lambda one: -one.box.area * math.copysign(1, phrase.size or 1))
    if phrase.is_singular or phrase.count is not None:
        first = abs(phrase.size) - 1
        kept = ranked[first : first + (phrase.count or 1)]
        if (
            len(ranked) > first + 1
            and not phrase.is_superlative
            and _are_alike(ranked[first], ranked[first + 1])
        ):
            return Choice(
                (), f"{_many(phrase, candidates)} of about the same size; I cannot tell which is meant."
            )
        return _found(phrase, kept, "")
    areas = [one.box.area for one in ranked]
    ratios = [max(a, b) / min(a, b) for a, b in itertools.pairwise(areas)]
    if max(ratios) < CLEARLY_LARGER:
        return Choice(
            (), f"{_many(phrase, candidates)} of about the same size; I cannot tell which are meant."
        )
    return Choice(tuple(ranked[: ratios.index(max(ratios)) + 1]))


def _are_alike(one: Candidate, other: Candidate) -> bool:
    areas = sorted((one.box.area, other.box.area))
    return areas[1] / areas[0] < CLEARLY_LARGER


def _placed(phrase: TargetPhrase, candidates: list[Candidate], size: tuple[int, int]) -> Choice:
    if phrase.order is not None:
        return _ordered(phrase, candidates)
    if not phrase.sides:
        return Choice(tuple(candidates))
    where = " ".join(phrase.sides)
    fitting = [one for one in candidates if all(_is_on(side, one.box, size) for side in phrase.sides)]
    is_one = phrase.is_singular or phrase.count is not None
    if len(candidates) == 1 or not is_one or len(phrase.sides) > 1:
        kept = sorted(fitting, key=lambda one: sum(_distance(side, one.box, size) for side in phrase.sides))
        return _found(phrase, kept[: phrase.count or 1] if is_one else kept, f"at the {where}")
    ranked = sorted(candidates, key=lambda one: _distance(phrase.sides[0], one.box, size))
    return Choice(tuple(ranked[: phrase.count or 1]))


def _ordered(phrase: TargetPhrase, candidates: list[Candidate]) -> Choice:
    """The n-th from a side; without a side, in reading direction from the left."""
    side = phrase.sides[0] if phrase.sides else Side.LEFT
    ranked = sorted(candidates, key=lambda one: _distance(side, one.box, (1, 1)))
    order = phrase.order or 1
    index = order - 1 if order > 0 else len(ranked) - 1
    kept = ranked[index : index + max(1, phrase.count or 1)] if index < len(ranked) else []
    note = "" if phrase.sides else f"Counted from the left: {phrase.description}."
    if not kept:
        return Choice(
            (), f"{_many(phrase, candidates)} found, so there is no number {order} from the {side}."
        )
    return Choice(tuple(kept), note)


def _is_on(side: Side, box: Box, size: tuple[int, int]) -> bool:
    x, y = box.centroid.x / size[0], box.centroid.y / size[1]
    inner = 0.25 <= x <= 0.75 and 0.25 <= y <= 0.75
    return {
        Side.LEFT: x < 0.5,
        Side.RIGHT: x > 0.5,
        Side.TOP: y < 0.5,
        Side.BOTTOM: y > 0.5,
        Side.MIDDLE: inner,
    }[side]


def _distance(side: Side, box: Box, size: tuple[int, int]) -> float:
    """Distance of the middle of a box from a side of the image, up to a constant."""
    x, y = box.centroid
    if side is Side.MIDDLE:
        return math.hypot(x - size[0] / 2, y - size[1] / 2)
    return {Side.LEFT: x, Side.RIGHT: -x, Side.TOP: y, Side.BOTTOM: -y}[side]


def _counted(phrase: TargetPhrase, choice: Choice, *, strict: bool) -> Choice:
    candidates = choice.chosen
    wanted = phrase.count if phrase.count is not None else 1 if phrase.is_singular else None
    if wanted is None or len(candidates) == wanted:
        return choice
    if len(candidates) < wanted:
        return Choice((), f"{_many(phrase, list(candidates))} found, not {wanted}.")
    if phrase.is_all:
        return Choice(
            (), f"{_many(phrase, list(candidates))} found, not {wanted}; I cannot tell which are meant."
        )
    if phrase.count is None and not strict:
        return replace(choice, is_exact=False)
    best = _best(candidates, wanted)
    kept = "the largest" if wanted == 1 else f"the {wanted} largest"
    note = (
        f"{_many(phrase, list(candidates))} found; took {kept}. Say which (left, smallest, all) for another."
    )
    return Choice(best, " ".join(filter(None, (choice.note, note))))


def _best(candidates: Sequence[Candidate], wanted: int) -> tuple[Candidate, ...]:
    """The largest of the candidates with a good score."""
    top = max(one.score for one in candidates)
    ranked = sorted(candidates, key=lambda one: (one.score < GOOD_SHARE * top, -one.box.area))
    return tuple(ranked[:wanted])


def _found(phrase: TargetPhrase, kept: list[Candidate], where: str) -> Choice:
    missing = " ".join(filter(None, (phrase.description, where)))
    return Choice(tuple(kept), "" if kept else f"No {missing} found.")


def _many(phrase: TargetPhrase, candidates: list[Candidate]) -> str:
    label = candidates[0].label if candidates else phrase.description
    label = f"{label} area" if is_colour_word(label) else label
    return f"{len(candidates)} {label if len(candidates) == 1 else plural(label)}"


def _gap(box: Box, anchor: Box) -> float:
    across = max(box.x1 - anchor.x2, anchor.x1 - box.x2, 0)
    down = max(box.y1 - anchor.y2, anchor.y1 - box.y2, 0)
    return math.hypot(across, down)


def _shared(a: Box, b: Box) -> float:
    """Common area, as a share of the smaller box."""
    width = max(0.0, min(a.x2, b.x2) - max(a.x1, b.x1))
    height = max(0.0, min(a.y2, b.y2) - max(a.y1, b.y1))
    return width * height / max(min(a.area, b.area), 1e-9)
