"""Files of weights for the intent classifier and the slot tagger."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptvision.builtin.planner.intents import weights
from promptvision.builtin.planner.intents.weights import TRANSITION, Weights, load_weights, written

LABELS = ("add", "remove", "O")
FEATURES = st.text(
    st.characters(exclude_characters="\t\n\r", exclude_categories=["Cs"]) | st.sampled_from("ab >+"),
    min_size=1,
    max_size=8,
)
ROWS = st.dictionaries(st.integers(0, 2), st.integers(-900, 900), min_size=1)


def read(text: str) -> Weights:
    labels, *buckets = text.split("\n")
    return Weights(tuple(labels.split()), buckets)


def row(pairs: dict[int, int]) -> str:
    return " ".join(f"{place}:{weight}" for place, weight in sorted(pairs.items()))


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(FEATURES, ROWS, max_size=8), FEATURES)
def test_what_is_written_is_read_back(rows: dict[str, dict[int, int]], other: str) -> None:
    made = read(written(LABELS, {feature: row(pairs) for feature, pairs in rows.items()}))
    assert made.labels == LABELS
    for feature, pairs in rows.items():
        found = made.row(feature)
        assert [place for place, _ in found] == sorted(pairs)
        assert [weight for _, weight in found] == pytest.approx(
            [pairs[place] / 100 for place in sorted(pairs)]
        )
        assert made.row(feature) is made.row(feature)  # parsed once
    if other not in rows:
        assert made.row(other) == ()


def test_features_that_share_a_bucket_and_a_prefix_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_BUCKETS", 1)
    made = read(written(LABELS, {"the": "0:100", "the cat": "1:200", "cat": "2:300", "0:100": "1:50"}))
    assert len(made.buckets) == 2  # the bucket and the end of the file
    assert made.scores(["the"]) == [1.0, 0.0, 0.0]
    assert made.scores(["the cat", "cat"]) == [0.0, 2.0, 3.0]
    assert made.row("0:100") == ((1, 0.5),)
    assert made.row("he") == made.row("the cat ") == made.row("th") == ()


def test_a_file_without_features_scores_everything_zero() -> None:
    made = read(written(LABELS, {}))
    assert made.scores(["the", TRANSITION]) == [0.0, 0.0, 0.0]
    assert made.row("") == ()


def test_the_order_of_rows_does_not_change_the_file() -> None:
    rows = {f"feature {number}": f"0:{number + 1}" for number in range(50)}
    assert written(LABELS, rows) == written(LABELS, dict(reversed(rows.items())))


def test_a_lone_surrogate_is_an_unknown_feature() -> None:
    assert read(written(LABELS, {"the": "0:1"})).row("\ud800") == ()


def test_no_more_rows_are_kept_than_the_maximum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "MAX_PARSED", 1)
    made = read(written(LABELS, {"a": "0:1", "b": "1:2"}))
    assert [made.row(name) for name in "abab"] == [((0, 0.01),), ((1, 0.02),)] * 2
    assert len(made._rows) == 1


@pytest.mark.parametrize("name", ["classifier", "tagger"])
def test_shipped_files_are_read_once_and_every_row_is_valid(name: str) -> None:
    made = load_weights(name)
    assert load_weights(name) is made
    assert list(made.labels) == sorted(set(made.labels))
    count = 0
    for index, bucket in enumerate(made.buckets):
        cells = bucket.split("\t")[1:-1]
        for feature, pairs in zip(cells[::2], cells[1::2], strict=True):
            count += 1
            if count % 50 == 0:
                assert weights._bucket(feature) == index
                assert all(0 <= place < len(made.labels) and weight for place, weight in made.row(feature))
                assert pairs
    assert count > 10_000
