"""Small colour profiles for images that describe their colours by code points.

Sources: ICC.1:2001-04 (matrix/TRC profiles); the Bradford adaptation in ICC.1:2022, annex E; ITU-T H.273
(colour primaries and transfer characteristics of cICP); ITU-R BT.2100 (PQ and HLG), BT.2408 (203 nits for
graphics white).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

__all__ = ["BT709", "PRIMARIES", "TRANSFERS", "Chromaticities", "Transfer", "make_profile"]

Chromaticities = tuple[float, float, float, float, float, float, float, float]
"""x and y of white, red, green and blue."""
Transfer = Callable[[float], float]
"""Converts a coded value to linear light, both 0 to 1."""

_D65 = (0.3127, 0.3290)
BT709: Chromaticities = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
PRIMARIES: dict[int, Chromaticities] = {
    1: BT709,
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
"""Colour primaries by their number in H.273."""

_WHITE_NITS = 203.0
_HLG_WHITE = 0.75
_POINTS = 1024
_BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
_D50 = (0.9642, 1.0, 0.8249)

Matrix = Sequence[Sequence[float]]


def _srgb(value: float) -> float:
    return float(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)


def _bt709(value: float) -> float:
    return float(value / 4.5 if value < 0.081 else ((value + 0.099) / 1.099) ** (1 / 0.45))


def _pq(value: float) -> float:
    powered: float = value ** (32 / 2523)
    light = max(powered - 0.8359375, 0) / (18.8515625 - 18.6875 * powered)
    return float(min(light ** (8192 / 1305) * 10_000 / _WHITE_NITS, 1.0))


def _hlg(value: float) -> float:
    return float(min((_hlg_scene(value) / _hlg_scene(_HLG_WHITE)) ** 1.2, 1.0))


def _hlg_scene(value: float) -> float:
    return (
        value**2 / 3
        if value <= 0.5
        else (2.718281828 ** ((value - 0.55991073) / 0.17883277) + 0.28466892) / 12
    )


TRANSFERS: dict[int, Transfer] = {
    1: _bt709,
    4: lambda value: value**2.2,
    5: lambda value: value**2.8,
    6: _bt709,
    8: lambda value: value,
    13: _srgb,
    14: _bt709,
    15: _bt709,
    16: _pq,
    18: _hlg,
}
"""Transfer characteristics by their number in H.273; light above graphics white is clipped."""


def make_profile(transfer: Transfer, primaries: Chromaticities | None) -> bytes:
    """An ICC profile of version 2.

    Args:
        transfer: converts coded values to linear light.
        primaries: for colour; None for greyscale.

    Raises:
        ValueError: the primaries span no colour space.
    """
    curve = struct.pack(">4sII", b"curv", 0, _POINTS) + b"".join(
        struct.pack(">H", round(min(max(transfer(i / (_POINTS - 1)), 0), 1) * 65535)) for i in range(_POINTS)
    )
    tags = {b"desc": _description(), b"wtpt": _xyz(_D50)}
    if primaries is None:
        tags[b"kTRC"] = curve
        return _assemble(b"GRAY", tags)
    columns = _columns(primaries)
    for name, column in zip((b"r", b"g", b"b"), columns, strict=True):
        tags[name + b"XYZ"] = _xyz(column)
        tags[name + b"TRC"] = curve
    return _assemble(b"RGB ", tags)


def _columns(primaries: Chromaticities) -> list[tuple[float, float, float]]:
    """XYZ of red, green and blue under D50."""
    white, *colours = (_to_xyz(*primaries[at : at + 2]) for at in range(0, 8, 2))
    unscaled = _transposed(colours)
    scales = _times(_inverse(unscaled), white)
    cone_white, cone_d50 = _times(_BRADFORD, white), _times(_BRADFORD, _D50)
    gains = [d50 / own for d50, own in zip(cone_d50, cone_white, strict=True)]
    columns = []
    for colour, scale in zip(colours, scales, strict=True):
        cones = _times(_BRADFORD, [part * scale for part in colour])
        adapted = _times(_inverse(_BRADFORD), [cone * gain for cone, gain in zip(cones, gains, strict=True)])
        columns.append((adapted[0], adapted[1], adapted[2]))
    return columns


def _to_xyz(x: float, y: float) -> tuple[float, float, float]:
    if not (0 < y <= 1 and 0 <= x <= 1):
        raise ValueError("not a chromaticity")
    return x / y, 1.0, (1 - x - y) / y


def _times(matrix: Matrix, vector: Sequence[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def _transposed(rows: Matrix) -> list[list[float]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _inverse(m: Matrix) -> list[list[float]]:
    cofactors = [
        [
            m[(i + 1) % 3][(j + 1) % 3] * m[(i + 2) % 3][(j + 2) % 3]
            - m[(i + 1) % 3][(j + 2) % 3] * m[(i + 2) % 3][(j + 1) % 3]
            for j in range(3)
        ]
        for i in range(3)
    ]
    determinant = sum(m[0][j] * cofactors[0][j] for j in range(3))
    if abs(determinant) < 1e-9:
        raise ValueError("the primaries are collinear")
    return [[cofactors[j][i] / determinant for j in range(3)] for i in range(3)]


def _xyz(values: Sequence[float]) -> bytes:
    return struct.pack(">4sI3i", b"XYZ ", 0, *(round(value * 65536) for value in values))


def _description() -> bytes:
    text = b"from the image's header\0"
    return struct.pack(">4sII", b"desc", 0, len(text)) + text + bytes(78)


def _assemble(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    offset = 128 + 4 + 12 * len(tags)
    table, bodies = b"", b""
    for name, body in tags.items():
        table += struct.pack(">4sII", name, offset + len(bodies), len(body))
        bodies += body + bytes(-len(body) % 4)
    header = struct.pack(
        ">I4sI4s4s4s12s4s4sIIIQI3i4s44x",
        offset + len(bodies),
        bytes(4),
        0x02400000,
        b"mntr",
        space,
        b"XYZ ",
        bytes(12),
        b"acsp",
        bytes(4),
        0,
        0,
        0,
        0,
        0,
        *(round(value * 65536) for value in _D50),
        bytes(4),
    )
    return header + struct.pack(">I", len(tags)) + table + bodies
