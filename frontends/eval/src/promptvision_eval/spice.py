"""SPICE of captions, by the Java program of pycocoevalcap, where it can run.

Source: Anderson et al., "SPICE: Semantic Propositional Image Caption Evaluation", ECCV 2016.
"""

from __future__ import annotations

import math
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from promptvision.plugin import Metric, mean_metric
from promptvision_eval.tokens import has_java

__all__ = ["spice_metric", "why_not"]

JARS = ("stanford-corenlp-3.6.0.jar", "stanford-corenlp-3.6.0-models.jar")
PULL = "python -m pycocoevalcap.spice.get_stanford_models"
LAST_JAVA = 14
"""SPICE 1.0 uses the JavaScript engine of Java, which version 15 removed."""
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')


def spice_metric(labels: Mapping[int, list[str]], found: Mapping[int, list[str]]) -> Metric:
    """The mean F measure of the images, as percent.

    Args:
        labels: tokenised captions of each image.
        found: the same images, each with one caption.
    """
    if note := why_not():
        return Metric(name="SPICE", value=None, note=note)
    from pycocoevalcap.spice.spice import Spice  # type: ignore[import-untyped]

    try:
        _, scores = Spice().compute_score(labels, found)
    except subprocess.CalledProcessError as exc:
        return Metric(name="SPICE", value=None, note=f"java ended with exit code {exc.returncode}; see above")
    values = [float(each["All"]["f"]) for each in scores]
    if unknown := sum(map(math.isnan, values)):
        return Metric(name="SPICE", value=None, note=f"{unknown} images have no F measure")
    return mean_metric("SPICE", values, unit="")


def why_not() -> str:
    """Why SPICE cannot run here, and what to do about it; empty if it can."""
    from pycocoevalcap.spice import spice  # type: ignore[import-untyped]

    if not has_java():
        return f"needs Java 8 to {LAST_JAVA}; install a Java runtime"
    if (version := _java_version()) > LAST_JAVA:
        return f"needs Java 8 to {LAST_JAVA}, and `java` is version {version}; put an older one first on PATH"
    folder = Path(spice.__file__).parent / "lib"
    if not all((folder / name).is_file() for name in JARS):
        return f"needs Stanford CoreNLP; run `{PULL}`"
    return ""


def _java_version() -> int:
    """The major version; 0 if ``java -version`` does not say."""
    done = subprocess.run(["java", "-version"], capture_output=True, encoding="utf-8", errors="replace")
    said = _VERSION.search(done.stderr + done.stdout)
    return int(said[1]) if said else 0
