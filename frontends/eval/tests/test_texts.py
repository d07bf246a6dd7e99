"""Accuracies and error rates of a data set equal those of jiwer, called directly."""

from __future__ import annotations

from pathlib import Path

import jiwer
import pytest

from promptvision.plugin import EvalExample, EvalSetup, InputError, Settings
from promptvision_eval.texts import TextPairs

PAIRS = {
    "a": ("The quick brown fox", "The quiek brown  fax"),
    "b": ("na\u00efve caf\u00e9 \u65e5\u672c\u8a9e", "naive caf\u00e9 \u65e5\u672c"),
    "c": ("nothing was read", ""),
    "d": ("", "noise"),
    "e": ("right", "right"),
}


def make(folder: Path) -> TextPairs:
    for name, (label, _) in PAIRS.items():
        (folder / f"{name}.png").touch()
        (folder / f"{name}.txt").write_text(label, "utf-8")
    return TextPairs(EvalSetup(data=folder, options={}, settings=Settings(), folder=folder))


def test_the_figures_of_a_data_set_equal_jiwer(tmp_path: Path) -> None:
    texts = make(tmp_path)
    examples = [EvalExample(case=case, prediction={"text": PAIRS[case.id][1]}) for case in texts.cases()]
    scores = texts.score(examples)
    labels, reads = ([" ".join(text.split()) for text in side] for side in zip(*PAIRS.values(), strict=True))
    cer, wer = jiwer.cer(labels, reads), jiwer.wer(labels, reads)
    values = {metric.name: metric.value for metric in scores.metrics}
    wanted = {
        "character accuracy": 100 * (1 - cer),
        "CER": 100 * cer,
        "word accuracy": 100 * (1 - wer),
        "WER": 100 * wer,
    }
    assert values == pytest.approx(wanted, abs=1e-6)
    assert scores.per_case[-1] == 1


def test_a_label_that_is_not_utf_8_is_an_error(tmp_path: Path) -> None:
    texts = make(tmp_path)
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"a\.txt cannot be read"):
        next(iter(texts.cases()))
