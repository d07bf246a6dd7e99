"""Train the intent classifier and the slot tagger of the built-in planner on marked sentences.

    uv run python scripts/train_planner.py [--without FILE ...]

Reads ``scripts/planner_sentences/*.txt`` and writes ``classifier.txt`` and ``tagger.txt`` to the package of
the code that uses them. The result depends on the sentences alone.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pycrfsuite  # type: ignore[import-untyped]

from promptvision.builtin.planner.intents import weights
from promptvision.builtin.planner.intents.features import intent_features, slot_features, tokens

FOLDER = Path(__file__).parent / "planner_sentences"
TARGET = Path(weights.__file__).parent
_MARK = re.compile(r"\[(\w):([^\]]*)\]")
_JOINS = (
    ", and ",
    " and ",
    ", then ",
    " then ",
    ". ",
    ". Then ",
    ", and then ",
    ", also ",
    " and also ",
    "; ",
)
SEED = 7
SHARE_OF_CHAINS = 0.1
"""Number of made chains of two requests, as a share of the number of sentences."""
MAX_STEP_CHARS = 70
"""Longer sentences are not used in made chains."""
NO_SLOTS = frozenset(
    [
        "chat",
        "help",
        "none",
        "nothing",
        "undo",
        "ask",
        "edit",
        "caption",
        "caption_brief",
        "info",
        "read",
        "bw",
        "sepia",
        "invert",
    ]
)
"""Intents whose sentences the tagger does not learn from."""
NO_STEPS = frozenset(["chat", "help", "none", "nothing", "undo", "chain"])
"""Intents that are not a step of a chain."""
MIN_COUNT = 2
"""Features that occur less often are left out."""
CLASSIFIER = {"c1": 0.1, "c2": 0.2, "max_iterations": 120}
TAGGER = {"c1": 0.1, "c2": 0.2, "max_iterations": 120}
SMALLEST = 2
"""Weights of less than so many hundredths are left out."""
Model = tuple[list[str], dict[str, dict[str, float]]]
"""The labels, and for each feature the weights of labels."""


@dataclass(frozen=True)
class Marked:
    """A sentence of a training file.

    Args:
        intent: what the sentence asks for, a label of the classifier.
        text: without marks.
        spans: slots as (start, end, name of the slot); ``text[start:end]`` is its value.
    """

    intent: str
    text: str
    spans: tuple[tuple[int, int, str], ...] = ()

    def labels(self) -> list[str]:
        """One label for each token: O, B-slot or I-slot."""
        labels, last = [], ""
        for token in tokens(self.text):
            inside = next((s for s in self.spans if s[0] <= token.start and token.end <= s[1]), None)
            if inside is None:
                labels.append("O")
            else:
                labels.append(("I-" if last == inside[2] and token.start > inside[0] else "B-") + inside[2])
            last = "" if inside is None else inside[2]
        return labels


def read(line: str) -> Marked:
    """The sentence of a line of the form ``intent | words [slot:words] words``."""
    intent, _, marked = line.partition("|")
    text, spans, last = "", [], 0
    marked = marked.strip()
    for found in _MARK.finditer(marked):
        text += marked[last : found.start()]
        spans.append((len(text), len(text) + len(found[2]), found[1]))
        text += found[2]
        last = found.end()
    return Marked(intent.strip(), text + marked[last:], tuple(spans))


def read_all(files: Iterable[Path]) -> list[Marked]:
    """The sentences of all files; lines without a bar are skipped."""
    return [read(line) for file in files for line in file.read_text("utf-8").splitlines() if "|" in line]


def chains(sentences: Sequence[Marked]) -> Iterator[Marked]:
    """Sentences that join two requests; the planner reads such sentences step by step."""
    choice = random.Random(SEED)  # noqa: S311  (a fixed sample, nothing secret)
    steps = [one for one in sentences if one.intent not in NO_STEPS and len(one.text) < MAX_STEP_CHARS]
    for _ in range(int(len(sentences) * SHARE_OF_CHAINS)):
        first, second = choice.sample(steps, 2)
        join = choice.choice(_JOINS)
        tail = second.text if join == ". " else second.text[:1].lower() + second.text[1:]
        yield Marked("chain", first.text.rstrip(" .!?") + join + tail)


def train_classifier(sentences: Sequence[Marked]) -> Model:
    """Train the classifier of intents."""
    featured = [(intent_features(one.text), one.intent) for one in [*sentences, *chains(sentences)]]
    counts = Counter(feature for features, _ in featured for feature in features)
    items = [([[f for f in features if counts[f] >= MIN_COUNT]], [intent]) for features, intent in featured]
    return _trained(items, CLASSIFIER)


def train_tagger(sentences: Sequence[Marked]) -> Model:
    """Train the tagger of slots."""
    items = []
    for one in sentences:
        if one.intent not in NO_SLOTS and (words := [token.word for token in tokens(one.text)]):
            items.append((slot_features(words, one.intent), one.labels()))
    counts = Counter(f for words, _ in items for word in words for f in word)
    items = [
        ([[f for f in word if counts[f] >= MIN_COUNT] for word in words], labels) for words, labels in items
    ]
    return _trained(items, TAGGER)


def _trained(items: Iterable[tuple[list[list[str]], list[str]]], settings: dict[str, float]) -> Model:
    trainer = pycrfsuite.Trainer(verbose=False)
    for features, labels in items:
        trainer.append(features, labels)
    trainer.set_params(settings)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/model"
        trainer.train(path)
        tagger = pycrfsuite.Tagger()
        tagger.open(path)
        info = tagger.info()
        tagger.close()
    rows: dict[str, dict[str, float]] = defaultdict(dict)
    for (feature, label), weight in info.state_features.items():
        rows[feature][label] = weight
    for (before, after), weight in info.transitions.items():
        rows[f"{weights.TRANSITION}{before}"][after] = weight
    return sorted(info.labels), rows


def write(path: Path, labels: Sequence[str], rows: dict[str, dict[str, float]]) -> None:
    """Write a model with its weights rounded to hundredths, and print its size."""
    places = {label: place for place, label in enumerate(labels)}
    written = {}
    for feature, row in rows.items():
        hundredths = sorted((places[label], round(weight * 100)) for label, weight in row.items())
        kept = [f"{place}:{weight}" for place, weight in hundredths if abs(weight) >= SMALLEST]
        if kept:
            written[feature] = " ".join(kept)
    path.write_text(weights.written(labels, written), "utf-8")
    print(f"{path.name}: {len(written)} features, {path.stat().st_size / 1e6:.2f} MB")


def train(folder: Path, target: Path, without: Sequence[str] = ()) -> None:
    """Train both models.

    Args:
        folder: of the files of sentences.
        target: folder where ``classifier.txt`` and ``tagger.txt`` are written.
        without: names of files that are not read.
    """
    files = [file for file in sorted(folder.glob("*.txt")) if file.name not in without]
    sentences = read_all(files)
    print(f"{len(sentences)} sentences")
    write(target / "classifier.txt", *train_classifier(sentences))
    write(target / "tagger.txt", *train_tagger(sentences))


def main() -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--without", nargs="*", default=[], help="names of files that are not read")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="folder of the sentences")
    parser.add_argument("--target", type=Path, default=TARGET, help="folder of the trained files")
    options = parser.parse_args()
    train(options.folder, options.target, options.without)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
