"""Features of sentences and words for the intent classifier and the slot tagger."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptvision.builtin.planner.intents.features import intent_features, slot_features, tokens

WORDS = st.sampled_from(
    [
        "remove",
        "the",
        "cat's",
        "Red",
        "car",
        "20",
        "%",
        '"',
        "\u201eHallo\u201c",
        "1,5",
        "caf\u00e9",
        ",",
        "\n",
    ]
)
TEXTS = st.text(max_size=60) | st.lists(WORDS, max_size=15).map(" ".join)


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_tokens_are_the_text_without_white_space(text: str) -> None:
    found = tokens(text)
    assert all(text[token.start : token.end] == token.word for token in found)
    assert "".join(token.word for token in found) == "".join(text.split())
    assert all(one.end <= after.start for one, after in itertools.pairwise(found))


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_features_of_any_text_are_sorted_unique_and_fit_a_file_of_weights(text: str) -> None:
    features = intent_features(text)
    assert features == sorted(set(features))
    assert "bias" in features
    assert not any(sign in feature for feature in features for sign in "\t\n\r")


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_each_word_has_features_alone_and_together_with_the_intent(text: str) -> None:
    words = [token.word for token in tokens(text)]
    made = slot_features(words, "remove")
    assert len(made) == len(words)
    for intent, *features in made:
        assert intent == "remove"
        half = len(features) // 2
        assert features[half:] == [f"remove {feature}" for feature in features[:half]]
        assert not any(sign in feature for feature in features for sign in "\t\n\r")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("turn it 35 degrees", "turn it 48 degrees"),
        ("paint it red", "paint it teal"),
        ('write "Happy birthday" on it', "write \u201cSold\u201d on it"),
        ("can\u2019t you crop it", "can't you crop it"),
        ("REMOVE the cat", "remove the Cat"),
    ],
)
def test_sentences_that_differ_by_a_value_share_their_pairs_of_words(one: str, other: str) -> None:
    pairs = [
        {feature for feature in intent_features(text) if " _ " in feature or feature.startswith("first ")}
        for text in (one, other)
    ]
    assert pairs[0] == pairs[1]
    assert pairs[0]


def test_the_class_of_a_word_hides_numbers_and_colours_but_not_things() -> None:
    assert "the colour" in intent_features("paint the red door")
    assert "by #" in intent_features("scale by 250")
    assert "the door" in intent_features("open the door")


def test_words_inside_quotes_are_marked() -> None:
    words = ["write", '"', "Sold", '"', "below"]
    marks = ["quoted" in features for features in slot_features(words, "text")]
    assert marks == [False, True, True, False, False]
