"""The demo's report: one HTML file beside its pictures, with no script and nothing from elsewhere."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptvision.agent.reply import Reply, Step

__all__ = ["Chapter", "write_report"]


@dataclass(frozen=True)
class Chapter:
    """One instruction and what became of it.

    Args:
        words: the instruction.
        reply: the answer.
        files: image id to file name, beside the report.
    """

    words: str
    reply: Reply
    files: dict[str, str]


_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --ok: #1a7f37; --bad: #b3261e }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 1080px; margin: 0 auto; padding: 2rem 1rem }
h1 { margin: 0 0 .2rem } h2 { margin: 0; font-size: 1.25rem }
section { border: 1px solid var(--line); border-radius: 12px; padding: 1.2rem; margin: 1.5rem 0 }
.answer { white-space: pre-wrap; margin: .4rem 0 1rem }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(260px, 1fr)); gap: 1rem }
figure { margin: 0 } figcaption { font-size: .85rem; opacity: .75; margin-top: .25rem }
img { width: 100%; height: auto; border-radius: 8px; border: 1px solid var(--line); background: var(--soft) }
ol { padding-left: 1.4rem } li { margin: 1rem 0 }
.small { display: grid; grid-template-columns: repeat(auto-fill, minmax(170px, 1fr)); gap: .7rem }
.small { margin: .5rem 0 }
.state { font-weight: 600 } .done { color: var(--ok) } .failed { color: var(--bad) }
code { background: var(--soft); border-radius: 5px; padding: .1rem .35rem; font-size: .85rem }
code { overflow-wrap: anywhere }
"""


def write_report(folder: Path, chapters: list[Chapter]) -> Path:
    """Write ``report.html`` into the folder that holds the pictures; return its path."""
    body = "\n".join(_chapter(number, chapter) for number, chapter in enumerate(chapters, start=1))
    page = (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>promptvision demo</title><style>{_STYLE}</style></head><body>"
        "<h1>promptvision demo</h1><p>Five instructions, run by the offline planner with the tools that are "
        "installed here. No key, no GPU, no weights.</p>"
        f"{body}</body></html>\n"
    )
    path = folder / "report.html"
    path.write_text(page, "utf-8")
    return path


def _chapter(number: int, chapter: Chapter) -> str:
    reply = chapter.reply
    seconds = sum(step.seconds for step in reply.steps)
    pair = [
        _figure(chapter, image_id, caption)
        for image_id, caption in ((reply.image_url, "before"), (reply.picture, "after"))
        if image_id is not None
    ]
    steps = "".join(_step(chapter, step) for step in reply.steps)
    return (
        f"<section><h2>{number}. \u201c{html.escape(chapter.words)}\u201d</h2>"
        f"<p class='answer'>{html.escape(reply.text_response)}</p>"
        f"<div class='pair'>{''.join(pair)}</div>"
        f"<h3>Steps ({seconds:.2f} s)</h3><ol>{steps}</ol></section>"
    )


def _step(chapter: Chapter, step: Step) -> str:
    pictures = [
        _figure(chapter, value, name.replace("_url", "").replace("_", " "))
        for name, value in _pictures(step.result or {}, chapter.files)
    ]
    facts = {
        name: value
        for name, value in (step.result or {}).items()
        if name in ("bounding_boxes", "labels", "scores", "caption", "extracted_text")
    }
    shown = f"<code>{html.escape(json.dumps(facts, ensure_ascii=False))}</code>" if facts else ""
    message = f"<p>{html.escape(step.message)}</p>" if step.message else ""
    return (
        f"<li><span class='state {html.escape(step.status)}'>{html.escape(step.status)}</span> "
        f"<b>{html.escape(step.operation)}</b> by {html.escape(step.tool)} in {step.seconds:.2f} s{message}"
        f"<div class='small'>{''.join(pictures)}</div>{shown}</li>"
    )


def _pictures(result: dict[str, Any], files: dict[str, str]) -> list[tuple[str, str]]:
    found = []
    for name, value in result.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and one in files and name != "original_image_url":
                found.append((name, one))
    return found


def _figure(chapter: Chapter, image_id: str, caption: str) -> str:
    name = html.escape(chapter.files[image_id])
    alt = html.escape(f"{caption}: {chapter.words}")
    return f"<figure><img src='{name}' alt='{alt}'><figcaption>{html.escape(caption)}</figcaption></figure>"
