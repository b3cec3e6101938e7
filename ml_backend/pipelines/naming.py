"""Tile -> what it looks like: its pattern type, and the design of it that has a name where one is sure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..networks.classifier import PatternClassifier
from ..requests import PATTERN_TYPES
from ..swatches import SUBTYPES

SIDE, TYPE_SIDE = 128, 64
"""Pixels that the recogniser of designs and the classifier of types look at."""
SURE = 0.6
"""Probability from which a design is named."""


@dataclass(frozen=True)
class Named:
    """``subtype`` is "" where none is sure."""

    pattern_type: str
    subtype: str


class NamePipeline:
    """``types`` tells the pattern type; ``designs``, where there is one, the subtype, which then tells the type too."""

    def __init__(self, types: PatternClassifier, designs: PatternClassifier | None) -> None:
        self.types, self.designs = types.eval(), designs.eval() if designs is not None else None

    @torch.inference_mode()
    def __call__(self, tile: Image.Image) -> Named:
        """The tile repeats; it is looked at once, and four together where its design is large."""
        if self.designs is not None:
            for batch in (_batch(tile, SIDE, 1), _batch(tile, SIDE, 2), _batch(tile, SIDE, 4)):
                shares = self.designs(batch).softmax(dim=1)[0]
                name = self.designs.config.names[int(shares.argmax())]
                if float(shares.max()) >= SURE and name in SUBTYPES:
                    return Named(SUBTYPES[name][0], name)
        shares = sum(self.types(_batch(tile, TYPE_SIDE, times)).softmax(dim=1)[0] for times in (1, 2))
        return Named(PATTERN_TYPES[int(torch.as_tensor(shares).argmax())], "")


def _batch(tile: Image.Image, side: int, times: int) -> Tensor:
    """``times`` x ``times`` tiles as (1, 3, side, side) in 0..1."""
    small = tile.convert("RGB").resize((side // times,) * 2, Image.Resampling.BOX)
    wall = np.tile(np.asarray(small), (times, times, 1))
    return torch.from_numpy(wall).permute(2, 0, 1)[None].float() / 255
