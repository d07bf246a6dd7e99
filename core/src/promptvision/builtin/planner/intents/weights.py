"""Weights of the intent classifier and of the slot tagger, read from text files of this package.

``scripts/train_planner.py`` writes the files. The first line has the labels, separated by spaces. Each of the
other lines is a bucket: the features with the same hash, each one followed by its weights, all separated by
tabs. The weights ``3:120 7:-45`` are 1.20 for label 3 and -0.45 for label 7. A row is parsed when its feature
is looked up, so reading a file takes 2 ms instead of 30.
Features that begin with ``>`` are transitions from a label to the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from zlib import crc32

__all__ = ["TRANSITION", "Weights", "load_weights", "written"]

TRANSITION = ">"
"""First character of the features that hold transitions."""
MAX_PARSED = 20_000
"""Maximum number of parsed rows that are kept in memory."""
_UNIT = 0.01
_BUCKETS = 4096


@dataclass(frozen=True)
class Weights:
    """The weights of a linear model.

    Args:
        labels: what the model tells apart, in the order of their numbers in the file.
        buckets: written features and weights; the hash of a feature is the index of its bucket.
    """

    labels: tuple[str, ...]
    buckets: list[str]
    _rows: dict[str, tuple[tuple[int, float], ...]] = field(default_factory=dict)

    def row(self, feature: str) -> tuple[tuple[int, float], ...]:
        """Pairs of the index of a label and a weight for one feature; empty for an unknown feature."""
        row = self._rows.get(feature)
        if row is not None:
            return row
        bucket = self.buckets[_bucket(feature)]
        at = bucket.find(f"\t{feature}\t")
        if at < 0:
            return ()
        start = at + len(feature) + 2
        end = bucket.find("\t", start)
        row = tuple(_parsed(bucket[start:end]))
        if len(self._rows) < MAX_PARSED:
            self._rows[feature] = row
        return row

    def scores(self, features: Iterable[str]) -> list[float]:
        """The sum of the weights of the features, one number for each label."""
        sums = [0.0] * len(self.labels)
        for feature in features:
            for place, weight in self.row(feature):
                sums[place] += weight
        return sums


def _bucket(feature: str) -> int:
    return crc32(feature.encode("utf-8", "surrogatepass")) % _BUCKETS


def _parsed(row: str) -> Iterable[tuple[int, float]]:
    for pair in row.split(" "):
        place, _, weight = pair.partition(":")
        yield int(place), int(weight) * _UNIT


def written(labels: Iterable[str], rows: Mapping[str, str]) -> str:
    """The text of a file of weights.

    Args:
        labels: in the order of their indexes.
        rows: feature to its written weights, such as ``3:120 7:-45``.
    """
    buckets: list[list[str]] = [[] for _ in range(_BUCKETS)]
    for feature, row in sorted(rows.items()):
        buckets[_bucket(feature)] += [feature, row]
    lines = ["".join(f"\t{cell}" for cell in bucket) + "\t" for bucket in buckets]
    return "\n".join([" ".join(labels), *lines]) + "\n"


@cache
def load_weights(name: str) -> Weights:
    """The weights in a file of this package, read once per process.

    Args:
        name: name of the file without its extension.
    """
    text = (resources.files(__package__) / f"{name}.txt").read_text("utf-8")
    labels, *buckets = text.split("\n")
    return Weights(tuple(labels.split()), buckets)
