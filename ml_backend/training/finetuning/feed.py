"""What a step sees: each row of a batch is a function of (seed, number) alone, whoever makes it and whenever.

Row ``n`` is the ``n``-th picture of the run: which one, flipped or not, what is hidden, how noisy, under which words.
So a step of several processes, or of several passes, sees what one process and one pass would see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..data.captioned_folder import Captioned
from .latents import Encoder
from .loading import Base
from .masking import Mask, random_mask

LEARNT, KIND, MEASURED = 1, 2, 3
"""Streams of rows: pictures to learn, class pictures, pictures to measure on."""


@dataclass(frozen=True)
class Set:
    """Pictures that are drawn from, each ``words`` long said, and the garment that was found in it or None."""

    pictures: Sequence[Captioned]
    garments: Sequence[Mask | None]
    stream: int

    def __len__(self) -> int:
        return len(self.pictures)


@dataclass(frozen=True)
class Row:
    """A picture as a step sees it: ``noise`` and ``spread`` (4, h, w) are normal, ``mask`` (S, S) is what is hidden."""

    picture: Captioned
    text: str
    flip: bool
    mask: Mask | None
    is_garment: bool
    time: int
    noise: NDArray[np.float32]
    spread: NDArray[np.float32]


@dataclass(frozen=True)
class Batch:
    """``clean`` and ``noise`` (N, 4, h, w), ``times`` (N,), ``hidden`` (N, 1, h, w) and ``around`` (N, 4, h, w), which
    only bases that inpaint have, and the words."""

    clean: Tensor
    noise: Tensor
    times: Tensor
    hidden: Tensor | None
    around: Tensor | None
    texts: list[str]


@dataclass(frozen=True)
class Habits:
    """How rows are drawn: shares of blank captions, of pictures hidden whole, and of garments among the other masks."""

    flip: bool
    blank: float
    whole: float
    garments: float


class Feed:
    """Rows and batches for a base."""

    def __init__(self, base: Base, encoder: Encoder, habits: Habits, seed: int) -> None:
        self.inpaints = base.inpaints
        self.encoder, self.habits, self.seed = encoder, habits, seed
        self.times = int(base.schedule.config.num_train_timesteps)
        self._shape = (4, encoder.resolution // encoder.factor, encoder.resolution // encoder.factor)

    def row(self, pictures: Set, number: int) -> Row:
        """The ``number``-th of the stream."""
        rng = np.random.default_rng([self.seed, pictures.stream, number])
        measured = pictures.stream == MEASURED
        lap, place = divmod(number, len(pictures))
        index = place if measured else int(_order(self.seed, pictures.stream, lap, len(pictures))[place])
        picture = pictures.pictures[index]
        flip = bool(rng.random() < 0.5) and self.habits.flip and not measured
        blank = bool(rng.random() < self.habits.blank) and not measured
        mask, is_garment = self._mask(pictures.garments[index], rng) if self.inpaints else (None, False)
        if is_garment and flip and mask is not None:
            mask = mask[:, ::-1]
        return Row(
            picture,
            "" if blank else picture.text,
            flip,
            mask,
            is_garment,
            int(rng.integers(self.times)),
            rng.standard_normal(self._shape, dtype=np.float32),
            rng.standard_normal(self._shape, dtype=np.float32),
        )

    def _mask(self, garment: Mask | None, rng: np.random.Generator) -> tuple[Mask, bool]:
        side = self.encoder.resolution
        if rng.random() < self.habits.whole:
            return np.ones((side, side), bool), False
        wants_garment = rng.random() < self.habits.garments
        if wants_garment and garment is not None:
            return garment, True
        return random_mask(side, rng), False

    def batch(self, rows: Sequence[Row]) -> Batch:
        """The rows as latents on the encoder's device."""
        device = self.encoder.device
        spreads = torch.stack([self.encoder.spread(row.picture.path, row.flip) for row in rows])
        drawn = torch.from_numpy(np.stack([row.spread for row in rows]))
        hidden = around = None
        if self.inpaints:
            masks = torch.from_numpy(np.stack([row.mask for row in rows if row.mask is not None]))[:, None]
            # the nearest pixel, as diffusers' pipelines shrink a mask
            hidden = torch.nn.functional.interpolate(masks.float(), size=self._shape[1:]).to(device)
            around = torch.stack([self._around(row) for row in rows]).to(device)
        return Batch(
            clean=(spreads[:, 0] + spreads[:, 1] * drawn).to(device),
            noise=torch.from_numpy(np.stack([row.noise for row in rows])).to(device),
            times=torch.tensor([row.time for row in rows], device=device),
            hidden=hidden,
            around=around,
            texts=[row.text for row in rows],
        )

    def _around(self, row: Row) -> Tensor:
        assert row.mask is not None
        if row.mask.all():
            return self.encoder.nothing()
        return self.encoder.around(row.picture.path, row.flip, row.mask, "garment" if row.is_garment else None)


@lru_cache(maxsize=8)
def _order(seed: int, stream: int, lap: int, count: int) -> NDArray[np.int64]:
    """In which order a lap shows the pictures."""
    return np.random.default_rng([seed, stream, lap, 0x0DE7]).permutation(count)
