"""Licences of weights: which ones restrict what the weights may be used for."""

from __future__ import annotations

import re

__all__ = ["is_restrictive"]

_PERMISSIVE = frozenset({"apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "isc", "cc0-1.0", "cc-by-4.0"})
_ENGINE = re.compile(r"engine \w+,", re.IGNORECASE)


def is_restrictive(name: str) -> bool:
    """Whether a licence is other than the usual permissive ones, so that the user should read it.

    Args:
        name: of a model spec: an SPDX id or a name; several parts are separated by ``;`` or ``,``.
    """
    parts = re.split(r"[;,]", _ENGINE.sub("", name))
    return not all(part.strip().lower() in _PERMISSIVE for part in parts)
