"""Print findings, as ``doctor`` and ``plugin check`` do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from promptvision.cli.output import echo_json, echo_row, plain

if TYPE_CHECKING:
    from promptvision.plugins.specs import Finding

__all__ = ["show_findings"]


def show_findings(findings: Iterable[Finding], widths: Sequence[int], *, as_json: bool) -> list[Finding]:
    """Print each finding as soon as it is known, or all of them as one JSON document.

    Args:
        findings: may be a generator that checks one thing after the other.
        widths: of the columns for the state and the check.
        as_json: print JSON, at the end.

    Returns:
        All findings.
    """
    found: list[Finding] = []
    for finding in findings:
        found.append(finding)
        if not as_json:
            seen = f"{finding.seen}; {finding.fix}" if finding.fix else finding.seen
            echo_row((finding.state, plain(finding.check), plain(seen)), widths)
    if as_json:
        echo_json({"findings": [asdict(finding) for finding in found]})
    return found
