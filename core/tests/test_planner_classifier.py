"""The intent classifier, and the decoder of the slot tagger against all labellings."""

from __future__ import annotations

import math
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptvision.builtin.planner.intents.calls import INTENTS
from promptvision.builtin.planner.intents.classifier import _best, _spans, _total, classify, load, tag
from promptvision.builtin.planner.intents.features import tokens
from promptvision.builtin.planner.intents.weights import load_weights

Rows = list[list[float]]
SCORES = st.integers(-400, 400).map(lambda hundredths: hundredths / 100)


@st.composite
def chains(draw: st.DrawFn) -> tuple[Rows, Rows]:
    """Scores of labels for each word, and of transitions."""
    labels, words = draw(st.integers(1, 4)), draw(st.integers(1, 5))

    def table(rows: int) -> Rows:
        return draw(
            st.lists(st.lists(SCORES, min_size=labels, max_size=labels), min_size=rows, max_size=rows)
        )

    return table(words), table(labels)


def all_paths(emitted: Rows, transitions: Rows) -> dict[tuple[int, ...], float]:
    return {
        path: sum(row[label] for row, label in zip(emitted, path, strict=True))
        + sum(transitions[a][b] for a, b in pairwise(path))
        for path in product(range(len(transitions)), repeat=len(emitted))
    }


@settings(max_examples=60, deadline=None)
@given(chains(), st.data())
def test_the_best_path_is_that_of_a_search_through_all(chain: tuple[Rows, Rows], data: st.DataObject) -> None:
    emitted, transitions = chain
    paths = all_paths(emitted, transitions)
    needed = data.draw(st.lists(st.integers(0, len(transitions) - 1), unique=True, max_size=2))
    score, path = _best(emitted, transitions, needed)
    fitting = [value for labels, value in paths.items() if set(needed) <= set(labels)]
    assert score == pytest.approx(max(fitting or paths.values()))
    assert paths[tuple(path)] == pytest.approx(score)
    assert set(needed) <= set(path) or not fitting


@settings(max_examples=60, deadline=None)
@given(chains())
def test_the_total_is_the_sum_over_all_paths(chain: tuple[Rows, Rows]) -> None:
    emitted, transitions = chain
    paths = all_paths(emitted, transitions).values()
    assert _total(emitted, transitions) == pytest.approx(math.log(sum(math.exp(score) for score in paths)))


def test_a_slot_keeps_its_first_part() -> None:
    found = tokens("the red car and the blue van")
    spans = _spans(found, ["B-t", "I-t", "I-t", "O", "B-t", "I-t", "I-t"])
    assert spans == {"t": (0, 11)}


def test_a_slot_begins_also_without_its_first_label_and_ends_at_another_slot() -> None:
    found = tokens("red car blue van")
    assert _spans(found, ["I-t", "I-t", "B-p", "I-p"]) == {"t": (0, 7), "p": (8, 16)}


PLAIN = [
    ("Erase the blue trash bag please", "remove", {"t": "the blue trash bag"}),
    ("Swap the red umbrella for a yellow one", "replace", {"t": "the red umbrella", "p": "a yellow one"}),
    ("Paint the kitchen door dark green", "replace", {"t": "the kitchen door", "p": "dark green"}),
    ("Make the whole photo a bit brighter", "brightness_up", {}),
    ("Blur the number plate of the van", "blur", {"t": "the number plate of the van"}),
    ("Resize it to 1200 pixels wide", "resize", {"w": "1200"}),
    ("Please reduce the contrast by 20 %", "contrast_down", {"n": "20 %"}),
    ('Write "Happy Easter" at the bottom', "text", {"x": "Happy Easter", "a": "bottom"}),
    ("Make a picture of a castle on a hill at dawn", "generate", {"p": "a castle on a hill at dawn"}),
    ("Keep the left half", "crop_part", {"a": "the left half"}),
    (
        "Entferne bitte den M\u00fclleimer neben der Bank",
        "remove",
        {"t": "den M\u00fclleimer neben der Bank"},
    ),
    ("Pixelate the faces of the children", "pixelate", {"t": "the faces of the children"}),
    ("What does the shop sign say?", "read", {}),
    ("Describe this photo", "caption", {}),
]


@pytest.mark.parametrize(("text", "intent", "slots"), PLAIN, ids=[text for text, _, _ in PLAIN])
def test_plain_sentences_have_the_expected_intent_and_slots(
    text: str, intent: str, slots: dict[str, str]
) -> None:
    (label, probability), *_ = classify(text)
    assert (label, probability > 0.5) == (intent, True)
    wanted = INTENTS[intent]
    tagging = tag(text, intent, tuple(wanted.slots), wanted.needed)
    assert tagging.slots == slots
    assert 0 < tagging.probability <= 1 + 1e-9


@pytest.mark.parametrize("text", ["Book me a flight to Rome", "Undo that last change"])
def test_requests_without_a_call_are_told_from_the_others(text: str) -> None:
    assert classify(text)[0][0] not in INTENTS


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=80))
def test_any_text_has_probabilities_and_a_tagging(text: str) -> None:
    ranked = classify(text)
    assert sum(probability for _, probability in ranked) == pytest.approx(1)
    assert ranked == sorted(ranked, key=lambda pair: -pair[1])
    tagging = tag(text, "replace", ("t", "p"), ("t", "p"))
    assert all(words in text and words.strip() == words for words in tagging.slots.values())


def test_needed_slots_are_found_in_every_sentence_that_has_a_word_for_each() -> None:
    assert tag("hmm , yes", "replace", ("t", "p")).slots.keys() <= {"t", "p"}
    assert tag("hmm , yes", "replace", ("t", "p"), ("t", "p")).slots.keys() == {"t", "p"}


def test_a_text_without_words_and_a_slot_that_was_never_learned_have_no_words() -> None:
    assert tag(" ", "remove", ("t",), ("t",)).slots == {}
    assert tag("remove the cat", "remove", ("unknown",), ("unknown",)).slots == {}


def test_weights_are_loaded_ahead_of_the_first_request() -> None:
    load_weights.cache_clear()
    load()
    assert load_weights.cache_info().currsize == 2
