"""The report: one HTML file with its images inside, without scripts and external resources."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from promptvision.plugin import Evaluation, PromptvisionError, html_head
from promptvision_eval.run import Outcome
from promptvision_eval.summary import figure_text, rows
from promptvision_eval.thumbnails import data_uri

__all__ = ["write_report"]

WORST = 8
"""Examples shown per tool."""
FAILURES = 50
STYLE = """
<style>
table { width: 100% } .wide { overflow-x: auto }
thead th { border-bottom: 1px solid var(--line); color: var(--ink) }
td, th { padding: .3rem 1rem .3rem 0; vertical-align: top } td.n, th.n { text-align: right }
td.best { font-weight: 650 } tbody th { white-space: nowrap }
.warn { border-left: 3px solid var(--bad); padding-left: .9rem; max-width: 75ch }
ul { margin: .2rem 0; padding-left: 1.1rem } li { border: 0; padding: .1rem 0 }
pre { overflow-x: auto; background: var(--paper); border-radius: 8px; padding: .8rem; white-space: pre-wrap }
.worst { margin-top: 1.2rem }
.worst .small { grid-template-columns: repeat(auto-fill, minmax(min(320px, 100%), 1fr)) }
figcaption { overflow-wrap: anywhere }
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
    parts = [
        html_head(f"promptvision eval: {title}"),
        STYLE,
        f"<h1>{_text(title)}</h1><p class='lead'>{_text(_lead(document))}</p>",
        *(f"<p class='warn'>{_text(line)}</p>" for line in _warnings(document)),
        _section("Figures", _figures(document) + _notes(document)),
        _section("Published figures", _published(document)),
        *(_worst(evaluation, outcome) for outcome in outcomes),
        _section("Failed", _failures(document)),
        _section("Reproduce", _reproduce(document)),
        "</main></body></html>\n",
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(parts), "utf-8", errors="replace")


def _lead(document: Mapping[str, Any]) -> str:
    limit = document["limit"]
    total = document["examples"]
    part = f"{min(limit, total)} of {total} examples" if limit is not None else f"all {total} examples"
    return (
        f"{part}; in brackets the 95 % interval of {document['resamples']} bootstrap samples of the examples."
    )


def _warnings(document: Mapping[str, Any]) -> list[str]:
    lines = []
    for tool in document["tools"]:
        if tool["replaced_weights"]:
            names = ", ".join(tool["replaced_weights"])
            lines.append(
                f"{tool['name']}: {names} replaces the weights. The figures are of these weights and say "
                "nothing about the published model."
            )
        if tool["failed"]:
            lines.append(f"{tool['name']}: {tool['failed']} examples failed. They are not in the figures.")
    return lines


def _figures(document: Mapping[str, Any]) -> str:
    tools = document["tools"]
    head = "".join(f"<th class='n'>{_text(tool['name'])} {_text(tool['version'])}</th>" for tool in tools)
    body = "".join(
        f"<tr><th>{_text(name)}</th>{_cells(tools, name, cells)}</tr>" for name, cells in rows(document)
    )
    return (
        f"<div class='wide'><table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table></div>"
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
    notes = dict.fromkeys(
        f"{metric['name']}: {metric['note']}"
        for tool in document["tools"]
        for metric in tool["metrics"]
        if metric["note"]
    )
    return "".join(f"<p class='note'>{_text(note)}</p>" for note in notes)


def _published(document: Mapping[str, Any]) -> str:
    body = "".join(
        f"<tr><th>{_text(metric['name'])}</th><td>{_text(tool['name'])}</td>"
        f"<td class='n'>{_text(figure_text(metric))}</td><td class='n'>{_text(each['value'])}</td>"
        f"<td>{_text(each['model'])}, {_text(each['data'])}; "
        f"<a href='{_text(each['source'])}'>source</a></td><td>{_list(each['differences'])}</td></tr>"
        for tool in document["tools"]
        for metric in tool["metrics"]
        for each in metric["published"]
    )
    if not body:
        return ""
    head = (
        "<tr><th></th><th>tool</th><th class='n'>here</th><th class='n'>published</th><th>of</th>"
        "<th>differs</th></tr>"
    )
    return f"<div class='wide'><table><thead>{head}</thead><tbody>{body}</tbody></table></div>"


def _worst(evaluation: Evaluation, outcome: Outcome) -> str:
    scores = outcome.scores.per_case
    order = sorted(range(len(scores)), key=scores.__getitem__)[:WORST]
    order = [at for at in order if scores[at] < max(scores)] or order[:1]
    shown = "".join(_example(evaluation, outcome, at) for at in order)
    return _section(f"Worst examples of {outcome.name}", shown)


def _example(evaluation: Evaluation, outcome: Outcome, at: int) -> str:
    example = outcome.examples[at]
    try:
        drawn = evaluation.draw(example)
    except PromptvisionError as exc:  # an image that was moved since it was scored
        return f"<p class='note'>{_text(example.case.id)}: {_text(str(exc))}</p>"
    figures = "".join(
        f"<figure><img src='{data_uri(image)}' alt='{_text(caption)}'>"
        f"<figcaption>{_text(caption)}</figcaption></figure>"
        for caption, image in drawn
    )
    return (
        f"<div class='worst'><div class='head'><b>{_text(example.case.id)}</b><span class='quiet'>"
        f"{_text(outcome.scores.per_case_name)} {outcome.scores.per_case[at]:.3f}</span></div>"
        f"<div class='small'>{figures}</div></div>"
    )


def _failures(document: Mapping[str, Any]) -> str:
    lines = [
        f"{tool['name']}: {case}: {error}"
        for tool in document["tools"]
        for case, error in tool["failures"].items()
    ]
    more = [f"{len(lines) - FAILURES} more"] if len(lines) > FAILURES else []
    return _list([*lines[:FAILURES], *more])


def _reproduce(document: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    conditions = "".join(
        f"<tr><th>{_text(tool['name'])}</th><td>"
        f"{_text(', '.join(f'{name}: {value}' for name, value in tool['conditions'].items()))}</td></tr>"
        for tool in document["tools"]
    )
    return (
        f"<pre>{_text(document['command'])}</pre><table><tbody>{conditions}</tbody></table>"
        f"<p class='note'>{_text(versions)}</p>"
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{_text(title)}</h2>{body}</section>" if body else ""


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{_text(line)}</li>' for line in lines)}</ul>" if lines else ""


def _text(value: Any) -> str:
    return html.escape(str(value), quote=True)
