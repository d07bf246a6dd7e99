"""Tokenise captions as the COCO caption evaluation does, by Stanford's PTB tokenizer where Java is installed.

Without Java, words are split at white space and punctuation, which changes the figures.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from promptvision.plugin import InputError

__all__ = ["has_java", "tokenise"]

TIMEOUT_S = 600
_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")


def has_java() -> bool:
    """Whether ``java`` is on the path."""
    return shutil.which("java") is not None


def tokenise(captions: Sequence[str]) -> list[str]:
    """Each caption in lower case without punctuation, its tokens separated by single spaces.

    Raises:
        InputError: the tokenizer fails.
    """
    lines = [" ".join(caption.split()) for caption in captions]
    return _by_java(lines) if has_java() else [" ".join(_WORD.findall(line.lower())) for line in lines]


def _by_java(lines: Sequence[str]) -> list[str]:
    from pycocoevalcap.tokenizer import ptbtokenizer  # type: ignore[import-untyped]

    jar = Path(ptbtokenizer.__file__).with_name(ptbtokenizer.STANFORD_CORENLP_3_4_1_JAR)
    command = ["java", "-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8", "-cp", str(jar)]
    command += ["edu.stanford.nlp.process.PTBTokenizer", "-preserveLines", "-lowerCase"]
    try:
        done = subprocess.run(
            command, input="\n".join(lines) + "\n", capture_output=True, encoding="utf-8", timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired as exc:
        raise InputError(f"eval: java took longer than {TIMEOUT_S} s", hint="use --limit") from exc
    found = done.stdout.split("\n")[: len(lines)]
    if done.returncode or len(found) != len(lines):
        raise InputError(f"eval: java failed: {done.stderr.strip()[-200:]}", hint="check `java -version`")
    dropped = frozenset(ptbtokenizer.PUNCTUATIONS)
    return [" ".join(token for token in line.split() if token not in dropped) for line in found]
