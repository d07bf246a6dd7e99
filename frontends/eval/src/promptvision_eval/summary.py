"""Figures as text, and the table that the command prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["figure_text", "memory_text", "print_summary", "rows"]

Cell = Mapping[str, Any]


def figure_text(metric: Mapping[str, Any] | None) -> str:
    """A figure with its interval, such as ``41.3 [38.9, 43.6] %``."""
    if metric is None or metric["value"] is None:
        return "-"
    interval = metric["interval"]
    spread = f" [{_number(interval[0])}, {_number(interval[1])}]" if interval else ""
    unit = f" {metric['unit']}" if metric["unit"] else ""
    return f"{_number(metric['value'])}{spread}{unit}"


def _number(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 1 else f"{value:.2f}"


def memory_text(count: int) -> str:
    """Bytes in MB or GB."""
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def rows(document: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Name and one cell per tool: metrics first, then cost."""
    tools = document["tools"]
    names = dict.fromkeys(metric["name"] for tool in tools for metric in tool["metrics"])
    by_tool = [{metric["name"]: metric for metric in tool["metrics"]} for tool in tools]
    table = [(name, [figure_text(metrics.get(name)) for metrics in by_tool]) for name in names]
    example = "sentence" if document["operation"] == "planner" else "image"
    table.append((f"seconds per {example}, median", [f"{tool['seconds_per_image']:.3f}" for tool in tools]))
    table.append(("peak memory", [memory_text(tool["peak_bytes"]) for tool in tools]))
    if any(tool["gpu_bytes"] for tool in tools):
        table.append(("peak GPU memory", [memory_text(tool["gpu_bytes"]) for tool in tools]))
    table.append(("done", [f"{tool['done']} of {tool['done'] + tool['failed']}" for tool in tools]))
    return table


def print_summary(document: Mapping[str, Any], console: Console) -> None:
    """Print the table, notes, published figures and failures."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(Text(f"{document['operation']} on {document['data']}"), overflow="fold")
    for tool in document["tools"]:
        table.add_column(Text(f"{tool['name']} {tool['version']}"), justify="right")
    for name, cells in rows(document):
        table.add_row(Text(name), *map(Text, cells))
    console.print(table)
    for line in [*_notes(document["tools"]), *_comparisons(document["tools"])]:
        console.print(Text(line))


def _notes(tools: Sequence[Mapping[str, Any]]) -> list[str]:
    lines: dict[str, None] = {}
    for tool in tools:
        for metric in tool["metrics"]:
            if metric["note"]:
                lines[f"{metric['name']}: {metric['note']}"] = None
        if tool["replaced_weights"]:
            names = ", ".join(tool["replaced_weights"])
            lines[f"{tool['name']}: weights replaced by {names}; the figures are of these weights"] = None
        for case, error in [*tool["failures"].items()][:5]:
            lines[f"{tool['name']}: {case} failed and does not count: {error}"] = None
        if tool["failed"] > 5:
            lines[f"{tool['name']}: {tool['failed'] - 5} more failed"] = None
    return [*lines]


def _comparisons(tools: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"{metric['name']} of {tool['name']}: {figure_text(metric)}; published {each['value']} "
        f"({each['model']}, {each['data']}; {each['source']})"
        + "".join(f"\n  differs: {line}" for line in each["differences"])
        for tool in tools
        for metric in tool["metrics"]
        for each in metric["published"]
    ]
