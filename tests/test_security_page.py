"""docs/security.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_protection_names_existing_tests() -> None:
    page = (ROOT / "docs/security.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if re.match(r"\| [TL]?\d", line)]
    assert len(rows) > 60
    missing = []
    for row in rows:
        for part in row.split(";"):
            path = re.search(r"`([\w/.-]+\.py)`", part)
            if path is None:
                continue
            source = (ROOT / path[1]).read_text("utf-8")
            names = re.findall(r"`(test_\w+)`", part)
            missing += [f"{path[1]}::{name}" for name in names if f"def {name}(" not in source]
    assert missing == []
