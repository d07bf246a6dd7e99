"""The demo's report: one HTML file next to its images, without scripts and external resources."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from promptvision.agent.reply import Reply, Step

__all__ = ["Figure", "Section", "html_head", "write_report"]


@dataclass(frozen=True)
class Figure:
    """An image in the folder of the report.

    Args:
        file: its name.
        width, height: in pixels, so that the page does not jump while it loads.
        caption: a short description.
    """

    file: str
    width: int
    height: int
    caption: str


@dataclass(frozen=True)
class Section:
    """One instruction and its result.

    Args:
        words: the instruction.
        reply: the answer.
        compared: the image before, and the one after it if one was made.
        steps: images of each step, in the order of ``reply.steps``.
    """

    words: str
    reply: Reply
    compared: list[Figure]
    steps: list[list[Figure]] = field(default_factory=list)


STYLE = """
:root {
  color-scheme: light dark;
  --paper: light-dark(#f4f3f0, #16181c); --card: light-dark(#fff, #1f2228);
  --ink: light-dark(#1d1f23, #e8e8ea); --quiet: light-dark(#5b5f68, #a4a8b2);
  --line: light-dark(#dedcd6, #343841);
  --ok: light-dark(#1a6b34, #6fcf8f); --bad: light-dark(#b3261e, #ff9a90);
}
* { box-sizing: border-box }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 }
main { max-width: 1120px; margin: 0 auto; padding: clamp(1rem, 4vw, 3rem) 1rem }
h1 { margin: 0; font-size: 1.9rem; letter-spacing: -.01em }
h2 { margin: 0; font-size: 1.35rem; line-height: 1.3 }
h3 { margin: 1.6rem 0 .3rem; font-size: .95rem; color: var(--quiet); font-weight: 600 }
.lead { color: var(--quiet); margin: .3rem 0 0; max-width: 65ch }
section { background: var(--card); border: 1px solid var(--line); border-radius: 14px; margin: 1.5rem 0 }
section { padding: clamp(1rem, 2.5vw, 1.75rem) }
.answer { white-space: pre-wrap; max-width: 75ch; margin: .5rem 0 1.2rem; border-left: 3px solid var(--line) }
.answer { padding-left: .9rem }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(300px, 100%), 1fr)); gap: 1rem }
.pair.one { grid-template-columns: minmax(0, 560px) }
figure { margin: 0 }
figcaption { font-size: .85rem; color: var(--quiet); margin-top: .3rem }
img { display: block; width: 100%; height: auto; border-radius: 8px; border: 1px solid var(--line) }
ol { list-style: none; padding: 0; margin: 0 }
li { border-top: 1px solid var(--line); padding: .9rem 0 }
li:last-child { padding-bottom: 0 }
.head { display: flex; flex-wrap: wrap; gap: .1rem .7rem; align-items: baseline }
.quiet { color: var(--quiet); font-size: .9rem }
.note { color: var(--quiet); font-size: .9rem; margin: .3rem 0 0; max-width: 75ch }
.small { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(210px, 45%), 1fr)); gap: .8rem }
.small { margin: .6rem 0 0 }
.done { color: var(--ok); font-weight: 600 } .failed, .cancelled { color: var(--bad); font-weight: 600 }
table { border-collapse: collapse; font-size: .9rem; margin: .6rem 0 0 }
td, th { text-align: left; padding: .15rem 1.2rem .15rem 0; font-variant-numeric: tabular-nums }
th { color: var(--quiet); font-weight: 500 }
"""


def html_head(title: str) -> str:
    """The page up to its first heading, with the style of all reports.

    Args:
        title: plain text.
    """
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head><body><main>"
    )


def write_report(folder: Path, sections: list[Section]) -> Path:
    """Write ``report.html`` into the folder that holds the images; return its path."""
    body = "\n".join(_section(number, section) for number, section in enumerate(sections, start=1))
    page = (
        f"{html_head('promptvision demo')}"
        "<h1>promptvision demo</h1><p class='lead'>Five instructions in plain language, each turned into a "
        "chain of tools by the offline planner, without a key, a GPU or a download.</p>"
        f"{body}</main></body></html>\n"
    )
    path = folder / "report.html"
    path.write_text(page, "utf-8")
    return path


def _section(number: int, section: Section) -> str:
    reply = section.reply
    seconds = sum(step.seconds for step in reply.steps)
    kind = "pair" if len(section.compared) > 1 else "pair one"
    pair = "".join(_figure(shown, section.words) for shown in section.compared)
    steps = "".join(
        _step(step, shown, section.words) for step, shown in zip(reply.steps, section.steps, strict=True)
    )
    count = f"{len(reply.steps)} step{'s' * (len(reply.steps) != 1)}"
    return (
        f"<section><h2>{number}. \u201c{html.escape(section.words)}\u201d</h2>"
        f"<p class='answer'>{html.escape(reply.text_response)}</p>"
        f"<div class='{kind}'>{pair}</div><h3>{count}, {seconds:.2f} s</h3><ol>{steps}</ol></section>"
    )


def _step(step: Step, shown: list[Figure], words: str) -> str:
    message = f"<p class='note'>{html.escape(step.message)}</p>" if step.message else ""
    figures = "".join(_figure(figure, words) for figure in shown)
    small = f"<div class='small'>{figures}</div>" if figures else ""
    return (
        f"<li><div class='head'><b>{html.escape(step.operation)}</b>"
        f"<span class='{html.escape(step.status)}'>{html.escape(step.status)}</span>"
        f"<span class='quiet'>by {html.escape(step.tool)} in {step.seconds:.2f} s</span></div>"
        f"{message}{small}{_boxes(step.result or {})}</li>"
    )


def _boxes(result: dict[str, Any]) -> str:
    """The detections as a table: box in pixels, label and score."""
    boxes = result.get("bounding_boxes") or []
    labels, scores = result.get("labels", []), result.get("scores", [])
    if len(boxes) != len(labels) or len(boxes) != len(scores) or not boxes:
        return ""
    rows = "".join(
        f"<tr><td>{html.escape(str(label))}</td><td>{score:.3f}</td>"
        f"<td>{', '.join(f'{side:.0f}' for side in box)}</td></tr>"
        for box, label, score in zip(boxes, labels, scores, strict=True)
    )
    return f"<table><tr><th>found</th><th>score</th><th>x1, y1, x2, y2</th></tr>{rows}</table>"


def _figure(shown: Figure, words: str) -> str:
    alt = html.escape(f"{shown.caption}: {words}", quote=True)
    return (
        f"<figure><a href='{shown.file}'><img src='{shown.file}' alt='{alt}' width='{shown.width}' "
        f"height='{shown.height}'></a><figcaption>{html.escape(shown.caption)}</figcaption></figure>"
    )
