"""Which licences the user is asked to read."""

from __future__ import annotations

import pytest

from promptvision.models.licences import is_restrictive


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Apache-2.0", False),
        ("MIT", False),
        ("Apache-2.0; engine transformers, Apache-2.0", False),
        ("Apache-2.0; engine ultralytics, AGPL-3.0", True),
        ("CreativeML Open RAIL++-M", True),
        ("CC-BY-NC-4.0", True),
        ("", True),
    ],
)
def test_only_permissive_licences_pass(name: str, expected: bool) -> None:
    assert is_restrictive(name) is expected
