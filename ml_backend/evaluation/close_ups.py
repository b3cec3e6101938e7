"""How well the pattern classifier knows real cloth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ..packaging import Package
from ..requests import PATTERN_TYPES
from ..training.data.close_ups import CloseUps
from ..training.data.folder import Split
from ..training.data.seen import SIDE
from .patterns import load_classifier


@torch.inference_mode()
def close_up_accuracy(package: Package, folder: Path | str, split: Split = "held-out") -> dict[str, float]:
    """Share of whole close-ups told right among all ten types.

    ``real`` over all pictures, ``real_TYPE`` for each type that occurs, ``real_mean`` the mean of those, and
    ``real_n``.  Raises :class:`BadInput` for a folder without usable pictures.
    """
    classifier = load_classifier(package)
    pictures, wanted = CloseUps(folder, split).whole(SIDE)
    labels = wanted.numpy()
    right = classifier(pictures).argmax(dim=1).numpy() == labels
    by_type = {f"real_{PATTERN_TYPES[label]}": float(right[labels == label].mean()) for label in np.unique(labels)}
    mean = float(np.mean(list(by_type.values())))
    return {"real": float(right.mean()), "real_mean": mean, **by_type, "real_n": len(right)}
