"""The tool ``opencv_detect``: faces, people, objects named by a colour, and the background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec

from PIL import Image

from promptvision.plugin import (
    ArgumentsError,
    Box,
    Candidate,
    Choice,
    DetectArgs,
    DetectResult,
    NotSupported,
    TargetPhrase,
    ToolContext,
    detection_result,
    measure_lightness,
    select_candidates,
)
from promptvision.plugin import Detection as LabelledBox
from promptvision_opencv.arrays import Array, rgb_array
from promptvision_opencv.background import find_background, find_borders
from promptvision_opencv.faces import find_faces
from promptvision_opencv.people import find_people
from promptvision_opencv.prompts import Kind, Request, read_prompt, read_request
from promptvision_opencv.regions import find_regions

__all__ = ["Detection", "detect", "find"]

_MOST_REGIONS = 10
"""Maximum number of regions, found by colour alone, for an edit; more are probably not meant."""
_MOST_SHARE = 0.5
"""Maximum share of the image for such an edit."""
_LEAST_SHARE = 0.25
"""Minimum share of a single region in all pixels of its colour to be considered prominent."""
_ABILITY = "it finds faces, people, the background, and objects named by a colour ('red ball', 'blue area')"


@dataclass(frozen=True)
class Detection:
    """One detection.

    Args:
        box: in pixels.
        label: its verified name.
        score: 0 to 1, three decimals.
        area: in pixels.
        is_whole: whether the box contains all of it.
    """

    box: Box
    label: str
    score: float
    area: float
    is_whole: bool = True


def detect(args: DetectArgs, context: ToolContext) -> DetectResult:
    """Find the objects of the prompt.

    Raises:
        ArgumentsError: the prompt is a complement.
        NotSupported: the prompt names nothing that this tool can find, or, if another tool will use the
            boxes, has a word that it cannot check.
    """
    requests, foreign = read_prompt(args.prompt)
    _refuse_foreign(args, requests, foreign)
    image = context.open(args.image_url)
    rgb = rgb_array(image)
    search = _Search(rgb, args.box_threshold)
    found: list[Candidate] = []
    notes: list[str] = []
    doubts: list[str] = []
    for number, request in enumerate(requests):
        context.progress(number, len(requests) + 1, f"looking for {request.label}")
        choice = search.choose(request, strict=args.strict)
        found += choice.chosen
        notes.append(choice.note)
        doubts += [] if choice.is_exact else ["which one is meant"]
    notes = [*_unchecked_notes(requests, foreign), *notes]
    doubts += [word for request in requests for word in request.unchecked]
    context.progress(len(requests), len(requests) + 1, "drawing")
    best_first = sorted(found, key=lambda one: -one.score)
    boxes = [LabelledBox(one.box, one.label, one.score) for one in best_first]
    return detection_result(args, context, image, (), boxes, list(filter(None, dict.fromkeys(notes))), doubts)


def find(rgb: Array, request: Request) -> list[Detection]:
    """All objects of one request in an image (H x W x 3 uint8), of any score, best first."""
    whole = Box(0, 0, rgb.shape[1], rgb.shape[0])
    found: Sequence[tuple[Box, float, float]]
    if request.kind in (Kind.FACE, Kind.PERSON):
        people = find_faces(rgb) if request.kind is Kind.FACE else find_people(rgb)
        return [
            Detection(one.box, request.label, round(one.score, 3), one.box.area, one.is_whole)
            for one in people
        ]
    if request.kind is Kind.BACKGROUND:
        background = find_background(rgb, request.colour)
        found = [] if background is None else [(whole, 1.0, float(background.sum()))]
    elif request.kind is Kind.BORDER:
        assert request.colour is not None  # set for this kind, see prompts.py
        found = [(box, 1.0, box.area) for box in find_borders(rgb, request.colour)]
    else:
        assert request.colour is not None  # set for this kind, see Request
        regions = find_regions(rgb, request.colour, request.shape)
        found = [(region.box, region.score, region.area) for region in regions]
    return [Detection(box, request.label, round(score, 3), area) for box, score, area in found]


def _at_least(request: Request, choice: Choice) -> str:
    """A note that a number of faces or people is a lower bound."""
    return (
        f"At least {len(choice.chosen)}: {request.label} detection misses those that are small, "
        "turned away or partly covered."
    )


class _Search:
    """Searches one image for phrases that refer to each other."""

    def __init__(self, rgb: Array, threshold: float) -> None:
        self._rgb = rgb
        self._image = Image.fromarray(rgb)
        self._threshold = threshold
        self._found: dict[str, list[Detection]] = {}

    def choose(self, request: Request, *, strict: bool) -> Choice:
        """The boxes that a request refers to.

        Raises:
            NotSupported: an edit would change too much.
        """
        size = (self._rgb.shape[1], self._rgb.shape[0])
        if request.kind is Kind.BORDER:
            found = tuple(self._find(request.phrase))
            return Choice(found, "" if found else f"No {request.label} found at the sides of the image.")
        if request.kind is Kind.BACKGROUND:
            return self._background(request)
        choice = select_candidates(request.phrase, self._find, size, strict=strict)
        if not choice.chosen:
            return self._nothing(request, choice)
        if strict and request.kind is Kind.COLOUR:
            self._refuse_too_much(request, choice)
        if strict and request.kind is Kind.PERSON:
            self._refuse_parts(request, choice)
        if not strict and request.kind in (Kind.FACE, Kind.PERSON) and request.phrase.is_plural:
            return replace(choice, note=f"{choice.note} {_at_least(request, choice)}".strip())
        return choice

    def _nothing(self, request: Request, choice: Choice) -> Choice:
        """Why nothing was chosen; a region that fills the image is not an object in it."""
        if choice.note != f"No {request.phrase.description} found.":
            return choice
        share = max((d.area for d in self._all(request.phrase)), default=0) / self._rgb[..., 0].size
        if request.kind is Kind.COLOUR and share > _MOST_SHARE:
            return Choice(
                (), f"{request.label} covers {share:.0%} of the image, so it is not a single object."
            )
        return Choice((), f"No {request.label} found with a score of {self._threshold:g} or more.")

    def _background(self, request: Request) -> Choice:
        found = tuple(self._find(request.phrase))
        if found:
            return Choice(found)
        colour = f" {request.colour.name}" if request.colour else ""
        return Choice(
            (),
            f"I cannot tell the{colour} background: the edge of the image is not of one{colour} colour."
            f"{_better()}",
        )

    def _all(self, phrase: TargetPhrase) -> list[Detection]:
        """All matches of the description of a phrase, of any score."""
        if phrase.text not in self._found:
            request = read_request(phrase)
            self._found[phrase.text] = [] if request is None else find(self._rgb, request)
        return self._found[phrase.text]

    def _find(self, phrase: TargetPhrase) -> list[Candidate]:
        return [
            Candidate(d.box, d.label, d.score, measure_lightness(self._image, d.box))
            for d in self._all(phrase)
            if d.score >= self._threshold
        ]

    def _refuse_too_much(self, request: Request, choice: Choice) -> None:
        """Reject an edit of regions with only their colour in common, if they are too many or too few.

        Raises:
            NotSupported: there are too many of them, or most of that colour in the image is not among them.
        """
        if request.shape is not None:
            return
        areas = {d.box: d.area for d in self._all(request.phrase)}
        chosen = sum(areas[one.box] for one in choice.chosen)
        share, total = chosen / self._rgb[..., 0].size, sum(areas.values()) / self._rgb[..., 0].size
        number = len(choice.chosen)
        if number > _MOST_REGIONS or share > _MOST_SHARE:
            would = f"would change {number} {request.label} area{'s' if number > 1 else ''}, {share:.0%} of"
        elif not _is_narrowed(request.phrase) and share < _LEAST_SHARE * total:
            would = f"is not clear: {request.label} covers {total:.0%} of"
        else:
            return
        raise NotSupported(
            f"opencv_detect: {request.phrase.text!r} {would} the image; say which area (largest, left)."
            f"{_better()}"
        )

    def _refuse_parts(self, request: Request, choice: Choice) -> None:
        """Reject an edit of a person of whom only the face was found.

        Raises:
            NotSupported: only the face was found.
        """
        wholes = {d.box for d in self._all(request.phrase) if d.is_whole}
        if not all(one.box in wholes for one in choice.chosen):
            raise NotSupported(
                f"opencv_detect: {request.phrase.text!r}: found a face, but not where the person ends."
                f"{_better()}"
            )


def _is_narrowed(phrase: TargetPhrase) -> bool:
    """Whether the words choose something other than the most prominent object."""
    is_size = phrase.size is not None and phrase.size != 1
    return is_size or bool(
        phrase.sides or phrase.order or phrase.shade or phrase.relation or phrase.exceptions
    )


def _refuse_foreign(args: DetectArgs, requests: list[Request], foreign: list[TargetPhrase]) -> None:
    """Reject phrases that cannot be searched for, and before an edit also those that cannot be checked.

    Raises:
        ArgumentsError: the prompt is a complement.
        NotSupported: any other case.
    """
    complement = next((phrase for phrase in foreign if phrase.is_complement), None)
    if complement is not None:
        raise ArgumentsError(
            f"prompt: {complement.text!r} has no boxes; name what to find, or segment it as 'target'"
        )
    unknown = [phrase.text for phrase in foreign if args.strict or not requests]
    unknown += [text for request in requests for text in _unreadable_references(request)]
    if unknown:
        raise NotSupported(f"opencv_detect: cannot look for {_quoted(unknown)}: {_ABILITY}.{_better()}")
    for request in requests if args.strict else ():
        if request.unchecked:
            raise NotSupported(
                f"opencv_detect: {request.phrase.text!r}: cannot check {_quoted(request.unchecked)}, so "
                f"nothing was changed{_way_out(request)}.{_better()}"
            )


def _unreadable_references(request: Request) -> list[str]:
    """Exceptions and relations of a phrase that cannot be searched for or checked."""
    phrase = request.phrase
    referred = [*phrase.exceptions, *([phrase.relation[1]] if phrase.relation else [])]
    read = [(other, read_request(other)) for other in referred]
    return [other.text for other, known in read if known is None or known.unchecked]


def _way_out(request: Request) -> str:
    if request.kind is Kind.COLOUR and request.colour is not None:
        return f"; say 'the {request.colour.name} area' to go by the colour alone"
    return f"; say 'the {request.label}' if any will do" if request.kind is Kind.PERSON else ""


def _better() -> str:
    """How to get a detector that finds anything by its name; empty if its plugin is installed.

    Then the core names the models that it needs.
    """
    if find_spec("promptvision_grounding_dino") is not None:
        return ""
    return " To find anything by its name, run: pip install promptvision-grounding-dino"


def _unchecked_notes(requests: list[Request], foreign: list[TargetPhrase]) -> list[str]:
    """Notes on words that were not checked or not understood."""
    notes = []
    unchecked = dict.fromkeys(word for request in requests for word in request.unchecked)
    if unchecked:
        looked = " and ".join(dict.fromkeys(request.label for request in requests if request.unchecked))
        notes.append(f"Looked for {looked} only and could not check {_quoted(unchecked)}.{_better()}")
    if foreign:
        notes.append(f"Could not look for {_quoted([phrase.text for phrase in foreign])}.{_better()}")
    return notes


def _quoted(words: Sequence[str] | dict[str, None]) -> str:
    return ", ".join(f"'{word}'" for word in words)
