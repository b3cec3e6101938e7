"""How near a fabric is to a colour that is sought: the distance of its inks, weighted by how much they cover."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..colour import oklab, to_oklab

F64 = NDArray[np.float64]

SOFTNESS = 0.06
"""OKLab distance that weighs as much as covering e (2.7) times less of the cloth."""


def distances(fabrics: Sequence[tuple[Sequence[str], Sequence[float]]], colour: str) -> F64:
    """How far each fabric, its palette (``#rrggbb``) and the share of each ink, is from ``colour``: (N,) in OKLab.

    The smooth minimum ``-s ln(sum_k share_k exp(-d_k / s))`` of the distances ``d_k`` of its inks: a cloth of one
    colour is as far as that colour; one that wears the sought colour on half of it is a step away, on a fiftieth many.
    A fabric without inks is infinitely far.
    """
    most = max((len(palette) for palette, _ in fabrics), default=0)
    if not most:
        return np.full(len(fabrics), np.inf)
    rgb = np.zeros((len(fabrics), most, 3))
    shares = np.zeros((len(fabrics), most))
    for row, (palette, covered) in enumerate(fabrics):
        count = min(len(palette), len(covered))
        if count:
            joined = bytes.fromhex("".join(one[1:] for one in palette[:count]))
            rgb[row, :count] = np.frombuffer(joined, np.uint8).reshape(count, 3)
            shares[row, :count] = covered[:count]
    away = np.linalg.norm(to_oklab(rgb) - oklab(colour), axis=-1)
    near = (shares * np.exp(-away / SOFTNESS)).sum(axis=1) / np.maximum(shares.sum(axis=1), 1e-9)
    with np.errstate(divide="ignore"):
        return np.asarray(-SOFTNESS * np.log(near), np.float64)
