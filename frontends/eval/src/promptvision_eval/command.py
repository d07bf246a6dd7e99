"""``promptvision eval``: score installed tools or planners on labelled data."""

from __future__ import annotations

import asyncio
import json
import textwrap
from pathlib import Path
from typing import Any

import click

from promptvision.plugin import InputError
from promptvision_eval.plugin import EVALUATORS

__all__ = ["evaluate"]

WIDTH = 78


def _layouts() -> str:
    """The layouts of this package as text for ``--help``, its lines kept as they are."""
    lines = ["\b", "Layouts by operation; plugins may add more:"]
    for each in EVALUATORS:
        text = f"{each.operation}, {each.name}: {each.summary}"
        lines += textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")
        for name, meaning in each.options.items():
            text = f"-o {name}=...: {meaning}"
            lines += textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="      ")
    return "\n".join(lines)


@click.command("eval", epilog=_layouts())
@click.argument("operation")
@click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, path_type=Path),
    help="Folder or file with labelled examples, in one of the layouts below.",
)
@click.option(
    "--tool",
    "tools",
    multiple=True,
    metavar="NAME",
    help="Tool or planner to score; repeat it to compare several. Default: the first that can run here.",
)
@click.option("--evaluator", default="", metavar="LAYOUT", help="Layout of the data, if several fit.")
@click.option(
    "--limit", type=click.IntRange(1), metavar="COUNT", help="Use only so many examples, chosen at random."
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="NUMBER",
    help="Seed of all random choices.",
)
@click.option(
    "--resamples",
    type=click.IntRange(0),
    default=1000,
    show_default=True,
    metavar="COUNT",
    help="Bootstrap samples for the 95 % confidence intervals; 0 for no interval.",
)
@click.option(
    "-a", "--arg", "pairs", multiple=True, metavar="NAME=VALUE", help="An argument of each call of the tool."
)
@click.option(
    "-o",
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of the layout, see below.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write an HTML page with figures and the worst examples.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--fresh", "is_fresh", is_flag=True, help="Ignore the predictions of earlier runs.")
def evaluate(
    operation: str,
    data: Path,
    tools: tuple[str, ...],
    evaluator: str,
    limit: int | None,
    seed: int,
    resamples: int,
    pairs: tuple[str, ...],
    options: tuple[str, ...],
    report: Path | None,
    as_json: bool,
    is_fresh: bool,
) -> int:
    """Score the tools of OPERATION on labelled data, or planners with "planner" as OPERATION.

    Predictions are kept in PROMPTVISION_HOME/eval: after an interruption, the same command continues.

    \b
    promptvision eval extract_text --data pages/ --tool tesseract --tool rapidocr --report report.html
    promptvision eval planner --data sentences.txt --tool offline
    """
    from promptvision_eval.document import Request
    from promptvision_eval.session import EvalSession

    request = Request(
        operation=operation,
        data=data,
        tools=tools,
        evaluator=evaluator,
        limit=limit,
        seed=seed,
        resamples=resamples,
        arguments={name: _value(text) for name, text in map(_pair, pairs)},
        options=dict(map(_pair, options)),
    )
    try:
        document, write = asyncio.run(EvalSession(request, is_fresh=is_fresh).run())
        if report is not None:
            write(report)
    except OSError as exc:
        raise InputError(f"eval: {exc.filename}: {exc.strerror}", hint="check --data and --report") from exc
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        from rich.console import Console

        from promptvision_eval.summary import print_summary

        print_summary(document, Console())
    return 1 if any(tool["failed"] for tool in document["tools"]) else 0


def _pair(pair: str) -> tuple[str, str]:
    name, equals, text = pair.partition("=")
    if not equals or not name:
        raise click.UsageError(f"{pair}: use NAME=VALUE")
    return name, text


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
