"""Figures as text, and the table that the command prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["figure_text", "memory_text", "print_summary", "rows"]

NONE = "-"
SHOWN_FAILURES = 5


def figure_text(metric: Mapping[str, Any] | None) -> str:
    """A figure with its interval, such as ``41.30 [38.92, 43.61] %``."""
    if metric is None or metric["value"] is None:
        return NONE
    places = 4 if not metric["unit"] and abs(metric["value"]) < 10 else 2
    interval = metric["interval"]
    spread = f" [{interval[0]:.{places}f}, {interval[1]:.{places}f}]" if interval else ""
    return f"{metric['value']:.{places}f}{spread} {metric['unit']}".strip()


def memory_text(count: int | None) -> str:
    """Bytes in MB or GB."""
    if count is None:
        return NONE
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _seconds_text(seconds: float | None) -> str:
    return NONE if seconds is None else f"{seconds:.3f} s"


def rows(document: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Name and one cell per tool: metrics first, then cost."""
    tools = document["tools"]
    names = dict.fromkeys(metric["name"] for tool in tools for metric in tool["metrics"])
    by_tool = [{metric["name"]: metric for metric in tool["metrics"]} for tool in tools]
    table = [(name, [figure_text(metrics.get(name)) for metrics in by_tool]) for name in names]
    example = "sentence" if document["operation"] == "planner" else "image"
    seconds = [tool["seconds_per_image"] for tool in tools]
    table.append(
        (f"median time per {example}", [NONE if each is None else f"{each:.3f} s" for each in seconds])
    )
    table.append(("peak memory", [memory_text(tool["peak_bytes"]) for tool in tools]))
    if any(tool["gpu_bytes"] for tool in tools):
        table.append(("peak GPU memory", [memory_text(tool["gpu_bytes"]) for tool in tools]))
    table.append(
        (f"{example}s scored", [f"{tool['done']} of {tool['done'] + tool['failed']}" for tool in tools])
    )
    return table


def print_summary(document: Mapping[str, Any], console: Console) -> None:
    """Print the table, notes, published figures and failures."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    has_intervals = any(metric["interval"] for tool in document["tools"] for metric in tool["metrics"])
    table.add_column(Text("metric [95 % interval]") if has_intervals else "metric")
    for tool in document["tools"]:
        table.add_column(Text(f"{tool['name']} {tool['version']}"), justify="right")
    for name, cells in rows(document):
        table.add_row(Text(name), *map(Text, cells))
    console.print(Text(f"{document['operation']} on {document['data']}", style="bold"), soft_wrap=True)
    console.print(table)
    for line in [*_notes(document["tools"]), *_comparisons(document["tools"])]:
        console.print(Text(line), soft_wrap=True)


def _notes(tools: Sequence[Mapping[str, Any]]) -> list[str]:
    lines: dict[str, None] = {}
    for tool in tools:
        for metric in tool["metrics"]:
            if metric["note"]:
                lines[f"{metric['name']}: {metric['note']}"] = None
        if tool["replaced_weights"]:
            names = ", ".join(tool["replaced_weights"])
            lines[f"{tool['name']}: weights replaced by {names}; the figures are of these weights"] = None
        for case, error in [*tool["failures"].items()][:SHOWN_FAILURES]:
            lines[f"{tool['name']}: example {case} failed and does not count: {error}"] = None
        if tool["failed"] > SHOWN_FAILURES:
            lines[f"{tool['name']}: {tool['failed'] - SHOWN_FAILURES} more failed"] = None
    return [*lines]


def _comparisons(tools: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for tool in tools:
        for metric in tool["metrics"]:
            for each in metric["published"]:
                here = f"{metric['name']} of {tool['name']}: {figure_text(metric)}"
                lines.append(f"{here}; published: {each['value']} by {each['model']} on {each['data']}")
                lines.append(f"  source: {each['source']}")
                lines += [f"  differs: {line}" for line in each["differences"]]
                lines += [f"  note: {each['remark']}"] if each["remark"] else []
    return lines
