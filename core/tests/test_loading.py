"""The shared functions of loaders."""

from __future__ import annotations

from pathlib import Path

import pytest

from promptvision.errors import SetupError
from promptvision.models.loading import require_all_weights


def test_a_complete_checkpoint_passes() -> None:
    require_all_weights("sam", Path("w"), {"missing_keys": set(), "unexpected_keys": {"extra"}})


def test_missing_weights_are_counted_and_some_are_named() -> None:
    info: dict[str, set[object]] = {
        "missing_keys": {"a", "b", "c", "d"},
        "mismatched_keys": {("e", (1,), (2,))},
    }
    with pytest.raises(
        SetupError, match=r"sam: w does not contain all weights .*: 5 missing or of another shape: .*a"
    ) as raised:
        require_all_weights("sam", Path("w"), info)
    assert "..." in raised.value.message
    assert "download the model again" in str(raised.value)
