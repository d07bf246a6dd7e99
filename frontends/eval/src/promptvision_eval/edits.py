"""Score edited and generated images: what changed outside the mask, and FID, CLIP score and LPIPS."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptvision.plugin import (
    EvalCase,
    EvalExample,
    EvalOutput,
    EvalSetup,
    InputError,
    Metric,
    ModelSpec,
    Scores,
    mean_metric,
)
from promptvision_eval.layouts import image_files
from promptvision_eval.models import ALEXNET, CLIP, INCEPTION
from promptvision_eval.networks import ClipScore, FrechetDistance, Lpips, what_is_missing
from promptvision_eval.outside import Outside, compare_outside
from promptvision_eval.thumbnails import open_image, open_thumbnail

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["EditList", "GenerationList"]

MEMBERS = ("id", "image", "mask", "prompt", "reference")


class ImageList:
    """Images that a tool makes from the rows of a file of JSON lines.

    Args:
        setup: option ``reference`` names a folder of real images for FID.
        needed: members that each row must have.

    Raises:
        InputError: the list cannot be used.
    """

    result = ""
    """Result field of the operation with the new image."""

    def __init__(self, setup: EvalSetup, needed: Sequence[str]) -> None:
        path = setup.data / "list.jsonl" if setup.data.is_dir() else setup.data
        self._rows = _read(path, needed)
        self._setup = setup
        self._real = Path(setup.options["reference"]) if "reference" in setup.options else None
        if self._real is not None and next(image_files(self._real), None) is None:
            raise InputError(f"eval: {self._real} holds no image", hint="correct -o reference=DIR")
        self.conditions = {
            "data": path.name if path.name != "list.jsonl" else path.parent.name,
            "images in the data set": str(len(self._rows)),
            "real images for FID": self._real.name if self._real else "of the list",
        }

    def predict(self, case: EvalCase, outputs: Sequence[EvalOutput]) -> dict[str, Any]:
        """The file of the new image, named after its bytes."""
        buffer = BytesIO()
        outputs[0].open(outputs[0].fields[self.result]).save(buffer, "PNG")
        name = f"{hashlib.sha256(buffer.getvalue()).hexdigest()[:32]}.png"
        self._setup.folder.mkdir(parents=True, exist_ok=True)
        (self._setup.folder / name).write_bytes(buffer.getvalue())
        return {"image": name}

    def _made(self, example: EvalExample) -> Image:
        return open_image(self._setup.folder / str(example.prediction["image"]))

    def _clip(self, examples: Sequence[EvalExample]) -> tuple[Metric, list[float]]:
        """The CLIP score, and that of each image with a prompt."""
        named = [each for each in examples if each.case.truth["prompt"].strip()]
        if note := self._why_not(CLIP) or ("" if named else "no prompt says what to see"):
            return Metric(name="CLIP score", value=None, note=note), []
        clip = ClipScore(CLIP, self._setup.settings)
        values = [clip.score(self._made(each), each.case.truth["prompt"]) for each in named]
        if len(named) == len(examples):
            return mean_metric("CLIP score", values, unit="", scale=1.0), values
        mean = sum(values) / len(values)
        return Metric(name="CLIP score", value=mean, note=f"{len(named)} images that have a prompt"), values

    def _frechet(self, examples: Sequence[EvalExample]) -> Metric:
        real = self._real_images(examples)
        note = self._why_not(INCEPTION)
        if not note and (len(examples) < 2 or len(real) < 2):
            note = "needs at least two images, and two real ones: -o reference=DIR"
        if note:
            return Metric(name="FID", value=None, higher_is_better=False, note=note)
        distance = FrechetDistance(INCEPTION, self._setup.settings)
        distance.add(map(open_image, real), are_real=True)
        distance.add(map(self._made, examples), are_real=False)
        return Metric(
            name="FID",
            value=distance.compute(),
            higher_is_better=False,
            note=f"of {len(examples)} images; no interval, since FID is not a mean over images",
        )

    def _real_images(self, examples: Sequence[EvalExample]) -> list[Path]:
        if self._real is not None:
            return [*image_files(self._real)]
        rows = (each.case.truth for each in examples)
        return [path for row in rows if (path := row.get("reference") or row.get("image"))]

    def _why_not(self, spec: ModelSpec) -> str:
        return what_is_missing(spec, self._setup.settings)


class GenerationList(ImageList):
    """Prompts as a test of ``generate_image``."""

    result = "generated_image_url"

    def __init__(self, setup: EvalSetup) -> None:
        super().__init__(setup, ("prompt",))

    def cases(self) -> Iterator[EvalCase]:
        """The prompts, in the order of the file."""
        for row in self._rows:
            yield EvalCase(id=row["id"], calls=({"prompt": row["prompt"]},), truth=row)

    def score(self, examples: Sequence[EvalExample]) -> Scores:
        """CLIP score and FID."""
        clip, values = self._clip(examples)
        per_case = tuple(values) if len(values) == len(examples) else ()
        return Scores(metrics=(clip, self._frechet(examples)), per_case=per_case, per_case_name="CLIP score")

    def draw(self, example: EvalExample) -> list[tuple[str, Image]]:
        """The image with its prompt."""
        return [(example.case.truth["prompt"], self._made(example))]


class EditList(ImageList):
    """Images, masks and prompts as a test of ``inpaint_image``."""

    result = "inpainted_image_url"

    def __init__(self, setup: EvalSetup) -> None:
        super().__init__(setup, ("image", "mask"))

    def cases(self) -> Iterator[EvalCase]:
        """The edits, in the order of the file."""
        for row in self._rows:
            call = {"image_url": row["image"], "mask_url": row["mask"], "prompt": row["prompt"]}
            yield EvalCase(id=row["id"], calls=(call,), image=row["image"], truth=row)

    def score(self, examples: Sequence[EvalExample]) -> Scores:
        """PSNR and SSIM outside the mask, LPIPS, CLIP score and FID."""
        found = [
            compare_outside(open_image(row["image"]), self._made(each), open_image(row["mask"]))
            for each in examples
            for row in (each.case.truth,)
        ]
        return Scores(
            metrics=(
                _psnr(found),
                mean_metric("SSIM outside the mask", [each.ssim for each in found], unit="", scale=1.0),
                mean_metric("unchanged outside the mask", [float(not each.squares) for each in found]),
                self._lpips(examples),
                self._clip(examples)[0],
                self._frechet(examples),
            ),
            per_case=tuple(each.ssim for each in found),
            per_case_name="SSIM outside the mask",
        )

    def _lpips(self, examples: Sequence[EvalExample]) -> Metric:
        if note := self._why_not(ALEXNET):
            return Metric(name="LPIPS", value=None, higher_is_better=False, note=note)
        lpips = Lpips(ALEXNET, self._setup.settings)
        values = []
        for each in examples:
            row, made = each.case.truth, self._made(each)
            other = open_image(row.get("reference") or row["image"])
            values.append(lpips.score(made, other if other.size == made.size else other.resize(made.size)))
        has_reference = all("reference" in each.case.truth for each in examples)
        note = "against the reference" if has_reference else "against the image before the edit"
        return mean_metric("LPIPS", values, unit="", scale=1.0, higher_is_better=False, note=note)

    def draw(self, example: EvalExample) -> list[tuple[str, Image]]:
        """The image, the mask and the edit."""
        row = example.case.truth
        before, mask = open_thumbnail(row["image"])[0], open_thumbnail(row["mask"])[0]
        prompt = f": {row['prompt']}" if row["prompt"] else ""
        return [("before", before), ("mask", mask), (f"after{prompt}", self._made(example))]


def _psnr(found: Sequence[Outside]) -> Metric:
    def over(positions: Iterable[int]) -> float:
        chosen = [found[at] for at in positions]
        pixels = sum(each.samples for each in chosen)
        error = sum(each.squares for each in chosen) / pixels if pixels else math.nan
        return 10 * math.log10(255**2 / error) if error else math.inf

    value = over(range(len(found)))
    if math.isfinite(value):
        return Metric(name="PSNR outside the mask", value=value, unit="dB", resample=over)
    note = "infinite: no pixel outside a mask has changed" if value == math.inf else "no pixel is outside"
    return Metric(name="PSNR outside the mask", value=None, unit="dB", note=note)


def _read(path: Path, needed: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a list, with paths in place of names and an id each."""
    rows = []
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError(f"eval: {path} cannot be read: {exc}", hint="give a file of JSON lines") from exc
    for number, line in enumerate(lines, start=1):
        if line.strip():
            rows.append(_row(path, number, line, needed))
    if not rows:
        raise InputError(f"eval: {path} is empty", hint="write one JSON object per line")
    return rows


def _row(path: Path, number: int, line: str, needed: Sequence[str]) -> dict[str, Any]:
    where = f"eval: {path}, line {number}"
    try:
        row: Mapping[str, str] = json.loads(line)
        unknown = sorted(set(row) - set(MEMBERS))
        absent = [name for name in needed if not row.get(name)]
    except (ValueError, TypeError) as exc:
        raise InputError(f"{where}: not a JSON object: {exc}", hint="write one object per line") from exc
    if unknown or absent:
        what = f"member {unknown[0]!r} is not known" if unknown else f"member {absent[0]!r} is missing"
        raise InputError(f"{where}: {what}", hint=f"the members are {', '.join(MEMBERS)}")
    paths = {name: path.parent / row[name] for name in ("image", "mask", "reference") if row.get(name)}
    for name, file in paths.items():
        if not file.is_file():
            raise InputError(f"{where}: {name} {file}: no such file", hint="names are relative to the list")
    return {"id": str(row.get("id", number)), "prompt": row.get("prompt", ""), **paths}
