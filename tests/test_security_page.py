"""docs/security.md has a row for each known threat and fault, and names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
NUMBERS = {
    *map(str, range(1, 41)),
    *(f"T{number}" for number in range(1, 26)),
    *(f"L{number}" for number in range(1, 11)),
}


def rows() -> list[str]:
    page = (ROOT / "docs/security.md").read_text("utf-8")
    return [line for line in page.splitlines() if re.match(r"\| [TL]?\d", line)]


def test_every_threat_and_fault_has_a_row() -> None:
    listed = [number.strip() for row in rows() for number in row.split("|")[1].split(",")]
    assert NUMBERS - set(listed) == set()
    assert len(listed) == len(set(listed))


def test_every_protection_names_existing_tests() -> None:
    missing = []
    for row in rows():
        tests = 0
        for part in row.split(";"):
            path = re.search(r"`([\w/.-]+\.py)`", part)
            if path is None:
                continue
            source = (ROOT / path[1]).read_text("utf-8")
            names = re.findall(r"`(test_\w+)`", part)
            missing += [f"{path[1]}::{name}" for name in names if f"def {name}(" not in source]
            tests += len(names)
        assert tests, row
    assert missing == []
