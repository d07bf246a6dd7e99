"""SPICE: what is missing is named, and the figures are those of pycocoevalcap, called directly.

The scorer itself needs Stanford CoreNLP with its models (340 MB), which no test downloads: a fake
``java`` program answers in its format.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from pycocoevalcap.spice import get_stanford_models, spice  # type: ignore[import-untyped]

from promptvision_eval.spice import JARS, PULL, spice_metric, why_not

LABELS = {0: ["a lion in the grass", "a big cat"], 1: ["two caf\u00e9 tables"], 2: ["a sign"], 10: ["a sign"]}
FOUND = {0: ["a lion in a cage"], 1: ["two caf\u00e9 chairs"], 2: [""], 10: ["a sign"]}
JAVA = """#!{python}
import json, sys
if "-version" in sys.argv:
    sys.exit(print('openjdk version "{version}" 2020-01-01', file=sys.stderr))
read, write = sys.argv[sys.argv.index("spice-1.0.jar") + 1], sys.argv[sys.argv.index("-out") + 1]
rows = []
for image in json.load(open(read, encoding="utf-8")):
    if image["test"] == "stop":
        sys.exit(1)
    found = set(image["test"].split())
    known = {{word for label in image["refs"] for word in label.split()}}
    f = 2 * len(found & known) / (len(found) + len(known)) if found or {empty} else None
    rows.append({{"image_id": image["image_id"], "scores": {{"All": {{"f": f, "pr": 1.0, "re": 1.0}}}}}})
json.dump(rows, open(write, "w", encoding="utf-8"))
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of SPICE with empty files instead of the jars."""
    folder = tmp_path / "spice"
    (folder / "lib").mkdir(parents=True)
    monkeypatch.setattr(spice, "__file__", str(folder / "spice.py"))
    monkeypatch.setattr(get_stanford_models, "SPICEDIR", str(folder))
    for name in JARS:
        (folder / "lib" / name).touch()
    return folder / "lib"


def install_java(folder: Path, monkeypatch: pytest.MonkeyPatch, version: str, *, empty: bool = True) -> None:
    program = folder / "bin" / "java"
    program.parent.mkdir()
    program.write_text(JAVA.format(python=sys.executable, version=version, empty=empty))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.2"])
def test_the_figure_equals_that_of_pycocoevalcap(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    install_java(tmp_path, monkeypatch, version)
    mean, scores = spice.Spice().compute_score(LABELS, FOUND)
    metric = spice_metric(LABELS, FOUND)
    assert metric.value == pytest.approx(100 * float(mean), abs=1e-6)
    assert 0 < float(mean) < 1
    assert metric.resample is not None
    assert metric.resample([3, 3, 2]) == pytest.approx(200 / 3, abs=1e-6)
    assert [each["All"]["f"] for each in scores][2:] == [0, 1]


def test_an_image_without_a_figure_is_reported(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_java(tmp_path, monkeypatch, "11.0.2", empty=False)
    metric = spice_metric(LABELS, FOUND)
    assert (metric.value, metric.note) == (None, "1 images have no F measure")


def test_a_failure_of_java_leaves_the_other_figures(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_java(tmp_path, monkeypatch, "11.0.2")
    metric = spice_metric(LABELS, {**FOUND, 1: ["stop"]})
    assert metric.value is None
    assert "java ended with exit code 1" in metric.note


def test_what_is_missing_is_named(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_java(tmp_path, monkeypatch, "11.0.2")
    assert why_not() == ""
    (library / JARS[1]).unlink()
    assert PULL in why_not()
    assert PULL in spice_metric(LABELS, FOUND).note
    shutil.rmtree(tmp_path / "bin")
    install_java(tmp_path, monkeypatch, "17.0.15")
    assert "`java` is version 17" in why_not()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "install a Java runtime" in why_not()
