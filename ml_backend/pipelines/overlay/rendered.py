"""The garments of the house bring their own light and folds: nothing about them has to be estimated."""

from __future__ import annotations

from pathlib import Path

from ... import garments
from .fitting import Fit, laid


def known(fit: Fit, folder: Path) -> Fit:
    """``fit`` with the light and bend of the garment in ``folder`` in place of estimates; as it is without them."""
    own = garments.known(folder, fit.width, fit.height)
    return fit if own is None else laid(fit, *own)
