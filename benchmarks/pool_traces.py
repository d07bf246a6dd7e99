"""Traces of model use for ``benchmarks/pool.py``: what each request runs, on which models.

Sizes are those of the published architectures: parameters times bytes, float16 for diffusion models and
encoders, float32 for SAM 2.1 and Grounding DINO. Seconds and activation peaks are assumptions about one
recent GPU, the same for every policy.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

GB = 10**9

SIZES = {
    "dino": 689_000_000,
    "sam": 898_000_000,
    "encoder-1": 246_000_000,
    "encoder-2": 1_389_000_000,
    "vae": 167_000_000,
    "inpaint-unet": 5_135_000_000,
    "refiner-unet": 4_519_000_000,
    "florence": 1_553_000_000,
}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One stage of a tool.

    Args:
        name: of the stage.
        models: ids of the models that it runs.
        seconds: of computation with the models on the device.
        declared_peak: bytes of activations that the plugin declares.
        peak: bytes of activations that it takes.
        passes: how often it runs through the weights; streamed layers are copied as often.
        tiled_peak: bytes that it takes if it works on tiles; None if it cannot.
        result: names the result if it can be kept and used again.
        grab: bytes that another process takes once the models of this step are loaded.
        is_staged: whether it belongs to the pipeline for which the product chooses a placement.
    """

    name: str
    models: tuple[str, ...]
    seconds: float
    declared_peak: int
    peak: int
    passes: int = 1
    tiled_peak: int | None = None
    result: str = ""
    grab: int = 0
    is_staged: bool = True


@dataclass(frozen=True)
class Turn:
    """A step of a request.

    Args:
        request: its number.
        step: what runs.
        plan: this step and those after it in the same request.
        next_models: what the plans of all requests need after it, soonest first.
    """

    request: int
    step: Step
    plan: tuple[Step, ...]
    next_models: tuple[str, ...]


@dataclass(frozen=True)
class Trace:
    """Steps in the order in which they run, one at a time."""

    name: str
    sizes: dict[str, int]
    turns: tuple[Turn, ...]

    @property
    def requests(self) -> int:
        """The number of requests."""
        return len({turn.request for turn in self.turns})


DETECT = Step(
    name="detect",
    models=("dino",),
    seconds=0.15,
    declared_peak=GB,
    peak=700_000_000,
    is_staged=False,
)
SEGMENT = Step(
    name="segment",
    models=("sam",),
    seconds=0.25,
    declared_peak=900_000_000,
    peak=1_200_000_000,
    is_staged=False,
)
ENCODE_TEXT = Step(
    name="encode text",
    models=("encoder-1", "encoder-2"),
    seconds=0.05,
    declared_peak=100_000_000,
    peak=70_000_000,
)
ENCODE_IMAGE = Step(
    name="encode image",
    models=("vae",),
    seconds=0.12,
    declared_peak=2_300_000_000,
    peak=1_600_000_000,
    tiled_peak=500_000_000,
)
INPAINT = Step(
    name="inpaint",
    models=("inpaint-unet",),
    seconds=4.5,
    declared_peak=2 * GB,
    peak=1_400_000_000,
    passes=30,
)
REFINE = replace(INPAINT, name="refine", models=("refiner-unet",), seconds=1.5, passes=10)
DECODE = Step(
    name="decode",
    models=("vae",),
    seconds=0.3,
    declared_peak=4_600_000_000,
    peak=3_200_000_000,
    tiled_peak=700_000_000,
)
CAPTION = Step(
    name="caption",
    models=("florence",),
    seconds=1.2,
    declared_peak=GB,
    peak=700_000_000,
    passes=60,
    is_staged=False,
)
EDIT = (DETECT, SEGMENT, ENCODE_TEXT, ENCODE_IMAGE, INPAINT, REFINE, DECODE)


def edit_chain(count: int = 20) -> Trace:
    """One client edits an image ``count`` times."""
    return _in_turn("edit chain x20", [[EDIT] * count])


def four_clients() -> Trace:
    """Four clients at once: two edit, one captions and cuts out, one edits without the refiner."""
    cut_out = (CAPTION, DETECT, SEGMENT)
    without_refiner = (DETECT, SEGMENT, ENCODE_TEXT, ENCODE_IMAGE, INPAINT, DECODE)
    return _in_turn("4 clients", [[EDIT] * 8, [EDIT] * 8, [cut_out] * 16, [without_refiner] * 8])


def surprise_grab(count: int = 20) -> Trace:
    """Another process takes 4 GB in the middle of the eighth request, once the base UNet is loaded."""
    hit = tuple(replace(step, grab=4 * GB) if step is INPAINT else step for step in EDIT)
    return _in_turn("surprise grab", [[hit if index == 7 else EDIT for index in range(count)]])


def repeats(count: int = 30, seed: int = 3) -> Trace:
    """Half of the requests are an earlier one again, so text embeddings, boxes and masks are known."""
    random_ = random.Random(seed)
    requests: list[tuple[Step, ...]] = []
    for index in range(count):
        again = index > 0 and random_.random() < 0.5
        requests.append(random_.choice(requests) if again else _named(index))
    return _in_turn("50 % repeats", [requests])


def _named(index: int) -> tuple[Step, ...]:
    kept = {"detect", "segment", "encode text", "encode image"}
    return tuple(replace(step, result=f"{step.name} {index}") if step.name in kept else step for step in EDIT)


def zipf(memory: int, seed: int, count: int = 150) -> Trace:
    """Requests to ten models of 1.5 times the memory in all, the n-th most popular 1/n as often as the first.

    Args:
        memory: bytes that models may use.
        seed: of the order of requests and of which model is popular.
        count: number of requests.
    """
    random_ = random.Random(seed)
    parts = [5135, 4519, 1553, 1389, 898, 689, 472, 344, 246, 167]
    scale = 1.5 * memory / sum(parts)
    sizes = {f"model-{index}": int(part * scale) for index, part in enumerate(parts)}
    popular = random_.sample(sorted(sizes), len(sizes))
    weights = [1 / rank for rank in range(1, len(popular) + 1)]
    steps = {
        id_: Step(
            name=id_,
            models=(id_,),
            seconds=0.3,
            declared_peak=memory // 20,
            peak=memory // 25,
            is_staged=False,
        )
        for id_ in sizes
    }
    drawn = random_.choices(popular, weights, k=count)
    return replace(_in_turn(f"Zipf {seed}", [[(steps[id_],) for id_ in drawn]]), sizes=sizes)


Plan = Sequence[Step]


def _in_turn(name: str, clients: Sequence[Sequence[Plan]]) -> Trace:
    """Clients take one step each in turn; each client's plan is known up to its answer."""
    numbers = itertools.count()
    queues = [[(next(numbers), list(plan)) for plan in client] for client in clients]
    turns = []
    while any(queues):
        for index, queue in enumerate(queues):
            if not queue:
                continue
            request, plan = queue[0]
            rest = tuple(plan)
            step = plan.pop(0)
            order = [*queues[index + 1 :], *queues[: index + 1]]
            plans = [client[0][1] for client in order if client]
            turns.append(Turn(request, step, rest, tuple(_merged(plans))))
            if not plan:
                queue.pop(0)
    used = {id_ for turn in turns for id_ in turn.step.models}
    sizes = {id_: size for id_, size in SIZES.items() if id_ in used}
    return Trace(name, sizes, tuple(turns))


def _merged(plans: Iterable[Plan]) -> Iterator[str]:
    """Ids of models, the first step of every plan before the second of any."""
    for steps in itertools.zip_longest(*plans):
        for step in steps:
            if step is not None:
                yield from step.models
