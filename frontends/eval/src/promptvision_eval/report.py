"""The report: one HTML file with its images inside, without scripts and external resources."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from promptvision.plugin import Evaluation, html_head
from promptvision_eval import worst
from promptvision_eval.run import Outcome
from promptvision_eval.summary import figure_text, rows
from promptvision_eval.worst import worst_examples

__all__ = ["write_report"]

FAILURES = 50
STYLE = f"""
<style>
table {{ width: 100% }} .wide {{ overflow-x: auto }}
thead th {{ border-bottom: 1px solid var(--line); color: var(--ink) }}
td, th {{ padding: .3rem 1rem .3rem 0; vertical-align: top; overflow-wrap: break-word }}
.settings td {{ overflow-wrap: anywhere }}
td.n, th.n {{ text-align: right }} .figures td {{ white-space: nowrap }} td.best {{ font-weight: 650 }}
tbody th {{ min-width: 7rem }} td:last-child, th:last-child {{ padding-right: 0 }}
.warn {{ border-left: 3px solid var(--bad); padding-left: .9rem; max-width: 75ch; overflow-wrap: anywhere }}
ul {{ margin: 0; padding-left: 1.1rem }} li {{ border: 0; padding: 0; overflow-wrap: anywhere }}
pre {{ background: var(--paper); border-radius: 8px; padding: .8rem }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere }}
@media (max-width: 700px) {{
  .figures td {{ white-space: normal }}
  .stacked thead {{ display: none }} .stacked tr {{ display: block; border-top: 1px solid var(--line) }}
  .stacked th, .stacked td, .stacked td.n {{ display: block; text-align: left; padding: .15rem 0 }}
  .stacked th {{ color: var(--ink); font-weight: 650 }}
  .stacked td::before {{ content: attr(data-name); display: block; color: var(--quiet); font-size: .85em }}
}}
{worst.STYLE}
</style>
"""


def write_report(
    path: Path, document: Mapping[str, Any], evaluation: Evaluation, outcomes: Sequence[Outcome]
) -> None:
    """Write the page.

    Args:
        path: of the file.
        document: the figures.
        evaluation: draws the worst examples.
        outcomes: one per tool of the document.
    """
    title = f"{document['operation']} on {Path(document['data']).name}"
    is_ranked = any(outcome.scores.per_case for outcome in outcomes)
    parts = [
        html_head(f"promptvision eval: {title}"),
        STYLE,
        f"<h1>{_text(title)}</h1><p class='lead'>{_text(_lead(document))}</p>",
        *(f"<p class='warn'>{_text(line)}</p>" for line in _warnings(document)),
        _section("Figures", _figures(document) + _notes(document)),
        _section("Published figures", _published(document)),
        _section("Worst examples" if is_ranked else "Examples", worst_examples(evaluation, outcomes)),
        _section("Failed", _failures(document)),
        _section("Reproduce", _reproduce(document)),
        "</main></body></html>\n",
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(parts), "utf-8", errors="replace")


def _lead(document: Mapping[str, Any]) -> str:
    limit, total = document["limit"], document["examples"]
    part = f"A random {min(limit, total)} of {total}" if limit is not None else f"All {total}"
    text = f"{part} examples of the data set, {document['date']}."
    if document["resamples"]:
        text += f" In brackets: 95 % confidence interval, by {document['resamples']} bootstrap samples."
    return text + (" Bold: the best of the tools." if len(document["tools"]) > 1 else "")


def _warnings(document: Mapping[str, Any]) -> list[str]:
    lines = []
    for tool in document["tools"]:
        if tool["replaced_weights"]:
            names = ", ".join(tool["replaced_weights"])
            lines.append(
                f"{tool['name']}: other weights than the published ones are set by {names}. The figures are "
                "of these weights and say nothing about the published models."
            )
        if tool["failed"]:
            lines.append(f"{tool['name']}: {tool['failed']} examples failed. They are not in the figures.")
    return lines


def _figures(document: Mapping[str, Any]) -> str:
    tools = document["tools"]
    is_lower = {
        metric["name"] for tool in tools for metric in tool["metrics"] if not metric["higher_is_better"]
    }
    head = "".join(f"<th class='n'>{_text(tool['name'])} {_text(tool['version'])}</th>" for tool in tools)
    body = "".join(
        f"<tr><th>{_text(name)}{', lower is better' if name in is_lower else ''}</th>"
        f"{_cells(tools, name, cells)}</tr>"
        for name, cells in rows(document)
    )
    return _table("figures", f"<th>metric</th>{head}", body)


def _table(kind: str, head: str, body: str) -> str:
    return (
        f"<div class='wide'><table class='{kind}'><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _cells(tools: Sequence[Mapping[str, Any]], name: str, cells: Sequence[str]) -> str:
    best = _best(tools, name) if len(tools) > 1 else None
    return "".join(
        f"<td class='n{' best' if at == best else ''}'>{_text(cell)}</td>" for at, cell in enumerate(cells)
    )


def _best(tools: Sequence[Mapping[str, Any]], name: str) -> int | None:
    """The tool with the best figure; None where two are equal or none has one."""
    found = {
        at: metric["value"] if metric["higher_is_better"] else -metric["value"]
        for at, tool in enumerate(tools)
        for metric in tool["metrics"]
        if metric["name"] == name and metric["value"] is not None
    }
    best = [at for at, value in found.items() if value == max(found.values())]
    return best[0] if len(best) == 1 else None


def _notes(document: Mapping[str, Any]) -> str:
    notes: dict[str, list[str]] = {}
    for tool in document["tools"]:
        for metric in tool["metrics"]:
            if metric["note"]:
                names = notes.setdefault(metric["note"], [])
                names += [metric["name"]] if metric["name"] not in names else []
    return "".join(
        f"<p class='note'>{_text(', '.join(names))}: {_text(note)}</p>" for note, names in notes.items()
    )


def _published(document: Mapping[str, Any]) -> str:
    columns = ("metric", "tool", "this run", "published", "model and data", "settings that differ")
    body = "".join(
        f"<tr><th>{_text(metric['name'])}</th>{_published_cells(columns[1:], tool, metric, each)}</tr>"
        for tool in document["tools"]
        for metric in tool["metrics"]
        for each in metric["published"]
    )
    return _table("stacked", "".join(f"<th>{name}</th>" for name in columns), body) if body else ""


def _published_cells(
    names: Sequence[str], tool: Mapping[str, Any], metric: Mapping[str, Any], each: Mapping[str, Any]
) -> str:
    note = f"<br><span class='quiet'>Note: {_text(each['remark'])}</span>" if each["remark"] else ""
    cells = (
        _text(tool["name"]),
        _text(figure_text(metric)),
        _text(each["value"]),
        f"{_text(each['model'])}; {_text(each['data'])}; <a href='{_text(each['source'])}'>source</a>{note}",
        _list(each["differences"]) or "none",
    )
    pairs = zip(names, cells, strict=True)
    return "".join(f"<td data-name='{_text(name)}'>{cell}</td>" for name, cell in pairs)


def _failures(document: Mapping[str, Any]) -> str:
    lines = [
        f"{tool['name']}: {case}: {error}"
        for tool in document["tools"]
        for case, error in tool["failures"].items()
    ]
    more = [f"{len(lines) - FAILURES} more"] if len(lines) > FAILURES else []
    return _list([*lines[:FAILURES], *more])


def _reproduce(document: Mapping[str, Any]) -> str:
    tools = document["tools"]
    names = dict.fromkeys(name for tool in tools for name in tool["conditions"] if name != "tool")
    head = "".join(f"<th>{_text(tool['name'])}</th>" for tool in tools)
    body = "".join(
        f"<tr><th>{_text(name)}</th>"
        + "".join(f"<td>{_text(tool['conditions'].get(name, 'not set') or 'empty')}</td>" for tool in tools)
        + "</tr>"
        for name in names
    )
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    return (
        f"<pre>{_text(document['command'])}</pre>"
        f"{_table('settings', f'<th>setting</th>{head}', body)}"
        f"<p class='note'>{_text(versions)}</p>"
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{_text(title)}</h2>{body}</section>" if body else ""


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{_text(line)}</li>' for line in lines)}</ul>" if lines else ""


def _text(value: Any) -> str:
    return html.escape(str(value), quote=True)
