"""``promptvision doctor``: what works, what is missing, and the command that fixes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from promptvision.cli.findings import show_findings
from promptvision.cli.masking import masked
from promptvision.cli.output import echo_row, say
from promptvision.errors import SetupError

if TYPE_CHECKING:
    from promptvision.plugins.registry import Registry
    from promptvision.plugins.specs import Finding
    from promptvision.settings import Settings

__all__ = ["diagnose", "doctor", "examine"]

WIDTHS = (5, 26)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.option("--offline", is_flag=True, help="Do not contact any host on the network.")
def doctor(as_json: bool, offline: bool) -> int:
    """Check what works here; exit 1 if something is broken.

    Checksums of downloaded weights are verified, which takes a while for large ones. Language models are
    asked for one small tool call, unless --offline is given.
    """
    if not as_json:
        echo_row(("STATE", "CHECK", "SEEN"), WIDTHS)
    found = show_findings(_all_findings(offline=offline), WIDTHS, as_json=as_json)
    failed = sum(finding.state == "fail" for finding in found)
    warned = sum(finding.state == "warn" for finding in found)
    verdict = "nothing is broken"
    if failed:
        verdict = f"{failed} of {len(found)} checks failed"
    elif any(finding.check == "tools" and finding.state == "warn" for finding in found):
        verdict = "no tool can run here"
    say(f"{verdict}; {warned} of {len(found)} checks report that something is missing" if warned else verdict)
    return 1 if failed else 0


def _all_findings(*, offline: bool) -> Iterator[Finding]:
    from promptvision.plugins.registry import Registry
    from promptvision.plugins.specs import Finding
    from promptvision.settings import load_settings

    try:
        settings = load_settings().model_copy(update={"strict_plugins": False})
    except SetupError as exc:
        yield Finding("settings", "fail", exc.message, exc.hint or "")
        return
    yield from diagnose(Registry.load(settings), settings, offline=offline)


def diagnose(registry: Registry, settings: Settings, *, offline: bool) -> Iterator[Finding]:
    """Yield the findings of ``promptvision doctor`` without secrets.

    Args:
        registry: plugins to check.
        settings: of this server or command.
        offline: whether to ask no host on the network.
    """
    for finding in examine(registry, settings, offline=offline):
        yield replace(
            finding, seen=masked(finding.seen, settings.secrets), fix=masked(finding.fix, settings.secrets)
        )


def examine(registry: Registry, settings: Settings, *, offline: bool) -> Iterator[Finding]:
    """Yield all findings, in the order in which to fix them. They may still contain secrets."""
    from promptvision.cli import checks, online_checks

    yield checks.machine()
    yield checks.devices()
    yield checks.home(settings)
    yield from checks.shown_settings(registry, settings)
    yield from checks.plugins(registry)
    yield from checks.of_plugins(registry, settings)
    yield from checks.weights(registry, settings)
    yield from checks.operations(registry)
    yield from online_checks.planners(registry, settings, offline=offline)
    yield from online_checks.stores(registry, settings, offline=offline)
    yield checks.port()
