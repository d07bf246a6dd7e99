"""CIDEr and BLEU equal pycocoevalcap with its own tokenizer, called directly. The tests need Java."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from pycocoevalcap.bleu.bleu import Bleu  # type: ignore[import-untyped]
from pycocoevalcap.cider.cider import Cider  # type: ignore[import-untyped]
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer  # type: ignore[import-untyped]

from promptvision.plugin import EvalExample, EvalSetup, InputError, Settings
from promptvision_eval.captions import CocoCaptions

LABELS = {
    "a.jpg": ["A lion lies in the grass.", "A big cat (a lion), resting: it's calm!"],
    "b.jpg": ["Two caf\u00e9 tables\non a na\u00efve street", "Tables; \u201coutdoors\u201d"],
    "c.jpg": ["A man rides a horse on the beach", "Someone on a horse near the sea"],
    "d.jpg": ["\u65e5\u672c\u8a9e sign over a door", "A sign."],
}
FOUND = {
    "a.jpg": "a lion resting in the grass",
    "b.jpg": "two caf\u00e9 tables on a street",
    "c.jpg": "",
    "d.jpg": "a \u65e5\u672c\u8a9e sign over a door",
}


@pytest.fixture
def captions(tmp_path: Path) -> CocoCaptions:
    for name in LABELS:
        (tmp_path / name).touch()
    images = [{"id": at, "file_name": name} for at, name in enumerate(LABELS)]
    rows = [{"image_id": at, "caption": text} for at, texts in enumerate(LABELS.values()) for text in texts]
    file = tmp_path / "captions_val2014.json"
    file.write_text(json.dumps({"images": images, "annotations": rows}))
    return CocoCaptions(EvalSetup(data=file, options={}, settings=Settings(), folder=tmp_path))


def score(captions: CocoCaptions) -> dict[str, float | None]:
    examples = [EvalExample(case=case, prediction={"caption": FOUND[case.id]}) for case in captions.cases()]
    return {metric.name: metric.value for metric in captions.score(examples).metrics}


def test_figures_equal_pycocoevalcap(
    captions: CocoCaptions, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Dfile.encoding=UTF-8 -Dstdout.encoding=UTF-8")
    tokenizer = PTBTokenizer()
    truth = tokenizer.tokenize(
        {name: [{"caption": text} for text in texts] for name, texts in LABELS.items()}
    )
    result = tokenizer.tokenize({name: [{"caption": text}] for name, text in FOUND.items()})
    cider, _ = Cider().compute_score(truth, result)
    bleu, _ = Bleu(4).compute_score(truth, result, verbose=0)
    figures = score(captions)
    assert figures["CIDEr"] == pytest.approx(100 * float(cider), abs=1e-6)
    assert [figures[f"BLEU-{n}"] for n in (1, 2, 3, 4)] == pytest.approx([100 * b for b in bleu], abs=1e-6)
    capfd.readouterr()


def test_without_java_the_figures_say_that_they_do_not_compare(
    captions: CocoCaptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    examples = [EvalExample(case=case, prediction={"caption": FOUND[case.id]}) for case in captions.cases()]
    by_name = {metric.name: metric for metric in captions.score(examples).metrics}
    assert "without Java" in by_name["CIDEr"].note
    assert by_name["CIDEr"].value is not None
    assert by_name["SPICE"].value is None
    assert "Java" in by_name["SPICE"].note


def test_resampling_everything_gives_the_figure(
    captions: CocoCaptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    examples = [EvalExample(case=case, prediction={"caption": FOUND[case.id]}) for case in captions.cases()]
    for metric in captions.score(examples).metrics:
        if metric.resample is not None:
            assert metric.resample(range(4)) == pytest.approx(metric.value, abs=1e-9)


@pytest.mark.parametrize("form", ["karpathy", "list"])
def test_both_forms_of_the_karpathy_split_are_read(tmp_path: Path, form: str) -> None:
    (tmp_path / "val2014").mkdir()
    (tmp_path / "val2014" / "a.jpg").touch()
    if form == "karpathy":
        file = tmp_path / "dataset_coco.json"
        rows = [
            {
                "filepath": "val2014",
                "filename": f"{name}.jpg",
                "split": split,
                "sentences": [{"raw": "A cat"}],
            }
            for name, split in (("a", "test"), ("b", "train"))
        ]
        file.write_text(json.dumps({"images": rows}))
    else:
        file = tmp_path / "coco_karpathy_test.json"
        file.write_text(json.dumps([{"image": "val2014/a.jpg", "caption": ["A cat"]}]))
    setup = EvalSetup(data=tmp_path, options={}, settings=Settings(), folder=tmp_path)
    (case,) = CocoCaptions(setup).cases()
    assert (case.id, case.truth) == ("val2014/a.jpg", ["A cat"])
    assert case.image == tmp_path / "val2014" / "a.jpg"


def test_a_file_of_another_kind_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "captions_val.json"
    file.write_text('{"images": [{"id": 1}], "annotations": []}')
    with pytest.raises(InputError, match="not a file of COCO captions"):
        CocoCaptions(EvalSetup(data=file, options={}, settings=Settings(), folder=tmp_path))
