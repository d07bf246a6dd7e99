"""Training of the planner's classifier and tagger, and the sentences that they are trained on."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from promptvision.builtin.planner import understanding
from promptvision.builtin.planner.intents.calls import INTENTS
from promptvision.builtin.planner.intents.weights import load_weights
from promptvision.testing.agents import make_registry
from promptvision.testing.modules import load_module
from promptvision.tools import operations
from promptvision.tools.tool import Operation, Tool
from promptvision_basics.plugin import promptvision_tools
from promptvision_cutout.plugin import CUTOUT
from promptvision_eval.labels import Sentence, read_sentences
from promptvision_upscale.plugin import UPSCALE

ROOT = Path(__file__).parents[1]
WITHOUT_CALL = {"chain", "chat", "help", "none", "nothing", "straighten", "undo"}
"""Labels of sentences that ask for no call, for one that no operation does, or for several."""
ROUNDS = [ROOT / "benchmarks" / f"planner_{name}.txt" for name in ("new_rounds", "last_round")]


@pytest.fixture(scope="module")
def script() -> Iterator[Any]:
    yield load_module(ROOT / "scripts" / "train_planner.py")
    sys.modules.pop("train_planner", None)


@pytest.fixture(scope="module")
def benchmark() -> Iterator[Any]:
    yield load_module(ROOT / "benchmarks" / "planner.py")
    sys.modules.pop("planner", None)


@pytest.fixture(scope="module")
def lines() -> list[tuple[str, str]]:
    """Where each line of the sentence files is, and its text."""
    return [
        (f"{file.name}:{number}", line)
        for file in sorted((ROOT / "scripts" / "planner_sentences").glob("*.txt"))
        for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1)
    ]


def plain(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip()


SENTENCES = """\
remove | remove [t:the red car]
remove | get rid of [t:the bin]
remove | take [t:the fence] away
remove | please erase [t:the dog]
remove | I want [t:the lamp] gone
remove | delete [t:the man on the left]
replace | replace [t:the sky] with [p:a sunset]
replace | turn [t:the car] into [p:a bicycle]
replace | make [t:the door] [p:green]
replace | change [t:the hat] to [p:a crown]
replace | paint [t:the wall] [p:blue]
replace | swap [t:the cat] for [p:a dog]
blur | blur [t:the faces]
blur | blur [t:the number plate]
blur | make [t:the background] blurry
blur | please blur [t:the screen]
rotate_cw | turn it [n:90] degrees clockwise
rotate_cw | rotate it [n:45] degrees to the right
rotate_cw | turn it right by [n:10] degrees
resize | make it [w:800] pixels wide
resize | resize it to [w:640] by [h:480]
resize | scale it to [n:50 %]
bw | make it black and white
bw | turn it into black and white
bw | black and white please
caption | describe the picture
caption | what is in the picture?
caption | describe it
read | what does the sign say?
read | read the text
read | what is written there?
chat | hello
chat | thank you
chat | good morning
none | play some music
none | send it to my sister
none | what time is it?
undo | undo that
undo | go back
undo | undo the last change
"""


def test_the_marks_of_a_line_become_slots(script: Any) -> None:
    marked = script.read("replace | swap [t:the red car] for [p:a bike], please")
    assert (marked.intent, marked.text) == ("replace", "swap the red car for a bike, please")
    assert [(marked.text[start:end], slot) for start, end, slot in marked.spans] == [
        ("the red car", "t"),
        ("a bike", "p"),
    ]
    assert marked.labels() == ["O", "B-t", "I-t", "I-t", "O", "B-p", "I-p", "O", "O"]


def test_two_slots_of_one_kind_in_a_row_begin_apart(script: Any) -> None:
    assert script.read("remove | [t:cats] [t:dogs]").labels() == ["B-t", "B-t"]
    assert script.read("caption | describe it").labels() == ["O", "O"]


def test_chains_join_two_requests_and_are_the_same_each_time(script: Any) -> None:
    sentences = [script.read(line) for line in SENTENCES.splitlines()]
    made = list(script.chains(sentences))
    assert made == list(script.chains(sentences))
    assert len(made) == int(len(sentences) * script.SHARE_OF_CHAINS)
    texts = [one.text.rstrip(" .!?").lower() for one in sentences if one.intent not in script.NO_STEPS]
    for chain in made:
        assert chain.intent == "chain"
        assert sum(text in chain.text.lower() for text in texts) >= 2


def test_training_twice_gives_the_same_files(script: Any, tmp_path: Path) -> None:
    folder = tmp_path / "sentences"
    folder.mkdir()
    (folder / "some.txt").write_text(SENTENCES, "utf-8")
    (folder / "others.txt").write_text("unknown | not read\n", "utf-8")
    made = []
    for name in ("one", "two"):
        target = tmp_path / name
        target.mkdir()
        script.train(folder, target, ["others.txt"])
        made.append([(target / f"{model}.txt").read_bytes() for model in ("classifier", "tagger")])
    assert made[0] == made[1]
    labels = [text.split(b"\n")[0].decode().split() for text in made[0]]
    intents = {line.partition(" | ")[0] for line in SENTENCES.splitlines()}
    assert labels[0] == sorted({*intents, "chain"})
    assert {"O", "B-t", "I-t", "B-p", "B-n", "B-w"} <= set(labels[1])


def test_every_label_of_the_classifier_is_an_intent_or_asks_for_no_call() -> None:
    assert set(load_weights("classifier").labels) == INTENTS.keys() | WITHOUT_CALL


def test_the_tagger_knows_the_slots_of_all_intents() -> None:
    slots = {slot for intent in INTENTS.values() for slot in intent.slots}
    labels = set(load_weights("tagger").labels)
    assert {label[2:] for label in labels if label != "O"} == slots
    assert {f"B-{slot}" for slot in slots} <= labels


def test_intents_call_operations_that_exist_with_arguments_that_they_take() -> None:
    named: dict[str, Operation] = {operation.name: operation for operation in operations.ALL}
    named |= {tool.operation.name: tool.operation for tool in (*promptvision_tools(), CUTOUT, UPSCALE)}
    for label, intent in INTENTS.items():
        fields = named[intent.operation].args.model_fields
        arguments = {
            *intent.fixed,
            *(name for name, _ in intent.slots.values()),
            *filter(None, [intent.words]),
        }
        assert arguments <= fields.keys(), label
        assert set(intent.needed) <= intent.slots.keys(), label
    tools = [Tool(name=f"t_{name}", operation=made, run="nowhere:run") for name, made in named.items()]
    offered = {function.name for function in make_registry(tools).functions()}
    assert {intent.operation for intent in INTENTS.values()} <= offered


def test_every_sentence_has_a_known_intent_and_known_slots(script: Any, lines: list[tuple[str, str]]) -> None:
    wrong = []
    for place, line in lines:
        marked = script.read(line)
        intent = INTENTS.get(marked.intent)
        slots = {slot for _, _, slot in marked.spans}
        known = set() if intent is None else {*intent.slots}
        if intent is None and marked.intent not in WITHOUT_CALL:
            wrong.append(f"{place}: unknown intent in {line!r}")
        elif not marked.text or "[" in marked.text or "]" in marked.text:
            wrong.append(f"{place}: mark that is not closed in {line!r}")
        elif not slots <= known and not (intent is not None and intent.words):
            wrong.append(f"{place}: unknown slot in {line!r}")
    assert len(lines) > 20_000
    assert wrong == []


def test_no_sentence_is_one_that_only_measures_the_planner(
    benchmark: Any, lines: list[tuple[str, str]], script: Any
) -> None:
    held: list[Sentence] = [one for one in benchmark.read_all() if benchmark.half_of(one) == "held-out"]
    held += [sentence for file in ROUNDS for sentence in read_sentences(file)]
    trained = {plain(script.read(line).text): place for place, line in lines}
    both = {one.text: trained[plain(one.text)] for one in held if plain(one.text) in trained}
    assert len(held) > 2000
    assert both == {}


def test_the_page_about_the_planner_has_the_thresholds_in_use() -> None:
    page = (ROOT / "docs" / "planner.md").read_text("utf-8")
    named = dict(re.findall(r"^\| `([A-Z_]+)` \| ([\d.]+) \|", page, re.MULTILINE))
    assert {"ACT", "OVERRIDE", "CORRECT"} <= named.keys()
    assert named == {name: str(getattr(understanding, name)) for name in named}


def test_the_readme_of_the_sentences_names_all_intents_and_slots() -> None:
    readme = (ROOT / "scripts" / "planner_sentences" / "README.md").read_text("utf-8")
    names = set(re.findall(r"`(\w+)\*?`", readme))
    slots = {slot for intent in INTENTS.values() for slot in intent.slots}
    settings = re.compile(r"(?:brightness|contrast|saturation|sharpness)_(?:up|down|set)")
    named = {label for label in INTENTS if not settings.fullmatch(label)} | WITHOUT_CALL | slots
    assert named <= names
    assert {intent.operation for intent in INTENTS.values()} <= names
